"""KPIs of a contact centre's calls: K22 conversion, K23 handling time, K24 speed of answer, K26 abandonment.

Definitions follow B. Cleveland, *Call Center Management on Fast Forward* (4th ed. 2019), chapters 3 and 12.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source

# Who hangs up at once did not wait for an answer (a wrong number, say): such calls are counted apart, neither as
# offered nor as abandoned.
_SHORT = "within 5 seconds (`short_abandon_seconds` in spm.toml)"
_BOOK = "B. Cleveland, Call Center Management on Fast Forward (2019)"


@facts("rep_id", "queue", "opportunity_id", tables=("calls",))
def calls(s: Source) -> ir.Table:
    """Calls of the period, by the day on which they were offered or dialled, with what their deal came to by now."""
    t = s.tables["calls"]
    deals = s.tables["opportunities"]
    deals = deals.filter(deals.status == "won", deals.closed_on <= ibis.literal(s.as_of))
    t = t.left_join(deals.select("opportunity_id", won_on=deals.closed_on), "opportunity_id").drop(
        "opportunity_id_right"
    )
    gone = t.abandoned.fill_null(False)
    short = gone & (t.wait_seconds < s.tables.kpis.short_abandon_seconds).fill_null(False)
    parts = [t.hold_seconds.fill_null(0.0), t.wrap_up_seconds.fill_null(0.0)]
    t = t.select(
        "rep_id", "queue", "opportunity_id", "offered_at", "wait_seconds", answered=~gone, short=short,
        lost=gone & ~short, handled=t.talk_seconds + parts[0] + parts[1], won=t.won_on.notnull(),
    )  # fmt: skip
    return s.within(t, s.local_day(t.offered_at))


KPIS = (
    Kpi(
        "call_conversion", "K22", "share", "higher",
        "Answered calls on a deal that has been won by now / all answered calls of the period.",
        facts=calls, numerator=(_.answered & _.won).sum(), denominator=_.answered.sum(), interval="wilson",
        matures=True,
    ),
    Kpi(
        "handling_time", "K23", "seconds", "context",
        "Mean of talk + hold + wrap-up of answered calls. Neither long nor short is better by itself.",
        facts=calls, statistic="mean", of=_.handled, only=_.answered, interval="mean", source=_BOOK,
    ),
    Kpi(
        "speed_of_answer", "K24", "seconds", "lower", "Mean wait of answered calls.",
        facts=calls, statistic="mean", of=_.wait_seconds, only=_.answered, interval="mean", source=_BOOK,
    ),
    Kpi(
        "calls_offered", "K26", "count", "context",
        f"Calls offered or dialled, those left out that were abandoned {_SHORT}.",
        facts=calls, numerator=(~_.short).sum(),
    ),
    Kpi(
        "calls_answered", "K26", "count", "context", "Calls that were not abandoned before an answer.",
        facts=calls, numerator=_.answered.sum(),
    ),
    Kpi(
        "abandonment_rate", "K26", "share", "lower",
        f"Abandoned / offered calls; those abandoned {_SHORT} are in neither.",
        facts=calls, numerator=_.lost.sum(), denominator=(~_.short).sum(), interval="wilson", source=_BOOK,
    ),
    Kpi(
        "short_abandons", "K26", "count", "context", f"Calls abandoned {_SHORT}.",
        facts=calls, numerator=_.short.sum(),
    ),
)  # fmt: skip
