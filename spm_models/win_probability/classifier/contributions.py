"""What each column adds to a row's log-odds: exact for functions of single columns and for trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contributions:
    """Log-odds taken apart.

    Parameters
    ----------
    start : float
        Log-odds of the average row learned from.
    values : DataFrame
        One row a row, one column a group of columns. ``start`` plus a row's sum is its log-odds.
    """

    start: float
    values: pd.DataFrame


def tree_contributions(trees: Any, features: Floats, group: Rows, groups: int) -> tuple[float, Floats]:
    """Shapley values of groups of columns in boosted trees.

    Parameters
    ----------
    trees : HistGradientBoostingClassifier
        Of two classes, fitted.
    features : ndarray, shape (n, columns)
    group : ndarray of int, shape (columns,)
        Group of each column.
    groups : int
        How many there are.

    Returns
    -------
    start : float
        Mean of the trees over the rows learned from.
    values : ndarray, shape (n, groups)

    Notes
    -----
    Path-dependent TreeSHAP (S. Lundberg et al., Nature Machine Intelligence 2, 2020) with groups as players. A leaf
    with value v is the game v × product of (1 or 0 for known groups: does the row take this path) × (share of the
    rows learned from, for unknown groups); its Shapley values are summed over the few groups on its path directly.
    """
    start, values = float(np.ravel(trees._baseline_prediction)[0]), np.zeros((len(features), groups))
    for leaf, players, takes, shares in _leaves(trees, features, group):
        start += leaf * float(np.prod(shares))
        many = len(players)
        for one in range(many):
            others = [k for k in range(many) if k != one]
            total = np.zeros(len(features))
            for size in range(many):
                factor = factorial(size) * factorial(many - size - 1) / factorial(many)
                for known in combinations(others, size):
                    unknown = np.prod([shares[k] for k in others if k not in known])
                    path = np.logical_and.reduce([takes[k] for k in known]) if known else True
                    total += factor * unknown * path
            values[:, players[one]] += leaf * total * (takes[one] - shares[one])
    return start, values


def _leaves(trees: Any, features: Floats, group: Rows) -> Iterator[tuple[float, list[int], list[Any], list[float]]]:
    """Each leaf: its value, the groups on its path, which rows they let through, and which share they let through."""
    for stage in trees._predictors:
        nodes = stage[0].nodes
        waiting: list[tuple[int, dict[int, tuple[Any, float]]]] = [(0, {})]
        while waiting:
            place, path = waiting.pop()
            node = nodes[place]
            if node["is_leaf"]:
                if path:
                    yield (
                        float(node["value"]), list(path), [path[p][0] for p in path], [path[p][1] for p in path]
                    )  # fmt: skip
                else:
                    yield float(node["value"]), [], [], []
                continue
            x = features[:, node["feature_idx"]]
            left = np.where(np.isnan(x), bool(node["missing_go_to_left"]), x <= node["num_threshold"])
            player = int(group[node["feature_idx"]])
            takes, share = path.get(player, (True, 1.0))
            for child, way in ((int(node["left"]), left), (int(node["right"]), ~left)):
                part = float(nodes[child]["count"]) / float(node["count"])
                waiting.append((child, path | {player: (takes & way, share * part)}))
