"""On which days deals are looked at to learn from them: weekly, thinned so that a large company stays affordable."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.snapshots.days import plain
from spm_models.snapshots.pipeline import pipelines

#: More rows of the same deals repeat each other: on the sample company every second week told no more than every sixth.
MAX_ROWS = 30_000
_WEEK = 7


def learning_days(first: date | str, as_of: date | str, every: int = _WEEK) -> list[date]:
    """Days from ``first`` to ``as_of``, ``every`` days apart, the last one being ``as_of``.

    All weeks end on the weekday on which the model is asked: nobody calls on Sundays, and a model that learned on
    Fridays would take a Sunday's silence for bad news.

    Examples
    --------
    >>> [str(day) for day in learning_days("2026-06-10", "2026-06-30")]
    ['2026-06-16', '2026-06-23', '2026-06-30']
    """
    last, begin = plain(as_of), plain(first)
    count = max((last - begin).days // every + 1, 1)
    return [last - timedelta(days=every * back) for back in reversed(range(count))]


def moments(tables: Tables, as_of: date | str, *, max_rows: int = MAX_ROWS) -> pd.DataFrame:
    """Weekly pipelines to learn from, open deals included: at most about ``max_rows`` rows.

    Parameters
    ----------
    tables : Tables
    as_of : date or ISO text
    max_rows : int
        A company with more deal-weeks is seen each second week of a deal, each third, and so on, the deals staggered:
        rows become fewer, deals hardly, and every row stands for equally many, so that weights need not know of it.

    Returns
    -------
    DataFrame
        Columns as of :func:`pipeline`, sorted by ``as_of`` and ``opportunity_id``.

    Notes
    -----
    All deals of a day are looked at alike, those not decided yet as well: what is learned from them
    (:func:`spm_models.win_probability.learning_set`) makes up for the decided ones being the quick ones.
    """
    last = plain(as_of)
    deals = tables["opportunities"].filter(lambda t: t.created_on.notnull() & (t.created_on <= ibis.literal(last)))
    ended = ibis.least(deals.closed_on.fill_null(ibis.literal(last)), ibis.literal(last))
    facts = deals.aggregate(
        first=deals.created_on.min(), days=(ended.epoch_days() - deals.created_on.epoch_days()).clip(lower=0).sum()
    ).execute()
    first, days = facts["first"].iloc[0], facts["days"].iloc[0]
    begin = last if pd.isna(first) else pd.Timestamp(first).date()
    weeks = 0.0 if pd.isna(days) else float(days) / _WEEK
    every = max(1, -int(-weeks // max_rows))
    return pipelines(tables, learning_days(begin, last), every=every)
