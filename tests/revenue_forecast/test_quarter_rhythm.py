"""How many more deals are won at the end of a quarter, learned from few of them: against a known truth."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.features import LOST, WON
from spm_models.revenue_forecast.quarter_rhythm import WEEKS, learn_rhythm

CALENDAR = FiscalCalendar()
AS_OF = date(2024, 12, 31)
QUARTERS = CALENDAR.quarters(date(2022, 1, 1), AS_OF)


def deals(seed: int, wins: int, rush: float) -> pd.DataFrame:
    """Wins of twelve quarters, in the last three weeks of each ``rush`` times as likely as before; losses at any time.

    All deals are open from the beginning to their end, and many stay open, so that all weeks are alike at risk.
    """
    rng = np.random.default_rng(seed)
    days = pd.date_range(QUARTERS[0].start, AS_OF)
    end = np.array([np.datetime64(CALENDAR.quarter(day.date()).end) for day in days])
    chance = np.where((end - days.to_numpy().astype("datetime64[D]")).astype(int) < 21, rush, 1.0)
    won = rng.choice(len(days), rng.poisson(wins * len(QUARTERS)), p=chance / chance.sum())
    lost = rng.integers(0, len(days), rng.poisson(wins * len(QUARTERS)))
    ended = np.concatenate([won, lost, np.full(40 * wins * len(QUARTERS), len(days))])
    event = np.repeat([WON, LOST, 0], [len(won), len(lost), 40 * wins * len(QUARTERS)])
    return pd.DataFrame({"created_on": days[0] - pd.Timedelta(days=1), "days": ended + 1.0, "event": event})


def learned(wins: int, rush: float, seeds: int = 40) -> np.ndarray:
    """Factor of the last three weeks over that of the others, of winning, by seed."""
    found = []
    for seed in range(seeds):
        factors = learn_rhythm(deals(seed, wins, rush), CALENDAR, AS_OF, None).factors[0]
        found.append(factors[:3].mean() / factors[3:].mean())
    return np.array(found)


def test_a_rush_is_found_with_ten_wins_a_quarter() -> None:
    found = learned(10, 1.8)
    assert 1.3 < found.mean() < 1.8, found.mean()  # 1.24 when each week was looked at alone


@pytest.mark.parametrize(("wins", "off"), [(10, 0.08), (60, 0.03)])
def test_none_is_seen_where_there_is_none(wins: int, off: float) -> None:
    found = learned(wins, 1.0)
    assert found.mean() == pytest.approx(1.0, abs=0.05)
    assert np.abs(found - 1).mean() < off


def test_many_wins_tell_it_as_it_is() -> None:
    assert learned(250, 1.5, 6).mean() == pytest.approx(1.45, abs=0.1)


def test_one_week_may_stand_out_by_itself() -> None:
    table = deals(1, 200, 1.0)
    days = pd.Timestamp(QUARTERS[0].start) + pd.to_timedelta(table.days - 1, unit="D")
    last = days.isin(pd.to_datetime([day for q in QUARTERS for day in pd.date_range(q.end, periods=7, freq="-1D")]))
    doubled = pd.concat([table, table[last & (table.event == WON)]], ignore_index=True)
    factors = learn_rhythm(doubled, CALENDAR, AS_OF, None).factors[0]
    assert factors.shape == (WEEKS,)
    assert factors[0] / factors[1:].mean() == pytest.approx(2.0, abs=0.25)
    assert np.abs(factors[2:] / factors[2:].mean() - 1).max() < 0.12
