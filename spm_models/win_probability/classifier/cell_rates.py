"""Rates of cells, and how much cells really differ: what a category with many levels is encoded by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAST_PRIOR = 4.0  # rows that the common rate is worth in each cell


def counted(cell: npt.NDArray[np.int64], y: Floats, weight: Floats, cells: int) -> tuple[Floats, Floats]:
    """Weight of the rows, and of those won, in each cell."""
    mass, hits = np.bincount(cell, weight, cells), np.bincount(cell, weight * y, cells)
    return mass.astype(np.float64), hits.astype(np.float64)


def between(mass: Floats, hits: Floats, rate: float) -> float:
    """How many rows the common rate is worth in a cell, by how much cells differ beyond chance; at least 4.

    Notes
    -----
    Beta-binomial shrinking by moments (J. Kleinman, Proportions with extraneous variance, JASA 68, 1973).
    """
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
