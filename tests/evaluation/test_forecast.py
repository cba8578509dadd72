"""Scores of forecasts against values computed by hand and against what theory promises."""

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import NotEnoughDataError, StatisticsError
from spm_models.evaluation.forecast import absolute_error, bias, forecast_scores, hits, interval_score, mase


def test_errors_by_hand() -> None:
    actual, forecast = [100.0, 50.0, 50.0], [120.0, 40.0, 50.0]
    assert bias(actual, forecast) == pytest.approx(10 / 200)
    assert absolute_error(actual, forecast) == pytest.approx(30 / 200)


def test_mase_of_the_seasonal_naive_forecast_is_one_when_the_pattern_moves_by_a_constant() -> None:
    history = [10, 20, 30, 40, 12, 22, 32, 42]
    assert mase([14, 24, 34, 44], history[4:], history, season=4) == pytest.approx(1.0)


def test_mase_needs_a_scale() -> None:
    with pytest.raises(NotEnoughDataError, match="Nothing to scale"):
        mase([1], [1], [5, 5, 5])


def test_interval_score_is_least_for_the_true_quantiles() -> None:
    y = np.random.default_rng(1).normal(size=20_000)
    scores = {z: interval_score(y, np.full_like(y, -z), np.full_like(y, z)).mean() for z in (0.8, 1.2816, 2.0)}
    assert min(scores, key=lambda z: scores[z]) == 1.2816
    assert hits(y, np.full_like(y, -1.2816), np.full_like(y, 1.2816)).mean() == pytest.approx(0.8, abs=0.01)


def test_scores_of_methods_are_sorted_by_error() -> None:
    table = pd.DataFrame(
        {"method": ["b", "a", "b", "a"], "actual": [10, 10, 20, 20], "mean": [10, 15, 20, 25],
         "p10": [9, 9, 19, 19], "p90": [11, 30, 21, 30]}
    )  # fmt: skip
    scores = forecast_scores(table)
    assert scores.method.tolist() == ["b", "a"] and scores.coverage.tolist() == [1.0, 1.0]
    assert scores.absolute_error.tolist() == [0.0, pytest.approx(10 / 30)]


@pytest.mark.parametrize(("actual", "forecast"), [([1, 2], [1]), ([], []), ([np.nan], [1])])
def test_what_does_not_fit_is_refused(actual: list[float], forecast: list[float]) -> None:
    with pytest.raises(StatisticsError, match="do not fit"):
        bias(actual, forecast)
