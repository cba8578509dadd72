"""What customers say: K20 CSAT."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source

SATISFIED = 4  #: of 5 points: the two best answers, the usual "top two boxes"


@facts("rep_id", "account_id", tables=("surveys",))
def answers(s: Source) -> ir.Table:
    """Answers of the period; those about a deal belong to its owner."""
    t = s.tables["surveys"]
    t = t.filter(t.score.notnull())
    deals = s.tables["opportunities"]
    known = (deals.status == "won") & deals.closed_on.notnull() & (deals.closed_on <= ibis.literal(s.as_of))
    deals = deals.select("opportunity_id", "rep_id", won=known)
    t = t.left_join(deals, "opportunity_id").drop("opportunity_id_right")
    t = t.select("rep_id", "account_id", "answered_on", "score", won=t.won.fill_null(False))
    return s.within(t, t.answered_on)


KPIS = (
    Kpi(
        "csat", "K20", "share", "higher", "Answers with 4 or 5 of 5 points / all answers of the period.",
        facts=answers, numerator=(_.score >= SATISFIED).sum(), denominator=_.count(), interval="wilson",
        source="top-two-box share, as in P. W. Farris et al., Marketing Metrics (2010), section 2.6",
    ),
    Kpi(
        "csat_score", "K20", "points", "higher", "Mean of the answers of the period, 1 to 5 points.",
        facts=answers, statistic="mean", of=_.score, interval="mean",
    ),
)  # fmt: skip
