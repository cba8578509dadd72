"""Facts that several families of KPIs share: deals closed, created and open, credit for wins, activities done.

Facts of one family only stand in its own file.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.kpis.definition import facts
from spm_models.kpis.source import Source
from spm_models.snapshots import outcomes_table, pipeline_table

DEAL = ("rep_id", "account_id", "product_id", "source", "kind")


@facts(*DEAL, "loss_reason", "competitor")
def closed(s: Source) -> ir.Table:
    """Deals won or lost in the period, with the owner at the close and the amount in company currency."""
    t = outcomes_table(s.tables, s.as_of)
    days = (t.closed_on.epoch_days() - t.created_on.epoch_days()).cast("float64")
    t = t.select(
        "opportunity_id", *DEAL, "loss_reason", "competitor", "created_on", "closed_on", days=days,
        amount=exact(t.amount), won=t.status == "won",
    )  # fmt: skip
    return s.within(t, t.closed_on)


@facts("rep_id", "account_id", "product_id", "source", "kind")
def credited(s: Source) -> ir.Table:
    """Won deals of the period by the reps who share in them: ``amount`` is the credited part."""
    t = s.facts(closed)
    kept = ("period", "opportunity_id", "account_id", "product_id", "source", "kind", "closed_on")
    t = t.filter(t.won).select(*kept, "rep_id", "amount")
    if "deal_contributors" not in s.tables:
        return t
    c = s.tables["deal_contributors"]
    c = c.select("opportunity_id", "share", "valid_from", "valid_to", other=c.rep_id)
    held = t.inner_join(c, "opportunity_id")
    held = held.filter(held.closed_on >= held.valid_from, held.valid_to.isnull() | (held.closed_on <= held.valid_to))
    given = held.group_by("period", "opportunity_id").aggregate(given=held.share.sum())
    own = t.left_join(given, ["period", "opportunity_id"]).drop("period_right", "opportunity_id_right")
    # shares above one in all are scaled down; what nobody else gets stays with the owner
    scale = ibis.greatest(own.given.fill_null(0.0), 1.0)
    own = own.mutate(rest=ibis.greatest(1.0 - own.given.fill_null(0.0), 0.0), scale=scale)
    parts = held.inner_join(own.select("period", "opportunity_id", "scale"), ["period", "opportunity_id"])
    shared = parts.select(
        *kept, rep_id=parts.other, amount=exact(parts.amount.cast("float64") * parts.share / parts.scale)
    )
    return own.select(*kept, "rep_id", amount=exact(own.amount.cast("float64") * own.rest)).union(shared)


@facts(*DEAL)
def created(s: Source) -> ir.Table:
    """Deals created in the period, with what became of them by ``as_of``; owner as in the source."""
    t = s.tables["opportunities"]
    known = t.closed_on.notnull() & (t.closed_on <= ibis.literal(s.as_of))
    t = t.select("opportunity_id", *DEAL, "created_on", won=(t.status == "won") & known)
    return s.within(t, t.created_on)


@facts(*DEAL, "stage")
def open_deals(s: Source) -> ir.Table:
    """Deals open at the end of the period (or of ``as_of``), as known then; scores where they are of that day."""
    t = pipeline_table(s.tables, sorted(s.ends), columns=["days_since_activity"])
    spans = ibis.memtable(
        pd.DataFrame(
            [(pd.Timestamp(day), label, pd.Timestamp(period.start), pd.Timestamp(period.end))
             for day, labels in s.ends.items() for label in labels for period in s.periods if period.label == label],
            columns=["seen_on", "period", "first_day", "last_day"],
        ),
        schema={"seen_on": "timestamp", "period": "string", "first_day": "timestamp", "last_day": "timestamp"},
    )  # fmt: skip
    t = t.inner_join(spans, t.as_of.cast("date") == spans.seen_on.cast("date"))
    due = (t.expected_close_on >= t.first_day.cast("date")) & (t.expected_close_on <= t.last_day.cast("date"))
    t = t.select("opportunity_id", *DEAL, "stage", "period", "seen_on", due=due.fill_null(False),
                 amount=exact(t.amount), days_quiet=ibis.coalesce(t.days_since_activity, t.age_days))  # fmt: skip
    if s.deal_scores is None:
        return t.mutate(win_probability=ibis.null("float64"))
    scores = s.deal_scores[["opportunity_id", "win_probability"]].astype({"opportunity_id": "str"})
    schema = {"opportunity_id": "string", "win_probability": "float64", "seen_on": "timestamp"}
    known = ibis.memtable(scores.assign(seen_on=pd.Timestamp(s.as_of)), schema=schema)
    return t.left_join(known, ["opportunity_id", "seen_on"]).drop("opportunity_id_right", "seen_on_right")


@facts("rep_id", "activity", tables=("activities",))
def done(s: Source) -> ir.Table:
    """Activities that took place in the period."""
    t = s.tables["activities"]
    t = t.filter(t.happened_at.notnull())
    t = t.select("rep_id", "opportunity_id", "happened_at", "due_at", "outcome", activity=t.kind)
    return s.within(t, s.local_day(t.happened_at))


def exact(amount: ir.NumericValue) -> ir.DecimalValue:
    """Money as a decimal: sums of floats differ from thread to thread."""
    return amount.cast("decimal(18, 4)")
