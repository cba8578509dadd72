"""What is published follows the errors of quarters, not of weeks, and says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.revenue_forecast.accuracy import (
    QUANTILES,
    accuracy,
    in_words,
    level_coverage,
    level_rows,
    placement,
    verdict,
)


def table_of(blend: list[float], simulation: list[float], plain: list[float], actual: float = 100.0) -> pd.DataFrame:
    rows = [
        {"period": f"2024-Q{k + 1}", "week": week, "method": method, "actual": actual, "mean": actual + error,
         **{name: actual + error + 40 * (level - 0.5) for name, level in QUANTILES.items()}}
        for method, errors in (("blend", blend), ("simulation", simulation), ("last_value", plain))
        for k, error in enumerate(errors)
        for week in (0, 6)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["period", "week", "method", "actual", "mean", *QUANTILES])


@pytest.mark.parametrize(
    ("blend", "simulation", "plain", "published", "reason"),
    [
        ([5, -5, 5, -5], [6, -6, 6, -5], [20, -20, 20, -20], "blend", "clearly_better"),
        ([30, -30, 31, -30], [29, -30, 31, -30], [5, -6, 5, -5], "last_value", "baseline_better"),
        ([12, -2, 9, -11], [11, -2, 9, -11], [10, -8, 12, 2], "blend", "not_worse"),
        ([12, -13, 14, -15], [12, -13, 14, -15], [2, -14, 13, -18], "blend", "not_worse"),
        ([12, -13, 14, -15], [12, -13, 14, -15], [2, -12, 13, -14], "blend", "baseline_ahead"),
        ([2, -12, 13, -14], [2, -12, 13, -14], [12, -13, 14, -15], "blend", "ahead"),
        ([20, -21, 19, -20], [5, -6, 5, -5], [20, -20, 20, -20], "simulation", "simulation_alone"),
        ([5.5, -5.5, 5.5, -5.5], [5, -5, 5, -5], [20, -20, 20, -20], "blend", "clearly_better"),
    ],
)
def test_the_verdict_follows_the_errors(
    blend: list[float], simulation: list[float], plain: list[float], published: str, reason: str
) -> None:
    facts = verdict(table_of(blend, simulation, plain))
    assert (facts["published"], facts["reason"]) == (published, reason)
    assert facts["baseline"] == "last_value" and facts["quarters"] == 4
    words = in_words(facts)
    assert "4 quarters are few" in words and "last_value" in words
    says = {"baseline_ahead": "the baseline leads, but", "ahead": "it leads, but", "not_worse": "no more than chance",
            "clearly_better": "chance does not explain"}  # fmt: skip
    assert says.get(reason, "standard error") in words
    lead = (facts["compared_error"] - facts["baseline_error"]) / max(facts["noise"], 1e-12)  # type: ignore[operator]
    between = {"baseline_better": (3, np.inf), "baseline_ahead": (1, 3), "not_worse": (-1, 1), "ahead": (-3, -1),
               "clearly_better": (-np.inf, -3)}  # fmt: skip
    low, high = between.get(reason, (-np.inf, np.inf))
    assert low < lead <= high


def test_weeks_of_one_quarter_are_no_further_evidence() -> None:
    table = table_of([30, -30, 31, -30], [30, -30, 31, -30], [25, -10, 35, -20])
    more = pd.concat([table, *(table.assign(week=table.week + step) for step in (1, 2, 3))])
    assert verdict(more)["noise"] == pytest.approx(verdict(table)["noise"])


def test_one_quarter_tests_nothing() -> None:
    facts = verdict(table_of([50], [50], [1]))
    assert facts["published"] == "blend" and facts["reason"] == "untested"
    assert in_words(facts) == "1 finished quarter could be replayed: the forecast is not tested yet."
    assert "0 finished quarters" in in_words(verdict(table_of([], [], [])))


def test_a_baseline_that_only_some_quarters_have_does_not_judge() -> None:
    table = table_of([30, -30, 31], [30, -30, 31], [1, 1, 1])
    facts = verdict(table[(table.method != "last_value") | (table.period != "2024-Q1")])
    assert facts["published"] == "blend" and facts["reason"] == "no_baseline"
    assert "no plain baseline" in in_words(facts)


def test_a_method_is_compared_on_the_weeks_that_it_could_say() -> None:
    """Linearity is silent on the eve, when everybody errs most: that must not make it the best."""
    rows = table_of([20, -20, 20], [20, -20, 20], [40, -40, 40])
    late = rows.week == 6
    rows.loc[late & (rows.method != "last_value"), "mean"] = rows.actual + 4.0
    silent = rows[(rows.method == "last_value") & late].assign(method="linearity", mean=105.0)
    facts = verdict(pd.concat([rows, silent]))
    assert facts["baseline"] == "linearity" and facts["published"] == "blend"
    assert facts["compared_error"] == pytest.approx(0.04) and facts["baseline_error"] == pytest.approx(0.05)


def test_quarters_in_which_nothing_was_won_have_a_verdict_and_no_relative_error() -> None:
    table = table_of([50, 40], [50, 40], [0, 0], actual=0.0)
    assert verdict(table)["published"] == "last_value"
    assert accuracy(table).empty


def test_accuracy_is_by_method_and_week() -> None:
    table = table_of([10, -10], [20, 20], [30, -50])
    rows = accuracy(table).set_index(["method", "week"])
    assert rows.loc[("blend", 0), "absolute_error"] == pytest.approx(0.1)
    assert rows.loc[("blend", 0), "bias"] == pytest.approx(0.0)
    assert rows.loc[("simulation", 6), "bias"] == pytest.approx(0.2)
    assert rows.loc[("last_value", 0), "noise"] == pytest.approx(0.1)
    assert rows.loc[("simulation", 0), ["coverage80", "coverage95"]].tolist() == [0.0, 0.0]
    assert rows.loc[("blend", 0), ["coverage80", "coverage95"]].tolist() == [1.0, 1.0]
    assert rows.loc[("blend", 0), "width80"] == pytest.approx(0.32)


def test_right_ranges_cover_what_they_say_though_many_units_win_nothing() -> None:
    rng = np.random.default_rng(5)
    leaves = pd.DataFrame({"rep_id": [f"r{k}" for k in range(20)], "region": "a", "team": "t", "manager": "m"})
    leaves["rep"] = leaves.rep_id
    units = []
    for number in range(150):
        draws = (rng.poisson(0.7, (400, 20)) * 1000).astype(np.int64)
        came = (rng.poisson(0.7, 20) * 1000).astype(np.int64)
        units += level_rows(draws, came, leaves, {"period": f"q{number}", "week": 0, "method": "blend"})
    found = level_coverage(pd.DataFrame(units)).set_index("level")
    limit = 3 * np.sqrt(0.8 * 0.2 / 150)
    assert abs(found.coverage80["company"] - 0.8) < limit and abs(found.coverage80["rep"] - 0.8) < 0.03
    assert found.quarters.eq(150).all() and found.units["rep"] == 20
    shares = placement(pd.DataFrame(units)).groupby("level").share
    assert np.allclose(shares.sum(), 1) and shares.max().max() < 0.2
