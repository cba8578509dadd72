"""Measures of series forecasts, by examples worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from revenue.series_data import seasonal_scale
from revenue.series_peers import seasonal_naive
from revenue.series_scores import by_series, differences, interval_score, measures

HISTORY = np.array([10.0, 12, 14, 18, 13, 15, 20, 20])  # changes on the season before: 3, 3, 6, 2


def test_scale_is_the_mean_absolute_seasonal_change_or_the_plain_one_where_there_is_no_cycle() -> None:
    assert seasonal_scale(HISTORY, 4) == 3.5
    assert seasonal_scale(HISTORY[:4], 4) == 8 / 3


def two_series() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    test = pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": [9, 10, 3, 4], "y": [10.0, 20, 0, 0]})
    said = test[["unique_id", "ds"]].assign(**{
        "mean": [12.0, 17, 0, 1], "lo-80": [9.0, 16, -1, 1], "hi-80": [13.0, 18, 1, 2],
        "lo-95": [7.0, 14, -2, -1], "hi-95": [15.0, 22, 2, 3],
    })  # fmt: skip
    return said, test, pd.Series({"a": 3.5, "b": 2.0})


def test_measures_of_each_series() -> None:
    said, test, scale = two_series()
    found = by_series(said.sample(frac=1, random_state=1), test, scale)
    a, b = found.loc["a"], found.loc["b"]
    assert (a["mase"], b["mase"]) == (pytest.approx(2.5 / 3.5), 0.25)
    assert a["smape"] == pytest.approx((200 * 2 / 22 + 200 * 3 / 37) / 2)
    assert b["smape"] == (0 + 200) / 2  # a forecast of 0 for 0 is without error
    assert (a["coverage80"], a["coverage95"], b["coverage80"], b["coverage95"]) == (0.5, 1, 0.5, 1)
    assert (a["width80"], b["width95"]) == (pytest.approx(3 / 3.5), 2.0)
    # widths 4 and 2, the second missed by 2, which costs 2 / 0.2 times 2
    assert a["interval_score80"] == pytest.approx((4 + 2 + 10 * 2) / 2 / 3.5)
    assert b["interval_score80"] == pytest.approx((2 + 1 + 10 * 1) / 2 / 2)
    assert b["interval_score95"] == (4 + 4) / 2 / 2
    assert b["interval_score"] == pytest.approx((3.25 + 2) / 2)


def test_interval_score_is_lowest_at_the_true_quantiles() -> None:
    y = pd.Series(np.random.default_rng(1).normal(size=20_000))
    means = {z: interval_score(y, pd.Series(-z, y.index), pd.Series(z, y.index), 80).mean() for z in (1.0, 1.2816, 1.6)}
    assert min(means, key=lambda z: means[z]) == 1.2816
    assert means[1.2816] == pytest.approx(2 * 1.75498, rel=0.02)  # 2 φ(z) / 0.1, the expected score of a normal


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda said: said.iloc[1:], "no finite forecast for 1 rows"),
        (lambda said: said.assign(**{"hi-95": [np.inf, 1, 1, 1]}), "no finite forecast for 1 rows"),
        (lambda said: pd.concat([said, said.iloc[:1]]), "one-to-one"),
    ],
)
def test_a_forecast_that_is_missing_infinite_or_twice_is_refused(spoil: object, complaint: str) -> None:
    said, test, scale = two_series()
    with pytest.raises(ValueError, match=complaint):
        by_series(spoil(said), test, scale)  # type: ignore[operator]


def test_difference_is_paired_over_series() -> None:
    parts = {
        "ours": pd.DataFrame({"mase": [1.0, 5.0, 9.0]}),
        "peer": pd.DataFrame({"mase": [2.0, 5.5, 10.5]}),  # differences −1, −0.5, −1.5: mean −1, standard deviation 0.5
    }
    row = differences(parts, "ours", "mase").loc["peer"]
    assert (row["difference"], row["error"]) == (-1.0, pytest.approx(0.5 / np.sqrt(3)))
    assert list(measures(parts).index) == ["ours", "peer"]


def test_seasonal_naive_repeats_the_last_cycle_with_ranges_that_widen_from_cycle_to_cycle() -> None:
    said = seasonal_naive(HISTORY, 4, 6)
    spread = np.sqrt((9 + 9 + 36 + 4) / 4)
    assert said[:, 0].tolist() == [13, 15, 20, 20, 13, 15]
    assert (said[:, 2] - said[:, 0]) == pytest.approx(1.2815515655 * spread * np.sqrt([1, 1, 1, 1, 2, 2]))
    assert (said[:, 0] - said[:, 3]) == pytest.approx(1.9599639845 * spread * np.sqrt([1, 1, 1, 1, 2, 2]))


def test_seasonal_naive_of_less_than_a_cycle_goes_on_with_the_last_value() -> None:
    assert seasonal_naive(HISTORY[:3], 4, 2)[:, 0].tolist() == [14, 14]
    assert seasonal_naive(HISTORY[:1], 4, 2).tolist() == [[10.0] * 5] * 2
