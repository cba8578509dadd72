"""Sums of deals on every level of the organisation, in whole cents, so that they add up exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.revenue_forecast.units import LEVELS, Units

Cents = npt.NDArray[np.int64]


def cents(amount: pd.Series) -> Cents:
    """Whole cents of amounts in currency units; an unknown amount counts as 0."""
    return np.asarray(np.rint(amount.fillna(0.0).to_numpy(dtype=float) * 100), dtype=np.int64)


def sums_by_level(rows: pd.DataFrame, units: Units, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Sums of whole numbers over the leaves of every unit.

    Parameters
    ----------
    rows : DataFrame
        ``leaf`` (place in ``units``), the columns ``by`` and whole numbers in ``values``. With a column ``other`` a
        row is a hand-over between two leaves and is left out where both belong to the same unit; -1 means none.
    units : Units
    by, values : sequence of str
        What to keep apart, and what to add up.

    Returns
    -------
    DataFrame
        ``level, key``, the columns ``by`` and ``values``; sorted. Units without a row are absent.

    Examples
    --------
    >>> from datetime import date
    >>> units = Units.of(pd.DataFrame({"rep_id": ["a", "b"], "team": ["x", "x"]}), date(2026, 3, 31))
    >>> rows = pd.DataFrame({"leaf": [0, 1], "step": "won", "cents": [100, 250]})
    >>> sums_by_level(rows, units, ["step"], ["cents"]).query("level == 'team'").values.tolist()
    [['team', 'x', 'won', 350]]
    """
    leaf = rows["leaf"].to_numpy(dtype=np.int64)
    other = rows["other"].to_numpy(dtype=np.int64) if "other" in rows else np.full(len(rows), -1)
    frames = []
    for level in LEVELS:
        keys, codes = units.keys(level)
        kept = (other < 0) | (codes[leaf] != codes[np.where(other < 0, leaf, other)])
        named = rows.loc[kept, [*by, *values]].assign(key=np.array(keys, dtype=object)[codes[leaf[kept]]])
        summed = named.groupby(["key", *by], observed=True, sort=True)[list(values)].sum().reset_index()
        frames.append(summed.assign(level=level))
    table: pd.DataFrame = pd.concat(frames, ignore_index=True).astype({"level": "str", "key": "str"})
    columns = ["level", "key", *by, *values]
    return table[columns].sort_values(columns[: 2 + len(by)], ignore_index=True)
