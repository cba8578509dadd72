"""Do today's rows look like those learned from? One line a column, for the model card."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

BINS = 10
MODERATE, LARGE = 0.1, 0.25
CHANCE = 0.99
OTHER, MISSING = "other", "missing"
COLUMNS = ("column", "index", "by_chance", "verdict", "value", "share_then", "share_now")


def covariate_drift(learned: pd.DataFrame, now: pd.DataFrame, *, bins: int = BINS) -> pd.DataFrame:
    """Population stability index of each column between the rows learned from and today's.

    Parameters
    ----------
    learned, now : DataFrame
        Columns of ``now`` that ``learned`` does not have are left out; absent ones count as missing.
    bins : int
        Numbers are cut at quantiles of ``learned``; texts keep their most frequent values and share "other".

    Returns
    -------
    DataFrame
        One row a column, the most changed first: ``column``, ``index``, ``by_chance`` (what chance alone stays below
        in 99 of 100), ``verdict`` ("stable", "moderate" from 0.1, "large" from 0.25, always above chance), and the bin
        that changed most: ``value``, ``share_then``, ``share_now``.

    Notes
    -----
    N. Siddiqi, Credit Risk Scorecards (2006), for the index and its thresholds. Without a change it is about
    (1/n + 1/m) times a chi-squared with one degree of freedom less than bins (B. Yurdakul and J. Naranjo, Statistical
    properties of the population stability index, Journal of Risk Model Validation 14, 2020), which matters with few
    open deals. Half a row is added to each bin.

    Examples
    --------
    >>> then, now = pd.DataFrame({"source": ["web"] * 60 + ["fair"] * 40}), pd.DataFrame({"source": ["web"] * 100})
    >>> covariate_drift(then, now)[["column", "verdict", "value"]].values.tolist()
    [['source', 'large', 'fair']]
    """
    rows = [_line(name, learned[name], _same_length(now, name), bins) for name in learned.columns]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["index", "column"], ascending=[False, True], ignore_index=True)


def _same_length(now: pd.DataFrame, name: object) -> pd.Series:
    return now[name] if name in now.columns else pd.Series(np.nan, index=now.index)


def _line(name: object, then: pd.Series, now: pd.Series, bins: int) -> tuple[object, ...]:
    if not len(then) or not len(now):
        return str(name), 0.0, np.nan, "stable", "", np.nan, np.nan
    codes = _binned(then, now, bins)
    counts = pd.DataFrame({"then": codes[0].value_counts(), "now": codes[1].value_counts()}).fillna(0.0).sort_index()
    p = (counts["then"] + 0.5) / (counts["then"] + 0.5).sum()
    q = (counts["now"] + 0.5) / (counts["now"] + 0.5).sum()
    parts = (q - p) * np.log(q / p)
    index = float(parts.sum())
    chance = float(stats.chi2.ppf(CHANCE, max(len(counts) - 1, 1)) * (1 / len(then) + 1 / len(now)))
    verdict = "stable" if index < max(MODERATE, chance) else "moderate" if index < LARGE else "large"
    place: Any = parts.idxmax()
    share_then, share_now = counts["then"] / len(then), counts["now"] / len(now)
    return str(name), index, chance, verdict, str(place), float(share_then[place]), float(share_now[place])


def _binned(then: Any, now: Any, bins: int) -> tuple[Any, Any]:
    """Both columns in the same bins, named by what a reader can understand."""
    if pd.api.types.is_datetime64_any_dtype(then):
        first = then.min()
        then, now = ((pd.to_datetime(column) - first) / pd.Timedelta("1D") for column in (then, now))
    if pd.api.types.is_numeric_dtype(then) and not pd.api.types.is_bool_dtype(then):
        then, now = then.astype(float), pd.to_numeric(now, errors="coerce").astype(float)
        known = then.dropna()
        edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.array([])
        return _cut(then, edges), _cut(now, edges)
    before, after = (column.astype("object").where(column.notna(), MISSING).astype(str) for column in (then, now))
    kept = [MISSING, *before.value_counts().head(bins).index]
    return before.where(before.isin(kept), OTHER), after.where(after.isin(kept), OTHER)


def _cut(values: pd.Series, edges: np.ndarray) -> pd.Series:
    inner = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    names = ["all"] if not len(edges) else [f"up to {edges[0]:.4g}", *inner, f"above {edges[-1]:.4g}"]
    place = np.searchsorted(edges, values.to_numpy(), side="left")
    return pd.Series(np.where(values.isna(), MISSING, np.array(names, dtype=object)[place]), dtype="object")
