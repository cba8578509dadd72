"""Time to close against a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.revenue_forecast.closing import ClosingTime, incidence, root_hazard
from spm_models.revenue_forecast.features import LOST, OPEN, WON


def exponential(n: int, censored_at: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Deals closing at a constant rate (mean 80 days), three in ten won, watched until a random day."""
    rng = np.random.default_rng(seed)
    days, watched = np.ceil(rng.exponential(80, n)), rng.integers(1, int(censored_at), n)
    event = np.where(days > watched, OPEN, np.where(rng.random(n) < 0.3, WON, LOST))
    return np.minimum(days, watched).astype(float), event


def test_incidence_recovers_the_truth_in_spite_of_censoring() -> None:
    found = incidence(root_hazard(*exponential(40_000, 300)))
    group = np.zeros(3, dtype=np.int64)
    truth = 0.3 * (1 - np.exp(-np.array([30.0, 90.0, 180.0]) / 80))
    assert found.won_by(group, [30.0, 90.0, 180.0]) == pytest.approx(truth, abs=0.01)
    assert found.win_share[0] == pytest.approx(0.3, abs=0.01)


def test_won_lost_and_open_sum_to_one() -> None:
    found = incidence(root_hazard(*exponential(3000, 400)))
    assert (np.diff(found.won) >= 0).all() and (np.diff(found.closed) >= 0).all()
    assert (found.won <= found.closed + 1e-12).all() and found.closed.max() <= 1


def test_a_group_that_never_closes_has_little_chance_and_a_quick_one_much() -> None:
    days, event = exponential(4000, 300)
    quick = pd.DataFrame({"days": days, "event": event, "stage_order": 1.0, "age_days": 10.0})
    stale = pd.DataFrame({"days": 120.0, "event": OPEN, "stage_order": 1.0, "age_days": 400.0}, index=range(1500))
    rows = pd.concat([quick, stale], ignore_index=True).assign(days_to_expected_close=np.nan)
    closing = ClosingTime().fit(rows, quick)
    groups = closing.groups(rows.iloc[[0, -1]])
    chance = closing.incidence_.wins_if_won(groups, 90.0)
    assert chance[0] == pytest.approx(1 - np.exp(-90 / 80), abs=0.05)
    assert chance[1] < 0.06


def test_due_dates_tell_when() -> None:
    rng = np.random.default_rng(2)
    due = rng.integers(1, 170, 6000)
    rows = pd.DataFrame(
        {"days": np.maximum(due + rng.normal(0, 10, 6000), 1), "event": np.where(rng.random(6000) < 0.4, WON, LOST),
         "days_to_expected_close": due.astype(float), "stage_order": np.nan, "age_days": 30.0}
    )  # fmt: skip
    closing = ClosingTime().fit(rows, rows)
    now = pd.DataFrame({"days_to_expected_close": [20.0, 150.0, np.nan], "stage_order": np.nan, "age_days": 30.0})
    soon, late, unknown = closing.incidence_.wins_if_won(closing.groups(now), 60.0)
    assert soon > 0.95 and late < 0.1 and late < unknown < soon
