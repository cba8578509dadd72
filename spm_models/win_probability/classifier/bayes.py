"""Smoothed naive Bayes: what each column says alone, added up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spm_models.win_probability.classifier.encoding import Shape, Shapes, quantile_knots
from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
BINS = 10
ROWS_A_BIN = 25.0
LEAST_PRIOR = 4.0  # rows that the common rate is worth in each bin


def naive_bayes(table: Table, y: Floats, weight: Floats, sizes: list[int]) -> Shapes:
    """Log-odds of each bin and level against the common ones, shrunk by how much bins really differ.

    Notes
    -----
    Beta-binomial shrinking by moments (J. Kleinman, Proportions with extraneous variance, JASA 68, 1973). Numbers are
    cut at quantiles and joined by lines between the bins' means (Y. Yang and G. Webb, Machine Learning 74, 2009).
    """
    total, won = float(weight.sum()), float(weight @ y)
    rate = (won + 0.5) / (total + 1)
    start = float(np.log(rate / (1 - rate)))
    k = table.numbers.shape[1]
    bins = int(np.clip(total / ROWS_A_BIN, 2, BINS))
    found = [_number(table.numbers[:, j], y, weight, rate, bins) for j in range(k)]
    for c, size in enumerate(sizes):
        code = table.codes[:, c].astype(np.int64) + 1
        mass, hits = counted(code, y, weight, size + 1)
        found.append(Shape(np.zeros(0), _shrunk(mass, hits, rate)))
    return Shapes(start, found, k)


def _number(x: Floats, y: Floats, weight: Floats, rate: float, bins: int) -> Shape:
    gap = np.isnan(x)
    edges = quantile_knots(x, bins + 1, 0.0, 1.0)
    if len(edges) < 2:
        return Shape(np.zeros(0), np.zeros(0), _missing(y, weight, gap, rate))
    few = len(edges) <= bins and len(np.unique(x[~gap])) <= len(edges)
    cuts = (edges[:-1] + edges[1:]) / 2 if few else edges[1:-1]
    place = np.where(gap, len(cuts) + 1, np.searchsorted(cuts, x, side="left"))
    size = len(cuts) + 2
    mass, hits = counted(place, y, weight, size)
    values = _shrunk(mass, hits, rate)
    sums = np.bincount(place[~gap], (weight * np.where(gap, 0.0, x))[~gap], size)[:-1]
    held = mass[:-1] > 0
    return Shape(sums[held] / mass[:-1][held], values[:-1][held], float(values[-1]))


def _missing(y: Floats, weight: Floats, gap: npt.NDArray[np.bool_], rate: float) -> float:
    mass, hits = counted(gap.astype(np.int64), y, weight, 2)
    return float(_shrunk(mass, hits, rate)[1])


def counted(cell: npt.NDArray[np.int64], y: Floats, weight: Floats, cells: int) -> tuple[Floats, Floats]:
    """Weight of the rows, and of those won, in each cell."""
    mass, hits = np.bincount(cell, weight, cells), np.bincount(cell, weight * y, cells)
    return mass.astype(np.float64), hits.astype(np.float64)


def _shrunk(mass: Floats, hits: Floats, rate: float) -> Floats:
    """Log-odds of each cell beyond the common ones; 0 for empty cells."""
    strength = between(mass, hits, rate)
    p = (hits + strength * rate) / np.maximum(mass + strength, 1e-12)
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.where(mass > 0, np.log(p / (1 - p)) - np.log(rate / (1 - rate)), 0.0)


def between(mass: Floats, hits: Floats, rate: float) -> float:
    """How many rows the common rate is worth in a cell, by how much cells differ beyond chance; at least 4."""
    held = mass > 0
    mass, hits = mass[held], hits[held]
    total = float(mass.sum())
    spare = total - float(np.square(mass).sum()) / max(total, 1e-12)
    if len(mass) < 2 or spare <= 0:
        return 1e6
    noise = rate * (1 - rate)
    spread = float(mass @ np.square(hits / mass - rate))
    variance = (spread - (len(mass) - 1) * noise) / spare
    return float(np.clip(noise / variance - 1, LEAST_PRIOR, 1e6)) if variance > 0 else 1e6
