"""The picture of a heads-up: sums, band and mark stand where the figures are, in both directions of writing."""

import numpy as np
import pandas as pd
import pytest

from spm_models.charts.early_warning import early_warning_chart
from spm_models.charts.style import inline_svg
from spm_models.translations import Translator


@pytest.fixture
def path():
    weeks = pd.date_range("2026-01-05", periods=20, freq="7D")
    expected = np.full(20, 2.0)
    reach = 1.28 * np.sqrt(np.cumsum(expected))
    return pd.DataFrame({
        "week": weeks, "observed": np.where(np.arange(20) < 10, 2.0, 1.0), "expected": expected,
        "low": np.cumsum(expected) - reach, "high": np.cumsum(expected) + reach,
    })  # fmt: skip


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
@pytest.mark.parametrize("width", [344, 640])
def test_lines_add_up_what_there_was_and_what_is_usual(path, locale, width):
    figure = early_warning_chart(Translator(locale), path, path["week"][10], width=width)
    axes = figure.axes[0]
    usual, actual = (line.get_ydata() for line in axes.get_lines()[:2])
    assert (actual[0], actual[-1]) == (0.0, 30.0)
    assert (usual[0], usual[-1]) == (20.0, 40.0)  # the usual goes on from the mark
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(40 + 1.28 * np.sqrt(20))
    words = [text.get_text() for text in axes.texts]
    t = Translator(locale)
    assert t("early_warning.chart_actual", value=t.number(30.0)) in words
    assert t("early_warning.chart_since", day=t.day(path["week"][10], "short")) in words
    assert axes.xaxis_inverted() == (locale == "ar")
    assert "<svg" in inline_svg(figure, "early")


def test_labels_of_ends_that_meet_are_set_apart(path):
    same = path.assign(observed=path["expected"])
    axes = early_warning_chart(Translator("en"), same, None, width=344).axes[0]
    heights = sorted(text.xy[1] for text in axes.texts)
    assert len(heights) == 2 and heights[1] - heights[0] > 0.08 * axes.get_ylim()[1]


def test_the_mark_is_left_out_where_nothing_began(path):
    with_mark, without = (
        early_warning_chart(Translator("en"), path, since, width=640).axes[0] for since in (path["week"][3], pd.NaT)
    )
    assert len(with_mark.get_lines()) == len(without.get_lines()) + 1
