"""Working days in role: what reps are measured against, so that a hire or an absence is no shortfall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import WEEKDAYS, FiscalCalendar, Period

TENURE_DAYS = (0, 90, 180, 365, 730)
TENURE_BANDS = ("first_quarter", "second_quarter", "first_year", "second_year", "settled")
UNKNOWN = "unknown"


def quarters_until(as_of: date, calendar: FiscalCalendar, quarters: int) -> list[Period]:
    """The last whole quarters, oldest first, and the running one where ``as_of`` is not its last day.

    Examples
    --------
    >>> [str(q) for q in quarters_until(date(2026, 6, 30), FiscalCalendar(), 2)]
    ['2026-Q1', '2026-Q2']
    >>> [str(q) for q in quarters_until(date(2026, 7, 15), FiscalCalendar(), 2)]
    ['2026-Q1', '2026-Q2', '2026-Q3']
    """
    last = calendar.quarter(as_of)
    found = [last]
    for _ in range(quarters - (as_of == last.end)):
        found.append(found[-1].previous())
    return found[::-1]


def working_days(
    reps: pd.DataFrame,
    periods: Sequence[Period],
    as_of: date,
    calendar: FiscalCalendar,
    absences: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Working days of each rep in each period up to ``as_of``, less absences.

    Parameters
    ----------
    reps : DataFrame
        ``rep_id``, ``start_on`` (first day in role; missing: no days at all) and ``left_on``.
    periods : sequence of Period
    as_of : date
    calendar : FiscalCalendar
        Says which days of the week are worked.
    absences : DataFrame, optional
        ``rep_id``, ``starts_on``, ``ends_on``; those that begin after ``as_of`` are not known yet.

    Returns
    -------
    DataFrame
        One row a rep and period: ``rep_id``, ``period``, ``middle`` (datetime64), ``days`` (float).

    Examples
    --------
    >>> from datetime import date
    >>> reps = pd.DataFrame({"rep_id": ["r1"], "start_on": [pd.Timestamp("2026-06-15")], "left_on": [pd.NaT]})
    >>> june = FiscalCalendar().month(date(2026, 6, 1))
    >>> working_days(reps, [june], date(2026, 6, 30), FiscalCalendar()).days.tolist()
    [12.0]
    """
    spans = pd.DataFrame(
        {
            "period": [period.label for period in periods],
            "from": pd.to_datetime([period.start for period in periods]),
            "to": pd.to_datetime([min(period.end, as_of) for period in periods]),
        }
    )
    grid = reps[["rep_id", "start_on", "left_on"]].merge(spans, how="cross")
    low = grid["from"].where(grid["start_on"].isna() | (grid["from"] > grid["start_on"]), grid["start_on"])
    high = grid["to"].where(grid["left_on"].isna() | (grid["to"] < grid["left_on"]), grid["left_on"])
    days = _workdays(low, high, calendar).where(grid["start_on"].notna(), 0.0)
    grid = grid.assign(low=low, high=high, middle=grid["from"] + (grid["to"] - grid["from"]) / 2, days=days)
    if absences is not None and len(absences):
        away = _away(grid, absences[absences["starts_on"] <= pd.Timestamp(as_of)], calendar)
        grid["days"] = (grid["days"] - away).clip(lower=0)
    return grid[["rep_id", "period", "middle", "days"]]


def tenure_band(hired_on: pd.Series, day: pd.Series) -> pd.Series:
    """How long somebody has been there on a day, in bands; ``unknown`` where the hiring date is."""
    days = (day - hired_on).dt.days
    band = np.asarray(TENURE_BANDS)[np.clip(np.searchsorted(TENURE_DAYS, days.fillna(0), side="right") - 1, 0, None)]
    return pd.Series(np.where(days.isna(), UNKNOWN, band), index=day.index, dtype="str")


def _workdays(low: pd.Series, high: pd.Series, calendar: FiscalCalendar) -> pd.Series:
    mask = [weekday not in calendar.weekend for weekday in WEEKDAYS]
    begin = low.to_numpy().astype("datetime64[D]")
    end = high.to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    usable = ~(np.isnat(begin) | np.isnat(end)) & (end > begin)
    counted = np.zeros(len(low))
    counted[usable] = np.busday_count(begin[usable], end[usable], weekmask=mask)
    return pd.Series(counted, index=low.index)


def _away(grid: pd.DataFrame, absences: pd.DataFrame, calendar: FiscalCalendar) -> pd.Series:
    """Working days of absence within each row of the grid."""
    pairs = grid.reset_index().merge(absences[["rep_id", "starts_on", "ends_on"]], on="rep_id")
    low = pairs["low"].where(pairs["low"] > pairs["starts_on"], pairs["starts_on"])
    high = pairs["high"].where(pairs["high"] < pairs["ends_on"], pairs["ends_on"])
    away = _workdays(low, high, calendar).groupby(pairs["index"]).sum()
    return away.reindex(grid.index, fill_value=0.0)
