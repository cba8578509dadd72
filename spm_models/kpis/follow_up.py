"""Are next steps done: K33 follow-up discipline, K29 plan fulfilment."""

from __future__ import annotations

import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import open_deals
from spm_models.kpis.source import Source


@facts("rep_id", "activity", tables=("activities",))
def planned_steps(s: Source) -> ir.Table:
    """Activities that were planned for a day of the period: ``done`` by now, ``in_time`` by the end of that day."""
    t = s.tables["activities"]
    t = t.filter(t.due_at.notnull())
    done = t.happened_at.notnull() & (t.happened_at < s.cutoff)
    in_time = done & (s.local_day(t.happened_at) <= s.local_day(t.due_at))
    t = t.select("rep_id", "due_at", activity=t.kind, done=done, in_time=in_time, on_deal=t.opportunity_id.notnull())
    return s.within(t, s.local_day(t.due_at))


KPIS = (
    Kpi(
        "follow_up_in_time", "K33", "share", "higher",
        "Next steps on deals done by the end of the day for which they were planned / those planned for the period.",
        facts=planned_steps, numerator=(_.on_deal & _.in_time).sum(), denominator=_.on_deal.sum(), interval="wilson",
    ),
    Kpi(
        "days_since_touch", "K33", "days", "lower",
        "Median days since the last activity on a deal that is open at the end of the period; since its creation where "
        "there was none.",
        facts=open_deals, statistic="median", of=_.days_quiet, interval="order_statistics", tables=("activities",),
    ),
    Kpi(
        "plan_fulfilment", "K29", "share", "higher",
        "Activities done by now / activities planned for the period, on deals or not.",
        facts=planned_steps, numerator=_.done.sum(), denominator=_.count(), matures=True, interval="wilson",
    ),
)  # fmt: skip
