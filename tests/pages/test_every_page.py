"""Every page, as every role, in every language: it opens, says the same, fits, can be walked by keyboard, and is clean.

Screenshots at 1440 and 390 pixels lie in ``build/pages`` afterwards.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from spm_models.apps.pages import PAGES, open_to, turned_on
from spm_models.translations import LOCALES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("every_page")]
WAIT = 60_000
#: Voila's own bundle says these about itself; they are no faults of the page (after the last, the page begins again).
KNOWN = ("Unsatisfied version", "No satisfying version", "Error: widget model not found")
SHOTS = Path(__file__).parents[2] / "build" / "pages"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "apps"
SERVED = [page.slug for page in PAGES if (NOTEBOOKS / f"{page.name}.ipynb").exists()]
#: Who walks: a person of the small company by role.
WALKERS = {"executive": "boss", "manager": "m1", "rep": "r1", "analyst": "ana"}


@pytest.fixture(scope="module")
def walked(published_richly, serve):
    """A server by role, its one-time address used."""
    running = {}

    def server_of(role):
        if role not in running:
            pages = f'viewer = "{WALKERS[role]}"' + (f'\nrole = "{role}"' if role in ("executive", "analyst") else "")
            workspace = published_richly(pages=pages)
            running[role] = serve(workspace), turned_on(workspace.settings)
            running[role][0].enter()
        return running[role]

    return server_of


def shown(server, page_of, slug, locale, width=1440):
    page = page_of(server, viewport={"width": width, "height": 900})
    page.context.add_cookies([{"name": "spm-language", "value": locale, "url": f"http://{server.host}"}])
    page.goto(f"http://{server.host}/pages/{slug}", wait_until="commit")
    page.wait_for_selector("footer.foot", timeout=WAIT)
    return page


#: What sticks out of the window, and is not inside something that scrolls by itself.
STICKS_OUT = """width => [...document.querySelectorAll("body *")].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && (box.right > width + 1 || box.left < -1) && !e.closest(".scroll, .jumps, svg, .top ul");
}).map(e => `${e.closest("section")?.id} ${e.tagName} ${e.className}: ${e.textContent.slice(0, 50)}`).slice(0, 5)"""


def shares(page):
    """Whole percentages in what is read, in order of size: the same in all languages. Controls may not be alive yet."""
    page.locator(".live-control").evaluate_all("all => all.forEach(one => { one.hidden = true; })")
    text = re.sub(r"[\u2066-\u2069\u200e\u200f\u061c]", "", page.inner_text("main"))
    page.locator(".live-control").evaluate_all("all => all.forEach(one => { one.hidden = false; })")
    return sorted(re.findall(r"\b\d{1,3}(?=%|٪)|(?<=%)\d{1,3}\b", text), key=int)


@pytest.mark.parametrize("role", WALKERS)
@pytest.mark.parametrize("slug", SERVED)
def test_a_page_opens_in_every_language_and_says_the_same(walked, page_of, role, slug):
    (server, optional), said = walked(role), {}
    if slug not in open_to(role, SERVED, optional):
        assert server.ask(f"/pages/{slug}")[0] == 403
        return
    for locale in LOCALES:
        page = shown(server, page_of, slug, locale)
        assert page.locator("[data-page-failed]").count() == 0, f"{slug} failed in {locale}"
        assert page.locator("html").get_attribute("lang") == locale
        assert page.locator("html").get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
        assert page.locator("main h1").count() == 1 and page.inner_text("main h1").strip()
        assert page.locator('.top a[aria-current="page"]').get_attribute("href") == f"/pages/{slug}"
        said[locale] = shares(page)
        SHOTS.mkdir(parents=True, exist_ok=True)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(STICKS_OUT, width)
            page.screenshot(path=SHOTS / f"{role}-{slug}-{locale}-{width}.png", full_page=True)
        asked = {urlsplit(url).netloc for url in page.heard["requests"] if not url.startswith(("data:", "blob:"))}
        assert asked == {server.host}, "asked another machine"
        assert [text for text in page.heard["errors"] if not text.startswith(KNOWN)] == []
        assert page.heard["dialogs"] == []
        page.close()
    assert said["en"] == said["tr"] == said["ar"]


@pytest.mark.parametrize("slug", [slug for slug in SERVED if slug != "leaderboard"])
def test_a_page_can_be_read_by_a_screen_reader_and_walked_by_keyboard(walked, page_of, slug):
    from axe_playwright_python.sync_playwright import Axe

    role = next(role for role in WALKERS if slug in open_to(role, SERVED, []))
    server, _ = walked(role)
    page = shown(server, page_of, slug, "tr")
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        place = page.evaluate("[...document.querySelectorAll('a,button,input,select,textarea,summary,[tabindex]')]"
                              ".indexOf(document.activeElement)")  # fmt: skip
        if place in reached or place < 0:
            break
        reached.add(place)
        assert page.evaluate("(e => e.offsetParent !== null || getComputedStyle(e).position === 'fixed')"
                             "(document.activeElement)"), "focus on something that cannot be seen"  # fmt: skip
    assert len(reached) >= 3
