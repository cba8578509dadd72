"""KPIs of the open pipeline: K03 value, as it was known at the end of the day."""

from __future__ import annotations

from ibis import _

from spm_models.kpis.definition import Kpi
from spm_models.kpis.facts import open_deals

KPIS = (
    Kpi(
        "open_pipeline", "K03", "money", "higher",
        "Known amounts of all deals open at the end of the day; empty where no amount is known.",
        facts=open_deals, ahead=True, numerator=_.amount.sum(),
    ),
    Kpi(
        "open_deals", "K03", "count", "context", "Deals open at the end of the day.",
        facts=open_deals, ahead=True, numerator=_.count(),
    ),
    Kpi(
        "weighted_pipeline", "K03", "money", "higher", "Open amounts × win probability.",
        facts=open_deals, ahead=True, needs_scores=True,
        numerator=(_.amount * _.win_probability).cast("decimal(18, 4)").sum(),
    ),
)  # fmt: skip
