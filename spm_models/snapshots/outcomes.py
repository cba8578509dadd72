"""Deals closed by a day, as known then: what models learn from and are judged by."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.snapshots.days import day_table
from spm_models.snapshots.past_values import History, number
from spm_models.snapshots.rates import with_rate
from spm_models.snapshots.schema import OUTCOMES


def outcomes(tables: Tables, as_of: date | str) -> pd.DataFrame:
    """Deals won or lost by the end of ``as_of``.

    Parameters
    ----------
    tables : Tables
    as_of : date or ISO text
        A day of the company's time zone; its end is meant.

    Returns
    -------
    DataFrame
        One row a deal, sorted by ``opportunity_id``, with the columns of
        :data:`~spm_models.snapshots.schema.OUTCOMES`. ``amount`` is what stood there at the end of ``as_of``, in the
        company's currency at the rate of the closing day: edits made later are not seen. ``rep_id`` owned the deal
        when it closed: a later hand-over moves no credit.

    Notes
    -----
    Without history, amount and owner of a closed deal are taken as settled when it closed; nothing in such a source
    could tell otherwise. The source keeps the last closing day of a deal: one that was reopened is closed from then
    on only, and one that is open again has no outcome.
    """
    fetched = frame(outcomes_table(tables, as_of).select(*OUTCOMES))
    return fetched.astype(OUTCOMES).sort_values("opportunity_id", ignore_index=True)


def outcomes_table(tables: Tables, as_of: date | str) -> ir.Table:
    """The outcomes as an ibis expression, for work that stays in the database."""
    deals = tables["opportunities"]
    deals = deals.filter(deals.status.isin(["won", "lost"]), deals.closed_on.notnull())
    at = day_table(tables, [as_of])
    closed = deals.inner_join(at, [deals.closed_on <= at.as_of])
    closed = closed.mutate(won=closed.status == "won")
    history = History.of(tables)
    if history is None:
        return closed.mutate(amount=closed.amount_company.cast("float64"))
    return _with_values(tables, closed, history)


def _with_values(tables: Tables, closed: ir.Table, history: History) -> ir.Table:
    """Amount at the end of the day, owner at the end of the closing day."""
    # The cutoff of the closing day lies whole days before that of as_of: a change in the evening of the closing day
    # counts in the company's time zone (an hour around a clock change apart).
    changes = history.changes.semi_join(closed, "opportunity_id")
    since_close = closed.as_of.epoch_days() - closed.closed_on.epoch_days()
    keys = closed.select("opportunity_id", "cutoff", since_close=since_close)
    j = keys.inner_join(changes, "opportunity_id")
    ended = j.cutoff.epoch_seconds() - j.since_close * 86_400
    past = {"amount": j.changed_at < j.cutoff, "rep_id": j.changed_at.epoch_seconds() < ended}
    columns: dict[str, ir.Value] = {}
    for name, before in past.items():
        here = j.field == name
        later = j.old.argmin(j.changed_at, where=here & ~before)
        columns[f"{name}_then"] = j.new.argmax(j.changed_at, where=here & before).coalesce(later)
    found = j.group_by("opportunity_id").aggregate(**columns)
    t = closed.left_join(found, ["opportunity_id"]).drop("opportunity_id_right")
    t = with_rate(tables, t, day="closed_on")
    amount = ibis.ifelse(t.amount_then.isnull(), t.amount.cast("float64"), number(t.amount_then)) * t.rate
    owner = ibis.ifelse(t.rep_id_then.isnull(), t.rep_id, t.rep_id_then.nullif(""))
    return t.mutate(amount=ibis.ifelse(t.extracted, t.amount_company.cast("float64"), amount), rep_id=owner)
