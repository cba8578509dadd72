"""Charts of a backtest: what they show is in the table, both directions, text as paths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from spm_models.charts.backtest import calibration_chart, gains_chart, groups_chart, losses_chart, months_chart
from spm_models.charts.style import inline_svg
from spm_models.translations import Translator

BINS = pd.DataFrame(
    {"predicted": [0.1, 0.4, 0.8], "observed": [0.1, 0.7, 0.75], "n": [40, 50, 30],
     "chance_low": [0.02, 0.3, 0.7], "chance_high": [0.2, 0.5, 0.9]}
)  # fmt: skip
SCORES = pd.DataFrame({"start": [0.0, 0.5], "end": [0.5, 1.0], "n": [60, 60]})
MONTHS = pd.DataFrame(
    {"as_of": pd.date_range("2025-11-30", periods=4, freq="ME"), "said": [0.3, 0.3, 0.4, np.nan],
     "happened": [0.31, 0.5, 0.4, np.nan], "low": [0.2, 0.2, 0.3, np.nan], "high": [0.4, 0.4, 0.5, np.nan],
     "verdict": ["as_expected", "won_more", "as_expected", None], "log_loss_model": [0.5, 0.6, 0.5, np.nan],
     "log_loss_base_rate": [0.6, 0.6, 0.6, np.nan]}
)  # fmt: skip
GAINS = pd.DataFrame({"model": ["model", "base_rate"], "share": [0.1, 0.0], "low": [0.05, 0.0], "high": [0.15, 0.0]})
GROUPS = pd.DataFrame(
    {"said": [0.3, 0.3], "happened": [0.5, 0.3], "low": [0.2, 0.2], "high": [0.4, 0.4],
     "verdict": ["won_more", "as_expected"]}
)  # fmt: skip


def dots(axes: Axes) -> list[int]:
    """Numbers of full dots and of hollow diamonds."""
    return [len(part.get_offsets()) for part in axes.collections if type(part) is PathCollection]


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
@pytest.mark.parametrize("width", [640, 344])
def test_every_chart_is_drawn_as_paths(locale: str, width: int) -> None:
    t = Translator(locale)
    figures = [
        calibration_chart(t, BINS, SCORES, width=width), gains_chart(t, GAINS, width=width),
        months_chart(t, MONTHS, width=width), losses_chart(t, MONTHS, "model", "base_rate", width=width),
        groups_chart(t, GROUPS, ["<b>East & West", "North"], width=width),
    ]  # fmt: skip
    for number, figure in enumerate(figures):
        svg = inline_svg(figure, f"chart-{number}")
        assert svg.startswith("<svg") and "<text" not in svg and svg.count("<path") > 8


def test_right_to_left_turns_both_parts_of_the_diagram() -> None:
    upper, lower = calibration_chart(Translator("ar"), BINS, SCORES, width=344).axes
    assert upper.xaxis_inverted() and lower.xaxis_inverted()
    upper, lower = calibration_chart(Translator("en"), BINS, SCORES, width=344).axes
    assert not upper.xaxis_inverted() and not lower.xaxis_inverted()


def test_what_lies_outside_is_a_diamond() -> None:
    for figure in (
        calibration_chart(Translator("en"), BINS, SCORES, width=344),
        months_chart(Translator("en"), MONTHS, width=344),
    ):
        assert dots(figure.axes[0]) == [2, 1]
    assert dots(groups_chart(Translator("en"), GROUPS, ["a", "b"], width=344).axes[0]) == [1, 1]


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_what_the_axis_means_is_not_cut_off_on_a_telephone(locale: str) -> None:
    methods = ["model", "base_rate", "stage_rate", "rep_rate", "logistic_regression", "gradient_boosting"]
    gains = pd.DataFrame({"model": methods, "share": 0.1, "low": 0.05, "high": 0.15})
    figure = gains_chart(Translator(locale), gains, width=330)
    figure.draw_without_rendering()
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
