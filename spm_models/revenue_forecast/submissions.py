"""How good people's submissions were, by person and by level, week by week, beside the forecast that stood there."""

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
HEALTHY = (0.85, 1.15)  # commit over result
_UNIT = ["period", "level", "key"]
BY_LEVEL = ["level", "week", "quarters", "submissions", "ratio", "in_band", "absolute_error", "noise", "bias",
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


def submitted_beside(
    said: pd.DataFrame, units: pd.DataFrame, cutoff: Callable[[date], datetime], ours: str
) -> pd.DataFrame:
    """The commit that stood for each unit at the end of each replayed week, whoever of its people gave it last.

    Parameters
    ----------
    said : DataFrame
        Every submission: ``period, level, key, submitted_at, commit`` (:mod:`spm_models.journal.submissions`).
    units : DataFrame
        Of a replay (:attr:`.Replay.units`): ``period, week, as_of, method, level, key, mean, actual``.
    cutoff : callable
        End of a day as naive UTC (``workspace.cutoff``).
    ours : str
        Method of ``units`` to stand beside.

    Returns
    -------
    DataFrame
        ``period, week, as_of, level, key, commit, forecast, actual``: units and weeks with a commit only.
    """
    columns = ["period", "week", "as_of", "level", "key", "commit", "forecast", "actual"]
    wanted = units[units["method"] == ours].rename(columns={"mean": "forecast"})
    wanted = wanted.merge(said[_UNIT].drop_duplicates(), on=_UNIT)
    if wanted.empty:
        return pd.DataFrame(columns=columns)
    ends = {day: pd.Timestamp(cutoff(day.date())) for day in wanted["as_of"].unique()}
    wanted = wanted.assign(end=wanted["as_of"].map(ends).astype("datetime64[us]")).sort_values("end", kind="stable")
    given = said[[*_UNIT, "submitted_at", "commit"]].astype({"submitted_at": "datetime64[us]"})
    stood = pd.merge_asof(
        wanted, given.sort_values("submitted_at", kind="stable"), left_on="end", right_on="submitted_at", by=_UNIT,
        allow_exact_matches=False,
    )  # fmt: skip
    found = stood.loc[stood["commit"].notna(), columns]
    return found.sort_values(["period", "week", "level", "key"], ignore_index=True)


def submissions_by_level(stood: pd.DataFrame) -> pd.DataFrame:
    """How good people's commits were on each level by week of the quarter (published table of the same name).

    Parameters
    ----------
    stood : DataFrame
        Of :func:`submitted_beside`.

    Returns
    -------
    DataFrame
        One row a level and week. ``submissions`` counts units times quarters. ``ratio``: sum of commits over sum of
        results, healthy within :data:`HEALTHY`; ``in_band``: share of submissions whose own ratio is. Errors and
        biases are sums over the sum of results, ``noise`` the standard error of ``absolute_error`` with the quarter as
        the unit; ``forecast_error`` and ``forecast_bias`` are of our forecast of the same units. All but ``in_band``
        are empty where nothing was won.

    Examples
    --------
    >>> stood = pd.DataFrame({"period": "2026-Q1", "week": 6, "level": "rep", "key": ["a", "b"],
    ...                       "commit": [120.0, 60.0], "forecast": [90.0, 55.0], "actual": [100.0, 50.0]})
    >>> submissions_by_level(stood)[["ratio", "in_band", "absolute_error", "forecast_error"]].round(2).values.tolist()
    [[1.2, 0.0, 0.2, 0.1]]
    """
    rows: list[dict[str, object]] = []
    low, high = HEALTHY
    if stood.empty:
        return pd.DataFrame(columns=BY_LEVEL)
    for (level, week), mine in stood.groupby(["level", "week"], sort=True):
        came = float(mine["actual"].sum())
        off, ours = mine["commit"] - mine["actual"], mine["forecast"] - mine["actual"]
        quarters = mine["period"].nunique()
        inside = mine["commit"].between(low * mine["actual"], high * mine["actual"])
        by_quarter = off.abs().groupby(mine["period"]).sum() * quarters
        figures = {
            "ratio": mine["commit"].sum(), "absolute_error": off.abs().sum(), "bias": off.sum(),
            "noise": by_quarter.std(ddof=1) / np.sqrt(quarters) if quarters > 1 else np.nan,
            "forecast_error": ours.abs().sum(), "forecast_bias": ours.sum(),
        }  # fmt: skip
        shares = {name: float(value) / came if came > 0 else np.nan for name, value in figures.items()}
        rows.append({"level": level, "week": week, "quarters": quarters, "submissions": len(mine),
                     "in_band": float(inside.mean()), **shares})  # fmt: skip
    return pd.DataFrame(rows, columns=BY_LEVEL)


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
