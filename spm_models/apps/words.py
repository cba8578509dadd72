"""The words around a page: its shell, its entry, its errors, in the company's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader

from spm_models.translations import Translator

FONTS = {"ltr": "SPMSans-Regular.woff2", "rtl": "SPMSansArabic-Regular.woff2"}
#: Each language by its own name: whoever is lost in the wrong one still finds his.
LANGUAGES = {"tr": "Türkçe", "en": "English", "ar": "العربية"}


class PageWords:
    """Renders what surrounds a page.

    Parameters
    ----------
    t : Translator
        The reader's language.
    company : str
        Name of the company.
    templates : Path
        Folder with ``message.html.j2`` and ``failure.html.j2``.
    command : str
        What to type to open the pages again.
    """

    def __init__(self, t: Translator, company: str, templates: Path, command: str) -> None:
        self.t, self.company, self.command = t, company, command
        self._environment = Environment(loader=FileSystemLoader(templates), autoescape=True)

    def shell(self, slug: str, slugs: Iterable[str], *, viewer: str = "", address: str = "") -> dict[str, Any]:
        """What the page template needs: language, title, links, words, and the same page in other languages."""
        t = self.t
        names = ("skip", "pages", "loading", "slow", "footer", "lost", "reload", "language", "sign_out")
        eyes = ("label", "go", "end")
        back = urlencode({"to": address})
        return {
            "lang": t.locale, "direction": t.direction, "company": self.company, "font": FONTS[t.direction],
            "title": self.title(slug), "words": {name: t(f"pages.{name}") for name in names},
            "eyes": {name: t(f"pages.looks_as.{name}") for name in eyes},
            "pages": [{"slug": s, "label": self.title(s), "current": s == slug} for s in slugs],
            "languages": [
                {"locale": locale, "label": name, "current": locale == t.locale, "href": f"/language/{locale}?{back}"}
                for locale, name in LANGUAGES.items()
            ],
            "viewer": t("page.viewer", name=viewer) if viewer else "",
        }  # fmt: skip

    def title(self, slug: str) -> str:
        """A page's name."""
        key = f"pages.titles.{slug.replace('-', '_')}"
        return self.t(key) if self.t.has(key) else slug.replace("-", " ").capitalize()

    def error_page(self, kind: str) -> str:
        """A whole page that says what happened and what to do (``pages.<kind>`` of the catalogue)."""
        command = self.command if kind == "forbidden" else ""
        back = {"forward": "", "back": "/", "link": self.t("pages.first")} if kind in ("denied", "missing") else {}
        return self._message(self.t(f"pages.{kind}.title"), self.t(f"pages.{kind}.body"), command=command, **back)

    def sign_in_page(self, xsrf: str, to: str, *, problem: str = "", minutes: int = 0) -> str:
        """The form that asks for login and password, and what was wrong with the last attempt."""
        t, names = self.t, ("login", "password", "go", "help")
        said = t(f"pages.sign_in.{problem}", **({"n": minutes} if minutes else {})) if problem else ""
        languages = [(locale, name) for locale, name in LANGUAGES.items() if locale != t.locale]
        return self._environment.get_template("sign_in.html.j2").render(
            lang=t.locale, direction=t.direction, company=self.company, title=t("pages.sign_in.title"), xsrf=xsrf,
            to=to, problem=said, words={name: t(f"pages.sign_in.{name}") for name in names}, languages=languages,
            language=t("pages.language"),
        )  # fmt: skip

    def entry_page(self) -> str:
        """The page that the one-time address shows for a blink."""
        t = self.t
        return self._message(t("pages.entry.title"), t("pages.entry.body"), forward="/", link=t("pages.entry.link"))

    def failure(self, *, late: bool = False) -> str:
        """A part of a page that takes the place of what could not be made."""
        kind = "late" if late else "failed"
        return self._environment.get_template("failure.html.j2").render(
            title=self.t(f"pages.{kind}.title"), body=self.t(f"pages.{kind}.body"), reload=self.t("pages.reload")
        )

    def _message(self, title: str, body: str, **more: str) -> str:
        return self._environment.get_template("message.html.j2").render(
            lang=self.t.locale, direction=self.t.direction, company=self.company, title=title, body=body, **more
        )


def failure_once(words: PageWords) -> tuple[Callable[[], str], Callable[[], bool]]:
    """A function for the template that renders the failure, and one that tells whether it was called."""
    calls: list[int] = []

    def render() -> str:
        calls.append(1)
        return words.failure()

    return render, lambda: bool(calls)
