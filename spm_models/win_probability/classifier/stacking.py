"""How much each member counts: weights that did well on rows that the members had not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
PRIOR_VARIANCE = 0.25  # of a member's weight around zero
WORSE = 1.0  # standard errors that the simpler may be worse


@dataclass(frozen=True, eq=False)
class Stack:
    """Weights of the members' log-odds beyond the common rate.

    Parameters
    ----------
    weights : ndarray, shape (members,)
        Not negative; all zero where nothing beats the common rate.
    losses : ndarray, shape (members,)
        Mean log loss out of fold of each member alone.
    base_loss, loss : float
        Of the common rate, and of the blend with weights from the other folds.
    """

    weights: Floats
    losses: Floats
    base_loss: float
    loss: float


def stack(
    said: Floats, base: Floats, y: Floats, weight: Floats, fold: Rows, cluster: Rows, simple: list[int]
) -> Stack:  # fmt: skip
    """Learn weights from out-of-fold log-odds.

    Parameters
    ----------
    said : ndarray, shape (n, members)
        Log-odds beyond the common rate ``base``, shape (n,), of the rows that the fold's members learned from.
    fold, cluster : ndarray of int, shape (n,)
        Fold of each row, and the rows that depend on each other.
    simple : list of int
        Members of the simpler blend.

    Notes
    -----
    Non-negative stacking (D. Wolpert, Neural Networks 5, 1992; L. Breiman, Stacked regressions, Machine Learning 24,
    1996) of log-odds with a normal prior around zero, so that with few rows it falls back to the common rate. The
    common rate alone, a blend of simple members or the blend of all: the simplest that is not worse than the best by
    more than a standard error of their difference, each with weights from the other folds.
    """
    members = said.shape[1]
    everybody = list(range(members))
    options: list[list[int]] = [[], simple, everybody] if len(simple) < members else [[], everybody]
    losses = np.column_stack([_cross(said, base, y, weight, fold, option) for option in options])
    mean = weight @ losses / weight.sum()
    best = int(mean.argmin())
    chosen = best
    for k in range(best):
        if mean[k] - mean[best] <= WORSE * _error(losses[:, k] - losses[:, best], weight, cluster):
            chosen = k
            break
    weights = np.zeros(members)
    if options[chosen]:
        weights[options[chosen]] = _weights(said[:, options[chosen]], base, y, weight)
    alone = np.array([weight @ _loss(base + said[:, m], y) / weight.sum() for m in range(members)])
    return Stack(weights, alone, float(mean[0]), float(mean[chosen]))


def _cross(
    said: Floats, base: Floats, y: Floats, weight: Floats, fold: Rows, option: list[int]
) -> Floats:  # fmt: skip
    """Loss of each row with weights from the other folds."""
    if not option:
        return _loss(base, y)
    found, parts = np.empty(len(y)), np.unique(fold)
    for part in parts:
        here = fold == part
        others = ~here if len(parts) > 1 else here
        w = _weights(said[np.ix_(others, option)], base[others], y[others], weight[others])
        found[here] = _loss(base[here] + said[np.ix_(here, option)] @ w, y[here])
    return found


def _weights(said: Floats, base: Floats, y: Floats, weight: Floats) -> Floats:
    def objective(w: Floats) -> tuple[float, Floats]:
        eta = base + said @ w
        value = float(weight @ _loss(eta, y) + 0.5 / PRIOR_VARIANCE * w @ w)
        return value, said.T @ (weight * (special.expit(eta) - y)) + w / PRIOR_VARIANCE

    members = said.shape[1]
    start = np.full(members, 0.5 / max(members, 1))
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * members)
    weights = np.asarray(found.x)
    return np.where(weights < 1e-3, 0.0, weights)


def _loss(eta: Floats, y: Floats) -> Floats:
    return np.asarray(np.logaddexp(0.0, eta) - y * eta)


def _error(difference: Floats, weight: Floats, cluster: Rows) -> float:
    """Standard error of a weighted mean whose rows depend on each other within clusters."""
    centred = weight * (difference - float(weight @ difference) / weight.sum())
    sums = np.bincount(cluster, centred)
    return float(np.sqrt(np.square(sums).sum()) / weight.sum())
