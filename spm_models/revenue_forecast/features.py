"""What the forecast looks at: deals since their creation, deals since a snapshot, and the bands they fall into.

References
----------
van Houwelingen and Putter (2012), Dynamic Prediction in Clinical Survival Analysis: landmarks. Every past snapshot
is one; the clock starts there, and what was known then predicts what follows. Snapshots are not weighted down for
deals that occur in many of them: the deals to be forecast are met in the same way, in a snapshot, where slow deals
are seen more often than they are created.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

OPEN, WON, LOST = 0, 1, 2
DUE_EDGES = np.array([-30.0, 0.0, 30.0, 60.0, 90.0, 180.0])  # days to the expected close date; negative is overdue
STAGES = 9
_AGE_SHARES = (0.25, 0.5, 0.75, 0.9, 0.99)
MAX_BANDS = 9

Codes = npt.NDArray[np.int64]


def creations(pipelines: pd.DataFrame, outcomes: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Every deal created by ``as_of`` with what became of it.

    Returns
    -------
    DataFrame
        One row a deal, sorted by id: ``opportunity_id, rep_id, created_on, days`` (from creation to the close, or
        to ``as_of``), ``event`` (:data:`OPEN`, :data:`WON`, :data:`LOST`), ``amount`` (of closed deals). Deals
        without a creation day are left out.
    """
    closed = outcomes[["opportunity_id", "rep_id", "created_on", "closed_on", "won", "amount"]]
    last = pipelines.sort_values(["as_of", "opportunity_id"]).drop_duplicates("opportunity_id", keep="last")
    still = last.loc[~last.opportunity_id.isin(closed.opportunity_id), ["opportunity_id", "rep_id", "created_on"]]
    deals = pd.concat([closed.assign(event=np.where(closed.won, WON, LOST)), still.assign(event=OPEN)])
    deals = deals[deals.created_on.notna()].sort_values("opportunity_id", ignore_index=True)
    ended = deals.closed_on.fillna(pd.Timestamp(as_of))
    deals["days"] = ((ended - deals.created_on).dt.days).clip(lower=0).astype("float64")
    return deals[["opportunity_id", "rep_id", "created_on", "days", "event", "amount"]]


def landmarks(pipelines: pd.DataFrame, outcomes: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Past snapshots of deals with the days until they closed (or until ``as_of``) and how they ended.

    Returns
    -------
    DataFrame
        The rows of ``pipelines`` before ``as_of`` with ``days, event, closed_on, final_amount`` added, sorted.
    """
    ends = outcomes[["opportunity_id", "closed_on", "won", "amount"]].rename(columns={"amount": "final_amount"})
    past = pipelines[pipelines.as_of < pd.Timestamp(as_of)]
    rows = past.merge(ends, on="opportunity_id", how="left").sort_values(["as_of", "opportunity_id"], ignore_index=True)
    event = np.where(rows.closed_on.isna(), OPEN, np.where(rows.won.eq(True), WON, LOST))
    days = (rows.closed_on.fillna(pd.Timestamp(as_of)) - rows.as_of).dt.days
    return rows.assign(event=event, days=days.clip(lower=0).astype("float64")).drop(columns="won")


def age_edges(deals: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Ages by which a quarter, a half … 99 % of the closed deals had closed."""
    closed = deals.loc[deals.event != OPEN, "days"].to_numpy()
    return np.unique(np.quantile(closed, _AGE_SHARES)) if closed.size else np.array([90.0])


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
