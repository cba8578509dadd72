"""How much each member counts: weights that did well on rows that the members had not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from spm_models.win_probability.classifier.drift import common_level

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
PRIOR_VARIANCE = 0.25  # of a member's weight
WEIGHTS_COST = 1.0  # log loss of all rows together that weights learned on some of the folds cost
MOST_COST = 0.3  # of it, in standard errors of the gain, so that pure noise is mostly found out
LEAST = 0.1  # of all weights together; less would only be noise that looks like knowledge
RARER_FOR_MORE = 350.0  # judged deals of the rarer outcome at which half of what goes beyond once is believed
LEVEL_VARIANCE = 0.5  # of a stretch's own level, squared log-odds


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that members said something of without having learned from them.

    Parameters
    ----------
    said : ndarray, shape (n, members)
        Log-odds beyond the common rate ``base``, shape (n,), of the rows learned from.
    y, weight : ndarray, shape (n,)
    fold, group : ndarray of int, shape (n,)
        Fold in which a row was judged; rows that depend on each other.
    stretch : ndarray of int, shape (n,), or None
        Stretch of time; None without time.
    prior : ndarray, shape (members,)
        Weights before data speak.
    """

    said: Floats
    base: Floats
    y: Floats
    weight: Floats
    fold: Rows
    group: Rows
    stretch: Rows | None
    prior: Floats

    def rows(self, rows: npt.NDArray[np.bool_]) -> Judged:
        """Some of them."""
        stretch = None if self.stretch is None else self.stretch[rows]
        return Judged(self.said[rows], self.base[rows], self.y[rows], self.weight[rows], self.fold[rows],
                      self.group[rows], stretch, self.prior)  # fmt: skip


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
        Of the common rate, and of the blend with weights from the other folds. With time, each stretch has a level
        of its own in all losses.
    gain, error : float
        Fall of the loss from the common rate to the blend, and its standard error.
    """

    weights: Floats
    losses: Floats
    base_loss: float
    loss: float
    gain: float
    error: float


def stack(judged: Judged) -> Stack:
    """Learn weights from out-of-fold log-odds.

    Notes
    -----
    Non-negative stacking (D. Wolpert, Neural Networks 5, 1992; L. Breiman, Stacked regressions, Machine Learning
    24, 1996) of log-odds under a normal prior. With time, each stretch has a level of its own, so that a drifting
    level is taken neither for a member's skill nor for its fault. Weights are drawn towards a plain average, which
    is hard to beat where data are few (R. Clemen, Combining forecasts, International Journal of Forecasting 5,
    1989). They are multiplied by the chance that the blend beats the common rate, given its gain and the gain's
    error, and are zero where it seems worse: half of what is believed for sure costs less than either mistake.
    Where rows are few they count at most once together: members are shrunk the more the fewer rows they learn from,
    so that those of a fold seem to say too little, and those of all rows would then say too much. Where rows are
    many, a mean of members that each know something else is too timid (R. Ranjan and T. Gneiting, Combining
    probability forecasts, Journal of the Royal Statistical Society B 72, 2010), and what goes beyond once is
    believed. The error is the larger of those by groups and by stretches (or folds): what does not hold from one to
    the next is not believed. Members are shrunk already, and weights from some of the folds are worse than those
    from all (by about half a unit of log loss each; H. Akaike, IEEE Transactions on Automatic Control 19, 1974), so
    a gain counts that much more.
    """
    base = _loss(judged.base + _levels(judged.base, judged), judged.y)
    blended = _cross(judged)
    gain, error = _fall(base, blended, judged)
    weights = _trust(gain, error, float(judged.weight.sum())) * _weights(judged)
    asked = float(weights.sum())
    weights *= _together(asked, judged) / asked if asked >= LEAST else 0.0
    alone = []
    for m in range(judged.said.shape[1]):
        eta = judged.base + judged.said[:, m]
        alone.append(_mean(_loss(eta + _levels(eta, judged), judged.y), judged))
    return Stack(np.where(weights < 1e-3, 0.0, weights), np.array(alone), _mean(base, judged),
                 _mean(blended, judged), gain, error)  # fmt: skip


def level_variance(judged: Judged, weights: Floats) -> float:
    """How far the level of rows judged forward in time was off, beyond chance: a variance of log-odds.

    Notes
    -----
    By moments, as between studies (R. DerSimonian and N. Laird, Controlled Clinical Trials 7, 1986): each fold is a
    study of the difference between the level that was learned before it and its own. Rows of one group count
    together (Kish, Survey Sampling, 1965).
    """
    eta = judged.base + judged.said @ weights
    square = sure = 0.0
    for part in np.unique(judged.fold):
        here = judged.fold == part
        y, weight, said = judged.y[here], judged.weight[here], eta[here]
        p = special.expit(said)
        information = float(weight @ (p * (1 - p)))
        rest = np.bincount(np.unique(judged.group[here], return_inverse=True)[1], weight * (y - p))
        information /= max(float(rest @ rest) / max(information, 1e-12), 1.0)
        square += information * common_level(y, said, weight) ** 2 - 1
        sure += information
    return max(square / max(sure, 1e-12), 0.0)


def _together(asked: float, judged: Judged) -> float:
    """How much members count together: what was asked for, what goes beyond once being drawn towards it."""
    rarer = min(len(np.unique(judged.group[judged.y == label])) for label in (0.0, 1.0))
    return asked if asked <= 1 else 1 + (asked - 1) * rarer / (rarer + RARER_FOR_MORE)


def _trust(gain: float, error: float, rows: float) -> float:
    """Chance that the blend is better, 0 where it seems worse than the common rate."""
    fair = gain + min(WEIGHTS_COST / rows, MOST_COST * error)
    return float(special.ndtr(fair / max(error, 1e-12))) if fair > 0 else 0.0


def _cross(judged: Judged) -> Floats:
    """Loss of each row with weights from the other folds."""
    found, parts = np.empty(len(judged.y)), np.unique(judged.fold)
    for part in parts:
        here = judged.fold == part
        there = judged.rows(here)
        weights = _weights(judged.rows(~here) if len(parts) > 1 else judged)
        eta = there.base + there.said @ weights
        found[here] = _loss(eta + _levels(eta, there), there.y)
    return found


def _weights(judged: Judged) -> Floats:
    """Most probable weights, not negative, and beside them a level of each stretch."""
    members = judged.said.shape[1]
    code, stretches = _stretches(judged)

    def objective(beta: Floats) -> tuple[float, Floats]:
        w, level = beta[:members], beta[members:]
        eta = judged.base + judged.said @ w + (level[code] if stretches else 0.0)
        off = w - judged.prior
        rest = judged.weight * (special.expit(eta) - judged.y)
        value = judged.weight @ _loss(eta, judged.y) + 0.5 * off @ off / PRIOR_VARIANCE
        value += 0.5 * level @ level / LEVEL_VARIANCE
        slopes = [judged.said.T @ rest + off / PRIOR_VARIANCE]
        if stretches:
            slopes.append(np.bincount(code, rest, stretches) + level / LEVEL_VARIANCE)
        return float(value), np.concatenate(slopes)

    start = np.concatenate([judged.prior, np.zeros(stretches)])
    bounds = [(0.0, None)] * members + [(None, None)] * stretches
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return np.asarray(found.x[:members])


def _levels(eta: Floats, judged: Judged) -> Floats:
    """Most probable level of each row's stretch beside given log-odds; 0 without time."""
    code, stretches = _stretches(judged)
    level = np.zeros(max(stretches, 1))
    for _ in range(12 if stretches else 0):
        p = special.expit(eta + level[code])
        slope = np.bincount(code, judged.weight * p * (1 - p), stretches) + 1 / LEVEL_VARIANCE
        step = (np.bincount(code, judged.weight * (p - judged.y), stretches) + level / LEVEL_VARIANCE) / slope
        level = level - np.clip(step, -1, 1)
    return np.asarray(level[code])


def _stretches(judged: Judged) -> tuple[Rows, int]:
    if judged.stretch is None:
        return np.zeros(len(judged.y), dtype=np.int64), 0
    values, code = np.unique(judged.stretch, return_inverse=True)
    return code, len(values)


def _loss(eta: Floats, y: Floats) -> Floats:
    return np.asarray(np.logaddexp(0.0, eta) - y * eta)


def _mean(loss: Floats, judged: Judged) -> float:
    return float(judged.weight @ loss / judged.weight.sum())


def _fall(worse: Floats, better: Floats, judged: Judged) -> tuple[float, float]:
    """How much the mean loss falls, and the larger of its standard errors by groups and by stretches (or folds)."""
    fall = worse - better
    mean = _mean(fall, judged)
    errors = []
    for cluster in (judged.group, judged.fold if judged.stretch is None else judged.stretch):
        code = np.unique(cluster, return_inverse=True)[1]
        sums = np.bincount(code, judged.weight * (fall - mean))
        many = max(len(sums), 2)
        errors.append(float(np.sqrt(sums @ sums * many / (many - 1)) / judged.weight.sum()))
    return mean, max(errors)
