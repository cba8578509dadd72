"""Parts of a page escape what comes from data, and downloads hold no formulas."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from spm_models.apps.parts import Column, behind, chance, csv_text, figure, section, table, tile
from spm_models.translations import Translator

EVIL = '<img src=x onerror="alert(1)">'
T = Translator("en", currency="USD")


def test_text_from_data_is_escaped_everywhere():
    frame = pd.DataFrame({"name": [EVIL], "amount": [1.0]})
    columns = [Column("name", EVIL), Column("amount", "Amount", T.money, number=True)]
    for html in (
        table(frame, columns, EVIL), behind(T, frame, columns, EVIL, "file"), tile(EVIL, EVIL, EVIL),
        section("x", EVIL, EVIL, intro=EVIL), figure("f", EVIL, "<svg/>", "<svg/>", EVIL),
    ):  # fmt: skip
        assert "<img" not in html and 'onerror="' not in html and "&lt;img" in html


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\u200e=1"])
def test_text_that_a_spreadsheet_would_calculate_is_led_by_an_apostrophe(text):
    frame = pd.DataFrame({"name": [text], "amount": [-3.5]})
    line = csv_text(frame, [Column("name", "Name"), Column("amount", "Amount")]).split("\r\n", 1)[1]
    assert line.lstrip('"').startswith("'")
    assert line.rstrip().endswith(",-3.5")  # numbers stay numbers


def test_empty_values_and_days_in_a_download():
    frame = pd.DataFrame({"day": pd.to_datetime(["2026-03-01", None]), "x": [np.nan, 2.0]})
    text = csv_text(frame, [Column("day", "Day"), Column("x", "x")])
    assert text == "Day,x\r\n2026-03-01,\r\n,2.0\r\n"


def test_the_download_is_in_the_page_itself():
    frame = pd.DataFrame({"name": ["Ayşe"]})
    html = behind(T, frame, [Column("name", "Name")], "People", "people")
    assert 'download="people.csv"' in html
    assert unquote(html.split("charset=utf-8,")[1].split('"')[0]) == "\ufeffName\r\nAyşe\r\n"


def test_a_probability_without_a_range_or_without_data():
    assert "<i " in chance(T, 0.5, 0.4, 0.6)
    assert "<i " not in chance(T, 0.5, float("nan"), float("nan"))
    assert "Not enough data" in chance(T, float("nan"), 0.1, 0.2)
