"""What past quarters brought, by unit, beside what was expected of it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.quotas import quotas_of
from spm_models.revenue_forecast.units import LEVELS, UNASSIGNED, Units

_WHOLE_FROM = 14  # days without a closed deal at the start of a quarter that still count as a whole quarter


def revenue_history(
    outcomes: pd.DataFrame,
    organisation: pd.DataFrame,
    *,
    as_of: date,
    calendar: FiscalCalendar | None = None,
    quotas: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Revenue and won deals of every unit and quarter up to ``as_of``, the running one included.

    Parameters
    ----------
    outcomes : DataFrame
        Closed deals (``snapshots.outcomes``).
    organisation : DataFrame
        Teams, managers and regions as they are on ``as_of``: past revenue is shown in today's organisation.
    as_of : datetime.date
    calendar : FiscalCalendar, optional
        Calendar quarters without it.
    quotas : DataFrame, optional
        The ledger of quotas; the standard tier as last set by ``as_of`` is shown.

    Returns
    -------
    DataFrame
        Columns of the published table ``revenue_history``, sorted by key. Reps keep their own row for what they
        won, also after they left; deals without a known owner are under ``unassigned``.
    """
    calendar = calendar or FiscalCalendar()
    units = Units.of(organisation, as_of)
    won = outcomes[outcomes.won & (outcomes.closed_on <= pd.Timestamp(as_of))]
    if won.empty:
        return _typed(pd.DataFrame())
    quarters = calendar.quarters(won.closed_on.min().date(), as_of)
    starts = pd.to_datetime([quarter.start for quarter in quarters])
    place = np.searchsorted(starts, won.closed_on, side="right") - 1
    leaf = units.leaf(won.rep_id)
    cents = np.rint(won.amount.fillna(0.0).to_numpy(dtype=float) * 100)
    cell, size = leaf * len(quarters) + place, len(units) * len(quarters)
    money = np.bincount(cell, cents, minlength=size).reshape(len(units), -1)
    deals = np.bincount(cell, minlength=size).reshape(len(units), -1)
    frames = [_level(level, units, quarters, money, deals) for level in LEVELS]
    history = pd.concat(frames, ignore_index=True)
    expected = [
        quotas_of(quotas, units, quarter, as_of).query("tier == 'standard'").assign(period=quarter.label)
        for quarter in quarters
    ]
    standard = pd.concat(expected, ignore_index=True)[["level", "key", "period", "quota"]]
    return _typed(history.merge(standard, on=["level", "key", "period"], how="left"))


def won_by_quarter(outcomes: pd.DataFrame, calendar: FiscalCalendar, as_of: date) -> pd.Series:
    """The company's revenue of each finished quarter that the record covers whole, in order, by label.

    A first quarter in which nothing was closed for two weeks is taken to have begun before the record.
    """
    closed = outcomes[outcomes.closed_on <= pd.Timestamp(as_of)]
    if closed.empty:
        return pd.Series(dtype="float64")
    first = closed.closed_on.min().date()
    quarters = [quarter for quarter in calendar.quarters(first, as_of) if quarter.end <= as_of]
    if quarters and first > quarters[0].start + timedelta(days=_WHOLE_FROM):
        quarters = quarters[1:]
    won = closed[closed.won]
    labels = calendar.quarter_labels(won.closed_on)
    cents = np.rint(won.amount.fillna(0.0) * 100)  # whole numbers: the sum does not depend on the order of rows
    sums = cents.groupby(labels).sum().to_dict()
    return pd.Series({quarter.label: sums.get(quarter.label, 0.0) / 100 for quarter in quarters}, dtype="float64")


def _level(level: str, units: Units, quarters: list[Period], money: np.ndarray, deals: np.ndarray) -> pd.DataFrame:
    if level == "rep":
        keys = [rep or UNASSIGNED for rep in units.table.rep_id]
        codes = np.arange(len(units))
    else:
        keys, codes = units.keys(level)
    revenue, count = np.zeros((len(keys), len(quarters))), np.zeros((len(keys), len(quarters)), dtype=np.int64)
    np.add.at(revenue, codes, money)
    np.add.at(count, codes, deals)
    matter = (count.sum(axis=1) > 0) | (np.bincount(codes, units.table.sells, minlength=len(keys)) > 0)
    rows = np.flatnonzero(matter)
    frame = pd.DataFrame(
        {"key": np.repeat(np.array(keys, dtype=object)[rows], len(quarters)),
         "period": [quarter.label for quarter in quarters] * len(rows),
         "period_start": [pd.Timestamp(quarter.start) for quarter in quarters] * len(rows),
         "period_end": [pd.Timestamp(quarter.end) for quarter in quarters] * len(rows),
         "revenue": revenue[rows].ravel() / 100, "deals": count[rows].ravel()}
    )  # fmt: skip
    return frame.assign(level=level)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    kinds = {
        "level": "str", "key": "str", "period": "str", "period_start": "datetime64[s]", "period_end": "datetime64[s]",
        "revenue": "float64", "deals": "int64", "quota": "float64",
    }  # fmt: skip
    complete = frame.reindex(columns=list(kinds))
    return complete.astype(kinds).sort_values(["level", "key", "period"], ignore_index=True)
