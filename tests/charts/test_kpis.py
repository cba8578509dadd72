"""KPIs for the eye: every unit in words, tables in the reader's direction, a chart with range, target and band."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.patches import Rectangle

from spm_models.charts.kpis import kpi_chart, kpi_table, kpi_value, scorecard_table, unit_word, verdict_word
from spm_models.kpis import DIMENSIONS, KPIS
from spm_models.kpis.packs import Choice
from spm_models.translations import LOCALES, Translator, catalogue

CHOICE = Choice("", ("win_rate",), {"win_rate": (0.2, 0.3)}, {"win_rate": 0.4})
ROWS = pd.DataFrame(
    {"kpi": "win_rate", "rep": ["r1", "r1", "r1"], "rep_name": "<b>Ayşe", "period": ["2025-Q4", "2026-Q1", "2026-Q2"],
     "value": [0.25, np.nan, 0.5], "low": [0.2, np.nan, 0.4], "high": [0.3, np.nan, 0.6], "numerator": 1.0,
     "denominator": 4.0, "previous": [np.nan, 0.25, np.nan], "peers": np.nan, "target": 0.4, "unit": "share",
     "verdict": ["missed", "", "missed"], "running": [False, False, True]}
)  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_every_unit_dimension_and_verdict_has_words(locale: str) -> None:
    t = Translator(locale, currency="TRY")
    for kpi in KPIS.values():
        text = kpi_value(t, 2.5, kpi.unit)
        assert kpi.unit in ("ratio", "points", "count") or re.search(r"[^\d.,]", text), f"{kpi.unit} is not told"
        assert kpi.unit == "money" or f"kpi_units.{kpi.unit}" in catalogue(locale)
    assert [name for name in DIMENSIONS if not {f"levels.{name}", f"dimensions.{name}"} & set(catalogue(locale))] == []
    verdicts = ["reached", "missed", "below", "within", "above", "too_few"]
    assert len({verdict_word(t, {"verdict": verdict}) for verdict in verdicts}) == 6
    assert verdict_word(t, {"verdict": ""}) == ""


def test_a_target_of_a_running_period_is_not_missed_yet() -> None:
    t = Translator("en")
    assert [verdict_word(t, row) for row in ROWS.to_dict("records")] == [
        "Target not reached", "", "Target not reached so far",
    ]  # fmt: skip


def test_units_are_called_by_name_codes_by_their_word_and_the_company_by_its_level() -> None:
    t = Translator("tr")
    row = {"rep": "r1", "rep_name": "Ayşe", "kind": "renewal", "team": "unknown", "product": "P=1"}
    assert unit_word(t, row, ["rep", "kind", "team"]) == f"Ayşe · {t('kinds.renewal')} · Bilinmiyor"
    assert unit_word(t, row, []) == "Şirket" and unit_word(t, row, ["product"]) == "P=1"


def test_what_all_lines_share_stands_in_the_caption_and_everything_is_escaped() -> None:
    html = scorecard_table(Translator("en"), ROWS, CHOICE, by=["rep"]).to_html()
    assert "<caption>Win rate · &lt;b&gt;Ayşe</caption>" in html and "<b>" not in html
    found = BeautifulSoup(html, "html.parser").find_all("tr")
    heads, *lines = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in found]
    assert heads == ["Period", "Value", "80% range", "Period before", "Target", "Healthy band", "In words"]
    assert [line[1] for line in lines] == ["25%", "–", "50%"] and lines[0][2] == "20% – 30%"
    empty = scorecard_table(Translator("en"), ROWS.iloc[:0], CHOICE).to_html()
    assert "Value" in empty


def test_an_arabic_table_runs_from_right_to_left() -> None:
    html = scorecard_table(Translator("ar"), ROWS, CHOICE).to_html()
    assert 'dir="rtl" lang="ar"' in html and "معدل الفوز" in html


def test_definitions_stand_beside_values_under_the_readers_titles() -> None:
    html = kpi_table(Translator("tr"), ROWS[["kpi", "value", "low", "high", "unit"]]).to_html()
    assert "Kazanma oranı" in html and "%20 – %30" in html and KPIS["win_rate"].definition in html


@pytest.mark.parametrize("locale", LOCALES)
def test_the_chart_shows_values_ranges_target_and_band(locale: str) -> None:
    figure = kpi_chart(Translator(locale), ROWS, CHOICE, width=720)
    figure.canvas.draw()
    (axes,) = figure.axes
    (reach,) = [c for c in axes.collections if hasattr(c, "get_segments")]
    ends = sorted(tuple(segment[:, 1]) for segment in reach.get_segments())
    assert ends == [(0.2, 0.3), (0.4, 0.6)], "no range where there is no value"
    assert np.allclose(axes.lines[0].get_ydata(), [0.25, np.nan, 0.5], equal_nan=True)
    assert list(axes.lines[1].get_ydata()) == [0.4] * 3
    (band,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert (band.get_y(), band.get_height()) == (0.2, pytest.approx(0.1))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        Translator(locale).period(p) for p in ROWS["period"]
    ]
    assert axes.xaxis_inverted() == (locale == "ar")


def test_many_periods_are_labelled_as_far_as_there_is_room() -> None:
    days = pd.concat([ROWS.iloc[:1]] * 30, ignore_index=True)
    days["period"] = [f"2026-06-{day:02d}" for day in range(1, 31)]
    axes = kpi_chart(Translator("en"), days, CHOICE, width=720).axes[0]
    labels = [tick.get_text() for tick in axes.get_xticklabels()]
    assert len(labels) <= 7 and labels[-1] == "Jun 30, 2026"
