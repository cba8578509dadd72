"""From a pipeline snapshot to what a model looks at: all of it known on the day of the snapshot.

:func:`deal_features` gives one plain table for any classifier that takes numbers with gaps and categories
(:class:`~spm_models.win_probability.WinClassifier`); :data:`GROUPS` says which columns are one reason to a seller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.past_rates import PACE, PastRates

Floats = npt.NDArray[np.float64]

#: Reasons a seller understands, and the columns of :func:`deal_features` that tell each.
REASON_COLUMNS: dict[str, tuple[str, ...]] = {
    "stage": ("stage", "stage_order", "stage_regressions"),
    "age": ("age_days", "age_days_ratio"),
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


def _custom(rows: pd.DataFrame) -> list[str]:
    """Names of the company's own columns."""
    return sorted(name for name in map(str, rows.columns) if name.startswith("field_"))
