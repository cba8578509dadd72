"""Other totals from the same draws: whole draws are chosen more or less often, so that every level stays their sum.

References
----------
Robertson, Tallman and Whiteman (2005), Forecasting using relative entropy, Journal of Money, Credit and Banking 37:
exponential tilting is the smallest change of the draws that has the wanted moments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spm_models.revenue_forecast.result import RevenueForecast

Floats = npt.NDArray[np.float64]
_LARGEST_SHIFT = 1.0  # standard deviations of the total; further would leave few distinct draws
_SPREADS = (0.6, 1.5)
_LEAST_SHARE = 0.15  # of the draws that must still count
_STEPS = 60
_CLOSE = 0.002  # of the total: what is left of a shift is then left alone


def chosen(totals: Floats, mean: float, spread: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draws (some several times, in order) whose total has about this mean and this spread, as far as draws allow.

    Parameters
    ----------
    totals : ndarray, shape (draws,)
    mean : float
        Reached within one standard deviation of ``totals``.
    spread : float
        Wanted standard deviation over that of ``totals``; 0.6 to 1.5.
    rng : Generator

    Examples
    --------
    >>> totals = np.random.default_rng(1).normal(100, 10, 4000)
    >>> keep = chosen(totals, 105.0, 1.2, np.random.default_rng(2))
    >>> round(float(totals[keep].mean())), round(float(totals[keep].std()))
    (105, 12)
    """
    deviation = float(totals.std())
    if deviation == 0:
        return np.arange(totals.size)
    standard = (totals - totals.mean()) / deviation
    shift = float(np.clip((mean - totals.mean()) / deviation, -_LARGEST_SHIFT, _LARGEST_SHIFT))
    change = float(np.clip(spread, *_SPREADS)) - 1.0
    weights = np.full(totals.size, 1 / totals.size)
    for part in (1.0, 0.75, 0.5, 0.25):
        found = _tilted(standard, part * shift, 1.0 + part * change)
        if 1 / float(found @ found) >= _LEAST_SHARE * totals.size:
            weights = found
            break
    points = (np.arange(totals.size) + rng.random()) / totals.size  # systematic resampling
    return np.minimum(np.searchsorted(np.cumsum(weights), points), totals.size - 1).astype(np.int64)


def stretched(
    totals: Floats, closed: float, mean: float, spread: float, seed: int
) -> tuple[npt.NDArray[np.int64], float]:
    """Draws to choose, and what all that is still to be won has to be multiplied by where a choice does not go so far.

    Parameters
    ----------
    totals : ndarray, shape (draws,)
    closed : float
        Part of each total that is certain.
    mean, spread : float
        As :func:`chosen` takes them.
    seed : int
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(4)[3])
    keep = chosen(totals, mean, spread, rng)
    left, wanted = float(totals[keep].mean()) - closed, max(mean - closed, 0.0)
    near = max(_CLOSE * (closed + left), 0.05 * float(totals.std()))
    return keep, (1.0 if left <= 0 or abs(wanted - left) <= near else wanted / left)


def moved(forecast: RevenueForecast, mean: float, spread: float, seed: int, note: str, by: str) -> RevenueForecast:
    """A forecast whose company total has about this mean and spread (relative to its own), every level its sum.

    As far as a choice among the draws goes, it is one; what is left of a large shift scales what is still to be won
    in every draw alike.
    """
    totals, closed = forecast.company_total(), float(forecast.closed.sum()) / 100
    keep, ratio = stretched(totals, closed, mean, spread, seed)
    found = replace(forecast.with_draws(keep, note), by=by)
    if ratio == 1.0:
        return found
    return found.rescaled(closed + (totals[keep] - closed) * ratio, by, "")


def _tilted(standard: Floats, shift: float, spread: float) -> Floats:
    """Weights proportional to exp(a z + b z²) with this mean and standard deviation (Newton's method)."""
    powers = np.stack([standard, standard**2])
    wanted = np.array([shift, shift**2 + spread**2])
    tilt = np.zeros(2)
    weights = _weights(powers, tilt)
    for _ in range(_STEPS):
        found = powers @ weights
        if np.abs(found - wanted).max() < 1e-6:
            break
        centred = powers - found[:, None]
        step = np.linalg.solve((centred * weights) @ centred.T + 1e-9 * np.eye(2), wanted - found)
        size = min(1.0, 0.5 / float(np.abs(step).max()))  # damped: far steps overflow
        tilt = tilt + size * step
        weights = _weights(powers, tilt)
    return weights


def _weights(powers: Floats, tilt: Floats) -> Floats:
    logs = tilt @ powers
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum(), dtype=float)
