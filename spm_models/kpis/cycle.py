"""How long sales take: K02 sales cycle, with open deals censored, and from the first contact."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import DEAL, closed
from spm_models.kpis.source import Source
from spm_models.kpis.survival import START
from spm_models.snapshots import outcomes_table


@facts(*DEAL)
def deals_at_work(s: Source) -> ir.Table:
    """Deals that were open on some day of the period: from which age on, to which age, and what ended it.

    ``event`` is 1 for a win and 2 for a loss within the period, 0 for a deal that was still open at its end. A deal
    that is older than the period enters at the age that it had by then.
    """
    over = outcomes_table(s.tables, s.as_of)
    over = over.select("opportunity_id", *DEAL, "created_on", "closed_on", won=over.status == "won")
    t = s.tables["opportunities"]
    t = t.filter(t.closed_on.isnull() | (t.closed_on > ibis.literal(s.as_of)))
    still = t.select("opportunity_id", *DEAL, "created_on", closed_on=ibis.null("date"), won=ibis.literal(False))
    deals = over.union(still)
    spans = s.spans()
    j = deals.inner_join(
        spans,
        [deals.created_on <= spans.last_day, deals.closed_on.isnull() | (deals.closed_on >= spans.first_day)],
    )
    ended = j.closed_on.notnull() & (j.closed_on <= j.last_day)
    until = ibis.ifelse(ended, j.closed_on, j.last_day)
    before = j.first_day.epoch_days() - j.created_on.epoch_days()
    event = ibis.ifelse(ended, ibis.ifelse(j.won, 1, 2), 0)
    return j.select(
        *DEAL, "period", event=event, ended=(until.epoch_days() - j.created_on.epoch_days()).cast("float64"),
        entered=ibis.ifelse(before > 0, before.cast("float64") + START, START),
    )  # fmt: skip


@facts(*DEAL, tables=("activities",))
def won_after_contact(s: Source) -> ir.Table:
    """Won deals of the period with an activity on them: ``days`` from the first one to the win."""
    t = s.facts(closed)
    t = t.filter(t.won)
    a = s.tables["activities"]
    a = a.filter(a.happened_at.notnull(), a.opportunity_id.notnull())
    first = a.group_by("opportunity_id").aggregate(first_at=a.happened_at.min())
    j = t.inner_join(first, "opportunity_id")
    days = j.closed_on.epoch_days() - s.local_day(j.first_at).epoch_days()
    return j.select(*DEAL, "period", days=days.cast("float64"))


KPIS = (
    Kpi(
        "sales_cycle", "K02", "days", "lower",
        "Days from creation by which half of the deals that come to be won are won, of all deals at work in the "
        "period: open ones are censored, a loss is a competing outcome.",
        facts=deals_at_work, statistic="incidence", interval="kaplan_meier", healthy=(30, 90),
        source="Aalen and Johansen (1978); band by sector: feature inventory",
    ),
    Kpi(
        "sales_cycle_of_won", "K02", "days", "lower",
        "Median days from creation to the win, of deals won in the period; open and lost deals are not in it, so that "
        "it is too short where many long deals are still open.",
        facts=closed, statistic="median", of=_.days, only=_.won & (_.days >= 0), interval="order_statistics",
    ),
    Kpi(
        "first_contact_to_win", "K02", "days", "lower",
        "Median days from the first activity on a deal to its win, of deals won in the period.",
        facts=won_after_contact, statistic="median", of=_.days, only=_.days >= 0, interval="order_statistics",
    ),
)  # fmt: skip
