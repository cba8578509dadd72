"""What a typical colleague would have done in the same context: effects of region, segment, season and tenure.

Reps and contexts are estimated together, each as random effects whose variance the data decide, so that a strong rep
does not make his territory look rich, nor a rich territory its rep strong, further than the data can tell them apart.
The effects have heavy tails (Student's t): a very poor territory is not drawn towards the usual ones at its reps' cost.

References
----------
Breslow and Clayton (1993), Approximate inference in generalized linear mixed models, JASA 88 (penalised
quasi-likelihood); Lange, Little and Taylor (1989), Robust statistical modeling using the t distribution, JASA 84;
Breslow and Day (1987), Statistical Methods in Cancer Research II (indirect standardisation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse, special

Family = Literal["binomial", "poisson", "normal"]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_ROUNDS = 40
_LEAST_VARIANCE = 1e-6
_FREEDOM = 4.0  # of Student's t for the levels of a factor: a territory, or a rep, may be far from all others


@dataclass
class ContextEffects:
    """Effects of context on a rate, a count per exposure or a mean.

    Parameters
    ----------
    family : {"binomial", "poisson", "normal"}
        Successes of trials (logit), counts per exposure (log), means of values (identity).
    columns : sequence of str
        Context columns. One whose values nearly name the reps (on average fewer than 1.5 reps a value) is left out,
        because rep and context cannot be told apart there; see ``inseparable_``.

    Attributes
    ----------
    effects_ : dict of str to Series
        Effect of each value of each column on the link's scale.
    dispersion_ : float
        Poisson: variance over mean of a rep's counts. Normal: variance of one value. Binomial: 1.
    inseparable_ : tuple of str
        Columns that were left out.
    doubt_ : Series
        By rep, on the link's scale: standard deviation that what is expected of him adds to what is known about him,
        because effects of context are estimates too (few reps in his territory: much).

    Examples
    --------
    >>> rows = pd.DataFrame({"rep_id": list("abcd"), "region": ["n", "n", "s", "s"]})
    >>> model = ContextEffects("binomial", ["region"]).fit(rows, [30, 28, 10, 12], [100] * 4)
    >>> (model.expected(rows) * 100).round(0).tolist()
    [29.0, 29.0, 11.0, 11.0]
    """

    family: Family
    columns: Sequence[str]
    effects_: dict[str, pd.Series] = field(default_factory=dict, init=False)
    dispersion_: float = field(default=1.0, init=False)
    inseparable_: tuple[str, ...] = field(default=(), init=False)
    intercept_: float = field(default=0.0, init=False)
    doubt_: pd.Series = field(default_factory=lambda: pd.Series(dtype=float), init=False)

    def fit(self, rows: pd.DataFrame, y: ArrayLike, size: ArrayLike, within: float = 0.0) -> ContextEffects:
        """Learn the effects.

        Parameters
        ----------
        rows : DataFrame
            ``rep_id`` and the context columns.
        y, size : array-like
            Successes and trials, counts and exposure, or means and numbers of values.
        within : float
            Normal only: sum of squares of the values around the means of their rows.
        """
        values, weight = np.asarray(y, dtype=float), np.asarray(size, dtype=float)
        reps = rows["rep_id"].nunique()
        names = [c for c in self.columns if rows[c].nunique() > 1]
        self.inseparable_ = tuple(c for c in names if _names_the_reps(rows, c, reps))
        names = [c for c in names if c not in self.inseparable_]
        coded = {name: pd.factorize(rows[name], sort=True) for name in [*names, "rep_id"]}
        design, blocks = _design([codes for codes, _ in coded.values()], [len(levels) for _, levels in coded.values()])
        coefficients, doubt = self._iterate(design, blocks, values, weight, within)
        self.doubt_ = pd.Series(doubt, index=coded["rep_id"][1])
        self.intercept_ = float(coefficients[0])
        self.effects_ = {
            name: pd.Series(coefficients[block], index=coded[name][1])
            for name, block in zip(coded, blocks, strict=True) if name != "rep_id"
        }  # fmt: skip
        self._balance(rows, values, weight)
        return self

    def expected(self, rows: pd.DataFrame) -> Floats:
        """Rate, count per exposure or mean that a typical rep has in each row; unseen contexts have no effect."""
        return self._inverse(self._link(rows))

    def _link(self, rows: pd.DataFrame) -> Floats:
        link = np.full(len(rows), self.intercept_)
        for name, effects in self.effects_.items():
            link += rows[name].map(effects).fillna(0.0).to_numpy(dtype=float)
        return link

    def _inverse(self, link: Floats) -> Floats:
        if self.family == "binomial":
            return np.asarray(np.clip(special.expit(link), 1e-4, 1 - 1e-4))
        return np.exp(np.clip(link, -30, 30)) if self.family == "poisson" else link

    def _iterate(
        self, design: sparse.csr_matrix, blocks: list[slice], y: Floats, size: Floats, within: float
    ) -> tuple[Floats, Floats]:
        coefficients = np.zeros(design.shape[1])
        total = max(size.sum(), 1.0)
        mean = float(y @ size / total) if self.family == "normal" else float((y.sum() + 0.5) / (total + 1))
        coefficients[0] = {"binomial": special.logit, "poisson": np.log, "normal": float}[self.family](mean)
        variances = np.full(len(blocks), 0.05)
        tails = np.ones(design.shape[1])  # of Student's t, as a mixture of normals: outliers count less
        if self.family == "normal":
            self.dispersion_ = max(1e-6, (within + float(size @ (y - mean) ** 2)) / total)
        for _ in range(_ROUNDS):
            link = design @ coefficients
            weight, response = self._working(link, y, size)
            penalty = np.zeros(design.shape[1])
            for block, variance in zip(blocks, variances, strict=True):
                penalty[block] = tails[block] / variance
            crossed = (design.T @ design.multiply(weight[:, None])).toarray()
            inverse = np.linalg.inv(crossed + np.diag(penalty + 1e-9))
            previous, coefficients = coefficients, inverse @ (design.T @ (weight * response))
            for place, block in enumerate(blocks):
                square = coefficients[block] ** 2 + np.diag(inverse)[block]
                variances[place] = max(float(np.mean(tails[block] * square)), _LEAST_VARIANCE)
                tails[block] = (_FREEDOM + 1) / (_FREEDOM + square / variances[place])
            self._disperse(design @ coefficients, y, size, within, float(np.sum(inverse * crossed)))
            if np.abs(coefficients - previous).max() < 1e-6:
                break
        own = blocks[-1]  # the reps: known so well with everything estimated, and if the context were known
        known = 1 / (np.diag(crossed)[own] + penalty[own])
        return coefficients, np.sqrt(np.maximum(np.diag(inverse)[own] - known, 0.0))

    def _working(self, link: Floats, y: Floats, size: Floats) -> tuple[Floats, Floats]:
        if self.family == "normal":
            return size / self.dispersion_, y
        mean = self._inverse(link)
        unit = mean * (1 - mean) if self.family == "binomial" else mean
        return np.maximum(size * unit, 1e-9) / self.dispersion_, link + (y - size * mean) / np.maximum(
            size * unit, 1e-9
        )

    def _disperse(self, link: Floats, y: Floats, size: Floats, within: float, used: float) -> None:
        """Update the dispersion; ``used`` is the effective number of coefficients."""
        if self.family == "normal":
            rest = max(size.sum() - used, 1.0)
            self.dispersion_ = max(1e-6, (within + float(size @ (y - link) ** 2)) / rest)
        elif self.family == "poisson" and y.size - used > 3:
            mean = np.maximum(size * self._inverse(link), 1e-9)
            self.dispersion_ = max(1.0, float(((y - mean) ** 2 / mean).sum() / (y.size - used)))

    def _balance(self, rows: pd.DataFrame, y: Floats, size: Floats) -> None:
        """Shift the intercept so that all reps together did exactly what is expected."""
        if self.family == "normal" or not y.sum():
            return
        link, moved = self._link(rows), 0.0
        for _ in range(30):
            expected = self._inverse(link + moved)
            slope = expected * (1 - expected) if self.family == "binomial" else expected
            step = float((y.sum() - size @ expected) / max(size @ slope, 1e-9))
            moved += float(np.clip(step, -1, 1))
            if abs(step) < 1e-10:
                break
        self.intercept_ += moved


def _names_the_reps(rows: pd.DataFrame, column: str, reps: int) -> bool:
    pairs = rows[["rep_id", column]].drop_duplicates()
    constant = pairs["rep_id"].is_unique  # the value of a rep never changes
    return bool(constant and reps < 1.5 * pairs[column].nunique())


def _design(codes: list[np.ndarray], sizes: list[int]) -> tuple[sparse.csr_matrix, list[slice]]:
    """Sparse matrix of an intercept and one indicator a level, and the columns of each factor."""
    rows = len(codes[0])
    starts = 1 + np.concatenate([[0], np.cumsum(sizes)])
    columns = np.column_stack([np.zeros(rows, dtype=int), *(c + s for c, s in zip(codes, starts, strict=False))])
    pointer = np.arange(0, columns.size + 1, columns.shape[1])
    matrix = sparse.csr_matrix((np.ones(columns.size), columns.ravel(), pointer), shape=(rows, int(starts[-1])))
    return matrix, [slice(int(a), int(b)) for a, b in pairwise(starts)]
