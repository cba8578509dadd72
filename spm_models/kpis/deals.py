"""KPIs of closed and new deals: K01 win rate, K02 sales cycle, K06 deal value, K21 revenue."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from spm_models.kpis.definition import Kpi


def _known(value: ir.NumericValue, events: ir.BooleanValue) -> ir.NumericValue:
    """The value, 0 where there was no event; empty where there were events and the value was not recorded."""
    return value.coalesce(ibis.ifelse(events.sum() > 0, ibis.null("float64"), 0.0))


KPIS = (
    Kpi(
        "win_rate", "K01", "share", "higher", "Won / (won + lost), by close date.",
        facts="closed", numerator=lambda t, s: t.won.sum(), denominator=lambda t, s: t.count(), interval="wilson",
        healthy=(0.20, 0.30), source="feature inventory; band for B2B",
    ),
    Kpi(
        "loss_rate", "K01", "share", "lower", "Lost / (won + lost), by close date; lost includes no decision.",
        facts="closed", numerator=lambda t, s: (~t.won).sum(), denominator=lambda t, s: t.count(), interval="wilson",
    ),
    Kpi(
        "win_rate_of_cohort", "K01", "share", "higher",
        "Won by now / all deals created in the period, those still open included.",
        facts="created", numerator=lambda t, s: t.won.sum(), denominator=lambda t, s: t.count(), interval="wilson",
    ),
    Kpi(
        "deals_won", "K01", "count", "higher", "Deals won, by close date.",
        facts="closed", numerator=lambda t, s: t.won.sum(),
    ),
    Kpi(
        "deals_lost", "K01", "count", "lower", "Deals lost, by close date; no decision included.",
        facts="closed", numerator=lambda t, s: (~t.won).sum(),
    ),
    Kpi(
        "deals_no_decision", "K01", "count", "context", "Lost deals whose loss reason is no_decision, by close date.",
        facts="closed",
        numerator=lambda t, s: _known(
            (t.loss_reason.lower().replace(" ", "_") == "no_decision").sum(where=~t.won).cast("float64"), ~t.won
        ),
    ),
    Kpi(
        "sales_cycle", "K02", "days", "lower",
        "Median days from creation to a win, of deals won in the period; open and lost deals are not in it.",
        facts="closed", median="days", only=lambda t: t.won & t.days.notnull() & (t.days >= 0), healthy=(30, 90),
        source="feature inventory; band by sector",
    ),
    Kpi(
        "average_deal_value", "K06", "money", "higher", "Mean amount of won deals, by close date.",
        facts="closed",
        numerator=lambda t, s: t.amount.sum(where=t.won),
        denominator=lambda t, s: (t.won & t.amount.notnull()).sum(),
        square=lambda t, s: (t.amount.cast("float64") ** 2).sum(where=t.won),
        interval="mean",
    ),
    Kpi(
        "revenue", "K21", "money", "higher", "Amounts of won deals, by close date.",
        facts="closed", numerator=lambda t, s: _known(t.amount.sum(where=t.won).cast("float64"), t.won),
    ),
    Kpi(
        "deals_closed", "K21", "count", "higher", "Deals won or lost, by close date.",
        facts="closed", numerator=lambda t, s: t.count(),
    ),
    Kpi(
        "average_ticket", "K21", "money", "higher", "Revenue / customers with a won deal in the period.",
        facts="closed",
        numerator=lambda t, s: t.amount.sum(where=t.won & t.account_id.notnull()),
        denominator=lambda t, s: t.account_id.nunique(where=t.won),
    ),
    Kpi(
        "new_opportunities", "K12", "count", "higher", "Deals created in the period.",
        facts="created", numerator=lambda t, s: t.count(),
    ),
)  # fmt: skip
