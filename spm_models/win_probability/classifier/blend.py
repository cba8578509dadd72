"""The members learned on all rows and put together: log-odds, what each column adds, how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spm_models.win_probability.classifier.boosting import Boosted
from spm_models.win_probability.classifier.encoding import Basis, Shape, Shapes
from spm_models.win_probability.classifier.forest import Forest
from spm_models.win_probability.classifier.members import Linear
from spm_models.win_probability.classifier.posterior import Posterior
from spm_models.win_probability.classifier.roles import Table

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blend:
    """Log-odds = slope × (base + additive functions + weighted trees) + shift.

    Parameters
    ----------
    shapes : Shapes
        All additive members in one, weighted; its start is the common rate's log-odds and what they add to it.
    centre : ndarray, shape (columns,)
        Mean of each of its functions over the rows learned from.
    trees : list of (weight, Boosted or Forest)
    base : float
        Log-odds of the common rate, which trees are counted from.
    linear : Linear
        For intervals.
    slope, shift : float
        Level at the end of the rows learned from (1 and 0 without drift).
    variance : float
        Of that level.
    """

    shapes: Shapes
    centre: Floats
    trees: list[tuple[float, Boosted | Forest]]
    base: float
    linear: Linear
    slope: float = 1.0
    shift: float = 0.0
    variance: float = 0.0

    def log_odds(self, table: Table) -> Floats:
        """Log-odds of each row."""
        total = self.shapes.log_odds(table)
        for weight, member in self.trees:
            total += weight * (member.log_odds(table) - self.base)
        return np.asarray(self.slope * total + self.shift)

    def parts(self, table: Table, group: Rows, groups: int) -> tuple[float, Floats]:
        """Start, and what each group of columns adds, shape (n, groups)."""
        indicator = np.zeros((len(group), groups))
        indicator[np.arange(len(group)), group] = 1.0
        values = (self.shapes.parts(table) - self.centre) @ indicator
        start = self.shapes.start + float(self.centre.sum())
        for weight, member in self.trees:
            first, added = member.contributions(table, group, groups)
            start += weight * (first - self.base)
            values += weight * added
        return self.slope * start + self.shift, self.slope * values

    def spread(self, table: Table, log_odds: Floats) -> Floats:
        """Variance of the log-odds: of the linear part, of the level, and how far the blend is from the linear part."""
        D = self.linear.basis.design(table)
        apart = log_odds - self.shift - self.slope * self.linear.posterior.log_odds(D)
        return self.linear.posterior.variance(D) + np.square(apart) + self.variance

    def state(self) -> dict[str, Any]:
        """Plain values, arrays and estimators."""
        return {
            "shapes": _shapes_state(self.shapes), "centre": self.centre, "base": self.base,
            "boosted": [_trees_state(*one) for one in self.trees if isinstance(one[1], Boosted)],
            "forests": [_trees_state(*one) for one in self.trees if isinstance(one[1], Forest)],
            "basis": _basis_state(self.linear.basis), "mean": self.linear.posterior.mean,
            "covariance": self.linear.posterior.covariance,
            "slope": self.slope, "shift": self.shift, "variance": self.variance,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Blend:
        """The blend that :meth:`state` described."""
        trees: list[tuple[float, Boosted | Forest]] = []
        trees += [
            (float(one["weight"]), Forest(one["trees"], list(one["encodings"]))) for one in state.get("forests", [])
        ]
        trees += [(float(one["weight"]), Boosted(one["trees"], list(one["encodings"]))) for one in state["boosted"]]
        linear = Linear(_basis(state["basis"]), Posterior(state["mean"], state["covariance"]))
        return cls(_shapes(state["shapes"]), state["centre"], trees, float(state["base"]), linear,
                   float(state["slope"]), float(state["shift"]), float(state["variance"]))  # fmt: skip


def _trees_state(weight: float, member: Boosted | Forest) -> dict[str, Any]:
    return {"weight": weight, "trees": member.trees, "encodings": member.encodings}


def _shapes_state(shapes: Shapes) -> dict[str, Any]:
    return {"start": shapes.start, "numbers": shapes.numbers, "of": _list_state(shapes.of)}


def _shapes(state: dict[str, Any]) -> Shapes:
    return Shapes(float(state["start"]), _list(state["of"]), int(state["numbers"]))


def _list_state(shapes: list[Shape]) -> list[dict[str, Any]]:
    return [{"knots": one.knots, "values": one.values, "missing": float(one.missing)} for one in shapes]


def _list(state: list[dict[str, Any]]) -> list[Shape]:
    return [Shape(one["knots"], one["values"], float(one["missing"])) for one in state]


def _basis_state(basis: Basis) -> dict[str, Any]:
    return {
        "shapes": _list_state(basis.shapes), "owner": basis.owner, "kind": basis.kind, "numbers": basis.numbers,
        "columns": basis.columns, "sizes": list(basis.sizes),
    }  # fmt: skip


def _basis(state: dict[str, Any]) -> Basis:
    return Basis(_list(state["shapes"]), state["owner"], state["kind"], int(state["numbers"]), int(state["columns"]),
                 [int(size) for size in state["sizes"]])  # fmt: skip
