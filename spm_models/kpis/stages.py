"""How deals get on from stage to stage: K10 stage conversion."""

from __future__ import annotations

import functools

import ibis
import ibis.expr.types as ir

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source
from spm_models.kpis.survival import START

_KEYS = ("rep_id", "account_id", "product_id", "source", "kind")


@facts(*_KEYS, "stage", tables=("opportunity_history",))
def stage_entries(s: Source) -> ir.Table:
    """One row a deal and stage that it reached in the period: when it got further, or was lost, or still stands there.

    A deal that skips a stage has reached it; ``event`` is 1 for any later stage or a win, 2 for a loss, 0 while open,
    by the end of ``as_of``; ``ended`` counts days.
    """
    ordered = {name: place for place, name in enumerate(s.tables.stages or ("",))}  # a name that no stage has
    h = s.tables["opportunity_history"]
    moved = h.filter(h.field == "stage", h.new.isin(list(ordered)))
    moved = moved.mutate(place=moved.new.cases(*ordered.items(), else_=-1), day=s.local_day(moved.changed_at))
    moved = moved.filter(moved.day <= ibis.literal(s.as_of))
    days = {f"day{place}": moved.day.min(where=moved.place >= place) for place in ordered.values()}
    reached = moved.group_by("opportunity_id").aggregate(**days)
    deals = s.tables["opportunities"]
    known = deals.closed_on.notnull() & (deals.closed_on <= ibis.literal(s.as_of))
    deals = deals.select(
        "opportunity_id", *_KEYS, over=ibis.ifelse(known, deals.closed_on, ibis.null("date")),
        won=known & (deals.status == "won"),
    )  # fmt: skip
    j = deals.inner_join(reached, "opportunity_id")
    parts = []
    for name, place in ordered.items():
        further = j[f"day{place + 1}"] if place + 1 < len(ordered) else ibis.null("date")
        further = ibis.coalesce(further, ibis.ifelse(j.won, j.over, ibis.null("date")))
        event = ibis.cases((further.notnull(), 1), (j.over.notnull(), 2), else_=0)
        until = ibis.coalesce(further, j.over, ibis.literal(s.as_of))
        entered_on = j[f"day{place}"]
        part = j.select(
            *_KEYS, stage=ibis.literal(name), entered_on=entered_on, event=event, entered=ibis.literal(START),
            ended=ibis.greatest(until.epoch_days() - entered_on.epoch_days(), 0).cast("float64"),
        )  # fmt: skip
        parts.append(part.filter(part.entered_on.notnull()))
    every = functools.reduce(lambda one, other: one.union(other), parts)
    return s.within(every, every.entered_on)


KPIS = (
    Kpi(
        "stage_conversion", "K10", "share", "higher",
        "Share of stages entered in the period from which a deal gets to a later stage or a win before it is lost, by "
        "now; deals that still stand there are censored.",
        facts=stage_entries, statistic="incidence_share", matures=True, interval="wilson",
        source="Aalen and Johansen (1978), cumulative incidence",
    ),
)  # fmt: skip
