"""What each column adds to a row's log-odds: exact for functions of single columns and for trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
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


def tree_contributions(
    trees: Sequence[npt.NDArray[Any]], features: Floats, group: Rows, groups: int
) -> tuple[float, Floats]:
    """Shapley values of groups of columns in a sum of trees.

    Parameters
    ----------
    trees : sequence of structured arrays
        Nodes as scikit-learn's histogram trees keep them, the root first.
    features : ndarray, shape (n, columns)
    group : ndarray of int, shape (columns,)
        Group of each column.
    groups : int
        How many there are.

    Returns
    -------
    start : float
        Mean of the sum over the rows learned from.
    values : ndarray, shape (n, groups)

    Notes
    -----
    Path-dependent TreeSHAP (S. Lundberg et al., Nature Machine Intelligence 2, 2020) with groups as players. A leaf
    with value v is the game v × product of (1 or 0 for known groups: does the row take this path) × (share of the
    rows learned from, for unknown groups). Its Shapley values are integrals of its multilinear extension's slopes
    (G. Owen, Management Science 18, 1972): polynomials of one variable, for which Gauss's quadrature is exact.
    """
    start, values = 0.0, np.zeros((len(features), groups))
    for leaf, players, takes, shares in _leaves(trees, features, group):
        start += leaf * float(np.prod(shares))
        if not players:
            continue
        pattern = np.zeros(len(features), dtype=np.int64)
        for place, path in enumerate(takes):
            pattern |= path.astype(np.int64) << place
        values[:, players] += (leaf * _game(np.array(shares)))[pattern]
    return start, values


def _game(shares: Floats) -> Floats:
    """Shapley values of a leaf of value 1, for each pattern of players whose columns lead there, shape (2^m, m)."""
    many = len(shares)
    takes = (np.arange(1 << many)[:, None] >> np.arange(many) & 1).astype(np.float64)
    at, mass = _quadrature((many + 1) // 2)
    each = shares + (takes - shares) * at[:, None, None]
    others = each.prod(axis=2, keepdims=True) / each
    return np.asarray((takes - shares) * np.tensordot(mass, others, axes=1))


@cache
def _quadrature(points: int) -> tuple[Floats, Floats]:
    """Places between 0 and 1 and their weights."""
    at, mass = np.polynomial.legendre.leggauss(points)
    return (at + 1) / 2, mass / 2


def _leaves(
    trees: Sequence[npt.NDArray[Any]], features: Floats, group: Rows
) -> Iterator[tuple[float, list[int], list[Any], list[float]]]:
    """Each leaf: its value, the groups on its path, which rows they let through, and which share they let through."""
    for nodes in trees:
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
