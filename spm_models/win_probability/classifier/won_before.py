"""What trees look at: numbers as they are, categories by how often they were won among other rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.win_probability.classifier.cell_rates import between, counted
from spm_models.win_probability.classifier.encoding import quantile_knots
from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BINS = 64


@dataclass(frozen=True, eq=False)
class Binned:
    """Rows to grow trees on.

    Parameters
    ----------
    bins : ndarray, shape (n, columns)
        Numbers of bins, NaN where missing.
    edges : list of ndarray
        Upper edge of each bin, by which a threshold between bins is one between values.
    encodings : list of ndarray
        Of each category, log-odds of its codes from -1.
    """

    bins: Floats
    edges: list[Floats]
    encodings: list[Floats]

    @classmethod
    def learn(cls, table: Table, y: Floats, weight: Floats, sizes: list[int], fold: Ints) -> Binned:
        """Encode and cut into bins; no row's own outcome is in its encodings.

        Parameters
        ----------
        fold : ndarray of int, shape (n,)
            From 0; rows of one deal share a fold. A row is encoded by the other folds (cross-fitting; D. Micci-Barreca,
            SIGKDD Explorations 3, 2001; Prokhorenkova et al., CatBoost, NeurIPS 2018, for why).
        """
        encodings, own = [], [table.numbers]
        for c, size in enumerate(sizes):
            code = table.codes[:, c].astype(np.int64) + 1
            encodings.append(_encoding(code, y, weight, size))
            column = np.zeros(len(y))
            for part in np.unique(fold):
                here = fold == part
                column[here] = _encoding(code[~here], y[~here], weight[~here], size)[code[here]]
            own.append(column[:, None])
        values = np.hstack(own)
        edges = [_edges(column) for column in values.T]
        bins = np.column_stack([_bins(column, cuts) for column, cuts in zip(values.T, edges, strict=True)])
        unseen = ~(np.isfinite(bins) & (weight > 0)[:, None]).any(axis=0)
        bins[:, unseen] = 0.0  # scikit-learn cannot bin a column without a value; nothing is split by a constant one
        return cls(bins, edges, encodings)

    def thresholds(self, feature: Ints, threshold: Floats) -> Floats:
        """Between values what is between bins."""
        return np.array([self.edges[f][int(t)] for f, t in zip(feature, threshold, strict=True)], dtype=np.float64)


def features(table: Table, encodings: list[Floats]) -> Floats:
    """Columns as trees see them in new rows, shape (n, columns)."""
    held = [table.numbers]
    held += [value[table.codes[:, c].astype(np.int64) + 1][:, None] for c, value in enumerate(encodings)]
    return np.hstack(held)


def _edges(x: Floats) -> Floats:
    """Between the quantiles of a column; those of scikit-learn take minutes with weights."""
    knots = quantile_knots(x, BINS, 0.0, 1.0)
    return np.append((knots[:-1] + knots[1:]) / 2, np.inf)


def _bins(x: Floats, edges: Floats) -> Floats:
    if np.isnan(x).all():
        return np.zeros(len(x))
    return np.where(np.isnan(x), np.nan, np.searchsorted(edges, x, side="left").astype(float))


def _encoding(code: Ints, y: Floats, weight: Floats, size: int) -> Floats:
    mass, hits = counted(code, y, weight, size + 1)
    rate = float((hits.sum() + 0.5) / (mass.sum() + 1))
    strength = min(between(mass, hits, rate), 100.0)
    p = (hits + strength * rate) / (mass + strength)
    return np.asarray(np.log(p / (1 - p)))
