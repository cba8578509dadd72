"""What of a target a person owes: hired, gone or away for a part of the period."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.kpis.working_time import working_days
from spm_models.periods import FiscalCalendar, Period

_ALWAYS = pd.Timestamp(1900, 1, 1)
EXCUSED = ["not_yet", "gone", "away"]


def days_in_role(
    people: pd.DataFrame, period: Period, as_of: date, calendar: FiscalCalendar, absences: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Working days of a period on which each person is in his role, and why not on the others.

    Parameters
    ----------
    people : DataFrame
        ``rep_id``, ``hired_on`` (empty: long ago) and ``left_on``.
    period : Period
    as_of : date
        What is still to come counts as worked, except after ``left_on``.
    calendar : FiscalCalendar
        Says which days of the week are worked.
    absences : DataFrame, optional
        ``rep_id``, ``starts_on``, ``ends_on``; days of absence count as they pass.

    Returns
    -------
    DataFrame
        One row a person: ``rep_id``, ``days``, ``not_yet`` (before the hire), ``gone``, ``away`` and ``whole``, working
        days all; the first four add up to ``whole``.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["a"], "hired_on": ["2026-02-02"], "left_on": [None]})
    >>> away = pd.DataFrame({"rep_id": ["a"], "starts_on": ["2026-03-02"], "ends_on": ["2026-03-06"]})
    >>> found = days_in_role(people, FiscalCalendar().parse("2026-Q1"), date(2026, 3, 31), FiscalCalendar(), away)
    >>> found[["days", "not_yet", "gone", "away", "whole"]].values.tolist()  # 22 working days in January
    [[37.0, 22.0, 0.0, 5.0, 64.0]]
    """
    reps = pd.DataFrame({
        "rep_id": people["rep_id"].astype("str"),
        "start_on": pd.to_datetime(people["hired_on"]).astype("datetime64[s]").fillna(_ALWAYS),
        "left_on": pd.to_datetime(people["left_on"]).astype("datetime64[s]"),
    })  # fmt: skip
    reps = reps.drop_duplicates("rep_id").reset_index(drop=True)
    full, found = float(calendar.workdays(period.start, period.end)), reps[["rep_id"]].copy()
    until = pd.DataFrame({"rep_id": reps["rep_id"], "start_on": _ALWAYS, "left_on": reps["left_on"]})
    there = _days(until, period, period.end, calendar)  # not gone
    present = _days(reps, period, period.end, calendar)
    found["gone"], found["not_yet"] = full - there, there - present
    found["away"] = 0.0
    if absences is not None and len(absences):
        spans = _merged(absences)
        found["away"] = _days(reps, period, as_of, calendar) - _days(reps, period, as_of, calendar, spans)
    found["days"], found["whole"] = present - found["away"], full
    return found[["rep_id", "days", *EXCUSED, "whole"]]


def prorated(quota: pd.Series, days: pd.Series, whole: pd.Series) -> pd.Series:
    """The part of each quota that is owed, in whole cents; what is excused is the rest of it.

    Examples
    --------
    >>> prorated(pd.Series([100.0]), pd.Series([37.0]), pd.Series([64.0])).tolist()
    [57.81]
    """
    share = np.where(whole > 0, days / whole.where(whole > 0, 1.0), 1.0)
    owed: pd.Series = (quota * np.clip(share, 0.0, 1.0)).round(2)
    return owed


def _days(
    reps: pd.DataFrame, period: Period, last: date, calendar: FiscalCalendar, absences: pd.DataFrame | None = None
) -> pd.Series:
    found = working_days(reps, [period], last, calendar, absences).set_index("rep_id")["days"]
    return pd.Series(found.reindex(reps["rep_id"]).fillna(0.0).to_numpy(dtype="float64"))


def _merged(absences: pd.DataFrame) -> pd.DataFrame:
    """Absences of one person that overlap made one, so that no day is excused twice."""
    spans = pd.DataFrame({
        "rep_id": absences["rep_id"].astype("str"),
        "starts_on": pd.to_datetime(absences["starts_on"]).astype("datetime64[s]"),
        "ends_on": pd.to_datetime(absences["ends_on"]).astype("datetime64[s]"),
    })  # fmt: skip
    spans["ends_on"] = spans["ends_on"].fillna(pd.Timestamp(2999, 1, 1))  # not back yet
    spans = spans.sort_values(["rep_id", "starts_on", "ends_on"], ignore_index=True)
    reached = spans["ends_on"].astype("int64").groupby(spans["rep_id"]).cummax()
    before = reached.groupby(spans["rep_id"]).shift()
    fresh = before.isna() | (spans["starts_on"].astype("int64") > before)
    spans["span"] = fresh.cumsum()
    merged = spans.groupby("span").agg(rep_id=("rep_id", "first"), starts_on=("starts_on", "min"),
                                       ends_on=("ends_on", "max"))  # fmt: skip
    return merged.reset_index(drop=True)
