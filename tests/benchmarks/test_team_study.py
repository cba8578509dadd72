"""The study of places and badges, small and fixed: boards mostly hold, and chance is seldom celebrated."""

from __future__ import annotations

import pandas as pd
from coaching_study.team import MEASURES, celebrated, places
from scipy import stats


def test_boards_hold_and_reps_who_do_not_differ_are_tied() -> None:
    rows = pd.concat([places(seed) for seed in range(3)], ignore_index=True)
    assert set(rows["measure"]) == set(MEASURES)
    assert rows["held"].sum() >= stats.binom.ppf(0.001, len(rows), 0.9)
    assert rows.loc[rows["spread"] == 0, "tied"].mean() > rows.loc[rows["spread"] > 0, "tied"].mean()


def test_chance_is_seldom_celebrated() -> None:
    rows = pd.DataFrame([celebrated(seed) for seed in (2, 3, 6, 7)])
    assert rows["more"].eq(0.6).all()
    assert rows["chance"].sum() <= stats.binom.ppf(0.999, len(rows), 0.1)
    assert rows["seen"].any()
