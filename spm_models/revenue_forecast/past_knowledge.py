"""What was known at the end of past days: the only thing that a replay may look at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from spm_models.crm.organisation import organisation
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.quarter_weeks import same_weeks
from spm_models.snapshots import month_ends, outcomes, pipelines


@dataclass(frozen=True, eq=False)
class Known:
    """Everything known at the end of one day.

    Parameters
    ----------
    as_of : datetime.date
    snapshots, outcomes, organisation : DataFrame
        As :meth:`RevenueForecaster.fit` takes them; ``snapshots`` includes the pipeline of ``as_of``.
    earlier : DataFrame, optional
        Pipelines of further past days, which nothing is learned from deal by deal: those at the same week of earlier
        quarters, from which plain forecasts take what a pipeline has brought before.
    contracts : DataFrame, optional
        Contracts begun by then; ends that lay ahead are empty.
    """

    as_of: date
    snapshots: pd.DataFrame
    outcomes: pd.DataFrame
    organisation: pd.DataFrame
    earlier: pd.DataFrame | None = None
    contracts: pd.DataFrame | None = None

    @property
    def pipeline(self) -> pd.DataFrame:
        """Deals open at the end of the day."""
        return self.snapshots[self.snapshots.as_of == pd.Timestamp(self.as_of)]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        found = hashlib.sha256(str(self.as_of).encode())
        for table in (self.snapshots, self.outcomes, self.organisation, self.earlier, self.contracts):
            if table is None:
                continue
            found.update(",".join(map(str, table.columns)).encode())
            rows = pd.util.hash_pandas_object(table.reset_index(drop=True), index=False)
            found.update(rows.to_numpy().tobytes())
        return found.hexdigest()


#: What was known at the end of a day.
KnownAt = Callable[[date], Known]


@dataclass(frozen=True, eq=False)
class Scored:
    """What was said of a pipeline: ``deal_scores`` and ``deal_timing`` of :meth:`RevenueForecaster.predict`."""

    scores: pd.DataFrame | None
    timing: pd.DataFrame | None = None


#: Win probabilities of a pipeline, and by when; a table alone needs ``opportunity_id, win_probability``.
Scorer = Callable[[pd.DataFrame], pd.DataFrame | Scored]
#: Learns a scorer from what was known: ``learn(snapshots, outcomes)``.
Learn = Callable[[pd.DataFrame, pd.DataFrame], Scorer]


def snapshot_days(first: date, as_of: date, calendar: FiscalCalendar | None = None) -> list[date]:
    """Days to look back at: month ends, last days of quarters, and ``as_of``, in order.

    Examples
    --------
    >>> retail = FiscalCalendar(start_month=2, pattern="4-4-5")
    >>> [str(day) for day in snapshot_days(date(2026, 4, 1), date(2026, 6, 5), retail)]
    ['2026-04-30', '2026-05-03', '2026-05-31', '2026-06-05']
    """
    ends = [quarter.end for quarter in (calendar or FiscalCalendar()).quarters(first, as_of)]
    return sorted({*month_ends(first, as_of), *(end for end in ends if first <= end <= as_of), as_of})


def known_from(
    tables: Tables,
    as_of: date,
    calendar: FiscalCalendar | None = None,
    snapshots: pd.DataFrame | None = None,
    days: Iterable[date] = (),
) -> KnownAt:
    """A function that tells what was known at the end of a day up to ``as_of``.

    Parameters
    ----------
    tables : Tables
    as_of : datetime.date
    calendar : FiscalCalendar, optional
    snapshots : DataFrame, optional
        Pipelines of :func:`snapshot_days`, if they were made already. A snapshot of a day holds nothing later, so
        that one stack serves all days.
    days : iterable of datetime.date
        Further days that will be asked for. Deals are learned from on snapshot days only, whatever day is asked for.

    Notes
    -----
    Any day may be asked for; those that were not named are read from the tables one by one.
    """
    calendar = calendar or FiscalCalendar()
    first = _first_day(tables, as_of)
    learned = snapshot_days(first, as_of, calendar)
    stack = snapshots if snapshots is not None else pipelines(tables, learned)
    ready = {stamp.date() for stamp in stack.as_of.unique()} if len(stack) else set()
    missing = sorted({day for day in days if first <= day <= as_of} - ready - set(learned))
    extra = pipelines(tables, missing) if missing else stack.head(0)
    at_ends, ends = set(pd.to_datetime(learned)), pd.to_datetime(learned)

    def known(day: date) -> Known:
        now = pd.Timestamp(day)
        past = stack[(stack.as_of < now) & stack.as_of.isin(ends)]
        weeks = same_weeks(calendar.quarter(day + timedelta(days=1)), day, calendar, first).values()
        alike = pd.to_datetime(sorted(weeks))
        earlier = pd.concat([table[table.as_of.isin(alike)] for table in (stack, extra)], ignore_index=True)
        if day in ready or now in at_ends:
            today = stack[stack.as_of == now]
        elif day in missing:
            today = extra[extra.as_of == now]
        else:
            today = pipelines(tables, [day])
        snaps = pd.concat([past, today], ignore_index=True) if len(past) else today.reset_index(drop=True)
        people = organisation(tables, day)
        return Known(day, snaps, outcomes(tables, day), people, earlier, contracts_by(tables, day))

    return known


def contracts_by(tables: Tables, day: date) -> pd.DataFrame | None:
    """Contracts begun by the end of a day, values in the company's currency; None where the source has none.

    Ends that lay ahead are empty: nobody can say when they became known.
    """
    if "contracts" not in tables:
        return None
    rows = frame(tables["contracts"])
    rows = rows[rows.started_on <= pd.Timestamp(day)]
    ended = rows.ended_on.where(rows.ended_on <= pd.Timestamp(day))
    found = rows.assign(annual_value=rows.annual_value_company.astype("float64"), ended_on=ended)
    columns = ["contract_id", "account_id", "started_on", "ended_on", "annual_value"]
    return found[columns].sort_values("contract_id", ignore_index=True)


def without_scores(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> Scorer:
    """Every deal has the common win rate."""
    return lambda pipeline: Scored(None)


def as_scored(found: pd.DataFrame | Scored) -> Scored:
    """What a scorer said, whichever way it said it."""
    return found if isinstance(found, Scored) else Scored(found)


def _first_day(tables: Tables, as_of: date) -> date:
    first = tables["opportunities"].created_on.min().execute()
    return as_of if first is None or pd.isna(first) else min(pd.Timestamp(first).date(), as_of)
