"""Which of many findings may be called findings, when chance alone would produce some."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spm_models.errors import StatisticsError


def benjamini_hochberg(p_values: ArrayLike, rate: float = 0.1) -> NDArray[np.bool_]:
    """Reject point-null hypotheses at a false-discovery rate.

    Parameters
    ----------
    p_values : array-like, shape (tests,)
        Missing values are never rejected and do not count as tests.
    rate : float
        Expected share of false ones among the rejected, for independent (or positively dependent) tests.

    Returns
    -------
    ndarray of bool, shape (tests,)

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.02, 0.03, 0.5], rate=0.05).tolist()
    [True, True, True, False]
    """
    p = _probabilities(p_values, rate)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    under = np.flatnonzero(p[order] <= rate * np.arange(1, order.size + 1) / max(order.size, 1))
    rejected = np.zeros(p.size, dtype=bool)
    if under.size:
        rejected[order[: under[-1] + 1]] = True
    return rejected


def flag(
    probability: ArrayLike, rate: float = 0.1, *, groups: ArrayLike | None = None, least: float = 0.5
) -> NDArray[np.bool_]:
    """Choose the largest set of findings whose mean posterior error is at most ``rate``.

    A finding is that something is *practically* true, such as "at least 15 % below what is expected";
    ``probability`` is its posterior probability, so ``1 - probability`` is its local false-discovery rate. With a
    margin in the claim, a company in which nobody differs yields almost no flags, which testing against "exactly
    as expected" does not achieve.

    Parameters
    ----------
    probability : array-like, shape (findings,)
        Posterior probability that each finding is true; missing ones are never flagged.
    rate : float
        Largest mean of ``1 - probability`` over the flagged.
    groups : array-like, optional
        Whom each finding is about. Then the mean over flagged groups of their best finding's error must not
        exceed ``rate`` either: many certain findings about one person do not buy a doubtful one about another.
    least : float
        A finding less probable than this is never flagged, however certain the others are.

    Returns
    -------
    ndarray of bool, shape (findings,)

    References
    ----------
    Newton et al. (2004), Detecting differential gene expression with a semiparametric hierarchical mixture method,
    Biostatistics 5; Efron (2010), Large-Scale Inference, chapter 5.

    Examples
    --------
    >>> flag([0.99, 0.95, 0.80, 0.40]).tolist()  # mean error of the first three: 0.087
    [True, True, True, False]
    """
    p = _probabilities(probability, rate)
    usable = np.flatnonzero(np.nan_to_num(p, nan=-1.0) >= least)
    order = usable[np.argsort(-p[usable], kind="stable")]
    error = 1 - p[order]
    allowed = np.cumsum(error) <= rate * np.arange(1, order.size + 1) + 1e-12
    if groups is not None:
        _, number = np.unique(np.asarray(groups)[order], return_inverse=True)
        first = np.zeros(order.size, dtype=bool)
        first[np.unique(number, return_index=True)[1]] = True
        allowed &= np.cumsum(np.where(first, error, 0.0)) <= rate * np.cumsum(first) + 1e-12
    chosen = np.zeros(p.size, dtype=bool)
    if allowed.any():
        chosen[order[: np.flatnonzero(allowed)[-1] + 1]] = True
    return chosen


def _probabilities(values: ArrayLike, rate: float) -> NDArray[np.float64]:
    p = np.asarray(values, dtype=float)
    if not 0 < rate < 1 or ((p < 0) | (p > 1)).any():
        raise StatisticsError(
            "Probabilities and rates lie between 0 and 1", where="false_discovery",
            found=f"rate {rate}, values from {np.nanmin(p, initial=1)} to {np.nanmax(p, initial=0)}",
        )  # fmt: skip
    return p
