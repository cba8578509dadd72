"""How alike the deals of two reps are: same customers, same products, same place."""

from __future__ import annotations

import numpy as np
import pandas as pd

_BY = ("segment", "industry", "kind", "family", "region", "territory")


def nearness(deals: pd.DataFrame, rep_ids: pd.Index) -> pd.DataFrame:
    """Overlap of the mixes of closed deals, between 0 (nothing in common) and 1 (the same mix).

    Mean over segment, industry, kind, product family, region and territory of the share of deals that two mixes have
    in common (one minus their total variation distance). Who closed no deal is like nobody.

    Parameters
    ----------
    deals : DataFrame
        ``Evidence.deals``.
    rep_ids : Index

    Returns
    -------
    DataFrame
        Square: reps by reps.

    Examples
    --------
    >>> deals = pd.DataFrame({"rep_id": ["a", "a", "b", "c"], "segment": ["s", "m", "s", "e"], "industry": "i",
    ...                       "kind": "new", "family": "f", "region": "r", "territory": "t"})
    >>> nearness(deals, pd.Index(["a", "b", "c"])).round(2).loc["a"].tolist()
    [1.0, 0.92, 0.83]
    """
    total = np.zeros((len(rep_ids), len(rep_ids)))
    for column in _BY:
        counts = pd.crosstab(deals["rep_id"], deals[column]).reindex(rep_ids, fill_value=0).to_numpy(dtype=float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        for level in shares.T:
            total += np.minimum.outer(level, level)
    return pd.DataFrame(total / len(_BY), index=rep_ids, columns=rep_ids)
