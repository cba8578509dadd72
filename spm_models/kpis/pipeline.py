"""KPIs of the open pipeline: K03 value, as it was known at the end of the day."""

from __future__ import annotations

from spm_models.kpis.definition import Kpi

KPIS = (
    Kpi(
        "open_pipeline", "K03", "money", "higher",
        "Known amounts of all deals open at the end of the day; empty where no amount is known.",
        facts="open", ahead=True, numerator=lambda t, s: t.amount.sum(),
    ),
    Kpi(
        "open_deals", "K03", "count", "context", "Deals open at the end of the day.",
        facts="open", ahead=True, numerator=lambda t, s: t.count(),
    ),
    Kpi(
        "weighted_pipeline", "K03", "money", "higher", "Open amounts × win probability.",
        facts="open", ahead=True, needs_scores=True,
        numerator=lambda t, s: (t.amount * t.win_probability).cast("decimal(18, 4)").sum(),
    ),
)  # fmt: skip
