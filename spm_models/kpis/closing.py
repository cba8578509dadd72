"""What wins are worth afterwards: K34 closing quality."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import DEAL, closed
from spm_models.kpis.service import SATISFIED, answers
from spm_models.kpis.source import Source

YEAR = 365


@facts(*DEAL)
def won_deals(s: Source) -> ir.Table:
    """Deals won in the period with the discount given, as the source has it now."""
    t = s.facts(closed)
    given = s.tables["opportunities"].select("opportunity_id", "discount")
    t = t.filter(t.won).inner_join(given, "opportunity_id")
    return t.select(*DEAL, "period", "discount")


@facts(*DEAL, tables=("opportunity_history",))
def won_as_expected(s: Source) -> ir.Table:
    """Deals won in the period with an expected close date: days by which they closed later than expected at first."""
    h = s.tables["opportunity_history"]
    h = h.filter(h.field == "expected_close_on", h.changed_at < s.cutoff)
    h = h.mutate(said=ibis.coalesce(h.old.nullif(""), h.new.nullif("")), said_on=s.local_day(h.changed_at))
    t = s.facts(closed)
    t = t.filter(t.won)
    h = h.inner_join(t.select("opportunity_id", "closed_on").distinct(), "opportunity_id")
    h = h.filter(h.said.notnull(), h.said_on <= h.closed_on)
    first = h.group_by("opportunity_id").aggregate(expected=h.said.argmin(h.changed_at))
    j = t.inner_join(first, "opportunity_id")
    days = j.closed_on.epoch_days() - j.expected.cast("date").epoch_days()
    return j.select(*DEAL, "period", days=days.cast("float64"))


@facts("rep_id", "account_id", tables=("contracts",))
def contracts_of_a_year(s: Source) -> ir.Table:
    """Contracts of won deals that would become a year old in the period; ``early``: they ended before."""
    t = s.tables["contracts"]
    deals = s.tables["opportunities"]
    deals = deals.filter(deals.status == "won").select("opportunity_id", "rep_id")
    t = t.inner_join(deals, "opportunity_id")
    t = t.mutate(anniversary=t.started_on + ibis.interval(days=YEAR))
    early = t.ended_on.notnull() & (t.ended_on < t.anniversary - ibis.interval(days=1))
    t = t.select("rep_id", "account_id", "anniversary", early=early.fill_null(False))
    return s.within(t, t.anniversary)


KPIS = (
    Kpi(
        "discount", "K34", "share", "lower", "Mean discount of deals won in the period, of those that state one.",
        facts=won_deals, statistic="mean", of=_.discount, interval="bootstrap",
    ),
    Kpi(
        "slippage", "K34", "days", "lower",
        "Median days by which deals won in the period closed later than was expected at first; negative when earlier.",
        facts=won_as_expected, statistic="median", of=_.days, interval="order_statistics",
    ),
    Kpi(
        "slipped_wins", "K34", "share", "lower",
        "Deals won later than was expected at first / deals won in the period that had an expected close date.",
        facts=won_as_expected, numerator=(_.days > 0).sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "early_churn", "K34", "share", "lower",
        "Contracts of won deals that ended before they were a year old / those that would become a year old in the "
        "period.",
        facts=contracts_of_a_year, numerator=_.early.sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "csat_of_won_deals", "K34", "share", "higher",
        "Answers with 4 or 5 of 5 points about deals won by now / all such answers of the period.",
        facts=answers, numerator=(_.won & (_.score >= SATISFIED)).sum(), denominator=_.won.sum(), interval="wilson",
    ),
)  # fmt: skip
