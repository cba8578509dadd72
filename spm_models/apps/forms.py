"""Forms of a page as HTML: alive as soon as the page is there, without waiting for widgets.

A form is sent to ``/write/<kind>`` by the page's own script; what it may hold and who may send it is decided there
(:mod:`spm_models.apps.writes`). Every text is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from markupsafe import Markup

from spm_models.reports.parts import join
from spm_models.translations import Translator

_numbers = count(1)


@dataclass(frozen=True)
class Text:
    """Words: one line, or a box of several ``rows``."""

    name: str
    label: str
    value: str = ""
    rows: int = 3
    required: bool = True
    longest: int = 4000
    help: str = ""

    def control(self, key: str, described: Markup) -> Markup:
        """The element that is filled in."""
        needed = Markup(" required") if self.required else Markup("")
        if self.rows > 1:
            return Markup('<textarea id="{}" name="{}" rows="{}" maxlength="{}"{}{}>{}</textarea>').format(
                key, self.name, self.rows, self.longest, needed, described, self.value
            )
        return Markup('<input id="{}" name="{}" type="text" dir="auto" maxlength="{}" value="{}"{}{}>').format(
            key, self.name, self.longest, self.value, needed, described
        )


@dataclass(frozen=True)
class Choice:
    """One of a few: values with their labels."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str = ""
    required: bool = True
    help: str = ""

    def control(self, key: str, described: Markup) -> Markup:
        """The element that is filled in."""
        items = join(
            Markup('<option value="{}"{}>{}</option>').format(
                value, Markup(" selected") if value == self.value else Markup(""), label
            )
            for value, label in self.options
        )
        needed = Markup(" required") if self.required else Markup("")
        return Markup('<select id="{}" name="{}"{}{}>{}</select>').format(key, self.name, needed, described, items)


@dataclass(frozen=True)
class Number:
    """An amount or share as people write it in their language; the server reads it with the company's locale."""

    name: str
    label: str
    value: str = ""
    required: bool = True
    help: str = ""

    def control(self, key: str, described: Markup) -> Markup:
        """The element that is filled in."""
        needed = Markup(" required") if self.required else Markup("")
        return Markup(
            '<input id="{}" name="{}" type="text" inputmode="decimal" maxlength="40" value="{}" dir="ltr"{}{}>'
        ).format(key, self.name, self.value, needed, described)


@dataclass(frozen=True)
class Day:
    """A day; the browser shows its own calendar."""

    name: str
    label: str
    value: str = ""
    required: bool = False
    help: str = ""

    def control(self, key: str, described: Markup) -> Markup:
        """The element that is filled in."""
        needed = Markup(" required") if self.required else Markup("")
        return Markup('<input id="{}" name="{}" type="date" value="{}"{}{}>').format(
            key, self.name, self.value, needed, described
        )


Field = Text | Choice | Number | Day


def form(
    t: Translator, kind: str, about: Mapping[str, str], fields: Iterable[Field], *, label: str, fold: str = "",
    quiet: bool = False,
) -> Markup:  # fmt: skip
    """A form for one thing that a viewer may write.

    Parameters
    ----------
    t : Translator
    kind : str
        One of :data:`spm_models.apps.writes.KINDS`.
    about : mapping
        What it is about, sent along unseen: ``{"rep": "R0010"}``. The server checks it against the viewer's scope.
    fields : iterable of Text, Choice, Number or Day
    label : str
        Of the button.
    fold : str
        With it the form lies behind this summary until it is opened.
    quiet : bool
        A button that does not ask for attention.

    Examples
    --------
    >>> html = form(Translator("en"), "note", {"rep": "r1"}, [Text("text", "What happened?")], label="Keep it")
    >>> 'action="/write/note"' in html, '<input type="hidden" name="rep" value="r1">' in html
    (True, True)
    """
    hidden = join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value) for name, value in about.items()
    )
    rows = join(_row(field) for field in fields)
    made = Markup(
        '<form class="write" method="post" action="/write/{}" data-write data-lost="{}">{}{}<p class="send">'
        '<button class="button{}" disabled>{}</button></p><div class="said" role="status"></div></form>'
    ).format(kind, t("write.lost"), hidden, rows, " quiet" if quiet else "", label)
    if not fold:
        return made
    return Markup('<details class="write-fold"><summary>{}</summary>{}</details>').format(fold, made)


def said(t: Translator, what: str, *, undo: int | None = None) -> Markup:
    """What the server answers to a form: a sentence, and where it can be, a way back."""
    line = Markup('<p class="done">{}</p>').format(what)
    if undo is None:
        return line
    return line + form(t, "undo", {"number": str(undo)}, [], label=t("write.undo"), quiet=True)


def refused(what: str) -> Markup:
    """What the server answers to a form that it did not take."""
    return Markup('<p class="refused" role="alert">{}</p>').format(what)


def _row(field: Field) -> Markup:
    key = f"f{next(_numbers)}-{field.name}"
    described = Markup(' aria-describedby="{}-help"').format(key) if field.help else Markup("")
    hint = Markup('<small id="{}-help">{}</small>').format(key, field.help) if field.help else Markup("")
    return Markup('<p class="field"><label for="{}">{}</label>{}{}</p>').format(
        key, field.label, field.control(key, described), hint
    )
