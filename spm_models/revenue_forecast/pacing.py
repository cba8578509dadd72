"""Revenue of the quarter so far by week, beside past quarters at the same point, and the pace that quotas need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.quotas import quotas_of
from spm_models.revenue_forecast.units import LEVELS, Units

Cents = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_PAST = 8  # quarters; older ones are another company
_LEAST = 3  # quarters with revenue, fewer make no range


@dataclass(frozen=True, eq=False)
class Pacing:
    """Pace of a quarter, for every unit.

    ``table``: one row a level, key, quarter and week: ``revenue`` won from its first day to the end of the week,
    ``share`` of the quarter's revenue (empty for the quarter itself), ``kind`` (``this`` or ``past``). A quarter has
    13 weeks (one of a year of 53 weeks may have 14); its last is a day or two longer or shorter.
    ``position``: one row a unit: ``revenue`` so far, ``usual_share`` closed by this point of past quarters with
    ``share_low, share_high`` (10 % and 90 % of them; empty below three), ``usual_revenue`` by this point,
    ``usual_rest_per_week`` (medians) and ``quarters`` behind them.
    ``to_quota``: one row a unit and tier: what is ``left`` to win, ``needed_per_week``, and how often the rest of a
    past quarter brought as much (``reached`` of ``quarters``).
    """

    period: Period
    as_of: date
    table: pd.DataFrame
    position: pd.DataFrame
    to_quota: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """The company's revenue by the end of each week, one column a quarter."""
        company = self.table[self.table["level"] == "company"]
        return company.pivot(index="week", columns="period", values="revenue")


def pacing(
    outcomes: pd.DataFrame, organisation: pd.DataFrame, *, as_of: date, calendar: FiscalCalendar | None = None,
    quotas: pd.DataFrame | None = None,
) -> Pacing:  # fmt: skip
    """Pace of the quarter of ``as_of`` beside the whole quarters before it, eight at most.

    Parameters
    ----------
    outcomes : DataFrame
        Deals closed by ``as_of`` (``snapshots.outcomes``).
    organisation : DataFrame
        Units as they are on ``as_of``: past revenue is shown in today's organisation.
    as_of : datetime.date
    calendar : FiscalCalendar, optional
        Calendar quarters without it.
    quotas : DataFrame, optional
        The ledger of quotas; what was set later is not seen.

    Notes
    -----
    Quarters differ by a day or two: the same point of another quarter is the same share of its days.

    Examples
    --------
    >>> won = pd.to_datetime(["2025-10-03", "2025-11-20", "2026-01-08"])
    >>> deals = pd.DataFrame({"rep_id": "a", "won": True, "amount": [30.0, 70.0, 40.0], "closed_on": won})
    >>> found = pacing(deals, pd.DataFrame({"rep_id": ["a"]}), as_of=date(2026, 1, 14))
    >>> found.summary().iloc[[0, 1, 12]].values.tolist()
    [[30.0, 0.0], [30.0, 40.0], [100.0, nan]]
    >>> found.position[["revenue", "usual_share", "usual_revenue"]].iloc[0].tolist()
    [40.0, 0.3, 30.0]
    """
    calendar = calendar or FiscalCalendar()
    period, units = calendar.quarter(as_of), Units.of(organisation, as_of)
    whole = [calendar.parse(str(label)) for label in won_by_quarter(outcomes, calendar, as_of).index]
    past = [quarter for quarter in whole if quarter.end < period.start][-_PAST:]
    won = outcomes[outcomes["won"] & (outcomes["closed_on"] <= pd.Timestamp(as_of))]
    by_day = {quarter.label: _by_day(won, units, quarter) for quarter in [*past, period]}
    curves, positions = [], []
    for level in LEVELS:
        keys, codes = units.keys(level)
        summed = {label: _summed(days, codes, len(keys)) for label, days in by_day.items()}
        active = np.bincount(codes, units.table["sells"], minlength=len(keys)) > 0
        active |= np.any([days[:, -1] > 0 for days in summed.values()], axis=0)
        kept = np.flatnonzero(active if level != "company" else np.ones(1, dtype=bool))
        named = np.array(keys, dtype=object)[kept]
        for quarter in [*past, period]:
            curves.append(_curve(level, named, summed[quarter.label][kept], quarter, period, as_of))
        positions.append(_position(level, named, {k: v[kept] for k, v in summed.items()}, past, period, as_of))
    position, rests = pd.concat([p for p, _ in positions], ignore_index=True), [rest for _, rest in positions]
    table = pd.concat(curves, ignore_index=True).sort_values(["level", "key", "period", "week"], ignore_index=True)
    to_quota = _to_quota(position, np.concatenate(rests), quotas_of(quotas, units, period, as_of), period, as_of)
    position = position.sort_values(["level", "key"], ignore_index=True)
    return Pacing(period, as_of, table, position, to_quota)


def _by_day(won: pd.DataFrame, units: Units, quarter: Period) -> Cents:
    """Cents won by the end of each day of a quarter, shape (leaves, days)."""
    mine = won[won["closed_on"].between(pd.Timestamp(quarter.start), pd.Timestamp(quarter.end))]
    day = (mine["closed_on"] - pd.Timestamp(quarter.start)).dt.days.to_numpy(dtype=np.int64)
    cell = units.leaf(mine["rep_id"]) * quarter.days + day
    daily = np.bincount(cell, cents(mine["amount"]), minlength=len(units) * quarter.days)
    return np.cumsum(daily.reshape(len(units), quarter.days), axis=1).astype(np.int64)


def _summed(days: Cents, codes: npt.NDArray[np.int64], keys: int) -> Cents:
    total = np.zeros((keys, days.shape[1]), dtype=np.int64)
    np.add.at(total, codes, days)
    return total


def _curve(
    level: str, keys: npt.NDArray[np.object_], days: Cents, quarter: Period, period: Period, as_of: date
) -> pd.DataFrame:
    weeks = max(round(quarter.days / 7), 1)
    ends = np.minimum(np.arange(1, weeks + 1) * 7, quarter.days)
    ends[-1] = quarter.days
    this = quarter.label == period.label
    if this:  # until now: a week that has begun stands at today
        passed = (as_of - quarter.start).days + 1
        ends = np.minimum(ends[: int(np.searchsorted(ends, passed)) + 1], passed)
    revenue = days[:, ends - 1] / 100
    final = days[:, -1:] / 100
    share = np.divide(revenue, final, out=np.full(revenue.shape, np.nan), where=(final > 0) & (not this))
    size = len(ends)
    return pd.DataFrame(
        {"level": level, "key": np.repeat(keys, size), "period": quarter.label, "kind": "this" if this else "past",
         "week": np.tile(np.arange(1, size + 1), len(keys)),
         "week_end": np.tile((pd.Timestamp(quarter.start) + pd.to_timedelta(ends - 1, unit="D")).values, len(keys)),
         "revenue": revenue.ravel(), "share": share.ravel()}
    ).astype({"key": "str", "week": "int64", "week_end": "datetime64[s]"})  # fmt: skip


def _position(
    level: str, keys: npt.NDArray[np.object_], days: dict[str, Cents], past: list[Period], period: Period, as_of: date
) -> tuple[pd.DataFrame, Floats]:
    """Where each unit stands; and what the rest of each past quarter brought a week, shape (keys, eight)."""
    passed = (as_of - period.start).days + 1
    left = (period.days - passed) / 7
    by_now, final = np.full((2, len(keys), _PAST), np.nan)
    for place, quarter in enumerate(past):
        at = max(round(passed / period.days * quarter.days), 1)
        by_now[:, place] = days[quarter.label][:, at - 1] / 100
        final[:, place] = days[quarter.label][:, -1] / 100
    known = final > 0  # a quarter without revenue tells nothing about its shape; often nobody was there yet
    by_now, final = np.where(known, by_now, np.nan), np.where(known, final, np.nan)
    rest = (final - by_now) / left if left > 0 else np.full_like(final, np.nan)
    share = by_now / final
    quarters = known.sum(axis=1)
    enough = quarters >= _LEAST
    low, high = (np.where(enough, _quantile(share, q), np.nan) for q in (0.1, 0.9))
    revenue = days[period.label][:, passed - 1] / 100
    table = pd.DataFrame(
        {"period": period.label, "level": level, "key": keys, "as_of": pd.Timestamp(as_of),
         "week": min((passed + 6) // 7, max(round(period.days / 7), 1)), "weeks_left": left, "revenue": revenue,
         "usual_share": _quantile(share, 0.5), "share_low": low, "share_high": high,
         "usual_revenue": _quantile(by_now, 0.5), "usual_rest_per_week": _quantile(rest, 0.5), "quarters": quarters}
    ).astype({"key": "str", "quarters": "int64", "week": "int64", "as_of": "datetime64[s]"})  # fmt: skip
    return table, rest


def _quantile(values: Floats, share: float) -> Floats:
    """Along the quarters, unknown ones left out; empty where all are."""
    found = np.full(len(values), np.nan)
    some = ~np.isnan(values).all(axis=1)
    if some.any():
        found[some] = np.nanquantile(values[some], share, axis=1)
    return found


def _to_quota(position: pd.DataFrame, rests: Floats, quotas: pd.DataFrame, period: Period, as_of: date) -> pd.DataFrame:
    place = position.assign(place=np.arange(len(position)))[
        ["level", "key", "place", "revenue", "weeks_left", "usual_rest_per_week", "quarters"]
    ]
    table = quotas.merge(place, on=["level", "key"], how="inner")
    left = (table["quota"] - table["revenue"]).clip(lower=0.0).round(2)
    running = table["weeks_left"] > 0
    needed = (left / table["weeks_left"].where(running)).to_numpy(dtype=float)
    rest = rests[table["place"].to_numpy(dtype=np.int64)]
    reached = (rest >= needed[:, None]).sum(axis=1)
    table = table.assign(
        period=period.label, as_of=pd.Timestamp(as_of), left=left, needed_per_week=needed,
        reached=np.where(running, reached, 0), quarters=np.where(running, table["quarters"], 0),
    )  # fmt: skip
    columns = ["period", "level", "key", "tier", "as_of", "quota", "revenue", "left", "weeks_left", "needed_per_week",
               "usual_rest_per_week", "reached", "quarters"]  # fmt: skip
    kinds = {"reached": "int64", "quarters": "int64", "as_of": "datetime64[s]"}
    return table[columns].astype(kinds).sort_values(["level", "key", "tier"], ignore_index=True)
