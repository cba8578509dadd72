"""From a pipeline snapshot to numbers: every column comes from the snapshot and from deals closed before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.past_rates import PastRates

Floats = npt.NDArray[np.float64]

#: Skewed quantities are taken as asinh, which is a logarithm that allows zero and negative values.
NUMBERS = (
    "stage_order", "amount", "list_price", "age_days", "days_in_stage", "days_to_expected_close", "push_count",
    "slip_days", "amount_changes", "amount_ratio", "stage_regressions", "owner_changes", "activities",
    "activities_30d", "meetings", "days_since_activity", "overdue_activities", "contacts", "rep_tenure_days",
)  # fmt: skip
CATEGORIES = (
    "stage", "segment", "industry", "family", "source", "kind", "competitor", "forecast_category", "region", "team",
)  # fmt: skip
#: Columns that say the same thing are one reason.
GROUPS = {"stage_order": "stage", "activities_30d": "activities", "list_price": "product_id", "family": "product_id"}
LEAST_DEALS = 15.0  # a category with fewer deals joins the others
MISSING, OTHER = "(empty)", "(other)"


@dataclass
class Features:
    """Learned scales, knots and categories; turns snapshots into a matrix with named, grouped columns.

    Numbers become linear splines with knots at their terciles, empty values the mean and a column that says so;
    categories one column each; keys with many values (rep, account, product) their past rate. Columns without
    variation are dropped, and so are wholly empty ones: nothing is learned about them, so nothing is said.
    """

    rates: PastRates = field(default_factory=PastRates)
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    centre: list[float] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)

    def fit_transform(self, rows: pd.DataFrame, closed: pd.DataFrame) -> Floats:
        """Learn from labelled snapshots (with ``weight``) and closed deals, and return their matrix.

        Past rates of each row come from deals closed by its ``as_of``.
        """
        weight = rows["weight"].to_numpy()
        self.rates.fit(closed)
        rates = self.rates.then(rows, closed)
        for name, values in _numbers(rows, rates).items():
            self._learn_number(name, values, weight)
        for name, text in _categories(rows).items():
            self._learn_category(name, text, weight)
        raw = self._columns(rows, rates)
        matrix = np.column_stack(list(raw.values())) if raw else np.empty((len(rows), 0))
        centre = weight @ matrix / weight.sum()
        scale = np.sqrt(np.maximum(weight @ (matrix - centre) ** 2 / weight.sum(), 0))
        kept = scale > 1e-6
        self.names = [name for name, keep in zip(raw, kept, strict=True) if keep]
        self.centre, self.scale = centre[kept].tolist(), scale[kept].tolist()
        return np.asarray((matrix[:, kept] - centre[kept]) / scale[kept])

    def transform(self, rows: pd.DataFrame) -> Floats:
        """Matrix of snapshots, shape (rows, columns); columns have mean 0 and spread 1 where they were learned."""
        raw = self._columns(rows, self.rates.now(rows))
        if not self.names:
            return np.empty((len(rows), 0))
        matrix = np.column_stack([raw[name] for name in self.names])
        return np.asarray((matrix - np.asarray(self.centre)) / np.asarray(self.scale))

    @property
    def groups(self) -> list[str]:
        """The reason that each column belongs to."""
        sources = [name.split("|")[0] for name in self.names]
        return [GROUPS.get(source, source).removesuffix("_past") for source in sources]

    def _learn_number(self, name: str, values: Floats, weight: Floats) -> None:
        known = np.isfinite(values)
        if not known.any():
            return
        seen = values[known]
        low, high = np.quantile(seen, [0.005, 0.995])
        knots = np.unique(np.quantile(seen, [1 / 3, 2 / 3])) if len(np.unique(seen)) >= 6 else np.empty(0)
        knots = knots[(knots > low) & (knots < high)]
        mean = float(np.average(np.clip(seen, low, high), weights=weight[known]))
        self.numbers[name] = {"low": float(low), "high": float(high), "mean": mean, "knots": knots.tolist()}

    def _learn_category(self, name: str, text: pd.Series, weight: Floats) -> None:
        if (text == MISSING).all():
            return
        size = pd.Series(weight).groupby(text.to_numpy()).sum()
        self.categories[name] = sorted(str(level) for level in size.index[size >= LEAST_DEALS])

    def _columns(self, rows: pd.DataFrame, rates: pd.DataFrame) -> dict[str, Floats]:
        """All columns before standardising, by name ``<source>|<part>``."""
        columns: dict[str, Floats] = {}
        values = _numbers(rows, rates)
        for name, facts in self.numbers.items():
            empty = ~np.isfinite(values[name])
            filled = np.where(empty, facts["mean"], np.clip(values[name], facts["low"], facts["high"]))
            columns[f"{name}|"] = filled
            for place, knot in enumerate(facts["knots"]):
                columns[f"{name}|from {place}"] = np.maximum(filled - knot, 0.0)
            columns[f"{name}|empty"] = empty.astype(np.float64)
        texts = _categories(rows)
        for name, levels in self.categories.items():
            text = texts[name].where(texts[name].isin(levels), OTHER)
            for level in [*levels, OTHER]:
                columns[f"{name}|{level}"] = (text == level).to_numpy().astype(np.float64)
        return columns


def _numbers(rows: pd.DataFrame, rates: pd.DataFrame) -> dict[str, Floats]:
    found = {name: np.arcsinh(rows[name].to_numpy(dtype=float)) for name in NUMBERS if name in rows}
    for name in _custom(rows):
        column = rows[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            found[name] = np.arcsinh((column - rows["as_of"]).dt.days.to_numpy(dtype=float))
        elif pd.api.types.is_float_dtype(column):
            found[name] = np.arcsinh(column.to_numpy(dtype=float))
    return found | {str(name): rates[name].to_numpy(dtype=float) for name in rates}


def _categories(rows: pd.DataFrame) -> dict[str, pd.Series]:
    custom = [
        name for name in _custom(rows)
        if not pd.api.types.is_float_dtype(rows[name]) and not pd.api.types.is_datetime64_any_dtype(rows[name])
    ]  # fmt: skip
    names = [*(name for name in CATEGORIES if name in rows), *custom]
    return {name: rows[name].astype("str").where(rows[name].notna(), MISSING) for name in names}


def _custom(rows: pd.DataFrame) -> list[str]:
    """Names of the company's own columns."""
    return sorted(name for name in map(str, rows.columns) if name.startswith("field_"))
