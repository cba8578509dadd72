"""Time to close against a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.closing import ClosingTime, incidence, root_hazard
from spm_models.revenue_forecast.features import LOST, OPEN, WON, record_start

DAY = pd.Timestamp("2025-06-30")


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
    rows = pd.concat([quick, stale], ignore_index=True).assign(days_to_expected_close=np.nan, as_of=DAY)
    closing = ClosingTime().fit(rows, quick, FiscalCalendar())
    chance = closing.wins_if_won(rows.iloc[[0, -1]], 90.0)
    assert chance[0] == pytest.approx(1 - np.exp(-90 / 80), abs=0.05)
    assert chance[1] < 0.06


def test_due_dates_tell_when() -> None:
    rng = np.random.default_rng(2)
    due = rng.integers(1, 170, 6000)
    rows = pd.DataFrame(
        {"days": np.maximum(due + rng.normal(0, 10, 6000), 1), "event": np.where(rng.random(6000) < 0.4, WON, LOST),
         "days_to_expected_close": due.astype(float), "stage_order": np.nan, "age_days": 30.0, "as_of": DAY}
    )  # fmt: skip
    closing = ClosingTime().fit(rows, rows, FiscalCalendar())
    now = rows.head(3).assign(days_to_expected_close=[20.0, 150.0, np.nan])
    soon, late, unknown = closing.wins_if_won(now, 60.0)
    assert soon > 0.95 and late < 0.1 and late < unknown < soon


def month_bound(*, bound: bool) -> pd.DataFrame:
    """Snapshots of eight quarters' months; deals close by the end of the quarter or never, or at any time."""
    rng = np.random.default_rng(3)
    frames = []
    for day in pd.date_range("2023-03-31", periods=24, freq="ME"):
        left = float((FiscalCalendar().quarter((day + pd.Timedelta(days=1)).date()).end - day.date()).days)
        n = 200
        days = rng.uniform(1, left if bound else 180, n)
        never = rng.random(n) < (0.6 if bound and left > 80 else 0.2)
        event = np.where(never, OPEN, np.where(rng.random(n) < 0.5, WON, LOST))
        frames.append(pd.DataFrame({"as_of": day, "days": np.where(never, 400.0, days), "event": event}))
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(age_days=20.0, stage_order=np.nan, days_to_expected_close=np.nan)


def test_the_month_of_the_quarter_counts_only_where_closes_depend_on_it() -> None:
    free = month_bound(bound=False)
    assert not ClosingTime().fit(free, free, FiscalCalendar()).by_month_
    bound = month_bound(bound=True)
    closing = ClosingTime().fit(bound, bound, FiscalCalendar())
    eve, middle = (
        bound[bound.as_of == day].head(1) for day in (pd.Timestamp("2024-03-31"), pd.Timestamp("2024-05-31"))
    )
    assert closing.by_month_
    assert closing.wins_if_won(eve, 91.0)[0] == pytest.approx(0.4, abs=0.05)
    assert closing.wins_if_won(middle, 30.0)[0] == pytest.approx(0.8, abs=0.07)
    later = eve.assign(as_of=pd.Timestamp("2024-04-15"))  # half a month on, of those still open fewer ever close
    assert closing.wins_if_won(later, 76.0)[0] == pytest.approx(0.4 * 76 / 91 / (1 - 0.4 * 15 / 91), abs=0.05)


def test_a_record_that_begins_late_is_noticed_and_its_gap_is_no_evidence() -> None:
    rng = np.random.default_rng(4)
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, 4000), unit="D")
    days = np.ceil(rng.exponential(40, 4000))
    deals = pd.DataFrame({"created_on": created, "days": days, "event": np.where(rng.random(4000) < 0.4, WON, LOST)})
    assert record_start(deals) is None
    first = pd.Timestamp("2024-07-01")
    kept = deals[created + pd.to_timedelta(days, unit="D") >= first]
    since = record_start(kept)
    assert since == first
    waited = (since - kept.created_on).dt.days.clip(lower=0).to_numpy(dtype=float)
    found, naive = (
        incidence(root_hazard(kept.days.to_numpy(), kept.event.to_numpy(), entry)).won_by(np.array([0]), 30.0)[0]
        for entry in (waited, None)
    )
    truth = 0.4 * (1 - np.exp(-30 / 40))
    assert found == pytest.approx(truth, abs=0.01) and naive < truth - 0.015
