"""What the forecast looks at: deals since their creation, deals since a snapshot, and the bands they fall into.

References
----------
van Houwelingen and Putter (2012), Dynamic Prediction in Clinical Survival Analysis: landmarks. Every past snapshot
is one; the clock starts there, and what was known then predicts what follows. Snapshots are not weighted down for
deals that occur in many of them: the deals to be forecast are met in the same way, in a snapshot, where slow deals
are seen more often than they are created.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar

OPEN, WON, LOST = 0, 1, 2
DUE_EDGES = np.array([-30.0, 0.0, 30.0, 60.0, 90.0, 180.0])  # days to the expected close date; negative is overdue
STAGES = 9
_AGE_SHARES = (0.25, 0.5, 0.75, 0.9, 0.99)
MAX_BANDS = 9
PLACES = 3  # months of a quarter
_LEAST_CLOSED, _MISSING_CLOSES = 30, 8.0

Codes = npt.NDArray[np.int64]


def creations(pipelines: pd.DataFrame, outcomes: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Every deal created by ``as_of`` with what became of it.

    Returns
    -------
    DataFrame
        One row a deal, sorted by id: ``opportunity_id, rep_id, created_on, days`` (from creation to the close, or
        to ``as_of``), ``event`` (:data:`OPEN`, :data:`WON`, :data:`LOST`), ``amount`` (of closed deals), ``segment``
        (as last seen in a pipeline, or the family of products where no segment is known). Deals without a creation
        day are left out.
    """
    closed = outcomes[["opportunity_id", "rep_id", "created_on", "closed_on", "won", "amount"]]
    last = pipelines.sort_values(["as_of", "opportunity_id"]).drop_duplicates("opportunity_id", keep="last")
    still = last.loc[~last.opportunity_id.isin(closed.opportunity_id), ["opportunity_id", "rep_id", "created_on"]]
    deals = pd.concat([closed.assign(event=np.where(closed.won, WON, LOST)), still.assign(event=OPEN)])
    deals = deals[deals.created_on.notna()].sort_values("opportunity_id", ignore_index=True)
    ended = deals.closed_on.fillna(pd.Timestamp(as_of))
    deals["days"] = ((ended - deals.created_on).dt.days).clip(lower=0).astype("float64")
    deals["segment"] = deals.opportunity_id.map(_segment(last)).astype("str")
    return deals[["opportunity_id", "rep_id", "created_on", "days", "event", "amount", "segment"]]


def _segment(pipeline: pd.DataFrame) -> pd.Series:
    """Segment by deal, or family where no deal has a segment."""
    columns = [name for name in ("segment", "family") if name in pipeline and pipeline[name].notna().any()]
    known = pipeline[columns[0]] if columns else pd.Series(None, index=pipeline.index, dtype="str")
    return pd.Series(known.to_numpy(), index=pipeline.opportunity_id.to_numpy())


def record_start(deals: pd.DataFrame) -> pd.Timestamp | None:
    """First day on which closed deals are on record, if deals were created long before; else None.

    Many exports hold all deals closed since a day, and of older ones only those that were still open then. The first
    close is taken for that day when eight or more closes would have been expected before it, judging by deals
    created since.
    """
    closed = deals[deals.event != OPEN]
    if closed.empty:
        return None
    first = (closed.created_on + pd.to_timedelta(closed.days, unit="D")).min()
    since, before = deals[deals.created_on >= first], deals[deals.created_on < first]
    quick = np.sort(since.loc[since.event != OPEN, "days"].to_numpy())
    if quick.size < _LEAST_CLOSED:
        return None
    waited = (first - before.created_on).dt.days.to_numpy(dtype=float)
    expected = float(np.searchsorted(quick, waited, side="left").sum()) / len(since)
    return pd.Timestamp(first) if expected >= _MISSING_CLOSES else None


def landmarks(
    pipelines: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, since: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Past snapshots of deals with the days until they closed (or until ``as_of``) and how they ended.

    Returns
    -------
    DataFrame
        The rows of ``pipelines`` before ``as_of``, and not before ``since``, where the record of closes begins; with
        ``days, event, closed_on, final_amount`` added, sorted.
    """
    ends = outcomes[["opportunity_id", "closed_on", "won", "amount"]].rename(columns={"amount": "final_amount"})
    past = pipelines[pipelines.as_of < pd.Timestamp(as_of)]
    if since is not None:
        past = past[past.as_of >= since - pd.Timedelta(days=1)]
    rows = past.merge(ends, on="opportunity_id", how="left").sort_values(["as_of", "opportunity_id"], ignore_index=True)
    event = np.where(rows.closed_on.isna(), OPEN, np.where(rows.won.eq(True), WON, LOST))
    days = (rows.closed_on.fillna(pd.Timestamp(as_of)) - rows.as_of).dt.days
    return rows.assign(event=event, days=days.clip(lower=0).astype("float64")).drop(columns="won")


def age_edges(deals: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Ages by which a quarter, a half … 99 % of the closed deals had closed."""
    closed = deals.loc[deals.event != OPEN, "days"].to_numpy()
    return np.unique(np.quantile(closed, _AGE_SHARES)) if closed.size else np.array([90.0])


def place_in_quarter(days: pd.Series, calendar: FiscalCalendar) -> tuple[Codes, npt.NDArray[np.float64]]:
    """Month of the quarter (0, 1, 2) that the day after each snapshot is in, and the days of it that have passed."""
    unique = days.drop_duplicates()
    next_days = [pd.Timestamp(day).date() + timedelta(days=1) for day in unique]
    months = [calendar.month(day) for day in next_days]
    starts = [calendar.quarter(day).start for day in next_days]
    pairs = zip(months, starts, strict=True)
    place = {
        day: min(max(round((month.start - start).days / 30.4), 0), PLACES - 1)
        for day, (month, start) in zip(unique, pairs, strict=True)
    }
    passed = {
        day: float((after - month.start).days) for day, after, month in zip(unique, next_days, months, strict=True)
    }
    return days.map(place).to_numpy(dtype=np.int64), days.map(passed).to_numpy(dtype=float)


def due_band(rows: pd.DataFrame) -> Codes:
    """Band of the days left to the expected close date; the last code says that it is unknown."""
    return _bands(rows.days_to_expected_close, DUE_EDGES)


def age_band(rows: pd.DataFrame, edges: npt.NDArray[np.float64]) -> Codes:
    """Band of the age; the last code says that it is unknown."""
    return _bands(rows.age_days, edges)


def stage_band(rows: pd.DataFrame) -> Codes:
    """Place of the stage in the sales process; the last code says that it is unknown."""
    order = rows.stage_order.to_numpy(dtype=float)
    return np.where(np.isnan(order), MAX_BANDS, np.clip(np.nan_to_num(order), 0, STAGES - 1)).astype(np.int64)


def _bands(values: pd.Series, edges: npt.NDArray[np.float64]) -> Codes:
    array = values.to_numpy(dtype=float)
    return np.where(np.isnan(array), MAX_BANDS, np.searchsorted(edges, array, side="left")).astype(np.int64)
