"""A forest of randomised trees: their mean rate, for companies too small for boosting and beside it for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from spm_models.win_probability.classifier.contributions import tree_contributions
from spm_models.win_probability.classifier.roles import Table
from spm_models.win_probability.classifier.won_before import Binned, features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FOREST = "forest"
TREES, DEPTH, LEAVES = 24, 6, 32
LEAST_ROWS, LEAST_WEIGHT = 5, 4.0  # of a leaf
LEAST_TRIED = 3  # columns, of which the square root is tried at each split
WORTH = 1.0  # deals that the common rate is worth in each leaf
CATEGORIES = np.zeros((0, 8), dtype=np.uint32), np.zeros(0, dtype=np.uint32)  # none among the trees' features


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees with the categories' encodings.

    Parameters
    ----------
    trees : list of TreePredictor
        Leaves hold the share won.
    encodings : list of ndarray
        Log-odds of each code from -1.
    """

    trees: list[Any]
    encodings: list[Floats]

    def log_odds(self, table: Table) -> Floats:
        """Log-odds of the mean share won in the leaves, shape (n,)."""
        seen = np.ascontiguousarray(features(table, self.encodings))
        total = np.zeros(len(seen))
        for tree in self.trees:
            total += tree.predict(seen, *CATEGORIES, 1)
        return np.asarray(special.logit(total / len(self.trees)))

    def contributions(self, table: Table, group: Ints, groups: int) -> tuple[float, Floats]:
        """Start and what each group of columns adds to the log-odds, shape (n, groups).

        Shapley values of the probability, times what a unit of probability is worth in log-odds between the start and
        the row (H. Chen, S. Lundberg and S.-I. Lee, Explaining a series of models by propagating Shapley values, Nature
        Communications 13, 2022).
        """
        nodes = [tree.nodes for tree in self.trees]
        start, values = tree_contributions(nodes, features(table, self.encodings), group, groups)
        start, values = start / len(nodes), values / len(nodes)
        apart = values.sum(axis=1)
        near = np.abs(apart) < 1e-9
        worth = special.logit(start + apart) - special.logit(start)
        worth = np.where(near, 1 / (start * (1 - start)), worth / np.where(near, 1.0, apart))
        return float(special.logit(start)), values * worth[:, None]


def plant(table: Table, y: Floats, weight: Floats, sizes: list[int], fold: Ints, seed: int) -> Forest:
    """Learn trees on rows drawn anew for each.

    Parameters
    ----------
    fold : ndarray of int, shape (n,)
        By which categories are encoded; rows of one deal share a fold.

    Notes
    -----
    Extremely randomised trees (P. Geurts, D. Ernst and L. Wehenkel, Machine Learning 63, 2006) on bootstrap samples
    (L. Breiman, Random forests, Machine Learning 45, 2001), on the ranks of numbers, so that random thresholds suit
    heavy tails. The mean of the leaves' rates is what is told: the mean of their log-odds would have another level.
    """
    learned = Binned.learn(table, y, weight, sizes, fold)
    trees = ExtraTreesClassifier(
        n_estimators=TREES, max_depth=DEPTH, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_ROWS, bootstrap=True,
        min_weight_fraction_leaf=float(np.clip(LEAST_WEIGHT / max(weight.sum(), 1e-12), 0.0, 0.5)),
        max_features=min(learned.bins.shape[1], max(LEAST_TRIED, int(learned.bins.shape[1] ** 0.5))), random_state=seed,
    ).fit(learned.bins, y.astype(int), sample_weight=weight)  # fmt: skip
    rate = float((weight @ y + 0.5) / (weight.sum() + 1))
    return Forest([_predictor(tree.tree_, learned, rate) for tree in trees.estimators_], learned.encodings)


def _predictor(tree: Any, learned: Binned, rate: float) -> TreePredictor:
    """A tree with thresholds between values and shrunk shares in its leaves."""
    leaf = tree.children_left < 0
    nodes = np.zeros(tree.node_count, dtype=PREDICTOR_RECORD_DTYPE)
    mass, won = tree.weighted_n_node_samples, tree.value[:, 0, -1]
    nodes["value"] = (mass * won + WORTH * rate) / (mass + WORTH)
    nodes["count"], nodes["is_leaf"] = tree.n_node_samples, leaf
    nodes["feature_idx"] = np.where(leaf, 0, tree.feature)
    nodes["left"], nodes["right"] = np.where(leaf, 0, tree.children_left), np.where(leaf, 0, tree.children_right)
    nodes["missing_go_to_left"] = tree.missing_go_to_left
    nodes["num_threshold"][~leaf] = learned.thresholds(tree.feature[~leaf], tree.threshold[~leaf])
    none = np.zeros((0, 8), dtype=np.uint32)
    return TreePredictor(nodes, none, none)
