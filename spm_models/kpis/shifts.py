"""How agents' working time was spent: K25 occupancy, K27 lateness, missed shifts, status durations.

Context for planning. Nothing here is a verdict on a person: there are no bands, and neither way is better.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source


@facts("rep_id", "status", tables=("agent_status",))
def statuses(s: Source) -> ir.Table:
    """Hours in each status, cut at the borders of the period in the company's time zone."""
    t, spans = s.tables["agent_status"], s.spans()
    j = t.inner_join(spans, [t.started_at < spans.over_at, t.ended_at > spans.from_at])
    begin, end = ibis.greatest(j.started_at, j.from_at), ibis.least(j.ended_at, j.over_at)
    hours = (end.epoch_seconds() - begin.epoch_seconds()).cast("float64") / 3600
    return j.select("rep_id", "status", "period", hours=hours)


@facts("rep_id", tables=("agent_status",))
def on_hand(s: Source) -> ir.Table:
    """Hours handling or available; not by status, of which occupancy is made."""
    t = s.facts(statuses)
    return t.filter(t.status.isin(["handling", "available"]))


@facts("rep_id", tables=("shifts",))
def shifts(s: Source) -> ir.Table:
    """Shifts that were to begin in the period and are over; ``late`` in minutes, empty for one that was missed."""
    t = s.tables["shifts"]
    t = t.filter(t.scheduled_end_at <= s.cutoff)
    missed = t.actual_start_at.isnull() | (t.actual_start_at >= s.cutoff)
    late = (t.actual_start_at.epoch_seconds() - t.scheduled_start_at.epoch_seconds()).cast("float64") / 60
    late = ibis.ifelse(missed, ibis.null("float64"), ibis.greatest(late, 0.0))
    t = t.select(
        "rep_id", "scheduled_start_at", missed=missed, late=late, tardy=late > s.tables.kpis.late_after_minutes
    )
    return s.within(t, s.local_day(t.scheduled_start_at))


KPIS = (
    Kpi(
        "occupancy", "K25", "share", "context",
        "Hours handling contacts / hours handling or available; breaks, training, meetings and offline are in neither.",
        facts=on_hand, numerator=_.hours.sum(where=_.status == "handling").fill_null(0.0), denominator=_.hours.sum(),
        source="B. Cleveland, Call Center Management on Fast Forward (2019)",
    ),
    Kpi(
        "status_hours", "K27", "hours", "context", "Hours logged, in all or by status.",
        facts=statuses, numerator=_.hours.sum(),
    ),
    Kpi(
        "lateness", "K27", "minutes", "context",
        "Mean minutes from the planned to the actual log-in; early ones count 0.",
        facts=shifts, statistic="mean", of=_.late, interval="mean",
    ),
    Kpi(
        "late_shifts", "K27", "share", "context",
        "Shifts begun more than 5 minutes late (`late_after_minutes` in spm.toml) / shifts begun.",
        facts=shifts, numerator=_.tardy.sum(), denominator=_.late.count(), interval="wilson",
    ),
    Kpi(
        "missed_shifts", "K27", "share", "context", "Planned shifts without a log-in / planned shifts that are over.",
        facts=shifts, numerator=_.missed.sum(), denominator=_.count(), interval="wilson",
    ),
)  # fmt: skip
