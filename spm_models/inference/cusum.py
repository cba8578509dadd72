"""Cumulative sums that notice a change: risk-adjusted for outcomes, for counts, and how long they take.

A sum of log-likelihood ratios ("the odds are now half of what they were" against "they are not") that never falls
below zero: `S = max(0, S + w)`. It signals when it reaches a threshold.

References
----------
Page (1954), Continuous inspection schemes, Biometrika 41 (the sum).
Steiner, Cook, Farewell and Treasure (2000), Monitoring surgical performance using risk-adjusted cumulative sum charts,
Biostatistics 1 (weights by each case's own chance).
Brook and Evans (1972), An approach to the probability distribution of CUSUM run length, Biometrika 59 (the chain).
Hawkins and Olwell (1998), Cumulative Sum Charts and Charting for Quality Improvement, chapter 7 (self-starting: the
usual level is learned on the way).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from spm_models.errors import StatisticsError

Floats = NDArray[np.float64]
Family = Literal["binomial", "poisson"]
_LEVELS = np.linspace(-3.0, 3.0, 15)  # standard deviations at which a level that is not known is looked at
_MIX = 60  # chances that stand for a mix of many


def outcome_weights(won: ArrayLike, chance: ArrayLike, odds_ratio: float = 0.5) -> Floats:
    """Log-likelihood ratio of each outcome: odds multiplied by ``odds_ratio`` against odds as they should be.

    Parameters
    ----------
    won : array-like of bool
    chance : array-like
        Of each case to be won, strictly between 0 and 1.
    odds_ratio : float
        The change to be noticed; 0.5: the odds are halved.

    Returns
    -------
    ndarray
        Positive where an outcome speaks for the change.

    Examples
    --------
    >>> outcome_weights([False, True], [0.25, 0.25]).round(3).tolist()
    [0.134, -0.56]
    """
    p, y = np.asarray(chance, dtype=float), np.asarray(won, dtype=float)
    return np.asarray(y * np.log(odds_ratio) - np.log1p((odds_ratio - 1) * p))


def count_weights(count: ArrayLike, expected: ArrayLike, ratio: float = 0.5, dispersion: float = 1.0) -> Floats:
    """The same for counts: a rate multiplied by ``ratio`` against the expected one.

    ``dispersion`` is variance over mean; more than 1 where what is counted comes in clusters (quasi-likelihood).

    Examples
    --------
    >>> count_weights([0, 4], [4.0, 4.0]).round(2).tolist()
    [2.0, -0.77]
    """
    y, mean = np.asarray(count, dtype=float), np.asarray(expected, dtype=float)
    return np.asarray((y * np.log(ratio) + (1 - ratio) * mean) / dispersion)


def running_sum(weights: ArrayLike) -> Floats:
    """Sums that never fall below zero, along the last axis, each beginning at zero; a missing weight adds nothing.

    Examples
    --------
    >>> running_sum([1.0, -3.0, 0.5, 0.5, -0.25]).tolist()
    [1.0, 0.0, 0.5, 1.0, 0.75]
    """
    total = np.cumsum(np.nan_to_num(np.asarray(weights, dtype=float)), axis=-1)
    lowest = np.minimum(np.minimum.accumulate(total, axis=-1), 0.0)
    return np.asarray(total - lowest)


def run_length(steps: ArrayLike, probability: ArrayLike, threshold: float, *, states: int = 400) -> float:
    """Mean number of steps until a sum that begins at zero reaches the threshold.

    Parameters
    ----------
    steps, probability : array-like
        What a step adds, and how often it is that.
    threshold : float
        Above zero.
    states : int
        Of the Markov chain that stands for the values below the threshold.

    Raises
    ------
    StatisticsError
        Where the threshold is not above zero or the probabilities do not add up to 1.

    Examples
    --------
    One step up or down at random takes ``h (h + 1)`` steps to reach ``h`` from a reflecting zero.

    >>> round(run_length([-1.0, 1.0], [0.5, 0.5], 4.99))
    30
    """
    size, share = np.asarray(steps, dtype=float), np.asarray(probability, dtype=float)
    if not threshold > 0 or abs(share.sum() - 1) > 1e-6:
        raise StatisticsError(
            "A run length needs a threshold above zero and probabilities that add up to 1",
            where="run_length", found=f"threshold {threshold}, sum {share.sum():g}",
            remedy="Give the distribution of one step.",
        )  # fmt: skip
    width = 2 * threshold / (2 * states - 1)
    begin = np.arange(states)
    target = np.maximum(np.rint(begin[:, None] + size[None, :] / width), 0).astype(int)
    stays = target < states
    chain = np.zeros((states, states))
    rows = np.broadcast_to(begin[:, None], target.shape)[stays]
    np.add.at(chain, (rows, target[stays]), np.broadcast_to(share, target.shape)[stays])
    return float(np.linalg.solve(np.eye(states) - chain, np.ones(states))[0])


def cases_to_signal(chance: ArrayLike, threshold: float, *, odds_ratio: float = 0.5, actual: float = 1.0) -> float:
    """Mean number of cases until a risk-adjusted sum signals, over a mix of chances.

    Parameters
    ----------
    chance : array-like
        Chances of the cases that come, in any order.
    threshold : float
    odds_ratio : float
        The change that the sum looks for.
    actual : float
        What the odds truly are multiplied by; 1: nothing has changed and every signal is a false one.

    Examples
    --------
    >>> mix = [0.1, 0.2, 0.3, 0.4]
    >>> quiet, halved = (cases_to_signal(mix, 3.5, actual=odds) for odds in (1.0, 0.5))
    >>> round(quiet), round(halved)
    (1030, 84)
    """
    p = np.asarray(chance, dtype=float).ravel()
    if p.size > _MIX:
        p = np.quantile(p, (np.arange(_MIX) + 0.5) / _MIX)
    true = special.expit(special.logit(p) + np.log(actual))
    steps = np.concatenate([outcome_weights(won, p, odds_ratio) for won in (np.zeros(p.size), np.ones(p.size))])
    return run_length(steps, np.concatenate([1 - true, true]) / p.size, threshold)


def threshold_for(cases: float, chance: ArrayLike, *, odds_ratio: float = 0.5) -> float:
    """Threshold at which nothing but chance signals once in ``cases`` cases, where the chances are known.

    Examples
    --------
    >>> round(threshold_for(900, [0.1, 0.2, 0.3, 0.4]), 1)
    3.4
    """
    low, high = 0.05, 0.1
    while cases_to_signal(chance, high, odds_ratio=odds_ratio) < cases:
        low, high = high, 2 * high
        if high > 50:
            raise StatisticsError(
                "No threshold makes signals that rare", where="threshold_for", found=f"{cases:g} cases",
                remedy="Ask for fewer cases between false signals.",
            )  # fmt: skip
    found = optimize.brentq(
        lambda h: np.log(cases_to_signal(chance, h, odds_ratio=odds_ratio) / cases), low, high, xtol=1e-3
    )
    return float(found)


@dataclass(frozen=True, eq=False)
class Learned:
    """Steps beside each path's own level, as it was known before each step; shape (paths, steps).

    Parameters
    ----------
    weights : ndarray
        Log-likelihood ratios; zero where there was nothing.
    expected, variance : ndarray
        Of each outcome or count, from the steps before; zero where there was nothing.
    """

    weights: Floats
    expected: Floats
    variance: Floats


def learn(
    y: ArrayLike, usual: ArrayLike, spread: ArrayLike, *, family: Family = "binomial", ratio: float = 0.5,
    dispersion: float = 1.0,
) -> Learned:  # fmt: skip
    """Weigh steps against each path's own level, which is learned from its steps before.

    Parameters
    ----------
    y : array-like, shape (paths, steps)
        Outcomes (1 or 0) or counts, in order.
    usual : array-like, shape (paths, steps)
        What a typical path would have: chances or expected counts, above zero; missing where there was nothing.
    spread : array-like, shape (paths,) or ()
        Standard deviation of the paths' own levels about the typical one, on the scale of log odds or logarithms.
    family : {"binomial", "poisson"}
    ratio : float
        The change to be noticed, of odds or of the rate.
    dispersion : float
        Of counts: variance over mean.

    Returns
    -------
    Learned
        Each weight is the log ratio of two predictions: both average over the levels that the steps before leave
        possible, so somebody who was always below the typical does not signal for it, and a level that is hardly known
        weighs little.

    Examples
    --------
    Somebody who always had half of the usual count, and somebody whose count fell to it:

    >>> counts = np.array([[5.0] * 20, [10.0] * 10 + [5.0] * 10])
    >>> learned = learn(counts, np.full((2, 20), 10.0), 0.4, family="poisson")
    >>> learned.weights[:, 10:].sum(axis=1).round(1).tolist()
    [-7.9, 8.1]
    """
    outcome, base = np.asarray(y, dtype=float).T, np.asarray(usual, dtype=float).T
    level = np.exp(_LEVELS[:, None] * np.broadcast_to(np.asarray(spread, dtype=float), base.shape[1:]))
    known = np.repeat((np.exp(-0.5 * _LEVELS**2) / np.exp(-0.5 * _LEVELS**2).sum())[:, None], base.shape[1], axis=1)
    weights, expected, variance = (np.zeros(base.shape) for _ in range(3))
    scale = base / (1 - base) if family == "binomial" else base
    for step in range(len(base)):
        there = np.flatnonzero(np.isfinite(scale[step]))
        if not there.size:
            continue
        before, mean = known[:, there], scale[step, there] * level[:, there]
        same, changed = _likelihoods(outcome[step, there], mean, family, ratio, dispersion)
        after = before * same
        sure = after.sum(axis=0)
        weights[step, there] = np.log((before * changed).sum(axis=0) / sure)
        known[:, there] = after / sure
        if family == "binomial":
            chance = np.where(outcome[step, there] > 0, sure, 1 - sure)
            expected[step, there], variance[step, there] = chance, chance * (1 - chance)
        else:
            count = (before * mean).sum(axis=0)
            expected[step, there] = count
            variance[step, there] = dispersion * count + (before * (mean - count) ** 2).sum(axis=0)
    return Learned(weights.T, expected.T, variance.T)


def _likelihoods(y: Floats, mean: Floats, family: Family, ratio: float, dispersion: float) -> tuple[Floats, Floats]:
    """Of each level as it is and changed, up to a factor that both share; ``mean`` holds odds or counts."""
    if family == "binomial":
        won, other = y > 0, ratio * mean
        return np.where(won, mean, 1.0) / (1 + mean), np.where(won, other, 1.0) / (1 + other)
    same = (y * np.log(mean) - mean) / dispersion
    changed = (y * np.log(ratio * mean) - ratio * mean) / dispersion
    top = np.maximum(same.max(axis=0), changed.max(axis=0))
    return np.exp(same - top), np.exp(changed - top)
