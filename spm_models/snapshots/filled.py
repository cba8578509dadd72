"""How much of a snapshot is filled in: what the source can tell about past days, and about today."""

from __future__ import annotations

import pandas as pd


def filled(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Share of deals with a value, by column, on earlier days and on the last one.

    A column that is filled today and empty on all earlier days has no dated history: no model can learn from it.

    Parameters
    ----------
    snapshots : DataFrame
        As of :func:`spm_models.snapshots.pipelines`.

    Returns
    -------
    DataFrame
        ``column, earlier, today``: first what is filled today and was not known earlier. ``earlier`` is empty where
        there is one day only.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-05-31", "2026-06-30"])
    >>> filled(pd.DataFrame({"as_of": days, "opportunity_id": ["o1", "o1"], "stage": [None, "Offer"]}))
      column  earlier  today
    0  stage      0.0    1.0
    """
    known = snapshots.drop(columns=["as_of", "opportunity_id"]).notna()
    today = snapshots["as_of"] == snapshots["as_of"].max()
    shares = pd.DataFrame({"earlier": known[~today].mean(), "today": known[today].mean()})
    rows = shares.rename_axis("column").reset_index()
    return rows.sort_values(["earlier", "today", "column"], ascending=[True, False, True], ignore_index=True)
