"""The calendar that everybody lives in: working days, feasts, Ramadan, August, and the ends of quarters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company.draws import Floats, Ints

EPOCH = date(1970, 1, 1)
#: First day of Ramadan, of the feast after it (three days) and of the feast of sacrifice (four days).
_ISLAMIC = {
    2019: ("05-06", "06-04", "08-11"), 2020: ("04-24", "05-24", "07-31"), 2021: ("04-13", "05-13", "07-20"),
    2022: ("04-02", "05-02", "07-09"), 2023: ("03-23", "04-21", "06-28"), 2024: ("03-11", "04-10", "06-16"),
    2025: ("03-01", "03-30", "06-06"), 2026: ("02-19", "03-20", "05-27"), 2027: ("02-08", "03-09", "05-16"),
    2028: ("01-28", "02-26", "05-05"),
}  # fmt: skip
_FIXED = ("01-01", "04-23", "05-01", "05-19", "07-15", "08-30", "10-29")


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def _arithmetic(month: int, day: int, year: int) -> list[date]:
    """Gregorian dates in ``year`` of a day of the tabular Islamic calendar (within a day of the observed one)."""
    found = []
    for hijri in range(year - 582, year - 576):
        days = day + (59 * (month - 1) + 1) // 2 + (hijri - 1) * 354 + (3 + 11 * hijri) // 30
        candidate = date.fromordinal(days + 227014)  # day 1 of the calendar is 19 July 622
        if candidate.year == year:
            found.append(candidate)
    return found


def feasts(year: int) -> tuple[list[date], list[date], list[date]]:
    """First days of Ramadan, of its feast and of the feast of sacrifice in a year (a year may hold two).

    Examples
    --------
    >>> feasts(2026)[1]
    [datetime.date(2026, 3, 20)]
    """
    if year in _ISLAMIC:
        days = [[date.fromisoformat(f"{year}-{text}")] for text in _ISLAMIC[year]]
        return days[0], days[1], days[2]
    return _arithmetic(9, 1, year), _arithmetic(10, 1, year), _arithmetic(12, 10, year)


@dataclass(frozen=True)
class Weeks:
    """What each week of the simulation is like; week ``w`` holds the seven days from ``first[w]`` on.

    Parameters
    ----------
    first : array
        Day number of each week's first day.
    working : array of shape (weeks, 7)
        Whether each day is a working day.
    pace : array
        How fast buyers move: 1 is usual; less in August and Ramadan, more before the end of a year.
    hurry : array
        From 0 to 1, how near the end of a quarter is.
    """

    first: Ints
    working: NDArray[np.bool_]
    pace: Floats
    hurry: Floats

    def days(self, week: int, u: Floats) -> Ints:
        """One working day of the week for each number between 0 and 1."""
        open_days = np.flatnonzero(self.working[week]) + self.first[week]
        picked: Ints = open_days[(u * len(open_days)).astype(np.int64)]
        return picked


def weeks(last_day: date, past: int, ahead: int) -> Weeks:
    """The ``past`` weeks that end on ``last_day`` and the ``ahead`` weeks after it."""
    start = last_day - timedelta(days=7 * past - 1)
    days = [start + timedelta(days=i) for i in range(7 * (past + ahead))]
    closed, fasting = _closed(start.year - 1, days[-1].year + 1)
    working = np.array([d.weekday() < 5 and d not in closed for d in days])
    pace = np.array([_pace(d, d in fasting) for d in days]).reshape(-1, 7).mean(axis=1)
    hurry = np.array([_hurry(d) for d in days]).reshape(-1, 7).max(axis=1)
    first = day_number(start) + 7 * np.arange(past + ahead, dtype=np.int64)
    return Weeks(first, working.reshape(-1, 7), pace, hurry)


def _closed(first_year: int, last_year: int) -> tuple[set[date], set[date]]:
    closed: set[date] = set()
    fasting: set[date] = set()
    for year in range(first_year, last_year + 1):
        closed |= {date.fromisoformat(f"{year}-{text}") for text in _FIXED}
        ramadan, eid, sacrifice = feasts(year)
        for begin, length, days in [(b, 3, closed) for b in eid] + [(b, 4, closed) for b in sacrifice]:
            days |= {begin + timedelta(days=i) for i in range(length)}
        fasting |= {begin + timedelta(days=i) for begin in ramadan for i in range(29)}
    return closed, fasting


def _pace(day: date, fasting: bool) -> float:
    month = {7: 0.92, 8: 0.70, 12: 1.12, 1: 0.92}.get(day.month, 1.0)
    return month * (0.85 if fasting else 1.0)


def _hurry(day: date) -> float:
    month = (day.month - 1) // 3 * 3 + 4  # first month of the next quarter
    left = (date(day.year + month // 12, month % 12, 1) - day).days
    return 1.0 if left <= 7 else 0.6 if left <= 14 else 0.25 if left <= 21 else 0.0
