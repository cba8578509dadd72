"""Gradient boosting on the table, categories replaced by how often they were won among other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from spm_models.win_probability.classifier.contributions import tree_contributions
from spm_models.win_probability.classifier.roles import Table
from spm_models.win_probability.classifier.won_before import Binned, features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FOLDS = 5
LEAST_LEAF = 10
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

    def log_odds(self, table: Table) -> Floats:
        """Sum of the trees, shape (n,)."""
        return np.asarray(self.trees.decision_function(features(table, self.encodings)), dtype=np.float64)

    def staged(self, table: Table, rounds: tuple[int, ...]) -> Floats:
        """Log-odds after each number of rounds, shape (n, numbers)."""
        wanted = set(rounds)
        held = [
            np.asarray(eta, dtype=np.float64).ravel()
            for done, eta in enumerate(self.trees.staged_decision_function(features(table, self.encodings)), 1)
            if done in wanted
        ]
        return np.column_stack(held)

    def contributions(self, table: Table, group: Ints, groups: int) -> tuple[float, Floats]:
        """Start and what each group of columns adds to the log-odds, shape (n, groups): Shapley values."""
        nodes = [stage[0].nodes for stage in self.trees._predictors]
        start, values = tree_contributions(nodes, features(table, self.encodings), group, groups)
        return start + float(np.ravel(self.trees._baseline_prediction)[0]), values


def boost(
    kind: str, table: Table, y: Floats, weight: Floats, sizes: list[int], fold: Ints, rounds: int, seed: int
) -> Boosted:
    """Learn trees.

    Parameters
    ----------
    fold : ndarray of int, shape (n,)
        By which categories are encoded; rows of one deal share a fold.
    """
    depth, leaves, rate, _ = KINDS[kind]
    weight = np.asarray(weight, dtype=np.float64)
    trees = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=rounds, max_depth=depth, max_leaf_nodes=leaves, l2_regularization=3.0,
        min_samples_leaf=max(LEAST_LEAF, round(1.5 * LEAST_LEAF * len(y) / max(weight.sum(), 1.0))),
        max_features=0.5 if table.numbers.shape[1] + len(sizes) > 3 else 1.0, early_stopping=False, random_state=seed,
    )  # fmt: skip
    learned = Binned.learn(table, y, weight, sizes, fold)
    alike = float(np.ptp(weight)) == 0.0 and weight[0] == 1.0
    trees.fit(learned.bins, y.astype(int), sample_weight=None if alike else weight)
    for stage in trees._predictors:
        nodes = stage[0].nodes
        inner = (nodes["is_leaf"] == 0) & np.isfinite(nodes["num_threshold"])
        nodes["num_threshold"][inner] = learned.thresholds(nodes["feature_idx"][inner], nodes["num_threshold"][inner])
    return Boosted(trees, learned.encodings)
