"""Sharing a difference of products out to their factors, so that the shares add up to it.

References
----------
Ang (2004), Decomposition analysis for policymaking in energy: which is the preferred method?, Energy Policy 32: the
log-mean Divisia index (LMDI I) leaves no residual, treats time and factors symmetrically, and adds up over groups.
Shapley (1953) for factors that are zero, of which there is no logarithm: the mean over all orders of change.
"""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Cents = npt.NDArray[np.int64]


def shapley(before: Floats, after: Floats) -> Floats:
    """Effect of each factor on a product, the mean over all orders in which the factors can change.

    Parameters
    ----------
    before, after : ndarray, shape (factors, cells)

    Returns
    -------
    ndarray, shape (factors, cells)
        Its sum over the factors is the difference of the products.

    Examples
    --------
    >>> shapley(np.array([[0.0], [10.0]]), np.array([[2.0], [20.0]])).ravel().tolist()
    [30.0, 10.0]
    """
    n = len(before)
    effects = np.zeros(before.shape)
    for size in range(n):
        weight = factorial(size) * factorial(n - size - 1) / factorial(n)
        for changed in combinations(range(n), size):
            values = before.copy()
            values[list(changed)] = after[list(changed)]
            for factor in set(range(n)) - set(changed):
                others = np.prod(np.delete(values, factor, axis=0), axis=0)
                effects[factor] += weight * (after[factor] - before[factor]) * others
    return effects


def log_mean(before: Floats, after: Floats) -> Floats:
    """The larger less the smaller over the difference of their logarithms; the value itself where both are the same.

    Examples
    --------
    >>> log_mean(np.array([1.0, 5.0]), np.array([np.e, 5.0])).round(4).tolist()
    [1.7183, 5.0]
    """
    ratio = np.log(after / before)
    near = np.abs(ratio) < 1e-6  # there the quotient loses its digits; the series does not
    safe = np.where(near, 1.0, ratio)
    return np.asarray(np.where(near, before * (1 + ratio / 2 + ratio**2 / 6), (after - before) / safe))


def product_effects(before: Floats, after: Floats) -> Floats:
    """Effect of each factor on a product: log-mean Divisia, and Shapley in cells where a factor is zero.

    Parameters
    ----------
    before, after : ndarray, shape (factors, cells)
        Not negative.

    Returns
    -------
    ndarray, shape (factors, cells)

    Examples
    --------
    >>> effects = product_effects(np.array([[4.0, 4.0], [5.0, 5.0]]), np.array([[8.0, 0.0], [5.0, 5.0]]))
    >>> effects.round(6).tolist()
    [[20.0, -20.0], [0.0, 0.0]]
    """
    effects = np.zeros(before.shape)
    positive = np.all((before > 0) & (after > 0), axis=0)
    if positive.any():
        start, end = before[:, positive], after[:, positive]
        effects[:, positive] = log_mean(start.prod(axis=0), end.prod(axis=0)) * np.log(end / start)
    if not positive.all():
        effects[:, ~positive] = shapley(before[:, ~positive], after[:, ~positive])
    return effects


def whole(effects: Floats, total: Cents) -> Cents:
    """Effects in whole cents that add up to whole totals; what rounding leaves goes to the largest of them.

    Parameters
    ----------
    effects : ndarray, shape (factors, cells)
        Their sums are the totals but for rounding.
    total : ndarray of int64, shape (cells,)

    Examples
    --------
    >>> whole(np.array([[0.4], [10.4], [0.4]]), np.array([11])).ravel().tolist()
    [0, 11, 0]
    """
    rounded = np.rint(effects).astype(np.int64)
    if effects.shape[1]:
        largest = np.abs(effects).argmax(axis=0)
        rounded[largest, np.arange(effects.shape[1])] += total - rounded.sum(axis=0)
    return rounded
