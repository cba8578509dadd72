"""The outlook of one unit and period, picked from published results within a scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.errors import NotEnoughDataError

PARTS = ("closed", "open", "slipped", "renewals", "not_yet_created")
TIERS = ("minimum", "standard", "maximum")
LEVELS = ("region", "team", "manager", "rep")
_LIKELIHOOD = ((0.9, "very_likely"), (0.65, "likely"), (0.35, "even"), (0.1, "unlikely"))

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Outlook:
    """One unit's outlook on one period.

    ``parts`` has one row a part and the total (index: part; columns: mean, p10, p50, p90); ``draws`` one row a
    draw (:data:`PARTS` and total); ``chances`` one row a quota tier, in order; ``units`` one row a
    unit in scope below this one; ``history`` one row a past quarter. Amounts in the company's currency.
    """

    as_of: pd.Timestamp
    period: str
    period_end: pd.Timestamp
    level: str
    key: str
    parts: pd.DataFrame
    draws: pd.DataFrame
    chances: pd.DataFrame
    history: pd.DataFrame
    units: pd.DataFrame

    @property
    def days_left(self) -> int:
        """Days from the snapshot to the end of the period."""
        return max(0, (self.period_end - self.as_of).days)

    def total(self, what: str) -> float:
        """``mean``, ``p10``, ``p50`` or ``p90`` of the whole."""
        return float(self.parts[what]["total"])

    @property
    def closed(self) -> float:
        """Revenue that is closed."""
        return float(self.parts["mean"]["closed"])

    def quota(self, tier: str) -> float:
        """Quota of a tier; NaN without one."""
        return float(self.chances["quota"].get(tier, np.nan))

    def probability(self, tier: str) -> float:
        """Probability to reach a tier; NaN without a quota."""
        return float(self.chances["probability"].get(tier, np.nan))


def outlook(tables: Tables, level: str, key: str, period: str = "") -> Outlook:
    """Pick one unit and period.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Published results within the viewer's scope.
    level, key : str
        Unit in the middle of the page. Where it has no forecast of its own (a manager of managers), the draws of
        all reps in scope are added up: they were drawn together, so their sum is the unit's forecast.
    period : str
        Label of the period; empty: the earliest one that was forecast.

    Raises
    ------
    NotEnoughDataError
        When nothing was forecast for anyone in scope, or not for that period.
    """
    forecast = tables["forecast"]
    periods = forecast.sort_values("period_start")["period"].unique().tolist()
    if not periods or (period and period not in periods):
        raise NotEnoughDataError("There is no forecast for this viewer and period", found=period or None)
    chosen = period or periods[0]
    rows = forecast[forecast["period"] == chosen]
    own = rows[(rows["level"] == level) & (rows["key"] == key)]
    draws = _draws(tables["forecast_draws"], chosen, level, key)
    chances = _of(tables["quota_chances"], chosen, level, key).set_index("tier").reindex(TIERS).dropna(how="all")
    parts = own.set_index("part")[["mean", "p10", "p50", "p90"]] if len(own) else _summarise(draws)
    first = rows.iloc[0]
    return Outlook(
        as_of=first["as_of"], period=chosen, period_end=first["period_end"], level=level, key=key,
        parts=parts.reindex([*PARTS, "total"]).fillna(0.0), draws=draws, chances=chances,
        history=_history(tables["revenue_history"], level, key, first["period_start"]),
        units=_units(tables, rows, level, key),
    )  # fmt: skip


def _of(frame: pd.DataFrame, period: str, level: str, key: str) -> pd.DataFrame:
    return frame[(frame["period"] == period) & (frame["level"] == level) & (frame["key"] == key)]


def _draws(frame: pd.DataFrame, period: str, level: str, key: str) -> pd.DataFrame:
    columns = [*PARTS, "total"]
    own = _of(frame, period, level, key)
    if len(own):
        return own.set_index("draw")[columns].sort_index()
    reps = frame[(frame["period"] == period) & (frame["level"] == "rep")]
    if reps.empty:
        raise NotEnoughDataError("There is no forecast for this viewer and period", found=period)
    return reps.groupby("draw")[columns].sum()


def _summarise(draws: pd.DataFrame) -> pd.DataFrame:
    quantiles = draws.quantile([0.1, 0.5, 0.9]).T.set_axis(["p10", "p50", "p90"], axis=1)
    return quantiles.assign(mean=draws.mean())


def _history(frame: pd.DataFrame, level: str, key: str, before: pd.Timestamp) -> pd.DataFrame:
    own = frame[(frame["level"] == level) & (frame["key"] == key)]
    if own.empty:
        reps = frame[frame["level"] == "rep"]
        by_period = reps.groupby(["period", "period_start", "period_end"], as_index=False)
        own = by_period[["revenue", "deals", "quota"]].sum(min_count=1)
    return own[own["period_start"] < before].sort_values("period_start", ignore_index=True)


def _units(tables: Tables, rows: pd.DataFrame, level: str, key: str) -> pd.DataFrame:
    """Units in scope other than the one in the middle, with closed amount, standard quota and its probability."""
    wide = rows[rows["level"].isin(LEVELS) & ~((rows["level"] == level) & (rows["key"] == key))]
    total = wide[wide["part"] == "total"].set_index(["level", "key"])[["mean", "p10", "p50", "p90"]]
    closed = wide[wide["part"] == "closed"].set_index(["level", "key"])["mean"].rename("closed")
    chances = tables["quota_chances"]
    period = rows["period"].iloc[0]
    standard = chances[(chances["period"] == period) & (chances["tier"] == "standard")]
    joined = total.join(closed).join(standard.set_index(["level", "key"])[["quota", "probability"]])
    named = joined.reset_index()
    named["label"] = [_label(tables["reps"], *pair) for pair in zip(named["level"], named["key"], strict=True)]
    return named.sort_values(["level", "mean"], ascending=[True, False], ignore_index=True)


def unit_label(reps: pd.DataFrame, level: str, key: str) -> str:
    """Name of a unit; a region's or team's key is its name."""
    return _label(reps, level, key)


def _label(reps: pd.DataFrame, level: str, key: str) -> str:
    id_column, name_column = {"rep": ("rep_id", "name"), "manager": ("manager_id", "manager_name")}.get(level, ("", ""))
    if not id_column:
        return key
    names = reps.loc[reps[id_column] == key, name_column].dropna()
    return str(names.iloc[0]) if len(names) else key


def likelihood(probability: float) -> str:
    """Word for a probability, the same on every page."""
    return next((word for floor, word in _LIKELIHOOD if probability >= floor), "very_unlikely")


def top_deals(tables: Tables, period_end: pd.Timestamp, n: int = 10) -> pd.DataFrame:
    """Open deals by expected value, those due by the end of the period first among equals.

    Expected value is amount × win probability; a deal without an amount has none and comes last.
    """
    deals = tables["deal_scores"].copy()
    deals["expected_value"] = deals["expected_amount"].fillna(deals["amount"] * deals["win_probability"])
    deals["due"] = deals["expected_close_on"] <= period_end
    order = ["expected_value", "due", "opportunity_id"]
    return deals.sort_values(order, ascending=[False, False, True], ignore_index=True).head(n)
