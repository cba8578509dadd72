"""Why this target: last year, the territory, the market, and what the plan adds. The parts add up to it to the cent."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar, Period

PARTS = ("last_year", "territory", "market", "plan")
_YEAR = 4  # quarters


def why_this_target(
    targets: pd.DataFrame, won: pd.DataFrame, holders: pd.Series, trends: pd.DataFrame, period: Period,
    calendar: FiscalCalendar, known_from: date | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The parts of each rep's standard target.

    Parameters
    ----------
    targets : DataFrame
        ``level, key, tier, quota`` of the period; reps' standard targets are told.
    won : DataFrame
        Won deals: ``rep_id, account_id, closed_on, amount``.
    holders : Series
        Rep who holds each account now, by ``account_id`` (:func:`account_holders`).
    trends : DataFrame
        Of :func:`spm_models.targets.market.unit_trends`; without one the market's part is empty and nothing is moved.
    period : Period
    calendar : FiscalCalendar
    known_from : date, optional
        First day of the records. Where they do not reach a year back, the whole target is ``plan``.

    Returns
    -------
    DataFrame
        Published as ``target_reasons``: ``period, rep_id, part, place, value, share`` (of the target) and ``basis``:
        for ``last_year`` the revenue a year ago, for ``market`` the trend, else empty. ``last_year``: what the rep won
        in the same quarter a year ago. ``territory``: what others won then with accounts that are his now, less what
        he won with accounts that are others' now. ``market``: both moved by the trend of his segments. ``plan``: the
        rest, what was decided. No part is told as a judgement.

    Examples
    --------
    >>> target = pd.DataFrame({"level": ["rep"], "key": ["a"], "tier": ["standard"], "quota": [150.0]})
    >>> won = pd.DataFrame({"rep_id": ["a", "b"], "account_id": ["x", "y"], "amount": [100.0, 20.0],
    ...                     "closed_on": pd.to_datetime(["2025-05-05", "2025-06-05"])})
    >>> holders = pd.Series({"x": "a", "y": "a"})
    >>> trends = pd.DataFrame({"level": ["rep"], "key": ["a"], "trend": [1.1]})
    >>> calendar = FiscalCalendar()
    >>> found = why_this_target(target, won, holders, trends, calendar.parse("2026-Q2"), calendar)
    >>> found.set_index("part")["value"].to_dict()
    {'last_year': 100.0, 'territory': 20.0, 'market': 12.0, 'plan': 18.0}
    """
    mine = targets[(targets["level"] == "rep") & (targets["tier"] == "standard") & (targets["quota"] > 0)]
    table = mine[["key", "quota"]].rename(columns={"key": "rep_id"}).reset_index(drop=True)
    table["quota"] = table["quota"].round(2)
    start, end = _year_ago(period, calendar)
    known = known_from is None or known_from <= start
    deals = won[won["closed_on"].between(pd.Timestamp(start), pd.Timestamp(end))]
    deals = deals.assign(holder=deals["account_id"].map(holders).fillna(deals["rep_id"]))
    own = deals.groupby("rep_id")["amount"].sum()
    held = deals.groupby("holder")["amount"].sum()
    trend = trends[trends["level"] == "rep"].set_index("key")["trend"]
    table["last_year"] = table["rep_id"].map(own).astype("float64").fillna(0.0).round(2) if known else np.nan
    table["territory"] = (table["rep_id"].map(held).astype("float64").fillna(0.0) - table["last_year"]).round(2)
    table["trend"] = table["rep_id"].map(trend).astype("float64")
    table["market"] = ((table["last_year"] + table["territory"]) * (table["trend"] - 1)).round(2)
    table["plan"] = (table["quota"] - table[list(PARTS[:3])].fillna(0.0).sum(axis=1)).round(2)
    basis = {"last_year": table["last_year"], "market": table["trend"]}
    rows = [
        pd.DataFrame({
            "period": period.label, "rep_id": table["rep_id"], "part": part, "place": place, "value": table[part],
            "share": table[part] / table["quota"], "basis": basis.get(part, np.nan),
        })
        for place, part in enumerate(PARTS)
    ]  # fmt: skip
    found = pd.concat(rows, ignore_index=True).dropna(subset="value")
    return found.sort_values(["rep_id", "place"], ignore_index=True)


def account_holders(deals: pd.DataFrame) -> pd.Series:
    """Who holds each account: the owner of its latest deal.

    Parameters
    ----------
    deals : DataFrame
        Deals known by the day: ``account_id, rep_id, created_on, opportunity_id``.

    Returns
    -------
    Series
        Rep id by account.
    """
    rows = deals.dropna(subset=["account_id", "rep_id"]).sort_values(["created_on", "opportunity_id"])
    return rows.drop_duplicates("account_id", keep="last").set_index("account_id")["rep_id"]


def _year_ago(period: Period, calendar: FiscalCalendar) -> tuple[date, date]:
    first, last = calendar.quarter(period.start), calendar.quarter(period.end)
    for _ in range(_YEAR):
        first, last = first.previous(), last.previous()
    return first.start, last.end
