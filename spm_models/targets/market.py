"""How the market moves: won revenue of each segment this year beside the year before, at equal effort, shrunk."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.inference import normal_normal
from spm_models.periods import FiscalCalendar, Period

_LEAST_DEALS = 3  # in each of the two years, for a segment to have a trend of its own
QUARTERS = 4
_YEARLY = 0.2  # scale of what markets do in a year, as a logarithm, before anything is seen
OTHER = "other"


def market_trend(
    won: pd.DataFrame, as_of: date, calendar: FiscalCalendar, *, known_from: date | None = None,
    effort: tuple[float, float] = (1.0, 1.0),
) -> pd.DataFrame:  # fmt: skip
    """Revenue of the last four whole quarters over that of the four before, by segment, at equal effort.

    Parameters
    ----------
    won : DataFrame
        Won deals: ``segment`` (empty: ``other``), ``closed_on``, ``amount``.
    as_of : date
    calendar : FiscalCalendar
    known_from : date, optional
        First day of the records; nothing is said where they do not hold both years.
    effort : (float, float)
        Selling capacity in the year before and in the last, such as working days of all reps: a company that has
        hired is no growing market.

    Returns
    -------
    DataFrame
        ``segment, before, now, deals`` (of both years), ``trend`` (1: no change), ``low, high`` (80 %). Logarithms of
        ratios are drawn towards no change as far as chance could have made them
        (:func:`spm_models.inference.normal_normal`); their standard error is that of sums of so many amounts that
        spread as these. Empty where too few deals are known.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-02-01", "2025-06-01", "2025-08-01", "2026-02-01", "2026-03-01", "2026-06-01"])
    >>> won = pd.DataFrame({"segment": "small", "closed_on": days, "amount": [10.0, 10, 10, 20, 20, 20]})
    >>> market_trend(won, date(2026, 6, 30), FiscalCalendar()).empty  # August 2025 is this year: too few before
    True
    >>> more = won.assign(closed_on=pd.to_datetime(["2025-02-01"] * 3 + ["2026-02-01"] * 3))
    >>> market_trend(more, date(2026, 6, 30), FiscalCalendar())[["before", "now", "trend"]].values.tolist()
    [[30.0, 60.0, 1.03215]]
    """
    year = last_quarters(as_of, calendar, QUARTERS)
    earlier = last_quarters(year[0].previous().end, calendar, QUARTERS)
    columns = ["segment", "before", "now", "deals", "trend", "low", "high"]
    if (known_from is not None and known_from > earlier[0].start) or min(effort) <= 0:
        return pd.DataFrame(columns=columns)
    rows = won.assign(segment=won["segment"].astype("str").fillna(OTHER), year=-1)
    for place, quarters in enumerate((earlier, year)):
        inside = rows["closed_on"].between(pd.Timestamp(quarters[0].start), pd.Timestamp(quarters[-1].end))
        rows.loc[inside, "year"] = place
    rows = rows[(rows["year"] >= 0) & (rows["amount"] > 0)]
    sums = rows.pivot_table(index="segment", columns="year", values="amount", aggfunc=["sum", "size"])
    sums = sums.reindex(columns=pd.MultiIndex.from_product([["sum", "size"], [0, 1]])).fillna(0.0).astype("float64")
    counts = sums["size"].to_numpy()
    before, now = sums["sum"][0].to_numpy(), sums["sum"][1].to_numpy()
    known = (counts >= _LEAST_DEALS).all(axis=1)
    if not known.any():
        return pd.DataFrame(columns=columns)
    amounts = rows.groupby("segment")["amount"]
    spread = (amounts.std(ddof=0) / amounts.mean()).reindex(sums.index).fillna(0.0).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(known, np.log(now / before * effort[0] / effort[1]), 0.0)
        error = np.where(known, np.sqrt((1 + spread**2) * (1 / counts).sum(axis=1)), np.inf)
    pooled = normal_normal(value, error, np.zeros(len(value)), spread=_YEARLY)
    found = pd.DataFrame({
        "segment": sums.index, "before": before, "now": now,
        "deals": counts.sum(axis=1).astype("int64"), "trend": np.exp(pooled.mean), "low": np.exp(pooled.low),
        "high": np.exp(pooled.high),
    })  # fmt: skip
    return found.round({"trend": 6, "low": 6, "high": 6})[columns]


def unit_trends(won: pd.DataFrame, places: pd.DataFrame, trends: pd.DataFrame) -> pd.DataFrame:
    """Trend of each unit's market: of its segments, weighted by what it won in them; empty without any trend.

    Parameters
    ----------
    won : DataFrame
        Won deals of the last years: ``rep_id, segment, amount``.
    places : DataFrame
        ``rep_id, level, key``: which units each rep belongs to.
    trends : DataFrame
        Of :func:`market_trend`.

    Returns
    -------
    DataFrame
        ``level, key, trend``. Units that won nothing have the company's.
    """
    if trends.empty:
        return pd.DataFrame({"level": [], "key": [], "trend": []}).astype({"level": "str", "key": "str"})
    company = float(np.average(trends["trend"], weights=trends["before"].clip(lower=1e-9)))
    rate = trends.set_index("segment")["trend"]
    rows = won.assign(trend=won["segment"].astype("str").fillna(OTHER).map(rate).fillna(company))
    rows = rows.assign(moved=rows["trend"] * rows["amount"])[["rep_id", "amount", "moved"]]
    sums = places.merge(rows, on="rep_id", how="left").groupby(["level", "key"])[["amount", "moved"]].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        trend = (sums["moved"] / sums["amount"]).where(sums["amount"] > 0, company)
    return trend.rename("trend").round(6).reset_index()


def last_quarters(as_of: date, calendar: FiscalCalendar, count: int) -> list[Period]:
    """The last whole quarters by a day, oldest first.

    Examples
    --------
    >>> [str(quarter) for quarter in last_quarters(date(2026, 6, 29), FiscalCalendar(), 2)]
    ['2025-Q4', '2026-Q1']
    """
    running = calendar.quarter(as_of)
    found = [running if running.end <= as_of else running.previous()]
    while len(found) < count:
        found.append(found[-1].previous())
    return found[::-1]
