"""Intervals for shares and means, without a distribution where none is known."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.8) -> tuple[Floats, Floats]:
    """Score interval of a share: ``k`` successes out of ``n``.

    Parameters
    ----------
    k, n : array-like of float
        Successes and trials, broadcast together; weighted counts are allowed.
    level : float
        Probability that the interval holds the true share.

    Returns
    -------
    tuple of ndarray
        Low and high ends within 0–1; 0 and 1 where ``n`` is 0.

    Notes
    -----
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Examples
    --------
    >>> low, high = wilson(8, 10, level=0.95)
    >>> round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    trials = np.where(n > 0, n, 1.0)
    share = k / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


@dataclass(frozen=True)
class Bootstrapped:
    """A weighted mean, its percentile interval, its standard error, and the draws behind them."""

    value: float
    low: float
    high: float
    standard_error: float
    draws: Floats

    def share_above(self, limit: float) -> float:
        """Share of draws above ``limit``."""
        return float(np.mean(self.draws > limit))


def bootstrap(
    values: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | Any = None,
    weights: npt.ArrayLike | None = None,
    draws: int = 2000,
    level: float = 0.8,
    seed: int = 0,
) -> Bootstrapped:
    """Percentile bootstrap of a weighted mean, resampling whole groups.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        What is averaged.
    groups : array-like, shape (n,), optional
        Rows that belong together (the snapshots of one deal) are drawn together; without it each row is a group.
    weights : array-like of float, shape (n,), optional
        Weights of the rows.
    draws : int
        Number of resamples.
    level : float
        Probability that the interval is meant to hold.
    seed : int
        Of the random numbers.

    Notes
    -----
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 (whole blocks) and 13
    (percentile interval). Draws are made in slices, so that memory stays below about 80 MB.

    Examples
    --------
    >>> found = bootstrap([0.0, 1.0, 0.0, 1.0] * 25, seed=1)
    >>> found.value, found.low < 0.5 < found.high
    (0.5, True)
    """
    x = np.asarray(values, dtype=float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    codes = np.arange(len(x)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    size = int(codes.max()) + 1
    total = np.bincount(codes, w * x, minlength=size)
    weight = np.bincount(codes, w, minlength=size)
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    slice_size = max(1, min(draws, 10_000_000 // size))
    for start in range(0, draws, slice_size):
        count = min(slice_size, draws - start)
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=count)
        means[start : start + count] = (drawn @ total) / np.maximum(drawn @ weight, 1e-300)
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    spread = float(means.std(ddof=1)) if draws > 1 else 0.0
    return Bootstrapped(float(total.sum() / weight.sum()), float(low), float(high), spread, means)
