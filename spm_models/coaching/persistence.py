"""For how long a shortfall has been there: quarters in a row that lay below what was expected."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import Posterior

COLUMNS = ["rep_id", "signal", "part", "quarters_below"]


def quarters_below(posteriors: Mapping[tuple[str, str], Posterior], evidence: Evidence) -> pd.DataFrame:
    """Last quarters in a row in which each rep lay below what was expected of him in each signal.

    Parameters
    ----------
    posteriors : mapping
        Of the review, with the rows that they rest on.
    evidence : Evidence
        Its window's quarters give the order.

    Returns
    -------
    DataFrame
        ``rep_id``, ``signal``, ``part``, ``quarters_below``. Quarters without an observation neither count nor break
        the row. A single quarter below is what chance gives half of the time: three are not.
    """
    parts = [_one(posterior) for posterior in posteriors.values() if posterior.rows is not None]
    found = [part for part in parts if len(part)]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="str" if name != "quarters_below" else "int64") for name in COLUMNS})
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _one(posterior: Posterior) -> pd.DataFrame:
    rows = posterior.rows
    assert rows is not None
    if "period" not in rows:
        return pd.DataFrame()
    weight = rows["size"] if posterior.normal else 1.0
    sums = rows.assign(gap=rows["y"] * weight - rows["expected"] * rows["size"])
    gaps = sums.groupby(["rep_id", "period"], sort=True)["gap"].sum().unstack()
    below = (gaps > 0) if posterior.lower_is_better else (gaps < 0)
    run = np.zeros(len(gaps), dtype=np.int64)
    going = np.ones(len(gaps), dtype=bool)
    for period in gaps.columns[::-1]:  # labels of quarters sort by time
        seen = gaps[period].notna().to_numpy()
        going &= ~seen | below[period].to_numpy()
        run += (going & seen).astype(np.int64)
    return pd.DataFrame(
        {"rep_id": gaps.index, "signal": posterior.signal, "part": posterior.part, "quarters_below": run}
    )
