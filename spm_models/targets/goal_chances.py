"""The chance of goals about revenue, from what past quarters brought and the forecast's draws of those to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from spm_models.periods import Period

_EARLY_BY, _LATE_BY = 45, 31  # days before and after a quarter begins on which goals for it are set
Revenues = dict[Any, np.ndarray]  #: by (quarter, level, key)


def goal_chances(
    goals: pd.DataFrame, draws: pd.DataFrame | None, standing: pd.DataFrame, periods: Sequence[Period],
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Chance of goals about revenue, or its attainment, that are due when a forecast period ends: share of the draws.

    Parameters
    ----------
    goals : DataFrame
        Of :func:`spm_models.targets.okr.okr_progress`.
    draws : DataFrame or None
        Published ``forecast_draws``.
    standing : DataFrame
        ``period, level, key, tier, quota``.
    periods : sequence of Period
    history : DataFrame, optional
        Published ``revenue_history``: revenue of past quarters, for goals that began in one of them.

    Returns
    -------
    DataFrame
        ``goal_id, probability``. A revenue goal counts from the quarter at whose beginning it was set (six weeks
        before to a month after); past quarters count with what they brought, those to come with their draws. One set
        at another time has no row, unless it was set early in the quarter in which it is due.
    """
    empty = pd.DataFrame({"goal_id": pd.Series(dtype="str"), "probability": pd.Series(dtype="float64")})
    if draws is None or draws.empty:
        return empty
    wanted: list[Any] = list(_wanted(goals, standing, periods).itertuples())
    known = _known_revenue(draws, history)
    totals = {goal.goal_id: _total(known, _span(goal, periods), goal.level, goal.key) for goal in wanted}
    found = [
        (goal.goal_id, float(np.mean(np.round(total, 2) >= round(goal.wanted, 2))))
        for goal in wanted
        if (total := totals[goal.goal_id]) is not None
    ]
    return pd.DataFrame(found, columns=["goal_id", "probability"]) if found else empty


def _wanted(goals: pd.DataFrame, standing: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """Goals that the forecast can speak of, each with the revenue that it asks for."""
    ends = {pd.Timestamp(period.end): period.label for period in periods}
    mine = goals[goals["metric"].isin(["revenue", "quota_attainment"]) & goals["target"].notna()]
    mine = mine.assign(period=mine["due_on"].map(ends)).dropna(subset="period")
    standard = standing[standing["tier"] == "standard"]
    mine = mine.merge(standard[["period", "level", "key", "quota"]], on=["period", "level", "key"], how="left")
    wanted = np.where(mine["metric"] == "revenue", mine["target"], mine["target"] * mine["quota"])
    columns = ["goal_id", "metric", "set_on", "period", "level", "key", "wanted"]
    return mine.assign(wanted=wanted).dropna(subset="wanted")[columns]


def _span(goal: Any, periods: Sequence[Period]) -> list[str]:
    """Quarters of whose revenue a goal speaks, the one in which it is due last; empty where that cannot be told."""
    one = next(period for period in periods if period.label == goal.period)
    span = [one.label]
    if pd.isna(goal.set_on) or goal.metric == "quota_attainment":
        return span
    while (goal.set_on - pd.Timestamp(one.start)).days < -_EARLY_BY:
        one = one.previous()
        span.insert(0, one.label)
    return span if (goal.set_on - pd.Timestamp(one.start)).days <= _LATE_BY else []


def _known_revenue(draws: pd.DataFrame, history: pd.DataFrame | None) -> Revenues:
    """Revenue by quarter, level and key: one number where it is past, draws where it is forecast."""
    found: Revenues = {}
    if history is not None:
        keys = zip(history["period"], history["level"], history["key"], strict=True)
        found |= dict(zip(keys, history["revenue"].to_numpy(dtype=float)[:, None], strict=True))
    grouped = draws.groupby(["period", "level", "key"])["total"]
    return found | {key: rows.to_numpy(dtype=float) for key, rows in grouped}


def _total(known: Revenues, span: list[str], level: str, key: str) -> np.ndarray | None:
    """Draws of the revenue of some quarters together; None where one of them is not known."""
    parts = [known.get((label, level, key)) for label in span]
    if not parts or any(part is None for part in parts):
        return None
    return np.asarray(sum(part for part in parts if part is not None), dtype=float)
