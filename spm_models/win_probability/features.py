"""From a pipeline snapshot to what a model looks at: all of it known on the day of the snapshot.

:func:`deal_features` gives one plain table for any classifier that takes numbers with gaps and categories
(:class:`~spm_models.win_probability.WinClassifier`); :data:`GROUPS` says which columns are one reason to a seller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.past_rates import PACE, PastRates

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
#: Columns of :class:`Features` that say the same thing.
_SAME = {"stage_order": "stage", "activities_30d": "activities", "list_price": "product_id", "family": "product_id"}
#: Reasons a seller understands, and the columns of :func:`deal_features` that tell each.
REASON_COLUMNS: dict[str, tuple[str, ...]] = {
    "stage": ("stage", "stage_order", "stage_regressions"),
    "age": ("age_days", "age_ratio"),
    "time_in_stage": ("days_in_stage", "days_in_stage_ratio"),
    "close_date": ("days_to_expected_close", "closes_this_quarter"),
    "pushes": ("push_count", "slip_days", "days_since_push"),
    "amount": ("amount", "amount_changes", "amount_cuts", "amount_ratio"),
    "price": ("list_price", "price_ratio", "discount"),
    "activity_recency": ("days_since_activity", "days_since_activity_ratio", "days_since_meeting"),
    "activity_volume": ("activities", "activities_14d", "activities_30d", "activity_trend", "activities_a_week"),
    "activity_mix": (
        "calls", "meetings", "meetings_30d", "emails", "demos", "proposals", "content_shared", "overdue_activities",
    ),
    "response": ("unanswered_touches", "answered_share", "days_since_answer", "objections", "next_steps"),
    "people": ("contacts", "contact_roles", "decision_makers", "contributors", "active_reps_30d"),
    "rep_history": ("rep_id_past", "manager_id_past", "rep_open_deals"),
    "account_history": (
        "account_id_past", "account_won", "account_lost", "account_open_deals", "days_since_account_won",
    ),
    "product": ("family", "product_id_past", "term_months"),
    "source": ("source",),
    "kind": ("kind",),
    "competitor": ("competitor",),
    "segment": ("segment", "industry"),
    "territory": ("region", "team", "territory_past"),
    "tenure": ("rep_tenure_days",),
    "season": ("quarter_day", "days_to_quarter_end"),
    "ownership": ("owner_changes",),
    "forecast_category": ("forecast_category",),
}  # fmt: skip
#: The reason that each column of :func:`deal_features` belongs to; a custom field is its own (:func:`groups_of`).
GROUPS: dict[str, str] = {column: reason for reason, columns in REASON_COLUMNS.items() for column in columns}
_PACE = tuple(f"{name}_ratio" for name in PACE)
_WORDS = (
    "stage",
    "family",
    "source",
    "kind",
    "competitor",
    "segment",
    "industry",
    "region",
    "team",
    "forecast_category",
)
FILLED, ALSO_FILLED = 0.98, 0.8  # shares of decided and of open deals: see `learnable`
#: Columns that are known only if another one is, whose own gaps may hide that.
_LOOKED_UP = {
    "account_won": (
        "account_id_past", "account_lost", "account_open_deals", "days_since_account_won", "segment", "industry",
    ),
    "product_id_past": ("family", "list_price", "price_ratio"),
}  # fmt: skip
LEAST_DEALS = 15.0  # a category with fewer deals joins the others
MISSING, OTHER = "(empty)", "(other)"


def deal_features(snapshots: pd.DataFrame, rates: PastRates | None = None) -> pd.DataFrame:
    """What a model looks at, one row a snapshot, every value known on its day.

    Parameters
    ----------
    snapshots : DataFrame, shape (rows, …)
        Rows of pipelines or of a learning set, in any order. Columns that are absent are empty here: a missing table
        removes features, never rows.
    rates : PastRates, optional
        Fitted to closed deals; adds how often a rep's, an account's … deals were won by the day of each row, and how
        old and how quiet the deal is beside what won deals showed at its stage.

    Returns
    -------
    DataFrame, shape (rows, features)
        Index and order of ``snapshots``. Numbers are ``float64`` with NaN where unknown (days, counts, the company's
        currency), words ``str``. Which columns there are depends on ``rates`` and on the custom fields alone.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-31")
    >>> rows = pd.DataFrame({"as_of": [day], "stage": ["Offer"], "amount": [90.0], "list_price": [100.0]})
    >>> deal_features(rows)[["stage", "price_ratio", "contacts"]].values.tolist()
    [['Offer', 0.9, nan]]
    """
    found: dict[str, Any] = {}
    past = rates.at(snapshots) if rates is not None else pd.DataFrame(index=snapshots.index)
    derived = _derived(snapshots)
    for name in GROUPS:
        if name in past:
            found[name] = past[name].to_numpy(dtype=float)
        elif name.endswith("_past") or name in _PACE:
            continue
        elif name in _WORDS:
            found[name] = _word(snapshots, name)
        else:
            found[name] = derived[name] if name in derived else _number(snapshots, name)
    return pd.DataFrame(found | _custom_fields(snapshots), index=snapshots.index)


def groups_of(columns: Iterable[str]) -> dict[str, str]:
    """The reason of each column: :data:`GROUPS`, and a reason of its own for each custom field.

    Examples
    --------
    >>> groups_of(["push_count", "slip_days", "field_grade"])
    {'push_count': 'pushes', 'slip_days': 'pushes', 'field_grade': 'field_grade'}
    """
    return {name: GROUPS.get(name, name) for name in columns}


def learnable(features: pd.DataFrame, undecided: pd.DataFrame | None = None) -> list[str]:
    """Columns that can be learned from and that do not give the decision away.

    Parameters
    ----------
    features : DataFrame, shape (rows, features)
        Of the learning set.
    undecided : DataFrame, optional
        Features of snapshots of deals that are still open.

    Returns
    -------
    list of str
        Columns with at least two different values, empty counted as one. A column that is empty on all earlier days
        (a field whose history nobody recorded) is not among them, however full it is today. Nor is one that all but 2 %
        of the decided deals have filled and 20 % of the open ones have not: there the filling itself gives the decision
        away, or at least decided deals tell nothing about deals without it.

    Examples
    --------
    >>> x = pd.DataFrame({"amount": [1.0, 2.0], "contacts": [None, None], "term_months": [12.0, 24.0]})
    >>> learnable(x), learnable(x, pd.DataFrame({"amount": [3.0], "term_months": [None]}))
    (['amount', 'term_months'], ['amount'])
    """
    kept = [str(name) for name in features if features[name].nunique(dropna=False) > 1]
    if undecided is None or undecided.empty:
        return kept
    telling = {
        str(name) for name in features
        if features[name].notna().mean() >= FILLED and undecided[name].notna().mean() < ALSO_FILLED
    }  # fmt: skip
    for name, columns in _LOOKED_UP.items():
        telling |= set(columns) if name in telling else set()
    return [name for name in kept if name not in telling]


def _derived(rows: pd.DataFrame) -> dict[str, Floats]:
    """Quantities that follow from two columns of the same row."""
    amount, price = _number(rows, "amount"), _number(rows, "list_price")
    recent, before = _number(rows, "activities_30d"), _number(rows, "activities_prior_30d")
    left, age = _number(rows, "days_to_quarter_end"), _number(rows, "age_days")
    close = _number(rows, "days_to_expected_close")
    due = np.where(np.isfinite(left) & np.isfinite(close), (close <= left).astype(float), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "price_ratio": np.where(price > 0, amount / price, np.nan),
            "activity_trend": np.log((recent + 1) / (before + 1)),
            "activities_a_week": _number(rows, "activities") / np.maximum(age / 7, 1),
            "answered_share": (_number(rows, "answered_touches") + 1) / (_number(rows, "activities") + 2),
            "closes_this_quarter": due,
        }


def _number(rows: pd.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy(dtype=float, na_value=np.nan) if name in rows else np.full(len(rows), np.nan)


def _word(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[name].astype("str") if name in rows else pd.Series(None, index=rows.index, dtype="str")


def _custom_fields(rows: pd.DataFrame) -> dict[str, Any]:
    """Custom fields as declared: a day is counted from the day of the snapshot, a flag is 0 or 1."""
    found: dict[str, Any] = {}
    for name in _custom(rows):
        column = rows[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            found[name] = (column - rows["as_of"]).dt.days.to_numpy(dtype=float)
        elif pd.api.types.is_numeric_dtype(column):  # flags are, too
            found[name] = column.to_numpy(dtype=float, na_value=np.nan)
        else:
            found[name] = column.astype("str")
    return found


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
        return [_SAME.get(source, source).removesuffix("_past") for source in sources]

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
