"""What each structure makes of a series, and how much it is believed.

The likelihood of a structure is the product of its densities of each observation given those before it: a rolling
origin with one step (A. P. Dawid, "Statistical theory: the prequential approach", Journal of the Royal Statistical
Society A 147 (1984)). Its weight is that likelihood times its prior weight (J. A. Hoeting and others, "Bayesian model
averaging", Statistical Science 14 (1999)). The variance of steps is unknown, so ranges are Student's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln

from spm_models.revenue_forecast.series.structures import Structure

FREEDOM = 1.0  # degrees of freedom of the prior of the variance, which the typical step centres
ANY_LEVEL = 1e5  # variance of the level at the start, in units of the steps' variance
LEAST = 1e-6


@dataclass(frozen=True)
class Reading:
    """What all structures say of series that were observed at the same places.

    Parameters
    ----------
    likelihood : ndarray (series, structures)
        Logarithms.
    middle, spread : ndarray (series, structures, h)
        Centre and scale of Student's distribution of each value ahead.
    freedom : float
        Its degrees of freedom.
    """

    likelihood: np.ndarray
    middle: np.ndarray
    spread: np.ndarray
    freedom: float


def read(y: np.ndarray, observed: np.ndarray, h: int, season_length: int, each: tuple[Structure, ...]) -> Reading:
    """Let all structures read series.

    Parameters
    ----------
    y : ndarray (series, n)
        Values where ``observed``; the rest is not looked at.
    observed : ndarray of bool (n,)
    h : int
        How far ahead.
    season_length : int
    each : tuple of Structure
    """
    at = np.flatnonzero(observed)
    places = np.concatenate([at, len(observed) + np.arange(h)])
    centre = y[:, at].mean(axis=1, keepdims=True)
    values = y[:, at] - centre
    step = _typical_step(y[:, at], season_length)
    known, series = len(at), len(y)
    shape = (series, len(each), h)
    likelihood, middle, spread = np.empty(shape[:2]), np.empty(shape), np.empty(shape)
    for k, structure in enumerate(each):
        covariance = structure.covariance(len(observed) + h, season_length)[np.ix_(places, places)] + ANY_LEVEL
        covariance[np.diag_indices_from(covariance)] += LEAST
        factor = np.linalg.cholesky(covariance[:known, :known])
        right = np.concatenate([values.T, covariance[:known, known:]], axis=1)
        solved = solve_triangular(factor, right, lower=True, check_finite=False)
        own, ahead = solved[:, :series], solved[:, series:]
        squares = FREEDOM * step**2 + (own**2).sum(axis=0)
        variance = np.maximum(np.diag(covariance)[known:] - (ahead**2).sum(axis=0), LEAST)
        likelihood[:, k] = -np.log(np.diag(factor)).sum() - (FREEDOM + known) / 2 * np.log(squares)
        middle[:, k] = own.T @ ahead
        spread[:, k] = np.sqrt(variance * squares[:, None] / (FREEDOM + known - 1))
    constant = gammaln((FREEDOM + known) / 2) - gammaln(FREEDOM / 2) + FREEDOM / 2 * np.log(FREEDOM * step**2)
    return Reading(likelihood + constant[:, None], middle + centre[:, :, None], spread, FREEDOM + known - 1)


def _typical_step(values: np.ndarray, season_length: int) -> np.ndarray:
    """Median absolute step, or change on the season before where that is less; at least a thousandth of the size."""
    size = np.abs(values).mean(axis=1)
    count = values.shape[1]
    steps = np.median(np.abs(np.diff(values, axis=1)), axis=1) if count > 1 else 0.2 * size
    if 1 < season_length <= count - 3:
        seasonal = np.abs(values[:, season_length:] - values[:, :-season_length])
        steps = np.minimum(steps, np.median(seasonal, axis=1))
    return np.asarray(np.maximum(steps, np.where(size > 0, 1e-3 * size, 1e-9)))
