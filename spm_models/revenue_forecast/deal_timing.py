"""What the published table ``deal_timing`` says of wins within a period."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


def won_within(timing: pd.DataFrame, deals: pd.Series, as_of: date, start: date, end: date) -> Floats:
    """Probability that each deal is won from ``start`` to ``end``, both included.

    Parameters
    ----------
    timing : DataFrame
        ``opportunity_id, day, won_by``: the probability to be won by the end of each of some days after ``as_of``.
    deals : Series of str
        Identifiers.
    as_of, start, end : datetime.date

    Returns
    -------
    array of shape (deals,)
        Linear between the days of the table; empty for deals of which it tells nothing so late.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-07-07", "2026-09-30"])
    >>> timing = pd.DataFrame({"opportunity_id": "o1", "day": days, "won_by": [0.14, 0.5]})
    >>> day = date(2026, 6, 30)
    >>> won_within(timing, pd.Series(["o1", "o2"]), day, date(2026, 7, 1), date(2026, 7, 1)).round(2).tolist()
    [0.02, nan]
    """
    until = _won_by(timing, deals, as_of, end)
    before = (pd.Timestamp(start) - pd.Timedelta(days=1)).date()
    return until - _won_by(timing, deals, as_of, before) if before > as_of else until


def _won_by(timing: pd.DataFrame, deals: pd.Series, as_of: date, day: date) -> Floats:
    when = float((day - as_of).days)
    if when <= 0:
        return np.zeros(len(deals))
    days = (timing["day"] - pd.Timestamp(as_of)).dt.days.astype("float64")
    rows = timing[["opportunity_id", "won_by"]].assign(days=days).sort_values(["opportunity_id", "days"])
    before = rows[rows["days"] <= when].drop_duplicates("opportunity_id", keep="last")
    after = rows[rows["days"] >= when].drop_duplicates("opportunity_id", keep="first")
    start, first = np.nan_to_num(_of(before, deals, "days")), np.nan_to_num(_of(before, deals, "won_by"))
    length, last = _of(after, deals, "days") - start, _of(after, deals, "won_by")
    part = np.divide(when - start, length, out=np.zeros(len(deals)), where=length > 0)
    return np.asarray(first + part * (last - first), dtype=float)


def _of(rows: pd.DataFrame, deals: pd.Series, name: str) -> Floats:
    found = deals.map(rows.set_index("opportunity_id")[name])
    return np.asarray(found.to_numpy(dtype="float64", na_value=np.nan), dtype=float)
