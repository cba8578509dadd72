"""KPIs of closed and new deals: K01 win rate, K06 deal value, K21 revenue."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from spm_models.kpis.definition import Kpi
from spm_models.kpis.facts import closed, created


def _known(value: Any, events: Any) -> Any:
    """The value, 0 where there was no event; empty where there were events and the value was not recorded."""
    return ibis.coalesce(value.cast("float64"), ibis.ifelse(events.sum() > 0, ibis.null("float64"), 0.0))


KPIS = (
    Kpi(
        "win_rate", "K01", "share", "higher", "Won / (won + lost), by close date.",
        facts=closed, numerator=_.won.sum(), denominator=_.count(), interval="wilson",
        healthy=(0.20, 0.30), source="feature inventory; band for B2B",
    ),
    Kpi(
        "loss_rate", "K01", "share", "lower", "Lost / (won + lost), by close date; lost includes no decision.",
        facts=closed, numerator=(~_.won).sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "win_rate_of_cohort", "K01", "share", "higher",
        "Won by now / all deals created in the period, those still open included.",
        facts=created, numerator=_.won.sum(), denominator=_.count(), matures=True, interval="wilson",
    ),
    Kpi(
        "deals_won", "K01", "count", "higher", "Deals won, by close date.",
        facts=closed, numerator=_.won.sum(),
    ),
    Kpi(
        "deals_lost", "K01", "count", "lower", "Deals lost, by close date; no decision included.",
        facts=closed, numerator=(~_.won).sum(),
    ),
    Kpi(
        "deals_no_decision", "K01", "count", "context", "Lost deals whose loss reason is no_decision, by close date.",
        facts=closed,
        numerator=_known(
            (_.loss_reason.lower().replace(" ", "_") == "no_decision").sum(where=~_.won), ~_.won
        ),
    ),
    Kpi(
        "average_deal_value", "K06", "money", "higher", "Mean amount of won deals, by close date.",
        facts=closed, statistic="mean", of=_.amount, only=_.won, interval="bootstrap",
    ),
    Kpi(
        "revenue", "K21", "money", "higher", "Amounts of won deals, by close date.",
        facts=closed, numerator=_known(_.amount.sum(where=_.won), _.won),
    ),
    Kpi(
        "deals_closed", "K21", "count", "higher", "Deals won or lost, by close date.",
        facts=closed, numerator=_.count(),
    ),
    Kpi(
        "average_ticket", "K21", "money", "higher", "Revenue / customers with a won deal in the period.",
        facts=closed,
        numerator=_.amount.sum(where=_.won & _.account_id.notnull()),
        denominator=_.account_id.nunique(where=_.won),
    ),
    Kpi(
        "new_opportunities", "K12", "count", "higher", "Deals created in the period.",
        facts=created, numerator=_.count(),
    ),
)  # fmt: skip
