"""Forms as HTML: escaped, labelled, and off until the page's script is there."""

from __future__ import annotations

import re

import pytest

from spm_models.apps.forms import Choice, Day, Number, Text, form, refused, said
from spm_models.translations import LOCALES, Translator

HOSTILE = '"><img src=x onerror=alert(1)>'
T = Translator("en")


def test_every_text_is_escaped():
    fields = [
        Text("text", HOSTILE, HOSTILE, help=HOSTILE), Text("line", HOSTILE, HOSTILE, rows=1),
        Choice("kind", HOSTILE, [(HOSTILE, HOSTILE)]), Number("n", HOSTILE, HOSTILE), Day("day", HOSTILE, HOSTILE),
    ]  # fmt: skip
    html = form(T, "note", {"rep": HOSTILE}, fields, label=HOSTILE, fold=HOSTILE)
    assert "<img" not in html and html.count("&lt;img") == 15
    assert "<img" not in said(T, HOSTILE) + refused(HOSTILE)


def test_every_control_has_a_label_and_its_help_is_read_with_it():
    html = form(T, "note", {}, [Text("text", "Words", help="Short"), Day("on", "Day")], label="Keep")
    labels, keys = re.findall(r'<label for="([^"]+)"', html), re.findall(r'<(?:textarea|input) id="([^"]+)"', html)
    assert labels == keys and len(set(keys)) == 2
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described and f'<small id="{described[1]}">Short' in html


def test_two_forms_of_a_page_share_no_ids():
    both = form(T, "note", {}, [Text("text", "a")], label="b") + form(T, "note", {}, [Text("text", "a")], label="b")
    ids = re.findall(r' id="([^"]+)"', both)
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("locale", LOCALES)
def test_what_was_kept_can_be_taken_back_where_that_is_possible(locale):
    t = Translator(locale)
    assert 'action="/write/undo"' in said(t, t("write.done"), undo=7) and 'value="7"' in said(t, "x", undo=7)
    assert "form" not in said(t, t("write.done"))
