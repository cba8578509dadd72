"""Weeks of a quarter that have passed: 0 on the evening before it begins, 1 seven days later, …"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from spm_models.periods import FiscalCalendar, Period

WEEKS = tuple(range(13))
FEW_WEEKS = (0, 3, 6, 9, 12)
LOOK_BACK = 8  # quarters whose pipelines at the same week are looked at


def day_of_week(period: Period, week: int) -> date:
    """The day at whose end ``week`` weeks of the period have passed.

    Examples
    --------
    >>> quarter = FiscalCalendar().quarter(date(2026, 5, 1))
    >>> [str(day_of_week(quarter, week)) for week in (0, 1, 12)]
    ['2026-03-31', '2026-04-07', '2026-06-23']
    """
    return period.start + timedelta(days=7 * week - 1)


def week_of(period: Period, day: date) -> int:
    """Weeks of the period that have passed at the end of ``day``; 0 before it begins, 12 to its end.

    Examples
    --------
    >>> quarter = FiscalCalendar().quarter(date(2026, 5, 1))
    >>> [week_of(quarter, date(2026, *day)) for day in ((2, 1), (3, 31), (4, 6), (4, 7), (6, 30))]
    [0, 0, 0, 1, 12]
    """
    return min(max((day - period.start).days + 1, 0) // 7, WEEKS[-1])


def same_weeks(period: Period, day: date, calendar: FiscalCalendar, first: date) -> dict[Period, date]:
    """Days that lie in earlier quarters (begun after ``first``, the latest eight) as ``day`` lies in ``period``."""
    passed = max((day - period.start).days, -1)
    found: dict[Period, date] = {}
    earlier = calendar.quarter(period.start).previous()
    while earlier.start > first and len(found) < LOOK_BACK:
        if earlier.end <= day:
            found[earlier] = min(earlier.start + timedelta(days=passed), earlier.end)
        earlier = earlier.previous()
    return found


def replayed_days(quarters: Iterable[Period], weeks: Iterable[int]) -> list[tuple[Period, int, date]]:
    """Every week of every quarter, in the order of time."""
    wanted = sorted(weeks)
    return [(quarter, week, day_of_week(quarter, week)) for quarter in quarters for week in wanted]
