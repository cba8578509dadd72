"""What the published table ``deal_timing`` says of wins within a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
_FAR = 100_000.0  # days: more than any table holds


def won_by_days(timing: pd.DataFrame, deals: pd.Series, as_of: date, days: Sequence[float]) -> Floats:
    """Probability that each deal is won within some numbers of days after ``as_of``.

    Parameters
    ----------
    timing : DataFrame
        ``opportunity_id, day, won_by``: the probability to be won by the end of each of some days after ``as_of``.
    deals : Series of str
        Identifiers.
    as_of : datetime.date
    days : sequence of float

    Returns
    -------
    array of shape (deals, days)
        Linear between the days of the table; empty for deals of which it tells nothing so late.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-07-07", "2026-09-30"])
    >>> timing = pd.DataFrame({"opportunity_id": "o1", "day": days, "won_by": [0.14, 0.5]})
    >>> won_by_days(timing, pd.Series(["o1", "o2"]), date(2026, 6, 30), [0, 1, 92]).round(2).tolist()
    [[0.0, 0.02, 0.5], [0.0, nan, nan]]
    """
    known = pd.Index(deals)
    rows = timing[["opportunity_id", "won_by"]].assign(
        deal=known.get_indexer(pd.Index(timing["opportunity_id"])),
        days=(timing["day"] - pd.Timestamp(as_of)).dt.days.astype("float64"),
    )
    rows = rows[(rows["deal"] >= 0) & (rows["days"] > 0)].sort_values(["deal", "days"])
    start = pd.DataFrame({"deal": np.arange(len(known)), "days": 0.0, "won_by": 0.0})
    rows = pd.concat([start, rows[["deal", "days", "won_by"]]]).sort_values(["deal", "days"], kind="stable")
    deal, when, won = (rows[name].to_numpy(dtype=float) for name in ("deal", "days", "won_by"))
    key, far = deal * _FAR + when, np.arange(len(known)) * _FAR
    found = np.empty((len(known), len(days)))
    for place, day in enumerate(days):
        before = np.searchsorted(key, far + min(max(day, 0.0), _FAR - 1), side="right") - 1
        after = np.minimum(before + 1, len(key) - 1)
        told = (deal[after] == np.arange(len(known))) & (after > before)
        length = when[after] - when[before]
        part = np.divide(day - when[before], length, out=np.zeros(len(known)), where=told & (length > 0))
        value = won[before] + part * np.where(told, won[after] - won[before], 0.0)
        exact = told | (when[before] == day)
        found[:, place] = 0.0 if day <= 0 else np.where(exact, value, np.nan)
    return found


def won_within(timing: pd.DataFrame, deals: pd.Series, as_of: date, start: date, end: date) -> Floats:
    """Probability that each deal is won from ``start`` to ``end``, both included; empty as in :func:`won_by_days`."""
    before, until = (start - as_of).days - 1, (end - as_of).days
    found = won_by_days(timing, deals, as_of, [before, until])
    return np.asarray(found[:, 1] - found[:, 0], dtype=float)
