"""What sales and marketing cost: K30 cost report."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import exact
from spm_models.kpis.source import Source


@facts("category", tables=("costs",))
def costs(s: Source) -> ir.Table:
    """Costs of the months that begin in the period, in company currency."""
    t = s.tables["costs"]
    return s.within(t.select("category", "month", amount=exact(t.amount_company)), t.month)


KPIS = (
    Kpi(
        "cost", "K30", "money", "context",
        "Costs of the months that begin in the period; by category for the cost report.",
        facts=costs, numerator=_.amount.sum(), grains=("month", "quarter", "year"),
    ),
)  # fmt: skip
