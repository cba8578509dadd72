"""What is talked about on calls: K28 agreed words in transcripts, in Turkish, English and Arabic.

Words are counted by stated rules (:mod:`spm_models.kpis.terms`), not understood: "not expensive" counts as an
objection. They say what customers bring up, and are context: there are no bands, and nobody is judged by them.
"""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from spm_models.database import frame
from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source
from spm_models.kpis.terms import agreed, mentions
from spm_models.snapshots import cutoff

_RULES = "`[kpis.terms]` in spm.toml changes the words; templates/kpis/terms states the rules"


@facts("rep_id", "queue", "term", tables=("calls",))
def spoken(s: Source) -> ir.Table:
    """Each agreed term of each call with a transcript, by the day of the call, with how often it came up."""
    t, before = s.tables["calls"], min(one.start for one in s.periods) - timedelta(days=1)
    first = ibis.literal(cutoff(before, s.tables.time_zone))
    seen = t.filter(t.offered_at >= first, t.offered_at < s.cutoff)
    seen = seen.filter(seen.transcript.strip() != "")
    terms = agreed(s.tables.kpis.terms)
    heard = _heard(frame(seen.select("call_id", "transcript")), terms)
    names = ibis.memtable(pd.DataFrame({"term": list(terms)}), schema={"term": "string"})
    pairs = seen.select("call_id", "rep_id", "queue", "offered_at").cross_join(names)
    found = pairs.left_join(heard, [pairs.call_id == heard.heard_in, pairs.term == heard.heard])
    found = found.mutate(mentions=found.times.fill_null(0)).drop("heard_in", "heard", "times")
    return s.within(found, s.local_day(found.offered_at))


def _heard(calls: pd.DataFrame, terms: dict[str, dict[str, tuple[str, ...]]]) -> ir.Table:
    """Calls and terms that came up in them: ``heard_in``, ``heard``, ``times``."""
    counts = mentions(calls["transcript"], terms).assign(heard_in=calls["call_id"])
    long = counts.melt(id_vars="heard_in", var_name="heard", value_name="times")
    long = long[long["times"] > 0].sort_values(["heard_in", "heard"], ignore_index=True)
    return ibis.memtable(long, schema={"heard_in": "string", "heard": "string", "times": "int64"})


KPIS = (
    Kpi(
        "term_mentions", "K28", "per_call", "context",
        "How often agreed words came up / calls with a transcript, of the period; by term, or all terms together.",
        facts=spoken, numerator=_.mentions.sum(), denominator=_.call_id.nunique(), source=_RULES,
    ),
    Kpi(
        "calls_with_term", "K28", "share", "context",
        "Calls in which an agreed word came up / calls with a transcript, of the period; by term, or any term.",
        facts=spoken, numerator=_.call_id.nunique(where=_.mentions > 0), denominator=_.call_id.nunique(),
        interval="wilson", source=_RULES,
    ),
    Kpi(
        "calls_transcribed", "K28", "count", "context",
        "Calls of the period with a transcript: those in which words are counted.",
        facts=spoken, numerator=_.call_id.nunique(),
    ),
)  # fmt: skip
