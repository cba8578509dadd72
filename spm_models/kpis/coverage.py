"""How much pipeline a target needs: K04 required coverage, from what past pipelines brought."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.facts import DEAL, exact
from spm_models.kpis.source import Source
from spm_models.snapshots import outcomes_table, pipeline_table

PAST = 4  #: periods before each one that are looked at


@facts(*DEAL, tables=("opportunity_history",))
def due_in_past_periods(s: Source) -> ir.Table:
    """Deals open when each of the four last finished periods began, due in it: ``amount`` then, ``won`` in it."""
    rows: list[tuple[str, pd.Timestamp, pd.Timestamp, pd.Timestamp]] = []
    for period in s.periods:
        past = period.previous()
        while past.end > s.as_of:
            past = past.previous()
        for _place in range(PAST):
            eve = past.start - timedelta(days=1)
            rows.append((period.label, pd.Timestamp(eve), pd.Timestamp(past.start), pd.Timestamp(past.end)))
            past = past.previous()
    schema = {"period": "string", "eve": "timestamp", "first_day": "timestamp", "last_day": "timestamp"}
    spans = ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema)
    spans = spans.mutate(**{name: spans[name].cast("date") for name in ("eve", "first_day", "last_day")})
    open_then = pipeline_table(s.tables, sorted({row[1].date() for row in rows}), columns=[])
    j = open_then.inner_join(spans, open_then.as_of.cast("date") == spans.eve)
    j = j.filter(j.expected_close_on.between(j.first_day, j.last_day), j.amount.notnull())
    j = j.select("opportunity_id", *DEAL, "period", "first_day", "last_day", amount=exact(j.amount))
    over = outcomes_table(s.tables, s.as_of)
    won = over.filter(over.status == "won").select("opportunity_id", won_on=over.closed_on)
    j = j.left_join(won, "opportunity_id").drop("opportunity_id_right")
    inside = j.won_on.notnull() & j.won_on.between(j.first_day, j.last_day)
    return j.select(*DEAL, "period", "amount", won=inside.fill_null(False))


KPIS = (
    Kpi(
        "required_coverage", "K04", "ratio", "context",
        "1 / own yield: pipeline open when each of the four last finished periods began and due in it / what of it was "
        "won in it, both at the amounts of that day. So much coverage each unit of revenue from it has needed.",
        facts=due_in_past_periods, ahead=True, numerator=_.amount.sum(), denominator=_.amount.sum(where=_.won),
    ),
)  # fmt: skip
