"""Whatever stands in the data shows as text, in every part of a report."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from spm_models.reports import parts
from spm_models.reports.export import Column
from spm_models.translations import Translator

HOSTILE = [
    "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "</title></svg><script>1</script>", "' onclick='x",
    "{{ 7*7 }} {% raw %}", "&lt;b&gt;", "\u202etxt.exe", "</details><h1>",
]  # fmt: skip
T = Translator("en", currency="USD")


class Tags(HTMLParser):
    """Collects what a browser would see as tags, attributes and text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text += data


def seen(html):
    page = Tags(str(html))
    assert not {"img", "script", "h1"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on")]
    return page.text


def draw(width):
    from spm_models.charts.signals import signals_chart

    row = ("win_rate", 0.3, 0.4, 0.35, 0.3, 0.4, "watch")
    columns = ["signal", "actual", "expected", "pooled", "low", "high", "verdict"]
    return signals_chart(T, pd.DataFrame([row], columns=columns), width=width)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_in_every_part_stays_text(text):
    frame, columns = (
        pd.DataFrame({"a": [text], "b": [1.0]}),
        [Column("a", text), Column("b", "B", T.number, number=True)],
    )
    for part in (
        parts.paragraph(text), parts.section("s", text, text, intro=text), parts.tile(text, text, text),
        parts.bullets([text]), parts.legend([("closed", text)]), parts.table(frame, columns, text),
        parts.folded(T, frame, columns, text), parts.chart("c", text, text, draw, text),
    ):  # fmt: skip
        assert text in seen(part)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_name_of_a_bar_stays_text(text):
    assert text in seen(parts.chance_bar(T, text, 0.4, 0.3, 0.5))


def test_what_is_markup_already_is_not_escaped_twice():
    assert str(parts.join([parts.paragraph("a"), "<"])) == "<p>a</p>&lt;"


def test_a_chart_has_a_title_and_a_description_that_its_image_points_to():
    html = str(parts.chart("c", "Signals", "What was seen", draw))
    for name, words in (("t", "Signals"), ("d", "What was seen")):
        assert html.count(f'id="c-wide-{name}">{words}<') == 1 and html.count(f'id="c-narrow-{name}">{words}<') == 1
    assert html.count('role="img"') == 2 and html.count('aria-labelledby="c-wide-t c-wide-d"') == 1
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_bar_says_its_figure_and_range_and_is_mirrored_in_arabic():
    english, arabic = (str(parts.chance_bar(Translator(locale), "x", 0.62, 0.5, 0.7)) for locale in ("en", "ar"))
    assert "62%" in english and "50%" in english and "70%" in english
    assert "scale(-1 1)" in arabic and "scale(-1 1)" not in english


def test_a_bar_without_a_probability_says_why():
    assert "Not enough data" in str(parts.chance_bar(T, "x", float("nan"), float("nan"), float("nan")))


def test_a_table_names_its_columns_and_rows():
    html = str(parts.table(pd.DataFrame({"a": ["x"], "b": [2]}), [Column("a", "A"), Column("b", "B")], "All of it"))
    assert "<caption>All of it</caption>" in html and html.count('scope="col"') == 2 and html.count('scope="row"') == 1
