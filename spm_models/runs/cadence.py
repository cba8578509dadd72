"""Which kinds of reports are due in a run, and what each is the report of: a week, a fortnight, a month, a quarter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.reports.month import last_month
from spm_models.settings import Settings

REP, TEAM = "coaching_report", "team_digest"
TEAM_MONTH, EXECUTIVE, EXECUTIVE_QUARTER = "team_monthly", "executive_report", "executive_quarterly"
_FIRST_MONDAY = date(2024, 1, 1)  # fortnights are counted from here: ISO years of 53 weeks do not break them


def periods_of(settings: Settings, as_of: date) -> dict[str, str]:
    """The label of the period that each kind of report is about, in a run as of a day.

    Parameters
    ----------
    settings : Settings
    as_of : datetime.date

    Examples
    --------
    >>> found = periods_of(Settings(), date(2026, 6, 29))
    >>> found["team_digest"], found["team_monthly"]
    ('2026-W27', '2026-05')
    """
    chosen = settings.schedule
    every = {"weekly": week_of(as_of), "fortnightly": fortnight_of(as_of), "monthly": month_of(as_of),
             "quarterly": quarter_of(settings, as_of)}  # fmt: skip
    return {
        REP: every[chosen.reps], TEAM: every[chosen.managers], TEAM_MONTH: every[chosen.teams],
        EXECUTIVE: every["monthly"], EXECUTIVE_QUARTER: every["quarterly"],
    }  # fmt: skip


def due(
    settings: Settings, as_of: date, written: Mapping[str, frozenset[str]], *, monthly: bool | None = None
) -> frozenset[str]:
    """Kinds of reports that a run writes.

    Parameters
    ----------
    settings : Settings
    as_of : datetime.date
        Day of its snapshot.
    written : mapping of str to frozenset of str
        For each kind the periods that runs of *earlier* days have written.
    monthly : bool, optional
        Write the monthly and quarterly reports or not; without it once after each period's end.

    Returns
    -------
    frozenset of str
        What is written weekly is due in every run: a second run in a week has newer data. Everything else is due once
        in its period.

    Examples
    --------
    >>> sorted(due(Settings(), date(2026, 6, 29), {"team_monthly": frozenset({"2026-05"})}))
    ['coaching_report', 'executive_quarterly', 'executive_report', 'team_digest']
    """
    chosen, labels = settings.schedule, periods_of(settings, as_of)
    found = {
        kind for kind, how in ((REP, chosen.reps), (TEAM, chosen.managers))
        if how == "weekly" or labels[kind] not in written.get(kind, frozenset())
    }  # fmt: skip
    executives = {"monthly": EXECUTIVE, "quarterly": EXECUTIVE_QUARTER}
    for kind in (TEAM_MONTH, *(executives[how] for how in chosen.executives)):
        if labels[kind] not in written.get(kind, frozenset()) if monthly is None else monthly:
            found.add(kind)
    return frozenset(found)


def week_of(day: date) -> str:
    """The ISO 8601 week of a day.

    Examples
    --------
    >>> week_of(date(2026, 12, 31)), week_of(date(2027, 1, 1))
    ('2026-W53', '2026-W53')
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def fortnight_of(day: date) -> str:
    """The first week of the fortnight of a day; fortnights follow each other without a gap, also at a year's end.

    Examples
    --------
    >>> [fortnight_of(date(2026, 12, 14) + timedelta(weeks=n)) for n in range(4)]
    ['2026-W51', '2026-W51', '2026-W53', '2026-W53']
    """
    weeks = (day - _FIRST_MONDAY).days // 14 * 2
    return week_of(_FIRST_MONDAY + timedelta(weeks=weeks))


def month_of(day: date) -> str:
    """The last whole month at the end of a day.

    Examples
    --------
    >>> month_of(date(2026, 6, 29)), month_of(date(2026, 6, 30))
    ('2026-05', '2026-06')
    """
    return str(last_month(pd.Timestamp(day)))


def quarter_of(settings: Settings, day: date) -> str:
    """The last whole fiscal quarter at the end of a day.

    Examples
    --------
    >>> quarter_of(Settings(), date(2026, 6, 29)), quarter_of(Settings(), date(2026, 6, 30))
    ('2026-Q1', '2026-Q2')
    """
    own = FiscalCalendar.of(settings.calendar).quarter(day)
    return (own if own.end == day else own.previous()).label
