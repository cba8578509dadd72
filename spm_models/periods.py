"""Fiscal calendars: which quarter, month, week or year a day belongs to, and how much of it is left.

A fiscal year is named by the calendar year in which it (nominally) ends: with a start in February, the year from
2026-02-01 to 2027-01-31 is 2027. Labels: ``2026`` (year), ``2026-Q2`` (quarter), ``2026-05`` (month), ``2026-W18``
(week), ``2026-05-20`` (day). Months of a plain calendar carry the *calendar* year and month whatever the fiscal year;
the periods of a 4-4-5 calendar are no months and are therefore written ``2026-P05``.

References
----------
National Retail Federation, *4-5-4 Calendar*: the year starts on the week's first day that is nearest to the first
of the start month, so that every fifth or sixth year has 53 weeks; the extra week goes to the last period. The
4-4-5 calendar is the same with other weeks per period. ISO 8601 numbers plain weeks by the same rule from January.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from spm_models.errors import PeriodError

Kind = Literal["day", "week", "month", "quarter", "year"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PATTERNS = ("calendar", "4-4-5")
_WEEKS_445 = (4, 4, 5) * 4
_YEARS = range(1800, 3000)
_LABEL = re.compile(r"(\d{4})(-Q[1-4]|-W\d\d|-P\d\d|-\d\d-\d\d|-\d\d)?")
_KINDS: dict[str, Kind] = {"Q": "quarter", "W": "week", "P": "month"}


class CalendarSettings(Protocol):
    """What ``[calendar]`` of a workspace holds."""

    @property
    def fiscal_year_start_month(self) -> int:
        """First month of the fiscal year, 1 to 12."""

    @property
    def pattern(self) -> str:
        """Plain calendar or 4-4-5."""

    @property
    def week_start(self) -> str:
        """First day of the week."""

    @property
    def weekend(self) -> Iterable[str]:
        """Days off."""


@dataclass(frozen=True)
class Period:
    """One day, week, month, quarter or year; both ends are days that belong to it.

    Examples
    --------
    >>> quarter = FiscalCalendar().quarter(date(2026, 5, 20))
    >>> quarter.label, quarter.start.isoformat(), quarter.end.isoformat(), quarter.days
    ('2026-Q2', '2026-04-01', '2026-06-30', 91)
    >>> quarter.next().label, quarter.previous().label, quarter.remaining_days(date(2026, 6, 20))
    ('2026-Q3', '2026-Q1', 10)
    """

    kind: Kind
    label: str
    start: date
    end: date
    calendar: FiscalCalendar = field(default_factory=lambda: FiscalCalendar(), repr=False, compare=False)

    def __str__(self) -> str:
        return self.label

    @property
    def days(self) -> int:
        """Number of days, both ends counted."""
        return (self.end - self.start).days + 1

    def contains(self, day: date) -> bool:
        """Whether the day belongs to the period."""
        return self.start <= as_day(day) <= self.end

    def next(self) -> Period:
        """The period of the same kind that follows."""
        return self.calendar.period(self.kind, self.end + timedelta(days=1))

    def previous(self) -> Period:
        """The period of the same kind before."""
        return self.calendar.period(self.kind, self.start - timedelta(days=1))

    def remaining_days(self, day: date) -> int:
        """Days of the period after the end of ``day``: 0 on the last day, all of them before the first."""
        return max(0, min(self.days, (self.end - as_day(day)).days))

    def remaining_workdays(self, day: date, holidays: Iterable[date] = ()) -> int:
        """Working days of the period after the end of ``day``."""
        return self.calendar.workdays(max(self.start, as_day(day) + timedelta(days=1)), self.end, holidays)

    def week_number(self, day: date) -> int:
        """Week of the period in which the day lies, from 1 (counted in sevens from the first day)."""
        if not self.contains(day):
            raise PeriodError(f"The day is not in {self.label}", found=str(day), remedy="Ask for its own period.")
        return (as_day(day) - self.start).days // 7 + 1


@dataclass(frozen=True)
class FiscalCalendar:
    """A company's year and week.

    Parameters
    ----------
    start_month : int
        First month of the fiscal year, 1 to 12.
    pattern : {"calendar", "4-4-5"}
        Calendar months, or periods of 4, 4 and 5 whole weeks (53-week years follow the NRF rule).
    week_start : str
        "monday" … "sunday".
    weekend : tuple of str
        Days of the week that are not worked; at most six.

    Raises
    ------
    PeriodError
        When a setting does not exist.

    Examples
    --------
    >>> FiscalCalendar(start_month=2).quarter(date(2026, 5, 20)).label
    '2027-Q2'
    >>> retail = FiscalCalendar(start_month=2, pattern="4-4-5", week_start="sunday")
    >>> year = retail.year(date(2023, 6, 1))  # the NRF's fiscal 2023, 53 weeks, ends in February 2024
    >>> year.label, year.start.isoformat(), year.end.isoformat(), year.days // 7
    ('2024', '2023-01-29', '2024-02-03', 53)
    """

    start_month: int = 1
    pattern: str = "calendar"
    week_start: str = "monday"
    weekend: tuple[str, ...] = ("saturday", "sunday")

    def __post_init__(self) -> None:
        problems: list[tuple[bool, str, object, str]] = [
            (self.start_month not in range(1, 13), "start month", self.start_month, "a number from 1 to 12"),
            (self.pattern not in PATTERNS, "pattern", self.pattern, " or ".join(PATTERNS)),
            (self.week_start not in WEEKDAYS, "week start", self.week_start, ", ".join(WEEKDAYS)),
            (not set(self.weekend) < set(WEEKDAYS), "weekend", self.weekend, "at most six days of the week"),
        ]
        for wrong, name, found, expected in problems:
            if wrong:
                raise PeriodError(
                    f"This {name} does not exist", where="[calendar]", found=found, remedy=f"Use {expected}."
                )

    @classmethod
    def of(cls, settings: CalendarSettings) -> FiscalCalendar:
        """Build it from the ``[calendar]`` settings of a workspace."""
        return cls(
            settings.fiscal_year_start_month, settings.pattern, settings.week_start, tuple(settings.weekend)
        )  # fmt: skip

    def period(self, kind: Kind, day: date) -> Period:
        """The period of a kind to which a day belongs."""
        when = as_day(day)
        starts, labels = _table(self, kind, when.year - 1, when.year + 1)
        at = bisect_right(starts, when) - 1
        return Period(kind, labels[at], starts[at], starts[at + 1] - timedelta(days=1), self)

    def quarter(self, day: date) -> Period:
        """The fiscal quarter of a day."""
        return self.period("quarter", day)

    def month(self, day: date) -> Period:
        """The month of a day (of a 4-4-5 calendar: the 4- or 5-week period)."""
        return self.period("month", day)

    def year(self, day: date) -> Period:
        """The fiscal year of a day."""
        return self.period("year", day)

    def week(self, day: date) -> Period:
        """The week of a day, from the calendar's own first day of the week."""
        return self.period("week", day)

    def day(self, day: date) -> Period:
        """The day itself.

        Examples
        --------
        >>> today = FiscalCalendar(start_month=2).day(date(2026, 1, 31))
        >>> today.label, today.days, today.next().label, today.previous().label
        ('2026-01-31', 1, '2026-02-01', '2026-01-30')
        """
        return self.period("day", day)

    def periods(self, kind: Kind, first: date, last: date) -> list[Period]:
        """Every period of a kind that has a day between two days, both counted; empty when last < first."""
        found: list[Period] = []
        period = self.period(kind, first)
        while period.start <= as_day(last):
            found.append(period)
            period = period.next()
        return found if as_day(first) <= as_day(last) else []

    def quarters(self, first: date, last: date) -> list[Period]:
        """Every quarter that has a day between two days, both counted."""
        return self.periods("quarter", first, last)

    def parse(self, label: str) -> Period:
        """The period with a label such as ``2026-Q2``.

        Examples
        --------
        >>> FiscalCalendar(start_month=4).parse("2026-Q1").start.isoformat()
        '2025-04-01'
        """
        match = _LABEL.fullmatch(label)
        if match is not None:
            mark = (match[2] or "-")[1:2]
            kind: Kind = "year" if not mark else _KINDS.get(mark, "day" if label.count("-") == 2 else "month")
            starts, labels = _table(self, kind, int(match[1]) - 1, int(match[1]) + 1)
            if label in labels:
                at = labels.index(label)
                return Period(kind, label, starts[at], starts[at + 1] - timedelta(days=1), self)
        raise PeriodError(
            "No such period in this calendar",
            found=label,
            remedy="Write it as 2026, 2026-Q2, 2026-05, 2026-W18 or 2026-05-20.",
        )

    def labels(self, days: pd.Series, kind: Kind = "quarter") -> pd.Series:
        """Label of the period of each day; missing where the day is.

        Parameters
        ----------
        days : Series of datetime64
            Days; a time of day is ignored.

        Returns
        -------
        Series of str
            Same index and name.
        """
        _, labels, at, known = self._locate(days, kind)
        return pd.Series(np.where(known, np.asarray(labels, dtype=object)[at], None), days.index, "str", days.name)

    def quarter_labels(self, days: pd.Series) -> pd.Series:
        """Fiscal quarter of each day.

        Examples
        --------
        >>> FiscalCalendar().quarter_labels(pd.Series(pd.to_datetime(["2026-06-30", "2026-07-01"]))).tolist()
        ['2026-Q2', '2026-Q3']
        """
        return self.labels(days, "quarter")

    def period_starts(self, days: pd.Series, kind: Kind = "quarter") -> pd.Series:
        """First day of the period of each day, as ``datetime64[s]``; missing where the day is."""
        starts, _, at, known = self._locate(days, kind)
        values = np.asarray(starts, dtype="datetime64[s]")[at]
        values[~known] = np.datetime64("NaT")
        return pd.Series(values, days.index, name=days.name)

    def _locate(self, days: pd.Series, kind: Kind) -> tuple[list[date], list[str], np.ndarray, np.ndarray]:
        values = pd.to_datetime(days).to_numpy().astype("datetime64[D]")
        known = ~np.isnat(values)
        seen = values[known] if known.any() else np.array(["2000-01-01"], dtype="datetime64[D]")
        low, high = as_day(seen.min().item()).year, as_day(seen.max().item()).year
        starts, labels = _table(self, kind, low - 1, high + 1)
        at = np.searchsorted(np.asarray(starts, dtype="datetime64[D]"), values, side="right") - 1
        return starts, labels, np.clip(at, 0, len(labels) - 1), known

    def workdays(self, first: date, last: date, holidays: Iterable[date] = ()) -> int:
        """Days between two days, both counted, that are neither weekend nor holiday.

        Examples
        --------
        >>> riyadh = FiscalCalendar(week_start="sunday", weekend=("friday", "saturday"))
        >>> riyadh.workdays(date(2026, 7, 1), date(2026, 7, 7), holidays=[date(2026, 7, 6)])  # Wednesday to Tuesday
        4
        """
        begin, end = as_day(first), as_day(last) + timedelta(days=1)
        if end <= begin:
            return 0
        mask = [weekday not in self.weekend for weekday in WEEKDAYS]
        off = np.asarray([as_day(day) for day in holidays], dtype="datetime64[D]")
        return int(np.busday_count(begin, end, weekmask=mask, holidays=off))

    def _year_start(self, year: int) -> date:
        nominal = date(year if self.start_month == 1 else year - 1, self.start_month, 1)
        return nominal if self.pattern == "calendar" else self._nearest_week_start(nominal)

    def _nearest_week_start(self, day: date) -> date:
        ahead = (WEEKDAYS.index(self.week_start) - day.weekday()) % 7
        return day + timedelta(days=ahead if ahead <= 3 else ahead - 7)


def as_day(value: date) -> date:
    """A plain day from a date, datetime or Timestamp.

    Raises
    ------
    PeriodError
        When it is no day (``NaT``, text), or lies outside the years 1800 to 2999.
    """
    day = value.date() if isinstance(value, datetime) else value
    if not isinstance(day, date) or pd.isna(day) or day.year not in _YEARS:
        raise PeriodError("This is not a usable day", found=value, remedy="Use a date from 1800 to 2999.")
    return day


@lru_cache(maxsize=512)
def _table(calendar: FiscalCalendar, kind: Kind, first: int, last: int) -> tuple[list[date], list[str]]:
    """Starts and labels of the periods of fiscal years ``first`` to ``last``; one more start closes the last."""
    starts: list[date] = []
    labels: list[str] = []
    for year in range(first, last + 1):
        for start, label in _year_periods(calendar, kind, year):
            starts.append(start)
            labels.append(label)
    return [*starts, _year_periods(calendar, kind, last + 1)[0][0]], labels


def _year_periods(calendar: FiscalCalendar, kind: Kind, year: int) -> list[tuple[date, str]]:
    plain = calendar.pattern == "calendar"
    if kind == "week":
        start, stop = (
            calendar._nearest_week_start(date(y, 1, 1)) if plain else calendar._year_start(y) for y in (year, year + 1)
        )
        return [(start + timedelta(weeks=n), f"{year}-W{n + 1:02d}") for n in range((stop - start).days // 7)]
    start = calendar._year_start(year)
    if kind == "year":
        return [(start, f"{year}")]
    if kind == "day":
        days = (start + timedelta(days=n) for n in range((calendar._year_start(year + 1) - start).days))
        return [(day, day.isoformat()) for day in days]
    if plain:
        months = [_add_months(start, n) for n in range(12)]
        named = [(month, f"{month:%Y-%m}") for month in months]
    else:
        months = [start + timedelta(weeks=sum(_WEEKS_445[:n])) for n in range(12)]
        named = [(month, f"{year}-P{n + 1:02d}") for n, month in enumerate(months)]
    return named if kind == "month" else [(months[3 * n], f"{year}-Q{n + 1}") for n in range(4)]


def _add_months(first: date, n: int) -> date:
    years, month = divmod(first.month - 1 + n, 12)
    return date(first.year + years, month + 1, 1)
