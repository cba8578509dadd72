"""Deals worked in a period: open at its start or created in it, with what became of them, or is expected to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.periods import Period
from spm_models.revenue_forecast.bridge import Expectation
from spm_models.revenue_forecast.features import OPEN, WON
from spm_models.revenue_forecast.units import Units

#: ``leaf, group`` and, as numbers of deals, ``deals, decided, won``; ``revenue`` and the sum of its ``square``.
COLUMNS = ["leaf", "group", "deals", "decided", "won", "revenue", "square"]
ALL = "all"
_LEAST_WINS = 5  # of deals created as late in past periods: fewer tell nothing


def worked_deals(deals: pd.DataFrame, units: Units, period: Period, groups: pd.Series | None = None) -> pd.DataFrame:
    """Deals worked in a period, one row each.

    Parameters
    ----------
    deals : DataFrame
        Every deal with ``opportunity_id, rep_id, created_on, days, event, amount``
        (:func:`spm_models.revenue_forecast.features.creations`).
    units : Units
    period : Period
    groups : Series of str, optional
        Product family (or the like) by ``opportunity_id``; one group without it.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, ``opportunity_id``, and ``opened``: when the deal was created, as a share of the period that
        had passed by then; below 0 before it.
    """
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    closed_on = deals["created_on"] + pd.to_timedelta(deals["days"], unit="D")
    still = deals["event"] == OPEN
    mine = (deals["created_on"] <= end) & (still | (closed_on >= start))
    decided = ~still & (closed_on <= end)
    won = decided & (deals["event"] == WON)
    revenue = deals["amount"].fillna(0.0).where(won, 0.0)
    table = pd.DataFrame(
        {"opportunity_id": deals["opportunity_id"], "leaf": units.leaf(deals["rep_id"]),
         "group": _group(deals["opportunity_id"], groups), "deals": 1.0, "decided": decided.astype(float),
         "won": won.astype(float), "revenue": revenue, "square": revenue**2,
         "opened": (deals["created_on"] - start).dt.days / period.days}
    )  # fmt: skip
    return table[mine].reset_index(drop=True)


def usual_deals(deals: pd.DataFrame, units: Units, quarters: list[Period], groups: pd.Series | None) -> pd.DataFrame:
    """The same of several past quarters, stacked: a deal that was worked in two of them counts in both."""
    frames = [worked_deals(deals, units, quarter, groups) for quarter in quarters]
    if not frames:
        return pd.DataFrame({name: pd.Series(dtype="str" if name == "group" else "float64") for name in COLUMNS})
    return pd.concat(frames, ignore_index=True)


def expected_deals(
    worked: pd.DataFrame, expectation: Expectation, usual: pd.DataFrame, groups: pd.Series | None,
    lost: pd.Series | None = None, *, period: Period, quarters: int,
) -> pd.DataFrame:  # fmt: skip
    """Deals worked in a running period, as they are expected to have ended when it is over.

    Parameters
    ----------
    worked : DataFrame
        :func:`worked_deals` so far.
    expectation : Expectation
        Of the period.
    usual : DataFrame
        :func:`usual_deals`: as many deals will be created as were after the same point of past periods, and those that
        are won in time are as large, as often won and as mixed.
    groups : Series of str, optional
    lost : Series of float, optional
        Chance of each open deal, by ``opportunity_id``, to be lost in the period. Deals of which it tells nothing are
        decided in it as often as they are won in it when they are won at all.
    period : Period
    quarters : int
        How many past periods ``usual`` holds.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; numbers of deals may be fractions.
    """
    open_deals = expectation.deals
    chance = open_deals["chance"].to_numpy(dtype=float)
    ever = open_deals["win_probability"].to_numpy(dtype=float)
    decided = np.divide(chance, ever, out=np.zeros_like(chance), where=ever > 0)
    if lost is not None:
        told = open_deals["opportunity_id"].map(lost).to_numpy(dtype=float)
        decided = np.where(np.isnan(told), decided, chance + told)
    decided = np.clip(decided, chance, 1.0)
    still = pd.DataFrame(
        {"leaf": open_deals["leaf"], "group": _group(open_deals["opportunity_id"], groups), "deals": 1.0,
         "decided": decided, "won": chance, "revenue": expectation.expected / 100, "square": 0.0}
    )  # fmt: skip
    past = worked[(worked["decided"] > 0) & ~worked["opportunity_id"].isin(open_deals["opportunity_id"])]
    point = ((expectation.as_of - period.start).days + 1) / period.days
    later = usual[usual["opened"] >= point] if "opened" in usual else usual
    won = _won_later(expectation, later if later["won"].sum() >= _LEAST_WINS else usual)
    created = later[COLUMNS].assign(deals=later["deals"] / max(quarters, 1), decided=0.0, won=0.0, revenue=0.0)
    return pd.concat([past[COLUMNS], still, won, created], ignore_index=True)


def _won_later(expectation: Expectation, usual: pd.DataFrame) -> pd.DataFrame:
    """Wins of deals not yet created and renewals: revenue is that of the forecast; of usual size, win rate and mix."""
    coming = (expectation.not_yet_created + expectation.renewals) / 100
    sums = usual.groupby("group")[["decided", "won", "revenue"]].sum()
    sums = sums[sums["revenue"] > 0]
    leaf = np.flatnonzero(coming > 0)
    if sums.empty or not leaf.size:
        return pd.DataFrame({name: pd.Series(dtype="str" if name == "group" else "float64") for name in COLUMNS})
    share = (sums["revenue"] / sums["revenue"].sum()).to_numpy()
    revenue = np.outer(coming[leaf], share)
    won = revenue / (sums["revenue"] / sums["won"]).to_numpy()
    decided = won / (sums["won"] / sums["decided"]).to_numpy()
    return pd.DataFrame(
        {"leaf": np.repeat(leaf, len(sums)), "group": np.tile(sums.index.to_numpy(), len(leaf)), "deals": 0.0,
         "decided": decided.ravel(), "won": won.ravel(), "revenue": revenue.ravel(), "square": 0.0}
    )  # fmt: skip


def _group(deals: pd.Series, groups: pd.Series | None) -> pd.Series:
    if groups is None:
        return pd.Series(ALL, deals.index, dtype="str")
    known = groups[~groups.index.duplicated()]
    return deals.map(known).astype("str").fillna(ALL)
