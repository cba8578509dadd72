"""Times that are known by construction are found again, with censoring, late records and closes that are to come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gamma

from spm_models.periods import FiscalCalendar
from spm_models.win_probability import Timing
from spm_models.win_probability.person_periods import LOST, OPEN, WON, landmarks, person_periods

Company = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
START = pd.Timestamp("2025-01-01")
WIN, LOSS = 0.004, 0.008  # chances a day


def steady(deals: int, seed: int, days: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weekly snapshots of deals that are won, and lost, with the same chance every day, whatever their age."""
    rng = np.random.default_rng(seed)
    created = START + pd.to_timedelta(rng.integers(0, days, deals), unit="D")
    lasting = rng.geometric(WIN + LOSS, deals)
    ids = [f"o{k:05}" for k in range(deals)]
    closed = pd.DataFrame({"opportunity_id": ids, "won": rng.random(deals) < WIN / (WIN + LOSS)})
    closed["closed_on"] = (created + pd.to_timedelta(lasting, unit="D")).astype("datetime64[s]")
    every = pd.date_range(START, periods=days // 7, freq="7D", unit="s")
    base = pd.DataFrame({"opportunity_id": ids, "created_on": created, "closed_on": closed["closed_on"]})
    rows = base.merge(pd.DataFrame({"as_of": every}), how="cross")
    rows = rows[(rows["created_on"] <= rows["as_of"]) & (rows["closed_on"] > rows["as_of"])]
    rows["age_days"] = (rows["as_of"] - rows["created_on"]).dt.days.astype(float)
    return rows.drop(columns="closed_on").reset_index(drop=True), closed


def incidence(days: float) -> tuple[float, float]:
    ended = 1 - (1 - WIN - LOSS) ** days
    return ended * WIN / (WIN + LOSS), ended * LOSS / (WIN + LOSS)


@pytest.mark.parametrize("known_days", [150, 380])
def test_known_hazards_are_found_although_many_deals_are_still_open(known_days: int) -> None:
    snapshots, closed = steady(1500, seed=1)
    end = START + pd.Timedelta(days=known_days)
    seen = snapshots[snapshots["as_of"] <= end]
    timing = Timing().fit(seen, closed, end.date())
    now = seen[seen["as_of"] == seen["as_of"].max()]
    censored = 1 - (closed["closed_on"] <= end).sum() / seen["opportunity_id"].nunique()
    assert censored > 0.15
    found = timing.predict(now, np.full(len(now), np.nan))
    closes = int((closed["closed_on"] <= end).sum())
    for days in (30, 91):
        table = found.by(days)
        for name, truth, share in zip(("won_by", "lost_by"), incidence(days), (1 / 3, 2 / 3), strict=True):
            bound = 3 * truth / np.sqrt(closes * share)  # three standard errors of a rate from that many ends
            assert table[name].mean() == pytest.approx(truth, abs=bound)


def test_chances_by_a_day_are_the_true_ones(company: Company) -> None:
    """Times of won deals are gamma distributed with a scale of 45 days, lost ones are quicker: no discrete hazard."""
    snapshots, closed = company(2500, seed=5)
    cut = pd.Timestamp("2025-11-30")
    timing = Timing().fit(snapshots[snapshots["as_of"] <= cut], closed, cut.date())
    now = snapshots[snapshots["as_of"].isin(pd.to_datetime(["2025-11-30", "2026-01-31"]))].reset_index(drop=True)
    for days in (30, 60, 90):
        still, later = (gamma.sf(now["age_days"] + more - 0.5, 2, scale=45.0) for more in (0, days))
        truth = now["p_win"].to_numpy() * (1 - later / still)
        told = timing.predict(now, now["p_win"]).by(days)["won_by"].to_numpy()
        assert told.mean() == pytest.approx(truth.mean(), abs=0.03)
        assert np.sqrt(np.mean((told - truth) ** 2)) < 0.05
        tenths = pd.DataFrame({"told": told, "truth": truth}).groupby(pd.qcut(told, 5)).mean()
        assert (tenths["told"] - tenths["truth"]).abs().max() < 0.06


def test_what_the_snapshot_shows_counts() -> None:
    """Deals close within a week of their expected date: due soon means soon."""
    snapshots, closed = steady(800, seed=2)
    close = snapshots["opportunity_id"].map(closed.set_index("opportunity_id")["closed_on"])
    wobble = snapshots["opportunity_id"].str[-2:].astype(int) % 15 - 7
    due = close + pd.to_timedelta(wobble, unit="D")
    snapshots["expected_close_on"] = due
    snapshots["days_to_expected_close"] = (due - snapshots["as_of"]).dt.days.astype(float)
    end = START + pd.Timedelta(days=380)
    timing = Timing().fit(snapshots[snapshots["as_of"] <= end], closed, end.date())
    now = snapshots[snapshots["as_of"] == snapshots["as_of"].max()].head(1)
    shown = [now.assign(days_to_expected_close=days) for days in (5.0, 60.0, 150.0)]
    ended = [1 - timing.predict(one, [0.3]).by(21)["open"].iloc[0] for one in shown]
    assert ended[0] > 0.8 and ended[1] < 0.15 and ended[2] < 0.05
    later = 1 - timing.predict(shown[1], [0.3]).by(77)["open"].iloc[0]
    assert later > 0.8


def test_deals_that_close_by_the_end_of_a_fiscal_quarter_are_told_so() -> None:
    rng = np.random.default_rng(6)
    calendar = FiscalCalendar(start_month=2)
    ends = pd.to_datetime([quarter.end for quarter in calendar.quarters(date(2023, 1, 1), date(2026, 12, 31))])
    created = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 1000, 1200), unit="D")
    place = np.searchsorted(ends, created + pd.Timedelta(days=20)) + rng.integers(0, 2, 1200)
    closed = pd.DataFrame({"opportunity_id": [f"o{k:04}" for k in range(1200)], "won": rng.random(1200) < 0.4})
    closed["closed_on"] = ends[place] - pd.to_timedelta(rng.integers(0, 6, 1200), unit="D")
    days = pd.DataFrame({"as_of": pd.date_range("2023-02-15", "2025-06-30", freq="14D")})
    rows = closed.assign(created_on=created).merge(days, how="cross")
    rows = rows[(rows["created_on"] <= rows["as_of"]) & (rows["closed_on"] > rows["as_of"])]
    rows["age_days"] = (rows["as_of"] - rows["created_on"]).dt.days.astype(float)
    snapshots = rows.drop(columns=["won", "closed_on"])
    timing = Timing().fit(snapshots, closed, "2025-07-01", calendar)
    now = snapshots[snapshots["as_of"] == snapshots["as_of"].max()]
    told = timing.predict(now, np.full(len(now), 0.4))
    ended = [1 - told.by(day)["open"].mean() for day in ("2025-07-20", "2025-08-01", "2025-10-17", "2025-11-01")]
    assert ended[0] < 0.05 and ended[2] - ended[1] < 0.15
    assert ended[1] - ended[0] > 0.2 and ended[3] - ended[2] > 0.2


def test_nothing_after_the_day_of_learning_is_seen() -> None:
    snapshots, closed = steady(400, seed=3)
    end = START + pd.Timedelta(days=250)
    late = closed["closed_on"] > end
    other = closed.assign(won=closed["won"] ^ late)
    other.loc[late, "closed_on"] = other.loc[late, "closed_on"] + pd.Timedelta(days=50)
    after = snapshots["as_of"] > end
    changed = snapshots.assign(age_days=snapshots["age_days"].where(~after, 999.0))
    first, second = Timing().fit(snapshots, closed, end.date()), Timing().fit(changed, other, end.date())
    assert np.array_equal(first.effects_, second.effects_)


def test_older_deals_on_record_only_if_still_open_do_not_look_immortal() -> None:
    """An export that begins on a day holds, of older deals, those still open then: their past is no time at risk."""
    snapshots, closed = steady(2500, seed=4)
    begins, end = START + pd.Timedelta(days=200), START + pd.Timedelta(days=390)
    kept = closed[closed["closed_on"] > begins]
    seen = snapshots[snapshots["opportunity_id"].isin(kept["opportunity_id"]) & (snapshots["as_of"] <= end)]
    timing = Timing().fit(seen, kept, end.date())
    now = seen[seen["as_of"] == seen["as_of"].max()]
    table = timing.predict(now, np.full(len(now), np.nan)).by(91)
    closes = int((kept["closed_on"] <= end).sum())
    truth = sum(incidence(91))
    assert 1 - table["open"].mean() == pytest.approx(truth, abs=4 * truth / np.sqrt(closes))
    naive = landmarks(seen, kept, end).assign(entry=0.0)
    rows = person_periods(naive)
    with_entry = person_periods(landmarks(seen, kept, end))
    assert with_entry.weight[with_entry.event == OPEN].sum() < 0.8 * rows.weight[rows.event == OPEN].sum()


def test_person_periods_count_events_once_and_the_seen_part_of_the_last_stretch() -> None:
    day = pd.Timestamp("2026-01-01")
    rows = pd.DataFrame(
        {"opportunity_id": ["a", "b", "c"], "days": [3.0, 12.0, 800.0], "event": [WON, OPEN, LOST], "entry": 0.0,
         "as_of": day}
    )  # fmt: skip
    found = person_periods(rows)
    assert [(found.event == kind).sum() for kind in (WON, LOST)] == [1, 0]  # after two years nothing is followed
    assert (found.bin[found.event == WON], found.row[found.event == WON]) == (1, 0)
    assert found.weight[found.row == 1].tolist() == [1.0, 1.0, 1.0, 1.0, 0.5]
