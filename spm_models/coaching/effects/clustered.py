"""Regression whose errors belong to people: honest intervals with few people, by bias-reduced cluster errors.

References
----------
Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with multi-stage samples, Survey
Methodology 28; Imbens and Kolesár (2016), Robust standard errors in small samples, Review of Economics and
Statistics 98; Pustejovsky and Tipton (2018), Small-sample methods for cluster-robust variance estimation, Journal of
Business & Economic Statistics 36.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from spm_models.errors import StatisticsError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Coefficient:
    """One coefficient, its standard error, and the degrees of freedom of that error."""

    value: float
    error: float
    freedom: float

    def interval(self, level: float) -> tuple[float, float]:
        """Interval that holds the true value with probability ``level``."""
        reach = quantile(0.5 + level / 2, self.freedom) * self.error
        return self.value - reach, self.value + reach

    def detectable(self, level: float, power: float = 0.8) -> float:
        """Smallest true size that would lie outside the interval around nil with probability ``power``."""
        return (quantile(0.5 + level / 2, self.freedom) + quantile(power, self.freedom)) * self.error

    @property
    def p(self) -> float:
        """Probability of a value as far from nil, either way, where the true one is nil."""
        if self.error <= 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * special.stdtr(self.freedom, -abs(self.value) / self.error))


def quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t."""
    return float(special.stdtrit(freedom, probability))


def last_coefficient(X: ArrayLike, y: ArrayLike, weight: ArrayLike, cluster: ArrayLike) -> Coefficient:
    """Weighted least squares: the coefficient of the last column, with errors clustered (CR2, Bell–McCaffrey).

    Parameters
    ----------
    X : array-like, shape (rows, columns)
        The design; columns that others explain take nothing away, except the last, which must stand for itself.
    y, weight : array-like, shape (rows,)
        Weights are the working precision; the interval holds where they are wrong.
    cluster : array-like of int, shape (rows,)
        Whom each row is about, counted from 0.

    Raises
    ------
    StatisticsError
        When the last column is explained by the others, or by one person alone.

    Examples
    --------
    >>> X = np.column_stack([np.ones(8), [0, 0, 0, 0, 1, 1, 1, 1]])
    >>> found = last_coefficient(X, [1, 2, 3, 2, 4, 5, 6, 5], np.ones(8), np.arange(8))
    >>> round(found.value, 2), round(found.error, 3), round(found.freedom, 1)  # Welch's test
    (3.0, 0.577, 6.0)
    """
    root = np.sqrt(np.asarray(weight, dtype=float))
    design, target = np.asarray(X, dtype=float) * root[:, None], np.asarray(y, dtype=float) * root
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True)
    toward = inverse[:, -1]
    if abs(float(toward @ (design.T @ design)[:, -1]) - 1) > 1e-6:
        raise StatisticsError("The other columns explain who was coached", where="last_coefficient")
    beta = inverse @ (design.T @ target)
    blocks, residuals = _by_cluster(design, target - design @ beta, np.asarray(cluster, dtype=np.int64))
    lever = _reduced(blocks, inverse, blocks @ toward)  # (clusters, longest)
    variance = float(((lever * residuals).sum(axis=1) ** 2).sum())
    shared = np.einsum("cl,clk->ck", lever, blocks)
    gram = np.diag((lever**2).sum(axis=1)) - shared @ inverse @ shared.T
    total = float((gram**2).sum())
    freedom = float(np.trace(gram)) ** 2 / total if total > 0 else 0.0
    if not np.isfinite(variance) or freedom < 1e-9:
        raise StatisticsError("One person alone carries the comparison", where="last_coefficient")
    return Coefficient(float(beta[-1]), float(np.sqrt(variance)), max(freedom, 1.0))


def _by_cluster(design: Floats, residual: Floats, cluster: Ints) -> tuple[Floats, Floats]:
    """Rows and residuals of each cluster, filled up with rows of zeros, which change nothing."""
    order = np.argsort(cluster, kind="stable")
    _, first, counts = np.unique(cluster[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(first, counts)
    row = np.repeat(np.arange(len(counts)), counts)
    blocks = np.zeros((len(counts), int(counts.max()), design.shape[1]))
    errors = np.zeros(blocks.shape[:2])
    blocks[row, place], errors[row, place] = design[order], residual[order]
    return blocks, errors


def _reduced(blocks: Floats, inverse: Floats, values: Floats) -> Floats:
    """``(I − H)^(−½)`` of each cluster times its values; the hat matrix H of a cluster has few dimensions."""
    sizes, axes = np.linalg.eigh(inverse)
    half = blocks @ (axes * np.sqrt(np.maximum(sizes, 0.0)))  # H = half · halfᵀ
    hat, turn = np.linalg.eigh(half.transpose(0, 2, 1) @ half)
    left = 1.0 - hat
    root = np.where(left > 1e-8, np.maximum(left, 1e-8) ** -0.5, 0.0)
    gain = np.where(hat > 1e-9, (root - 1.0) / np.maximum(hat, 1e-9), 0.5)
    along = turn.transpose(0, 2, 1) @ (half.transpose(0, 2, 1) @ values[..., None])
    found: Floats = values + (half @ (turn @ (gain[..., None] * along)))[..., 0]
    return found
