"""What KPIs are computed from: the facts of one period, as known on one day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm import organisation
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.proration import days_in_role
from spm_models.periods import FiscalCalendar, Period
from spm_models.snapshots import cutoff, outcomes_table, pipeline_table


@dataclass(frozen=True)
class Source:
    """Tables, period and day; each kind of fact is one ibis table with a ``rep_id``.

    Parameters
    ----------
    tables : Tables
    period : Period
        Only its days up to ``as_of`` are seen.
    as_of : date
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability`` of open deals.
    """

    tables: Tables
    period: Period
    as_of: date
    deal_scores: pd.DataFrame | None = None
    _kept: dict[str, ir.Table] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def calendar(self) -> FiscalCalendar:
        """Calendar of the period."""
        return self.period.calendar

    @property
    def end(self) -> date:
        """Last day that counts: of the period, or ``as_of`` while it runs."""
        return min(self.period.end, self.as_of)

    @property
    def weeks(self) -> float:
        """Weeks of the period that have passed."""
        return max((self.end - self.period.start).days + 1, 0) / 7

    def facts(self, name: str) -> ir.Table:
        """One kind of fact, computed once and kept in the database."""
        if name not in self._kept:
            self._kept[name] = getattr(self, name)().cache()
        return self._kept[name]

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

    @cached_property
    def worked(self) -> pd.DataFrame:
        """Working days of each rep in the period: ``days`` in his role, those to come counted, and ``whole``."""
        reps = self.people[self.people["role"] == "rep"]
        absences = None
        if "absences" in self.tables:
            absences = frame(self.tables["absences"].select("rep_id", "starts_on", "ends_on"))
        days = days_in_role(reps, self.period, self.as_of, self.calendar, absences)
        return days[["rep_id", "days", "whole"]].merge(reps[["rep_id", "hired_on", "left_on"]], on="rep_id")

    def closed(self) -> ir.Table:
        """Deals won or lost in the period, with the owner at the close."""
        t = outcomes_table(self.tables, self.as_of)
        inside = t.filter(t.closed_on >= ibis.literal(self.period.start), t.closed_on <= ibis.literal(self.end))
        days = (inside.closed_on.epoch_days() - inside.created_on.epoch_days()).cast("float64")
        return inside.select(
            "opportunity_id", "rep_id", "account_id", "amount", "closed_on", "loss_reason", days=days,
            won=inside.status == "won",
        )  # fmt: skip

    def credited(self) -> ir.Table:
        """Won deals of the period by the reps who share in them: ``rep_id``, ``amount`` (credited part)."""
        t = self.facts("closed")
        t = t.filter(t.won).select("opportunity_id", "rep_id", "amount", "closed_on")
        if "deal_contributors" not in self.tables:
            return t
        c = self.tables["deal_contributors"].rename(other="rep_id").drop("role")
        held = t.inner_join(c, "opportunity_id")
        held = held.filter(
            held.closed_on >= held.valid_from, held.valid_to.isnull() | (held.closed_on <= held.valid_to)
        )
        given = held.group_by("opportunity_id").aggregate(given=held.share.sum())
        own = t.left_join(given, "opportunity_id").drop("opportunity_id_right")
        # shares above one in all are scaled down; what nobody else gets stays with the owner
        scale = ibis.greatest(own.given.fill_null(0.0), 1.0)
        own = own.mutate(rest=ibis.greatest(1.0 - own.given.fill_null(0.0), 0.0), scale=scale)
        parts = held.inner_join(own.select("opportunity_id", "scale"), "opportunity_id")
        shared = parts.select("opportunity_id", rep_id=parts.other, amount=parts.amount * parts.share / parts.scale,
                              closed_on=parts.closed_on)  # fmt: skip
        rest = own.select("opportunity_id", "rep_id", amount=own.amount * own.rest, closed_on=own.closed_on)
        return rest.union(shared)

    def created(self) -> ir.Table:
        """Deals created in the period, with what became of them by ``as_of``; owner as in the source."""
        t = self.tables["opportunities"]
        t = t.filter(t.created_on >= ibis.literal(self.period.start), t.created_on <= ibis.literal(self.end))
        known = t.closed_on.notnull() & (t.closed_on <= ibis.literal(self.as_of))
        return t.select("rep_id", won=(t.status == "won") & known)

    def open(self) -> ir.Table:
        """Deals open at the end of ``as_of``, as known then, with win probability where there are scores."""
        t = pipeline_table(self.tables, [self.as_of])
        due = (t.expected_close_on >= ibis.literal(self.period.start)) & (
            t.expected_close_on <= ibis.literal(self.period.end)
        )
        t = t.select("opportunity_id", "rep_id", due=due.fill_null(False), amount=t.amount.cast("float64"))
        if self.deal_scores is None:
            return t.mutate(win_probability=ibis.null("float64"))
        scores = ibis.memtable(self.deal_scores[["opportunity_id", "win_probability"]].astype({"opportunity_id": str}))
        return t.left_join(scores, "opportunity_id").drop("opportunity_id_right")

    def done(self) -> ir.Table:
        """Activities that took place in the period."""
        t = self.tables["activities"]
        begin = cutoff(self.period.start - timedelta(days=1), self.tables.time_zone)
        stop = cutoff(self.end, self.tables.time_zone)
        t = t.filter(t.happened_at >= ibis.literal(begin), t.happened_at < ibis.literal(stop))
        return t.select("rep_id", "kind")
