"""What KPIs are computed from: the facts of some periods, as known on one day, each read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm import organisation
from spm_models.crm.tables import Tables
from spm_models.database import frame, kept
from spm_models.kpis.proration import days_in_role
from spm_models.periods import FiscalCalendar, Period
from spm_models.snapshots import cutoff

if TYPE_CHECKING:
    from spm_models.kpis.definition import Facts


@dataclass(frozen=True, eq=False)
class Source:
    """Tables, periods and the day of knowledge; each kind of facts is made once and kept in the database.

    Parameters
    ----------
    tables : Tables
    periods : tuple of Period
        In the order of time; they may overlap.
    as_of : date
        Nothing that happened or was written later is seen.
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability`` of the deals open on ``as_of``.
    past_forecasts : DataFrame, optional
        ``period, level, key, who`` ("people" or "model"), ``forecast, actual`` of finished quarters.
    """

    tables: Tables
    periods: tuple[Period, ...]
    as_of: date
    deal_scores: pd.DataFrame | None = None
    past_forecasts: pd.DataFrame | None = None
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's calendar."""
        return self.periods[0].calendar

    def end(self, period: Period) -> date:
        """Last day of a period that counts: its own, or ``as_of`` while it runs or is still to come."""
        return min(period.end, self.as_of)

    def facts(self, kind: Facts) -> ir.Table:
        """One kind of facts, computed once and kept in the database."""
        found: ir.Table = self.keep(kind.name, lambda: kept(kind.build(self)))
        return found

    def table(self, name: str) -> pd.DataFrame:
        """A small CRM table (quotas, absences …) as a frame, fetched once."""
        found: pd.DataFrame = self.keep(f"table {name}", lambda: frame(self.tables[name]))
        return found

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once for all KPIs."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def within(self, t: ir.Table, day: ir.DateValue) -> ir.Table:
        """Rows whose day lies in a period (and is not after ``as_of``), with its ``period`` and ``weeks``.

        ``weeks`` is how many of the period have passed. A row that lies in two periods that overlap comes twice.
        """
        marked = t.mutate(event_day=day.cast("date"))
        joined = marked.inner_join(self._days, marked.event_day == self._days.day_of_period)
        return joined.drop("event_day", "day_of_period")

    @property
    def cutoff(self) -> ir.TimestampScalar:
        """First instant (UTC) that is not known yet."""
        return ibis.literal(cutoff(self.as_of, self.tables.time_zone))

    def spans(self) -> ir.Table:
        """The periods that have begun: ``period``, ``first_day``, ``last_day`` (visible), ``from_at``, ``over_at``."""
        zone = self.tables.time_zone
        begun = [
            (one.label, pd.Timestamp(one.start), pd.Timestamp(self.end(one)),
             pd.Timestamp(cutoff(one.start - timedelta(days=1), zone)), pd.Timestamp(cutoff(self.end(one), zone)))
            for one in self.periods
            if one.start <= self.as_of
        ]  # fmt: skip
        schema = {"period": "string"} | dict.fromkeys(("first_day", "last_day", "from_at", "over_at"), "timestamp")
        t = ibis.memtable(pd.DataFrame(begun, columns=list(schema)), schema=schema)
        return t.mutate(first_day=t.first_day.cast("date"), last_day=t.last_day.cast("date"))

    def local_day(self, instant: ir.TimestampValue) -> ir.DateValue:
        """The day of an instant (UTC) in the company's time zone."""
        *changes, (_, offset_now) = self._offsets
        now = instant + ibis.interval(seconds=offset_now)
        shifted = [
            (instant < ibis.literal(until), instant + ibis.interval(seconds=offset)) for until, offset in changes
        ]
        return (ibis.cases(*shifted, else_=now) if shifted else now).date()

    @cached_property
    def ends(self) -> dict[date, list[str]]:
        """The last visible day of each period, with the labels of the periods that end on it."""
        found: dict[date, list[str]] = {}
        for period in self.periods:
            found.setdefault(self.end(period), []).append(period.label)
        return found

    @cached_property
    def people(self) -> pd.DataFrame:
        """Everybody's place on ``as_of``: KPIs of past periods are shown where people belong now."""
        return organisation(self.tables, self.as_of)

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row per rep and level above or at the rep: ``rep_id``, ``level``, ``key``; the company left out."""
        columns = {"rep": "rep_id", "team": "team", "region": "region", "manager": "manager_id"}
        parts = [
            pd.DataFrame({"rep_id": self.people["rep_id"], "level": level, "key": self.people[column]})
            for level, column in columns.items()
        ]
        return pd.concat(parts, ignore_index=True).dropna(subset=["key"])

    def worked(self, period: Period) -> pd.DataFrame:
        """Working days of each rep in a period: ``days`` in his role, those to come counted, and ``whole``."""

        def make() -> pd.DataFrame:
            reps = self.people[self.people["role"] == "rep"]
            absences = self.table("absences") if "absences" in self.tables else None
            days = days_in_role(reps, period, self.as_of, self.calendar, absences)
            return days[["rep_id", "days", "whole"]].merge(reps[["rep_id", "hired_on", "left_on"]], on="rep_id")

        found: pd.DataFrame = self.keep(f"worked {period.label}", make)
        return found

    @cached_property
    def _days(self) -> ir.Table:
        """Every visible day of every period: ``day_of_period``, ``period``, ``weeks`` (of it that have passed)."""
        rows = [
            (day, one.label, ((self.end(one) - one.start).days + 1) / 7)
            for one in self.periods
            for day in pd.date_range(one.start, self.end(one), freq="D")
        ]
        schema = {"day_of_period": "timestamp", "period": "string", "weeks": "float64"}
        days = ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema)
        return days.mutate(day_of_period=days.day_of_period.cast("date"))

    @cached_property
    def _offsets(self) -> list[tuple[datetime, int]]:
        """Offsets from UTC over the periods, in seconds: (first instant after it, offset), the last one open-ended."""
        zone = ZoneInfo(self.tables.time_zone)
        first = min(period.start for period in self.periods) - timedelta(days=1)
        last = max(self.end(period) for period in self.periods) + timedelta(days=2)
        begin, stop = (datetime.combine(day, time(), tzinfo=UTC) for day in (first, last))
        found: list[tuple[datetime, int]] = []
        here = begin
        while here < stop:
            after = min(here + timedelta(days=1), stop)
            if _offset(here, zone) != _offset(after, zone):
                found.append((_change(here, after, zone).replace(tzinfo=None), _offset(here, zone)))
            here = after
        return [*found, (stop.replace(tzinfo=None), _offset(stop, zone))]


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset changes, between two instants that differ in it."""
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high
