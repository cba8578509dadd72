"""Columns as basis functions: piecewise linear curves of numbers, indicators of categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
KNOTS, CURVES, MOST_CURVES = 16, 5, 160
MOST_INDICATORS, LEAST_ROWS = 160, 3.0
FROM, TO = 0.005, 0.995  # beyond these quantiles a number tells nothing more
HEAVY_TAIL = 4.0  # farther out in robust deviations: numbers by rank
WIDTH = 2.0  # of an indicator: a category may differ by more than a deviation of a number does
LINE, CURVE, GAP, LEVEL = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Shape:
    """A function of one column: of a number between knots (flat outside), of a category by its code.

    Parameters
    ----------
    knots : ndarray, shape (k,)
        Rising; empty for categories.
    values : ndarray, shape (k,) or (levels + 2,)
        At the knots; of categories for the codes -1, 0, 1 …
    missing : float
        Of a missing number.
    """

    knots: Floats
    values: Floats
    missing: float = 0.0

    def of_numbers(self, x: Floats) -> Floats:
        """Values for numbers with gaps."""
        if not len(self.knots):
            return np.where(np.isnan(x), self.missing, 0.0)
        return np.where(np.isnan(x), self.missing, np.interp(x, self.knots, self.values))

    def of_codes(self, codes: npt.NDArray[np.int32]) -> Floats:
        """Values for codes."""
        return np.asarray(self.values[codes.astype(np.int64) + 1])


@dataclass(frozen=True, eq=False)
class Shapes:
    """A sum of functions of single columns: numbers first, then categories.

    Parameters
    ----------
    start : float
    of : list of Shape
    numbers : int
        How many of them are of numbers.
    """

    start: float
    of: list[Shape]
    numbers: int

    def parts(self, table: Table) -> Floats:
        """What each column adds, shape (n, columns)."""
        found = np.empty((len(table), len(self.of)))
        for j, shape in enumerate(self.of):
            found[:, j] = self._part(shape, table, j)
        return found

    def log_odds(self, table: Table) -> Floats:
        """The sum, shape (n,)."""
        total = np.full(len(table), self.start)
        for j, shape in enumerate(self.of):
            if np.any(shape.values) or shape.missing:
                total += self._part(shape, table, j)
        return total

    def _part(self, shape: Shape, table: Table, j: int) -> Floats:
        if j < self.numbers:
            return shape.of_numbers(table.numbers[:, j])
        return shape.of_codes(table.codes[:, j - self.numbers])

    @classmethod
    def mixed(cls, shapes: list[Shapes], weights: list[float]) -> Shapes:
        """Weighted sum of several; exact, because the knots are joined."""
        first = shapes[0]
        joined = []
        for j in range(len(first.of)):
            each = [one.of[j] for one in shapes]
            missing = float(sum(w * shape.missing for w, shape in zip(weights, each, strict=True)))
            if j >= first.numbers:
                values = np.sum([w * shape.values for w, shape in zip(weights, each, strict=True)], axis=0)
                joined.append(Shape(np.zeros(0), values, missing))
                continue
            knots = np.unique(np.concatenate([shape.knots for shape in each]))
            parts = [
                w * (np.interp(knots, shape.knots, shape.values) if len(shape.knots) else np.zeros(len(knots)))
                for w, shape in zip(weights, each, strict=True)
            ]
            joined.append(Shape(knots, np.sum(parts, axis=0), missing))
        start = float(sum(w * one.start for w, one in zip(weights, shapes, strict=True)))
        return cls(start, joined, first.numbers)


@dataclass(frozen=True, eq=False)
class Basis:
    """Design columns of a linear model, each a :class:`Shape` of one column of the table.

    Parameters
    ----------
    shapes : list of Shape
    owner : ndarray of int, shape (columns,)
        Column of the table behind each design column: numbers, then categories.
    kind : ndarray of int, shape (columns,)
        ``LINE``, ``CURVE``, ``GAP`` (a number is missing) or ``LEVEL`` of a category.
    numbers, columns : int
        Of the table.
    sizes : list of int
        Codes of each category, missing and unknown included.
    """

    shapes: list[Shape]
    owner: Ints
    kind: Ints
    numbers: int
    columns: int
    sizes: list[int]

    @classmethod
    def learn(cls, table: Table, weight: Floats, sizes: list[int], *, curves: bool = True) -> Basis:
        """Knots at quantiles, indicators of the most frequent categories."""
        k = table.numbers.shape[1]
        many = min(CURVES, MOST_CURVES // max(k, 1)) if curves else 0
        found: list[tuple[Shape, int, int]] = []
        for j in range(k):
            found += [(shape, j, kind) for shape, kind in _of_number(table.numbers[:, j], weight, many)]
        share = MOST_INDICATORS // max(table.codes.shape[1], 1)
        for c in range(table.codes.shape[1]):
            found += [
                (shape, k + c, LEVEL) for shape in _of_category(table.codes[:, c], weight, sizes[c], max(share, 8))
            ]
        owner, kind = (np.array([one[place] for one in found], dtype=np.int64) for place in (1, 2))
        return cls([one[0] for one in found], owner, kind, k, k + table.codes.shape[1], sizes)

    def design(self, table: Table) -> Floats:
        """Design matrix, shape (n, design columns)."""
        D = np.empty((len(table), len(self.shapes)))
        for d, (shape, owner) in enumerate(zip(self.shapes, self.owner, strict=True)):
            if owner < self.numbers:
                D[:, d] = shape.of_numbers(table.numbers[:, owner])
            else:
                D[:, d] = shape.of_codes(table.codes[:, owner - self.numbers])
        return D

    def only(self, kept: npt.NDArray[np.bool_]) -> Basis:
        """Some of the design columns."""
        shapes = [shape for shape, keep in zip(self.shapes, kept, strict=True) if keep]
        return Basis(shapes, self.owner[kept], self.kind[kept], self.numbers, self.columns, self.sizes)

    def collapsed(self, start: float, coefficients: Floats) -> Shapes:
        """A linear model of the design columns as one function a column of the table."""
        found = []
        for j in range(self.columns):
            mine = np.flatnonzero(self.owner == j)
            if j >= self.numbers:
                size = self.sizes[j - self.numbers] + 1
                values = sum((coefficients[d] * self.shapes[d].values for d in mine), np.zeros(size))
                found.append(Shape(np.zeros(0), np.asarray(values)))
                continue
            knots = max((self.shapes[d].knots for d in mine), key=len, default=np.zeros(0))
            curve, missing = np.zeros(len(knots)), 0.0
            for d in mine:
                shape = self.shapes[d]
                missing += float(coefficients[d] * shape.missing)
                if len(shape.knots):
                    curve = curve + coefficients[d] * np.interp(knots, shape.knots, shape.values)
            found.append(Shape(knots, curve, missing))
        return Shapes(start, found, self.numbers)


def quantile_knots(x: Floats, most: int = KNOTS, low: float = FROM, high: float = TO) -> Floats:
    """Up to ``most`` different quantiles of the known numbers."""
    known = np.sort(x[~np.isnan(x)])
    if not len(known):
        return np.zeros(0)
    different = np.unique(known)
    if len(different) <= most:
        return different
    places = np.linspace(low, high, most) if len(known) >= 200 else np.linspace(0, 1, most)
    return np.unique(np.quantile(known, places, method="nearest"))


def _of_number(x: Floats, weight: Floats, many: int) -> list[tuple[Shape, int]]:
    """A line, smooth curves and an indicator of a missing number."""
    gap = np.isnan(x)
    found: list[tuple[Shape, int]] = []
    knots = quantile_knots(x)
    known, w = x[~gap], weight[~gap]
    if len(knots) > 1 and w.sum() > 0:
        line = _standard(np.interp(known, knots, _line(knots, known)), w)
        found.append((Shape(knots, (_line(knots, known) - line[0]) / line[1]), LINE))
        for curve in _curves(len(knots), many).T:
            at = np.interp(known, knots, curve)
            centre = float(np.average(at, weights=w))
            found.append((Shape(knots, curve - centre), CURVE))
    rows = weight[gap].sum()
    if min(gap.sum(), (~gap).sum()) and min(rows, weight.sum() - rows) >= LEAST_ROWS:
        found.append((Shape(np.zeros(0), np.zeros(0), WIDTH), GAP))
    return found


def _line(knots: Floats, known: Floats) -> Floats:
    """The number itself, or normal scores of its rank where tails are heavy."""
    quarters = np.quantile(known, [0.25, 0.5, 0.75])
    spread = max((quarters[2] - quarters[0]) / 1.349, 1e-12 * (1 + abs(quarters[1])))
    reach = max(knots[-1] - quarters[1], quarters[1] - knots[0]) / spread
    if len(knots) <= 3 or reach <= HEAVY_TAIL:
        return np.asarray((knots - knots[0]) / (knots[-1] - knots[0]))
    ordered = np.sort(known)
    middle = (np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")) / 2 / len(ordered)
    return np.asarray(special.ndtri(np.clip(middle, 0.5 / len(ordered), 1 - 0.5 / len(ordered))))


def _standard(values: Floats, weight: Floats) -> tuple[float, float]:
    centre = float(np.average(values, weights=weight))
    spread = float(np.sqrt(np.average(np.square(values - centre), weights=weight)))
    return centre, spread if spread > 1e-12 else 1.0


def _curves(knots: int, many: int) -> Floats:
    """Smoothest directions away from a line, shrinking as they bend more, shape (knots, many).

    Eigenvectors of the squared second differences (Demmler and Reinsch, Numerische Mathematik 24, 1975): independent
    normal coefficients of equal variance are then a smoothing spline's prior.
    """
    if many < 1 or knots < 3:
        return np.zeros((knots, 0))
    bend = np.diff(np.eye(knots), 2, axis=0)
    sizes, directions = np.linalg.eigh(bend.T @ bend)
    line = np.linspace(-1, 1, knots)[:, None]
    kept = directions[:, 2 : 2 + many - 1 if many > 1 else 3]
    scale = np.sqrt(sizes[2] / sizes[2 : 2 + kept.shape[1]])
    signs = np.sign(kept[0]) + (kept[0] == 0)
    return np.column_stack([line * 1.7, kept * signs * scale * np.sqrt(knots)]) if many > 1 else kept * np.sqrt(knots)


def _of_category(codes: npt.NDArray[np.int32], weight: Floats, size: int, most: int) -> list[Shape]:
    """Indicators of levels that enough rows have, centred."""
    seen = codes >= 0
    mass = np.bincount(codes[seen], weight[seen], size)
    kept = np.flatnonzero((mass >= LEAST_ROWS) & (mass <= weight.sum() - LEAST_ROWS / 2))
    kept = kept[np.argsort(-mass[kept], kind="stable")[:most]]
    found = []
    for code in np.sort(kept):
        values = np.zeros(size + 1)
        values[code + 1] = 1.0
        found.append(Shape(np.zeros(0), WIDTH * (values - mass[code] / weight.sum())))
    return found
