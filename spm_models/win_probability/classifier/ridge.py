"""Logistic regression whose coefficients are shrunk as much as each column deserves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_ROWS, ROUNDS, LAST_STEPS = 5000, 12, 3
STRENGTH = 4.0  # how many coefficients the common variance is worth in that of a group
LEAST_VARIANCE, MOST_VARIANCE = 1e-6, 4.0
LARGEST_MOVE = 4.0


def hierarchical_ridge(
    design: Floats, y: Floats, weight: Floats, group: Ints, variance: Floats
) -> tuple[Floats, Floats, Floats]:
    """Logistic regression with a prior variance for each group of coefficients, learned from the data.

    Parameters
    ----------
    design : ndarray, shape (n, d)
        Columns centred; the intercept is added here and not shrunk.
    y, weight : ndarray, shape (n,)
    group : ndarray of int, shape (d,)
        Coefficients of one variance.
    variance : ndarray, shape (groups,)
        To start from, and what each group's variance is drawn towards.

    Returns
    -------
    coefficients : ndarray, shape (1 + d,)
        Intercept first.
    variance : ndarray, shape (groups,)
    precision : ndarray, shape (1 + d,)
        Of the prior.

    Notes
    -----
    Empirical Bayes by EM around Laplace's approximation (MacKay, Neural Computation 4, 1992; Gelman and Hill, Data
    Analysis Using Regression, 2007): the variance of a group is the mean square of its coefficients plus their
    posterior variances, drawn towards a common one that is learned alike, so that few data give one strength for all
    columns. Variances are learned on at most 5,000 rows.
    """
    n = len(design)
    some = np.arange(n) if n <= MOST_ROWS else np.linspace(0, n - 1, MOST_ROWS).astype(int)
    X, target, w = _with_one(design[some]), y[some], weight[some] * (weight.sum() / weight[some].sum())
    size = np.bincount(group, minlength=len(variance)).astype(float)
    beta = np.zeros(X.shape[1])
    rate = float((w @ target + 0.5) / (w.sum() + 1))
    beta[0] = np.log(rate / (1 - rate))
    for _ in range(ROUNDS):
        prior = _precision(variance, group)
        beta, spread = _step(X, target, w, prior, beta)
        square = np.square(beta[1:]) + spread[1:]
        common = float(np.clip(square.sum() / len(square), LEAST_VARIANCE, MOST_VARIANCE)) if len(square) else 1.0
        common = float(np.exp(np.average(np.log(np.append(variance, common)), weights=[*size, size.sum()])))
        fresh = (np.bincount(group, square, len(variance)) + STRENGTH * common) / (size + STRENGTH)
        variance = np.clip(fresh, LEAST_VARIANCE, MOST_VARIANCE)
    prior = _precision(variance, group)
    X, target, w = (_with_one(design), y, weight) if len(some) < n else (X, target, w)
    for _ in range(LAST_STEPS):
        beta, _ = _step(X, target, w, prior, beta, spread=False)
    return beta, variance, prior


def _step(
    X: Floats, y: Floats, w: Floats, prior: Floats, beta: Floats, *, spread: bool = True
) -> tuple[Floats, Floats]:
    """One damped Newton step, and the coefficients' posterior variances."""
    eta = X @ beta
    p = special.expit(eta)
    gradient = X.T @ (w * (p - y)) + prior * beta
    hessian = (X * (w * p * (1 - p))[:, None]).T @ X
    hessian[np.diag_indices_from(hessian)] += prior
    factor = linalg.cho_factor(hessian, lower=True, check_finite=False)
    step = linalg.cho_solve(factor, gradient, check_finite=False)
    size = min(1.0, LARGEST_MOVE / max(float(np.abs(X @ step).max()), 1e-12))
    loss = _loss(eta, y, w, prior, beta)
    while size > 1e-4 and _loss(X @ (beta - size * step), y, w, prior, beta - size * step) > loss + 1e-9 * abs(loss):
        size /= 2
    if not spread:
        return beta - size * step, np.zeros(0)
    inverse = linalg.solve_triangular(factor[0], np.eye(len(beta)), lower=True, check_finite=False)
    return beta - size * step, np.square(inverse).sum(axis=0)


def _loss(eta: Floats, y: Floats, w: Floats, prior: Floats, beta: Floats) -> float:
    return float(w @ (np.logaddexp(0.0, eta) - y * eta) + 0.5 * prior @ np.square(beta))


def _precision(variance: Floats, group: Ints) -> Floats:
    return np.append(1e-2, 1 / variance[group])


def _with_one(design: Floats) -> Floats:
    return np.column_stack([np.ones(len(design)), design])
