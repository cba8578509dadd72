"""How good people's submissions were, week by week of the period, beside the forecast that stood there then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.units import Units

_WHOSE = ["author", "level", "key", "week"]
COLUMNS = [*_WHOSE, "periods", "commit_error", "commit_bias", "best_case_bias", "forecasts", "commit_error_beside",
           "forecast_error", "forecast_bias"]  # fmt: skip


def actual_revenue(
    outcomes: pd.DataFrame, units: Units, period: Period, as_of: date
) -> Callable[[str, str], float | None]:
    """Revenue of any unit in a period as known at ``as_of``: a function of level and key.

    It gives None while the period runs. People have their own, also after they left.
    """
    if period.end > as_of:
        return lambda level, key: None
    inside = outcomes["closed_on"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    won = outcomes[outcomes["won"] & inside]
    leaf, money = units.leaf(won["rep_id"]), cents(won["amount"])
    sums = np.bincount(leaf, money, minlength=len(units))

    def of(level: str, key: str) -> float | None:
        if level == "company":
            return float(sums.sum()) / 100
        column = "rep_id" if level == "rep" else level
        return float(sums[(units.table[column] == key).to_numpy()].sum()) / 100

    return of


def with_actuals(
    said: pd.DataFrame, outcomes: pd.DataFrame, organisation: pd.DataFrame, *, as_of: date, calendar: FiscalCalendar
) -> pd.DataFrame:
    """Submissions with ``period_start, period_end`` and, where the period is over, the ``actual`` revenue.

    Parameters
    ----------
    said : DataFrame
        ``period, level, key`` and whatever else (:func:`spm_models.journal.submissions.submissions`).
    outcomes : DataFrame
        Deals closed by ``as_of``.
    organisation : DataFrame
        Units as they are on ``as_of``.
    """
    units = Units.of(organisation, as_of)
    periods = {label: calendar.parse(label) for label in said["period"].unique()}
    revenue = {label: actual_revenue(outcomes, units, period, as_of) for label, period in periods.items()}
    actual = [revenue[p](level, key) for p, level, key in zip(said["period"], said["level"], said["key"], strict=True)]
    starts, ends = ([pd.Timestamp(getattr(periods[p], side)) for p in said["period"]] for side in ("start", "end"))
    return said.assign(
        period_start=pd.Series(starts, said.index, dtype="datetime64[s]"),
        period_end=pd.Series(ends, said.index, dtype="datetime64[s]"),
        actual=pd.Series(actual, said.index, dtype="float64"),
    )


def submission_accuracy(said: pd.DataFrame, cutoff: Callable[[date], datetime]) -> pd.DataFrame:
    """Error and bias of each person by week of the period.

    Parameters
    ----------
    said : DataFrame
        Of :func:`with_actuals`: every submission, with ``author, period, level, key, submitted_at, commit, best_case,
        forecast, period_start, period_end, actual``.
    cutoff : callable
        End of a day as naive UTC (``workspace.cutoff``).

    Returns
    -------
    DataFrame
        One row an author, unit and week; sums over finished periods (``periods``), each counted once a week with
        what stood at the week's end. ``commit_error``: sum of absolute errors over the sum of actuals; ``_bias``:
        signed, above zero for too much. ``forecast_error`` and ``commit_error_beside`` are of the ``forecasts``
        weeks only in which a published forecast stood beside. Empty where nothing was won.

    Notes
    -----
    Hyndman and Koehler (2006), Another look at measures of forecast accuracy: a ratio of sums, since single periods
    may have brought nothing.
    """
    known = said[said["actual"].notna()].sort_values("submitted_at", kind="stable")
    rows: list[dict[str, object]] = []
    for (author, level, key, _), mine in known.groupby(["author", "level", "key", "period"], sort=True):
        start, end = mine["period_start"].iloc[0].date(), mine["period_end"].iloc[0].date()
        weeks = max(round(((end - start).days + 1) / 7), 1)
        for week in range(1, weeks + 1):
            day = end if week == weeks else start + timedelta(days=7 * week - 1)
            stood = mine[mine["submitted_at"] < pd.Timestamp(cutoff(day))]
            if len(stood):
                last = stood.iloc[-1]
                figures = {name: float(last[name]) for name in ("commit", "best_case", "forecast", "actual")}
                rows.append({"author": author, "level": level, "key": key, "week": week, **figures})
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    return _errors(pd.DataFrame(rows))


def _errors(stood: pd.DataFrame) -> pd.DataFrame:
    actual = stood["actual"]
    beside = stood["forecast"].notna()
    best = stood["best_case"].notna()
    parts = stood[_WHOSE].assign(
        periods=1, actual=actual, commit_error=(stood["commit"] - actual).abs(), commit_bias=stood["commit"] - actual,
        best=actual.where(best, 0.0), best_case_bias=(stood["best_case"] - actual).fillna(0.0),
        forecasts=beside.astype("int64"), beside=actual.where(beside, 0.0),
        commit_error_beside=(stood["commit"] - actual).abs().where(beside, 0.0),
        forecast_error=(stood["forecast"] - actual).abs().fillna(0.0),
        forecast_bias=(stood["forecast"] - actual).fillna(0.0),
    )  # fmt: skip
    sums = parts.groupby(_WHOSE, sort=True).sum().reset_index()
    over = {"commit_error": "actual", "commit_bias": "actual", "best_case_bias": "best",
            "commit_error_beside": "beside", "forecast_error": "beside", "forecast_bias": "beside"}  # fmt: skip
    for name, base in over.items():
        sums[name] = sums[name] / sums[base].where(sums[base] > 0)
    return sums[COLUMNS]
