"""How large a shortfall somebody's data could have shown at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special


def detectable_shortfall(
    closed: ArrayLike, win_rate: ArrayLike, *, reps: int = 40, false_discovery_rate: float = 0.1, power: float = 0.8
) -> NDArray[np.float64]:
    """Smallest relative shortfall in win rate that a rep's closed deals show with the given power.

    Parameters
    ----------
    closed : array-like
        Closed deals.
    win_rate : array-like
        Expected win rate, between 0 and 1.
    reps : int
        Reps tested together; the strictest step of Benjamini–Hochberg is ``false_discovery_rate / reps``.
    power : float
        Chance that a shortfall of that size is seen.

    Returns
    -------
    ndarray
        Shares of the expected rate; missing where not even a rep who wins nothing would be seen.

    Notes
    -----
    One-sided test of a proportion, normal approximation with the variance of the expected rate (Fleiss, Levin and
    Paik 2003, section 2.5): ``(z_alpha + z_power) * sqrt((1 - p) / (p n))``.

    Examples
    --------
    >>> detectable_shortfall([25, 100, 200, 400], 0.25).round(2).tolist()
    [nan, 0.63, 0.45, 0.32]
    """
    n, p = np.asarray(closed, dtype=float), np.asarray(win_rate, dtype=float)
    relative = _factor(reps, false_discovery_rate, power) * np.sqrt((1 - p) / (p * np.maximum(n, 1e-9)))
    return np.where(relative < 1, relative, np.nan)


def detectable_rate(
    expected_count: ArrayLike, dispersion: float, *, reps: int = 40, false_discovery_rate: float = 0.1,
    power: float = 0.8,
) -> NDArray[np.float64]:  # fmt: skip
    """The same for counts: smallest relative shortfall that an expected count shows.

    Examples
    --------
    >>> detectable_rate([10, 100], 1.0).round(2).tolist()
    [nan, 0.36]
    """
    count = np.maximum(np.asarray(expected_count, dtype=float), 1e-9)
    relative = _factor(reps, false_discovery_rate, power) * np.sqrt(dispersion / count)
    return np.where(relative < 1, relative, np.nan)


def detectable_delay(
    number: ArrayLike, variance: ArrayLike, *, reps: int = 40, false_discovery_rate: float = 0.1, power: float = 0.8
) -> NDArray[np.float64]:
    """The same for durations: smallest relative lengthening that ``number`` won deals show.

    ``variance`` is that of the logarithm of one duration. Missing where not even a doubling would be seen.

    Examples
    --------
    >>> detectable_delay([5, 100], 0.25).round(2).tolist()
    [nan, 0.2]
    """
    n = np.maximum(np.asarray(number, dtype=float), 1e-9)
    longer = np.expm1(
        np.minimum(_factor(reps, false_discovery_rate, power) * np.sqrt(np.asarray(variance, dtype=float) / n), 30)
    )
    return np.where(longer < 1, longer, np.nan)


def _factor(reps: int, rate: float, power: float) -> float:
    return float(-special.ndtri(rate / max(reps, 1)) + special.ndtri(power))
