"""Charts that explain a change: they begin and end where the figures do, in both directions of writing."""

import numpy as np
import pandas as pd
import pytest

from spm_models.charts.said import said_chart
from spm_models.charts.waterfall import pacing_chart, waterfall_chart
from spm_models.translations import Translator


def steps():
    return pd.DataFrame({
        "label": ["Before", "Won", "Lost", "After"], "value": [100_000.0, 40_000.0, -15_000.0, 125_000.0],
        "pale": [False, False, True, False],
    })  # fmt: skip


def bars(figure):
    return [patch for patch in figure.axes[0].patches if patch.get_height() == pytest.approx(0.34)]


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_each_step_begins_where_the_one_above_ended(locale):
    t = Translator(locale, currency="EUR")
    won, lost = bars(waterfall_chart(t, steps(), width=600))
    assert (won.get_x(), won.get_width()) == (100_000.0, 40_000.0)
    assert lost.get_x() == pytest.approx(140_000.0)
    assert lost.get_x() + lost.get_width() == pytest.approx(125_000.0)
    assert lost.get_facecolor()[3] == 0.0  # within chance: hollow


def test_names_and_signed_amounts_stand_in_the_chart():
    figure = waterfall_chart(Translator("en", currency="EUR"), steps(), width=344)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert all(name in words for name in ("Before", "Won", "Lost", "After"))
    assert sum(word.startswith("+") for word in words) == 1


def test_a_chart_without_any_change_is_drawn():
    same = pd.DataFrame({"label": ["Before", "After"], "value": [5.0, 5.0]})
    low, high = waterfall_chart(Translator("en", currency="EUR"), same, width=600).axes[0].get_xlim()
    assert low < 5.0 < high


def test_this_quarter_is_the_strongest_line_of_the_pace():
    weeks = np.arange(1, 14)
    past = pd.DataFrame({"period": "2025-Q4", "kind": "past", "week": weeks, "revenue": 1000.0 * weeks})
    now = pd.DataFrame({"period": "2026-Q1", "kind": "this", "week": weeks[:5], "revenue": 1500.0 * weeks[:5]})
    figure = pacing_chart(Translator("tr", currency="TRY"), pd.concat([past, now]), {"standard": 15_000.0}, width=600)
    lines = figure.axes[0].get_lines()
    strongest = max(lines, key=lambda line: line.get_linewidth())
    assert strongest.get_ydata()[-1] == 7500.0
    assert figure.axes[0].get_ylim()[1] > 15_000.0


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_what_people_say_stands_beside_the_range(locale):
    rows = pd.DataFrame([
        {"label": "Forecast", "kind": "forecast", "low": 90.0, "middle": 100.0, "high": 120.0},
        {"label": "Ada", "kind": "person", "low": 130.0, "middle": 130.0, "high": 140.0},
    ])  # fmt: skip
    axes = said_chart(Translator(locale, currency="EUR"), rows, width=600).axes[0]
    low, high = sorted(axes.get_xlim())
    assert low < 90.0 and high > 140.0
    assert [text.get_text() for text in axes.texts][0::2] == ["Forecast", "Ada"]
