"""The learners that are blended: each learned on the same rows, additive ones as functions of single columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spm_models.win_probability.classifier.boosting import KINDS, Boosted, boost
from spm_models.win_probability.classifier.encoding import CURVE, GAP, LEVEL, LINE, Basis, Shapes
from spm_models.win_probability.classifier.folds import Fold, deal_out
from spm_models.win_probability.classifier.forest import FOREST, Forest, plant
from spm_models.win_probability.classifier.posterior import Posterior
from spm_models.win_probability.classifier.ridge import hierarchical_ridge
from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Clocks = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
LINEAR, SMOOTH = "ridge", "smooth ridge"
ADDITIVE = (LINEAR, SMOOTH)
MEMBERS = (*ADDITIVE, FOREST, *KINDS)  # from the simplest
LEAST_FOR_TREES = {FOREST: 5.0} | dict.fromkeys(KINDS, 60.0)  # rows of the rarer label
STARTS = {LINE: 0.05, CURVE: 0.005, GAP: 0.02, LEVEL: 0.02}  # prior variances to start from


@dataclass(frozen=True, eq=False)
class Rowset:
    """Labelled rows.

    Parameters
    ----------
    table : Table
    y, weight : ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
        One number a deal.
    sizes : list of int
        Codes of each category, missing included.
    stretch : ndarray of int, shape (n,), or None
        Stretch of time in which a row was seen; None without time.
    """

    table: Table
    y: Floats
    weight: Floats
    groups: Rows
    sizes: list[int]
    stretch: Rows | None = None

    def rows(self, rows: Rows) -> Rowset:
        """Some of them."""
        stretch = None if self.stretch is None else self.stretch[rows]
        return Rowset(self.table.rows(rows), self.y[rows], self.weight[rows], self.groups[rows], self.sizes, stretch)

    def muted(self, clocks: Clocks) -> Rowset:
        """The same without what some columns say."""
        return replace(self, table=self.table.muted(*clocks))

    @property
    def base(self) -> float:
        """Log-odds of the common rate, half a row of each kind added."""
        return float(np.log((self.weight @ self.y + 0.5) / (self.weight @ (1 - self.y) + 0.5)))

    @property
    def rarer(self) -> float:
        """Weight of the rarer label."""
        return float(min(self.weight @ self.y, self.weight @ (1 - self.y)))


@dataclass(frozen=True, eq=False)
class Linear:
    """The linear part of the basis, and what is known of its coefficients."""

    basis: Basis
    posterior: Posterior

    @property
    def shapes(self) -> Shapes:
        """As functions of single columns."""
        return self.basis.collapsed(float(self.posterior.mean[0]), self.posterior.mean[1:])


def linear(rows: Rowset) -> Linear:
    """Ridge logistic regression on lines and indicators, averaged over the strength of shrinking."""
    basis = Basis.learn(rows.table, rows.weight, rows.sizes, curves=False)
    block = None if rows.stretch is None else np.unique(rows.stretch, return_inverse=True)[1]
    return Linear(basis, Posterior.fit(basis.design(rows.table), rows.y, rows.weight, block=block))


def smooth(rows: Rowset) -> Shapes:
    """Ridge logistic regression on lines, curves and indicators, each column as strong as it deserves."""
    basis = Basis.learn(rows.table, rows.weight, rows.sizes)
    if not len(basis.shapes):
        return basis.collapsed(rows.base, np.zeros(0))
    kinds, group = np.unique(np.column_stack([basis.owner, basis.kind]), axis=0, return_inverse=True)
    start = np.array([STARTS[int(kind)] for kind in kinds[:, 1]])
    beta, _, _ = hierarchical_ridge(basis.design(rows.table), rows.y, rows.weight, group.ravel(), start)
    return basis.collapsed(float(beta[0]), beta[1:])


def forest(rows: Rowset, seed: int) -> Forest:
    """Randomised trees."""
    return plant(rows.table, rows.y, rows.weight, rows.sizes, deal_out(rows.y, rows.groups, seed), seed)


def trees(rows: Rowset, kind: str, rounds: int, seed: int) -> Boosted:
    """Boosting of one kind."""
    fold = deal_out(rows.y, rows.groups, seed)
    return boost(kind, rows.table, rows.y, rows.weight, rows.sizes, fold, rounds, seed)


def names(rows: Rowset, folds: list[Fold]) -> list[str]:
    """Members that there are enough rows for."""
    least = min((rows.rows(fold.learn).rarer for fold in folds), default=0.0)
    return [name for name in MEMBERS if least >= LEAST_FOR_TREES.get(name, 0.0)]


def out_of_fold(rows: Rowset, folds: list[Fold], names: list[str], seed: int, clocks: Clocks) -> dict[str, Floats]:
    """Log-odds beyond the common rate of each fold's judged rows by each member, NaN for rows never judged.

    Boosting has one column for each number of rounds: shape (n, numbers); the others (n,). ``base`` holds the
    common rate's log-odds.
    """
    n = len(rows.y)
    found: dict[str, Floats] = {
        name: np.full((n, len(KINDS[name][3])) if name in KINDS else n, np.nan) for name in names
    } | {"base": np.full(n, np.nan)}
    for fold in folds:
        learn, judge = rows.rows(fold.learn), rows.table.rows(fold.judge)
        found["base"][fold.judge] = learn.base
        quiet = learn.muted(clocks)
        for name in names:
            if name in KINDS:
                counts = KINDS[name][3]
                said = trees(quiet, name, counts[-1], seed).staged(judge, counts)
            elif name == FOREST:
                said = forest(quiet, seed).log_odds(judge)
            else:
                said = additive(learn if name == LINEAR else quiet, name).log_odds(judge)
            found[name][fold.judge] = said - learn.base
    return found


def additive(rows: Rowset, name: str) -> Shapes:
    """One of the additive members."""
    return linear(rows).shapes if name == LINEAR else smooth(rows)
