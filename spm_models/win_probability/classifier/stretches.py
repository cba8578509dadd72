"""Stretches of time, and columns that tell the time more than anything else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
MOST, LEAST_ROWS = 24, 40.0
CLOCK = 0.5  # share of a column's variance that lies between stretches
FEWEST = 4  # stretches from which clocks can be told


def stretches(time: Floats, weight: Floats) -> Rows:
    """Stretch of each row: up to 24 of about equal weight and at least 40 deals each; rows of one moment together."""
    many = int(np.clip(weight.sum() / LEAST_ROWS, 1, MOST))
    order = np.argsort(time, kind="stable")
    before = np.empty(len(time))
    before[order] = np.cumsum(weight[order]) - weight[order]
    moment = pd.Series(before).groupby(time).transform("min").to_numpy()
    found = np.minimum((moment / weight.sum() * many).astype(np.int64), many - 1)
    return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int64)


def clocks(table: Table, weight: Floats, stretch: Rows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Numbers and categories that differ more between stretches than within: what they taught may be the time's.

    Numbers by the share of their ranks' variance, categories by Goodman and Kruskal's tau (JASA 49, 1954).
    """
    numbers, codes = np.zeros(table.numbers.shape[1], bool), np.zeros(table.codes.shape[1], bool)
    if stretch.max(initial=0) + 1 < FEWEST:
        return numbers, codes
    for j in range(len(numbers)):
        known = ~np.isnan(table.numbers[:, j])
        rank = pd.Series(table.numbers[known, j]).rank().to_numpy(dtype=np.float64)
        numbers[j] = _between(np.asarray(rank[:, None], dtype=np.float64), weight[known], stretch[known]) > CLOCK
    for c in range(len(codes)):
        mass = np.bincount(np.maximum(table.codes[:, c], 0), weight)
        common = np.argsort(-mass, kind="stable")[:50]
        flags = (table.codes[:, c][:, None] == common[None, :]).astype(float)
        codes[c] = _between(flags, weight, stretch) > CLOCK
    return numbers, codes


def _between(values: Floats, weight: Floats, stretch: Rows) -> float:
    """Share of the variance of all columns together that lies between stretches, chance taken off."""
    if len(values) < 2 or weight.sum() <= 0:
        return 0.0
    mean = weight @ values / weight.sum()
    total = float(weight @ np.square(values - mean).sum(axis=1))
    mass = np.bincount(stretch, weight)
    sums = np.column_stack([np.bincount(stretch, weight * column) for column in values.T])
    held = mass > 0
    between = float((mass[held, None] * np.square(sums[held] / mass[held, None] - mean)).sum())
    return between / total if total > 1e-12 else 0.0
