"""Gradient boosting on the table, categories replaced by how often they were won among other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from spm_models.win_probability.classifier.cell_rates import between, counted
from spm_models.win_probability.classifier.encoding import quantile_knots
from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
FOLDS = 5
LEAST_LEAF = 10
BINS = 64
#: Name -> largest depth, most leaves, learning rate, rounds of which the best number is taken.
KINDS: dict[str, tuple[int, int, float, tuple[int, ...]]] = {
    "boosting of pairs": (2, 4, 0.12, (8, 16, 32, 64, 110)),
    "boosting": (4, 12, 0.09, (8, 16, 32, 60, 90)),
}


@dataclass(frozen=True, eq=False)
class Boosted:
    """Boosted trees with the categories' encodings.

    Parameters
    ----------
    trees : HistGradientBoostingClassifier
    encodings : list of ndarray
        Log-odds of each code from -1.
    """

    trees: Any
    encodings: list[Floats]

    def features(self, table: Table) -> Floats:
        """What the trees look at, shape (n, columns)."""
        held = [table.numbers]
        held += [value[table.codes[:, c].astype(np.int64) + 1][:, None] for c, value in enumerate(self.encodings)]
        return np.hstack(held)

    def log_odds(self, table: Table) -> Floats:
        """Sum of the trees, shape (n,)."""
        return np.asarray(self.trees.decision_function(self.features(table)), dtype=np.float64)

    def staged(self, table: Table, rounds: tuple[int, ...]) -> Floats:
        """Log-odds after each number of rounds, shape (n, numbers)."""
        wanted = set(rounds)
        held = [
            np.asarray(eta, dtype=np.float64).ravel()
            for done, eta in enumerate(self.trees.staged_decision_function(self.features(table)), 1)
            if done in wanted
        ]
        return np.column_stack(held)


def boost(
    kind: str, table: Table, y: Floats, weight: Floats, sizes: list[int], fold: npt.NDArray[np.int64], rounds: int,
    seed: int,
) -> Boosted:  # fmt: skip
    """Learn trees; no row's own outcome is in its encodings.

    Parameters
    ----------
    fold : ndarray of int, shape (n,)
        From 0; rows of one deal share a fold. A row is encoded by the other folds (cross-fitting; D. Micci-Barreca,
        SIGKDD Explorations 3, 2001; Prokhorenkova et al., CatBoost, NeurIPS 2018, for why).
    """
    depth, leaves, rate, _ = KINDS[kind]
    weight = np.asarray(weight, dtype=np.float64)
    trees = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=rounds, max_depth=depth, max_leaf_nodes=leaves, l2_regularization=3.0,
        min_samples_leaf=max(LEAST_LEAF, round(1.5 * LEAST_LEAF * len(y) / max(weight.sum(), 1.0))),
        max_features=0.5 if table.numbers.shape[1] + len(sizes) > 3 else 1.0, early_stopping=False, random_state=seed,
    )  # fmt: skip
    encodings, own = [], [table.numbers]
    for c, size in enumerate(sizes):
        code = table.codes[:, c].astype(np.int64) + 1
        encodings.append(_encoding(code, y, weight, size))
        column = np.zeros(len(y))
        for part in np.unique(fold):
            here = fold == part
            column[here] = _encoding(code[~here], y[~here], weight[~here], size)[code[here]]
        own.append(column[:, None])
    features = np.hstack(own)
    edges = [_edges(column) for column in features.T]
    binned = np.column_stack([_bins(column, cuts) for column, cuts in zip(features.T, edges, strict=True)])
    unseen = ~(np.isfinite(binned) & (weight > 0)[:, None]).any(axis=0)
    binned[:, unseen] = 0.0  # scikit-learn cannot bin a column without a value; nothing is split by a constant one
    alike = float(np.ptp(weight)) == 0.0 and weight[0] == 1.0
    trees.fit(binned, y.astype(int), sample_weight=None if alike else weight)
    for stage in trees._predictors:
        nodes = stage[0].nodes
        for place in np.flatnonzero((nodes["is_leaf"] == 0) & np.isfinite(nodes["num_threshold"])):
            cuts = edges[nodes["feature_idx"][place]]
            nodes["num_threshold"][place] = cuts[int(nodes["num_threshold"][place])]
    return Boosted(trees, encodings)


def _edges(x: Floats) -> Floats:
    """Between the quantiles of a column; those of scikit-learn take minutes with weights."""
    knots = quantile_knots(x, BINS, 0.0, 1.0)
    return np.append((knots[:-1] + knots[1:]) / 2, np.inf)


def _bins(x: Floats, edges: Floats) -> Floats:
    if np.isnan(x).all():  # scikit-learn cannot bin a column without a value
        return np.zeros(len(x))
    return np.where(np.isnan(x), np.nan, np.searchsorted(edges, x, side="left").astype(float))


def _encoding(code: npt.NDArray[np.int64], y: Floats, weight: Floats, size: int) -> Floats:
    mass, hits = counted(code, y, weight, size + 1)
    rate = float((hits.sum() + 0.5) / (mass.sum() + 1))
    strength = min(between(mass, hits, rate), 100.0)
    p = (hits + strength * rate) / (mass + strength)
    return np.asarray(np.log(p / (1 - p)))
