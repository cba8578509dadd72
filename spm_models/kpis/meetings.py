"""What meetings bring: K05 meetings per win, and the win rate of deals that had one."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import DEAL, closed
from spm_models.kpis.source import Source


@facts(*DEAL, tables=("activities",))
def closed_with_meetings(s: Source) -> ir.Table:
    """Deals closed in the period with the number of ``meetings`` on them up to the closing day."""
    t = s.facts(closed)
    a = s.tables["activities"]
    a = a.filter(a.kind == "meeting", a.happened_at.notnull(), a.opportunity_id.notnull())
    held = a.select("opportunity_id", met_on=s.local_day(a.happened_at))
    j = t.select("period", "opportunity_id", "closed_on").inner_join(held, "opportunity_id")
    j = j.filter(j.met_on <= j.closed_on)
    counted = j.group_by("period", "opportunity_id").aggregate(meetings=j.count())
    t = t.left_join(counted, ["period", "opportunity_id"]).drop("period_right", "opportunity_id_right")
    return t.select("period", *DEAL, "won", meetings=ibis.coalesce(t.meetings, 0))


KPIS = (
    Kpi(
        "meetings_per_win", "K05", "ratio", "lower",
        "Meetings held on deals closed in the period, lost ones included / deals won in it.",
        facts=closed_with_meetings, numerator=_.meetings.sum(), denominator=_.won.sum(),
    ),
    Kpi(
        "win_rate_after_meeting", "K05", "share", "higher",
        "Won / (won + lost) of deals that had a meeting, by close date; not a proportion of meetings.",
        facts=closed_with_meetings, numerator=(_.won & (_.meetings > 0)).sum(), denominator=(_.meetings > 0).sum(),
        interval="wilson", healthy=(0.15, 0.25),
    ),
)  # fmt: skip
