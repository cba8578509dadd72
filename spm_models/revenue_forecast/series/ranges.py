"""Quantiles of what the weighted structures say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

GRID = np.linspace(-3.5, 3.5, 57)  # normal quantiles at which the table of a forecast is kept
NODES = np.linspace(-4.0, 4.0, 33)
MASS = np.diff(np.concatenate([[0.0], ndtr((NODES[1:] + NODES[:-1]) / 2), [1.0]]))
MEMBERS = 48  # structures that stand for all in the ranges, drawn evenly by weight
LEAST_FREEDOM = 5.0
ALWAYS, UNSEEN, AHEAD, TAILS = 1.1, 0.45, 1.2, 0.25  # by how much ranges are widened, and where
CYCLES_SEEN, LEAST_SEASON = 1.33, 4
FURTHEST = 2.5  # a logarithm may leave the past by so much, at most


@dataclass(frozen=True)
class Forecasts:
    """Means (series, h) and quantiles at ``GRID`` (series, h, grid)."""

    mean: np.ndarray
    table: np.ndarray

    @classmethod
    def unknown(cls, series: int, h: int) -> Forecasts:
        """Nothing said yet: NaN, and so it stays for a series without a known value."""
        return cls(np.full((series, h), np.nan), np.full((series, h, len(GRID)), np.nan))

    def put(self, place: int, mean: np.ndarray, table: np.ndarray, y: np.ndarray) -> None:
        """Keep what is said of one series, above 0 where its past is."""
        floor = 0.0 if np.nanmin(y) >= 0 else -np.inf
        self.mean[place] = np.maximum(mean, floor)
        self.table[place] = np.maximum(np.maximum.accumulate(table, axis=-1), floor)

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """(series, h, probabilities), linear between normal quantiles."""
        at = np.clip(ndtri(probabilities), GRID[0], GRID[-1])
        left = np.clip(np.searchsorted(GRID, at) - 1, 0, len(GRID) - 2)
        part = (at - GRID[left]) / (GRID[1] - GRID[0])
        values = self.table[:, :, left] * (1 - part) + self.table[:, :, left + 1] * part
        order = np.argsort(at, kind="stable")
        values[:, :, order] = np.maximum.accumulate(values[:, :, order], axis=-1)  # rounding may undo the order
        return np.asarray(values)


def clamped(logarithms: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Back from logarithms, which may not run away from the past."""
    low, high = np.log(np.nanmin(y)) - FURTHEST, np.log(np.nanmax(y)) + FURTHEST
    return np.asarray(np.exp(np.clip(logarithms, low, high)))


def mixture(
    said: list[tuple[np.ndarray, np.ndarray, bool]], weights: np.ndarray, freedom: float, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean of all structures (h,) and quantiles of their mixture (h, grid).

    Parameters
    ----------
    said : list of (middle, spread, logarithm)
        Each (structures, h).
    weights : ndarray (len(said), structures)
    freedom : float
    y : ndarray
        The past.
    """
    middles = [clamped(middle, y) if logarithm else middle for middle, _, logarithm in said]
    mean = np.einsum("ks,ksh->h", weights / weights.sum(), np.stack(middles))
    chosen = _even(weights.ravel(), np.concatenate(middles)[:, -1])
    nodes = stdtrit(max(freedom, LEAST_FREEDOM), ndtr(NODES))
    count = weights.shape[1]
    values = np.empty((len(mean), len(chosen), len(NODES)))
    for kind, (middle, spread, logarithm) in enumerate(said):
        mine = (chosen // count) == kind
        own = chosen[mine] % count
        points = middle[own].T[:, :, None] + spread[own].T[:, :, None] * nodes
        values[:, mine] = clamped(points, y) if logarithm else points
    return mean, _quantiles(values.reshape(len(mean), -1), np.tile(MASS, len(chosen)))


def widened(mean: np.ndarray, table: np.ndarray, known: int, season_length: int, wide: float = 1.0) -> np.ndarray:
    """Ranges (h, grid) as wide as errors on later values were, not only as the structures think.

    No structure is true: errors grow faster with the horizon, have heavier tails, and are larger where no whole cycle
    of the season was seen. By how much was learned from the errors on M1 series, in round figures, towards the lowest
    interval score among ranges that cover what they say (T. Gneiting and A. E. Raftery, Journal of the American
    Statistical Association 102 (2007)). ``wide`` is what the panel itself tells beyond that.
    """
    unseen = max(CYCLES_SEEN - known / season_length, 0.0) if season_length > 1 else 0.0
    ahead = 1 + np.arange(len(mean))
    factor = ALWAYS + UNSEEN * unseen + AHEAD * ahead / max(season_length, LEAST_SEASON) ** 2
    stretch = factor[:, None] + TAILS * (np.abs(GRID) - ndtri(0.9))
    return np.asarray(mean[:, None] + (table - mean[:, None]) * stretch * wide)


def _even(weights: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Places of members drawn evenly by weight, in the order of what they forecast."""
    ranked = np.argsort(order, kind="stable")
    summed = np.cumsum(weights[ranked])
    at = np.searchsorted(summed, (np.arange(MEMBERS) + 0.5) / MEMBERS * summed[-1])
    return np.asarray(ranked[np.minimum(at, len(ranked) - 1)])


def _quantiles(values: np.ndarray, mass: np.ndarray) -> np.ndarray:
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    summed = np.cumsum(mass[order], axis=1)
    middle = (summed - mass[order] / 2) / summed[:, -1:]
    return np.stack([np.interp(ndtr(GRID), at, row) for at, row in zip(middle, ordered, strict=True)])
