"""What a series may be made of: a level that wanders, a drift that fades, a season, and noise.

A structure gives the covariance of a series' values, in units of the variance of its steps: the basic structural model
of A. C. Harvey, "Forecasting, structural time series models and the Kalman filter" (1989), written as a Gaussian
process (C. E. Rasmussen and C. K. I. Williams, "Gaussian processes for machine learning" (2006), chapter 2).
Exponential smoothing, with a damped trend and a season or without, is what such a model forecasts (R. J. Hyndman and
others, "Forecasting with exponential smoothing" (2008)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WANDERING = (0.03, 0.2, 0.6, 1.0)
DRIFTS = ((0.0, 0.0), (0.1, 1.0), (0.2, 1.0), (0.5, 1.0), (0.3, 0.97), (0.2, 0.9), (0.4, 0.7))
SEASONS = ((0.0, 1.0, False), (0.5, 1.0, False), (1.5, 1.0, False), (5.0, 1.0, False), (1.5, 0.9, False),
           (5.0, 0.9, False), (15.0, 1.0, False), (15.0, 0.9, False), (1.5, 1.0, True), (5.0, 1.0, True))  # fmt: skip
SMOOTH = np.array([4.0, 2.0, 1.0]) / 7  # variance of the first harmonics of a smooth season

# Prior log weights, a part for each choice above, where the history is long, and what is added where it is short
# (times 2 / (1 + cycles of the season)). Learned on one half of the M1 series (by hash of their names), all cuts
# together, by the mean absolute error of the weighted forecast, each weight shrunk towards 0.
LONG = (
    (0.37, -0.63, -0.30, 0.56),
    (0.68, -0.04, -0.14, 0.48, -0.44, -0.33, -0.21),
    (-0.17, -0.83, 0.17, 1.56, -0.63, -0.02, 1.06, -0.52, 0.07, -0.15),
    -0.42,
)
SHORT = (
    (0.79, -0.14, -0.35, -0.29),
    (1.22, 0.23, -0.10, -1.11, -0.26, 0.02, -0.01),
    (-0.67, -0.63, 0.18, 1.63, -0.31, 0.03, 1.13, -0.47, -0.09, -0.14),
    -0.44,
)
SHARPNESS = 1.13  # exponent of the likelihood, learned along with them


@dataclass(frozen=True)
class Structure:
    """One way a series may be made.

    Parameters
    ----------
    wandering : float
        Share of the level's steps in the variance; the rest is noise around the level.
    drift, memory : float
        Standard deviation of the drift a step, and how much of it is left a step later (1: it stays for good).
    season, keeping : float
        Standard deviation of the season's pattern, and how alike it is a cycle later (1: it stays for good).
    smooth : bool
        The pattern is made of the first harmonics.
    """

    wandering: float
    drift: float
    memory: float
    season: float
    keeping: float
    smooth: bool

    def covariance(self, n: int, season_length: int) -> np.ndarray:
        """Of n values in a row, but for the level at the start, (n, n)."""
        place = np.arange(n)
        apart = np.abs(place[:, None] - place)
        found: np.ndarray = self.wandering * np.minimum(place[:, None], place) + (1 - self.wandering) * np.eye(n)
        if self.drift:
            summed = np.cumsum(np.cumsum(self.memory**apart, axis=0), axis=1)
            found[1:, 1:] += self.drift**2 * summed[:-1, :-1]
        if self.season:
            found += self.season**2 * self._pattern(apart, season_length) * self.keeping ** (apart / season_length)
        return found

    def _pattern(self, apart: np.ndarray, season_length: int) -> np.ndarray:
        if self.smooth:
            waves = np.cos(2 * np.pi * np.arange(1, 4)[:, None, None] * apart / season_length)
            return np.asarray(np.tensordot(SMOOTH, waves, axes=1))
        share = 1 / season_length
        return np.asarray(((apart % season_length == 0) - share) / (1 - share))


@lru_cache
def structures(season_length: int) -> tuple[Structure, ...]:
    """All of them for a length of the season; no season where the length is 1, no smooth one up to 4."""
    return tuple(_made(a, b, c) for a, b, c in _choices(season_length))


def prior(season_length: int, cycles: float) -> np.ndarray:
    """Log weights before a series is seen: of its logarithms and of its plain values, (2, structures).

    Parameters
    ----------
    season_length : int
    cycles : float
        How many cycles of the season its history has.
    """
    a, b, c = np.array(_choices(season_length)).T
    short = 2 / (1 + cycles)
    plain = sum(
        np.asarray(long)[at] + short * np.asarray(more)[at]
        for long, more, at in zip(LONG[:3], SHORT[:3], (a, b, c), strict=True)
    )
    return np.stack([plain + LONG[3] + short * SHORT[3], plain])


def _made(a: int, b: int, c: int) -> Structure:
    (drift, memory), (season, keeping, smooth) = DRIFTS[b], SEASONS[c]
    return Structure(WANDERING[a], drift, memory, season, keeping, smooth)


@lru_cache
def _choices(season_length: int) -> tuple[tuple[int, int, int], ...]:
    seasons = 1 if season_length == 1 else 8 if season_length <= 4 else 10
    return tuple((a, b, c) for a in range(len(WANDERING)) for b in range(len(DRIFTS)) for c in range(seasons))
