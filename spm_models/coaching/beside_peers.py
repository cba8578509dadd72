"""Signals that are a comparison in themselves: focus on the right deals, the pace now beside before, results.

Each gives one estimate a rep with its standard error, and what colleagues have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.coaching.features import Evidence

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
RECENT_WEEKS = 13
_FEWEST = 3  # deals of each outcome, wins, weeks: with fewer nothing is said


@dataclass(frozen=True)
class Compared:
    """Estimates of one signal, one a rep.

    Parameters
    ----------
    rep_id : Series
    value, expected, error : ndarray
        Estimate, what colleagues have, and the estimate's standard error if he were as they are. Logarithms of ratios
        for ``trend`` and results.
    n : ndarray
        Deals or weeks behind it.
    """

    rep_id: pd.Series
    value: Floats
    expected: Floats
    error: Floats
    n: Floats


def focus(evidence: Evidence) -> Compared | None:
    """Chance that of a won and a lost deal of the rep the won one had more contacts a week.

    The area under the ROC curve, with the variance of Hanley and McNeil (1982), Radiology 143. That deals which go well
    are touched more is true of everybody; who is touched no more for going well is the question.
    """
    deals = evidence.deals[evidence.deals["activities"].notna() & evidence.deals["days"].ge(0)]
    if deals.empty or deals["activities"].sum() == 0:
        return None
    pace = deals["activities"] / deals["days"].clip(lower=7) * 7
    ranks = pace.groupby(deals["rep_id"]).rank()
    table = deals.assign(rank=ranks, one=1.0).groupby("rep_id", sort=True)
    won = deals.assign(rank=ranks)[deals["won"]].groupby("rep_id", sort=True)["rank"].agg(["sum", "size"])
    counts = table["one"].sum()
    w = won["size"].reindex(counts.index, fill_value=0).to_numpy(dtype=float)
    lost = counts.to_numpy() - w
    enough = (w >= _FEWEST) & (lost >= _FEWEST)
    if enough.sum() < _FEWEST:
        return None
    w, lost = w[enough], lost[enough]
    sums = won["sum"].reindex(counts.index).to_numpy()[enough]
    area = (sums - w * (w + 1) / 2) / (w * lost)
    common = float(np.average(area, weights=w * lost / (w + lost)))
    error = np.sqrt(_area_variance(np.full(len(w), common), w, lost))
    reps = pd.Series(counts.index[enough], dtype="str")
    return Compared(reps, area, np.full(len(w), common), error, w + lost)


def trend(evidence: Evidence) -> Compared | None:
    """Logarithm of the pace of work in the last weeks over the pace before, and what the company's did.

    Contacts per day worked; where none are recorded, new deals. Weeks of absence count as the days that were worked.
    """
    weeks = evidence.weeks
    if weeks.empty or weeks["week"].nunique() < 2 * RECENT_WEEKS:
        return None
    what = "activity" if weeks["activity"].notna().any() and weeks["activity"].sum() > 0 else "created"
    recent = weeks["week"] > weeks["week"].max() - pd.Timedelta(weeks=RECENT_WEEKS)
    now, before = (
        weeks[chosen].groupby("rep_id", sort=True)[[what, "days"]].sum().clip(lower=0) for chosen in (recent, ~recent)
    )
    both = now.add_suffix("_now").join(before.add_suffix("_before"), how="inner")
    least = 5.0 * _FEWEST
    both = both[(both["days_now"] >= least) & (both["days_before"] >= least) & (both[f"{what}_before"] > 0)]
    if len(both) < _FEWEST:
        return None
    count, earlier = both[f"{what}_now"].to_numpy(dtype=float), both[f"{what}_before"].to_numpy(dtype=float)
    days, past = both["days_now"].to_numpy(dtype=float), both["days_before"].to_numpy(dtype=float)
    change = np.log(count + 0.5) - np.log(earlier + 0.5) - np.log(days / past)
    common = float(np.log(count.sum() / days.sum()) - np.log(earlier.sum() / past.sum())) if count.sum() else 0.0
    clustered = _clustering(weeks, what)
    usual = np.maximum(earlier * days / past * np.exp(common), 0.5)
    error = np.sqrt(clustered * (1 / usual + 1 / earlier))
    return Compared(pd.Series(both.index, dtype="str"), change, np.full(len(both), common), error, days)


def attainment(evidence: Evidence) -> Compared | None:
    """Bookings over quota owed, beside everybody's; the error is that of a sum of won deals (compound Poisson)."""
    rows = evidence.results
    rows = rows[rows["quota"].gt(0)] if len(rows) else rows
    if len(rows) < _FEWEST or not rows["won_amount"].sum() > 0:
        return None
    value = (rows["won_amount"].fillna(0.0) / rows["quota"]).to_numpy(dtype=float)
    common = float(rows["won_amount"].sum() / rows["quota"].sum())
    amounts = evidence.deals.loc[evidence.deals["won"], "amount"].dropna()
    wins = common * rows["quota"].to_numpy(dtype=float) / max(float(amounts.mean()) if len(amounts) else 1.0, 1e-9)
    error = common * np.sqrt((1 + _squared_variation(amounts)) / np.maximum(wins, 0.5))
    return Compared(rows["rep_id"].reset_index(drop=True), value, np.full(len(rows), common), error, wins)


def coverage(evidence: Evidence) -> Compared | None:
    """Open pipeline due in the quarter to come over its quota, beside everybody's."""
    rows = evidence.results
    rows = rows[rows["quota_ahead"].gt(0) & rows["open_pipeline"].notna()] if len(rows) else rows
    if len(rows) < _FEWEST or not rows["open_pipeline"].sum() > 0:
        return None
    value = (rows["open_pipeline"] / rows["quota_ahead"]).to_numpy(dtype=float)
    common = float(rows["open_pipeline"].sum() / rows["quota_ahead"].sum())
    amounts = evidence.open_deals["amount"].dropna() if len(evidence.open_deals) else pd.Series(dtype=float)
    mean = float(amounts.mean()) if len(amounts) else float(rows["open_pipeline"].mean())
    number = common * rows["quota_ahead"].to_numpy(dtype=float) / max(mean, 1e-9)
    error = common * np.sqrt((1 + _squared_variation(amounts)) / np.maximum(number, 0.5))
    return Compared(rows["rep_id"].reset_index(drop=True), value, np.full(len(rows), common), error, number)


def _area_variance(area: Floats, won: Floats, lost: Floats) -> Floats:
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (won - 1) * (first - area**2) + (lost - 1) * (second - area**2)
    return np.maximum(spread / (won * lost), 1e-6)


def _clustering(weeks: pd.DataFrame, what: str) -> float:
    """Variance over mean of a rep's weekly counts about his own pace: contacts come in clusters."""
    there = weeks[weeks["days"] > 0]
    sums = there.groupby("rep_id")[[what, "days"]].transform("sum")
    mean = sums[what] / sums["days"] * there["days"]
    usable = mean > 0
    free = max(float(usable.sum()) - there["rep_id"].nunique(), 1.0)
    return max(1.0, float((((there[what] - mean) ** 2 / mean)[usable]).sum() / free))


def _squared_variation(amounts: pd.Series) -> float:
    mean = float(amounts.mean()) if len(amounts) else 0.0
    return float(amounts.var(ddof=0) / mean**2) if mean > 0 else 1.0
