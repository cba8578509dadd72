"""Focus, pace and results: each an estimate whose error is what simulation says it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching import beside_peers


def test_focus_is_the_share_of_pairs_in_which_the_won_deal_was_touched_more(company):
    evidence, _ = company(1, reps=6)
    found = beside_peers.focus(evidence)
    deals = evidence.deals.assign(pace=evidence.deals["activities"] / evidence.deals["days"].clip(lower=7) * 7)
    for rep, value in zip(found.rep_id, found.value, strict=True):
        own = deals[deals["rep_id"] == rep]
        won, lost = own.loc[own["won"], "pace"].to_numpy(), own.loc[~own["won"], "pace"].to_numpy()
        pairs = (won[:, None] > lost).mean() + 0.5 * (won[:, None] == lost).mean()
        assert value == pytest.approx(pairs)


@pytest.mark.parametrize("signal", ["focus", "trend"])
def test_errors_are_as_large_as_estimates_differ_where_nobody_does(company, signal):
    scores = []
    for seed in range(6):
        evidence, _ = company(seed, spread=0.0, context=0.0)
        found = getattr(beside_peers, signal)(evidence)
        scores.append((found.value - found.expected) / found.error)
    z = np.concatenate(scores)
    assert abs(z.mean()) < 4 / np.sqrt(len(z)) and 0.85 < z.std() < 1.15


def test_the_pace_is_per_day_worked_and_beside_everybodys_season(company):
    evidence, _ = company(2, spread=0.0, context=0.0)
    weeks = evidence.weeks.copy()
    late = weeks["week"] > weeks["week"].max() - pd.Timedelta(weeks=13)
    away = late & (weeks["rep_id"] == "r001")
    weeks.loc[away, ["activity", "days"]] *= 0.4  # two days a week: nothing is wrong
    weeks.loc[late & (weeks["rep_id"] == "r002"), "activity"] *= 0.4
    weeks.loc[late, "activity"] *= 0.5  # and the whole company is slower
    found = beside_peers.trend(replace(evidence, weeks=weeks))
    beside = pd.Series(np.exp(found.value - found.expected), found.rep_id.to_numpy())
    assert 0.75 < beside["r001"] < 1.3 and beside["r002"] < 0.65
    assert np.exp(found.expected[0]) == pytest.approx(0.5, abs=0.06)


def test_results_are_sums_beside_quotas(company):
    evidence, _ = company(3, reps=12)
    results = evidence.results.set_index("rep_id")
    found = beside_peers.attainment(evidence)
    values = pd.Series(found.value, found.rep_id.to_numpy())
    pd.testing.assert_series_equal(values, results["won_amount"] / results["quota"], check_names=False)
    assert found.expected[0] == pytest.approx(results["won_amount"].sum() / results["quota"].sum())
    assert beside_peers.coverage(evidence).rep_id.tolist() == results.index.tolist()


def test_without_what_they_need_they_say_nothing(company):
    evidence, _ = company(4, reps=5)
    bare = replace(
        evidence, deals=evidence.deals.assign(activities=np.nan), weeks=evidence.weeks.iloc[:0],
        results=evidence.results.iloc[:0],
    )  # fmt: skip
    for name in ("focus", "trend", "attainment", "coverage"):
        assert getattr(beside_peers, name)(bare) is None
    short = evidence.weeks["week"] > evidence.weeks["week"].max() - pd.Timedelta(weeks=20)
    assert beside_peers.trend(replace(evidence, weeks=evidence.weeks[short])) is None  # nothing to compare with
