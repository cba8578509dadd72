"""The study of early warnings, small and fixed: no more false hints than stated, and a halving seen more often."""

from __future__ import annotations

import pandas as pd
from coaching_study.warnings import _looks, halvings, quiet
from scipy import stats


def test_hints_where_nothing_changed_are_about_as_many_as_stated() -> None:
    rows = pd.DataFrame([quiet(seed, reps=24) for seed in range(2)])
    stated = (rows["wins_stated"] * rows["years"] / rows["reps"]).sum()
    assert 0.05 * rows["years"].sum() < stated <= 0.1 * rows["years"].sum() + 1e-9
    assert rows["wins"].sum() <= stats.poisson.ppf(0.999, stated)
    assert rows["activity"].sum() <= stats.poisson.ppf(0.999, 0.025 * rows["years"].sum())


def test_halvings_are_seen_with_time_and_with_deals() -> None:
    rows = halvings(200.0, seed=1, reps=30)
    usual, rare = rows[rows["aim"] == "usual"], rows[rows["aim"] == "rare"]
    assert 0 < len(usual) <= len(rare)
    assert usual["weeks"].notna().sum() >= rare["weeks"].notna().sum()
    assert usual["stated"].dropna().between(3, 52).all() and usual["weeks"].dropna().between(1, 39).all()


def test_each_look_sees_whole_quarters_and_the_running_one() -> None:
    looks = [(evidence.since, evidence.as_of) for evidence in _looks(1, reps=3)]
    lengths = [((last - first).days + 1) // 7 for first, last in looks]
    assert lengths == [53 + number % 13 for number in range(65)]
