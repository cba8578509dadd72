"""KPIs of the open pipeline: K03 value, as it was known at the end of the day, and K35 velocity."""

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
        numerator=(_.amount.cast("float64") * _.win_probability).cast("decimal(18, 4)").sum(),
    ),
    Kpi(
        "pipeline_velocity", "K35", "money_per_day", "higher",
        "Pipeline effectiveness: open deals × win rate × average deal value / sales cycle.",
        parts=("open_deals", "win_rate", "average_deal_value", "sales_cycle"),
        formula=lambda v: v["open_deals"] * v["win_rate"] * v["average_deal_value"] / v["sales_cycle"],
    ),
)  # fmt: skip
