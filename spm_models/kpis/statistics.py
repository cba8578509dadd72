"""Medians and means of many groups at once, each with an 80 % interval that asks little of the distribution."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

LEVEL = 0.8
REPLICATES = 400
LARGE = 400  #: from here on the normal interval and the bootstrap's are the same to the eye

Floats = npt.NDArray[np.float64]


def medians(values: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Median of ``value`` in each group, with an interval from order statistics.

    Parameters
    ----------
    values : DataFrame
        ``columns`` and ``value``, without missing values.
    columns : list of str
        What makes a group.

    Returns
    -------
    DataFrame
        ``columns``, ``value``, ``low``, ``high`` (empty where the group is too small for them), ``numerator`` (empty)
        and ``denominator`` (size of the group).

    Notes
    -----
    W. J. Conover, *Practical Nonparametric Statistics* (1999), section 3.2: no distribution is assumed.

    Examples
    --------
    >>> found = medians(pd.DataFrame({"team": ["a"] * 9, "value": range(9)}), ["team"])
    >>> found[["value", "low", "high", "denominator"]].values.tolist()
    [[4.0, 1.0, 7.0, 9.0]]
    """
    rows = values.sort_values([*columns, "value"], ignore_index=True)
    found = rows.groupby(columns, sort=True)["value"].agg(value="median", denominator="size").reset_index()
    n = found["denominator"].to_numpy(dtype=float)
    first = (np.cumsum(n) - n).astype(int)
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * np.sqrt(n) / 2
    places = {"low": np.floor(n / 2 - half).astype(int) - 1, "high": np.ceil(n / 2 + half).astype(int)}
    known = (places["low"] >= 0) & (places["high"] < n)
    ordered = rows["value"].to_numpy(dtype=float)
    for name, place in places.items():
        at = np.clip(first + place, 0, max(len(ordered) - 1, 0))
        found[name] = np.where(known, ordered[at] if len(ordered) else np.nan, np.nan)
    found[["value", "denominator"]] = found[["value", "denominator"]].astype("float64")
    return found.assign(numerator=np.nan)


def means(values: pd.DataFrame, columns: list[str], seed: int = 0) -> pd.DataFrame:
    """Mean of ``value`` in each group, with the percentile interval of a bootstrap.

    Parameters
    ----------
    values : DataFrame
        ``columns`` and ``value``, without missing values.
    columns : list of str
        What makes a group.
    seed : int

    Returns
    -------
    DataFrame
        As of :func:`medians`; ``numerator`` is the sum. Groups of one value have no interval; those of more than 400
        have the normal one, which is the limit of the bootstrap's.

    Notes
    -----
    B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13, 400 replicates, widened by
    sqrt(n / (n - 1)) because the bootstrap's spread is that of n, not n - 1.

    Examples
    --------
    >>> found = means(pd.DataFrame({"team": ["a"] * 3, "value": [100.0, 300.0, 500.0]}), ["team"])
    >>> found[["value", "numerator", "denominator"]].values.tolist()
    [[300.0, 900.0, 3.0]]
    """
    rows = values.sort_values([*columns, "value"], ignore_index=True)
    grouped = rows.groupby(columns, sort=True)["value"]
    found = grouped.agg(value="mean", numerator="sum", denominator="size", spread="std").reset_index()
    n = found["denominator"].to_numpy(dtype=float)
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * found["spread"].to_numpy(dtype=float) / np.sqrt(n)
    mean = found["value"].to_numpy(dtype=float)
    low, high = mean - half, mean + half
    ordered, first = rows["value"].to_numpy(dtype=float), (np.cumsum(n) - n).astype(int)
    for size in np.unique(n[(n > 1) & (n <= LARGE)]).astype(int):  # groups of one size share their draws
        generator = np.random.default_rng([seed, size])  # whatever other groups there are
        places = np.flatnonzero(n == size)
        table = ordered[first[places][:, None] + np.arange(size)]
        low[places], high[places] = _percentiles(table, generator)
    found = found.drop(columns="spread").assign(low=low, high=high)
    return found.astype({"value": "float64", "numerator": "float64", "denominator": "float64"})


def _percentiles(table: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Ends of the interval for groups of one size, one a row."""
    size = table.shape[1]
    weights = generator.multinomial(size, np.full(size, 1 / size), size=REPLICATES) / size
    centre = table.mean(axis=1, keepdims=True)
    drawn = (table - centre) @ weights.T * np.sqrt(size / (size - 1))
    ends = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=1)
    return centre[:, 0] + ends[0], centre[:, 0] + ends[1]
