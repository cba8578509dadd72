"""KPIs of leads: K11 conversion, K12 new leads, K13 waiting and first response."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.decline import Decline, decline
from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.source import Source
from spm_models.kpis.survival import START
from spm_models.periods import Period
from spm_models.snapshots import cutoff

_KEYS = ("rep_id", "source", "campaign")
_HOUR, _DAY = 3600.0, 86_400.0


@facts(*_KEYS, tables=("leads",))
def leads_created(s: Source) -> ir.Table:
    """Leads that arrived in the period, with what became of them by ``as_of``; hours until somebody answered."""
    t = _leads(s)
    t = t.filter(t.created_at < s.cutoff)
    answered = t.first_response_at.notnull() & (t.first_response_at < s.cutoff)
    until = ibis.ifelse(answered, t.first_response_at, s.cutoff)
    hours = (until.epoch_seconds() - t.created_at.epoch_seconds()).cast("float64") / _HOUR
    converted = _by(t.converted_at, s)
    t = t.select(
        *_KEYS, "created_at", converted=converted, qualified=_by(t.qualified_at, s) | converted,
        won=t.won & converted, hot=t.rating == "hot", event=ibis.ifelse(answered, 1, 0),
        entered=ibis.literal(START), ended=ibis.greatest(hours, 0.0),
    )  # fmt: skip
    return s.within(t, s.local_day(t.created_at))


@facts(*_KEYS, tables=("leads",))
def leads_waiting(s: Source) -> ir.Table:
    """Leads in the process at the period's end, with ``days`` since somebody last did something about them.

    Of a past day a lead that was touched later has no ``days``: the source keeps the last touch only.
    """
    t, spans = _leads(s), s.spans()
    j = t.inner_join(spans, [t.created_at < spans.over_at, t.converted_at.isnull() | (t.converted_at >= spans.over_at)])
    later = j.last_touched_at >= j.over_at
    answered = ibis.ifelse(j.first_response_at < j.over_at, j.first_response_at, j.created_at)
    last = ibis.greatest(j.created_at, answered.fill_null(j.created_at), j.last_touched_at.fill_null(j.created_at))
    days = (j.over_at.epoch_seconds() - last.epoch_seconds()).cast("float64") / _DAY
    return j.select(*_KEYS, "period", days=ibis.ifelse(later.fill_null(False), ibis.null("float64"), days))


def _leads(s: Source) -> ir.Table:
    """All leads with ``won`` (by ``as_of``); one with a deal but no instant of conversion became it when that began."""
    t, deals = s.tables["leads"], s.tables["opportunities"]
    won = (deals.status == "won") & (deals.closed_on <= ibis.literal(s.as_of))
    deals = deals.select("opportunity_id", begun=deals.created_on.cast("timestamp"), won=won.fill_null(False))
    t = t.left_join(deals, "opportunity_id").drop("opportunity_id_right")
    begun = ibis.greatest(t.begun, t.created_at)
    converted_at = t.converted_at.fill_null(ibis.ifelse(t.begun.isnull(), ibis.null("timestamp"), begun))
    return t.mutate(converted_at=converted_at, won=t.won.fill_null(False))


def _by(instant: ir.TimestampColumn, s: Source) -> ir.BooleanValue:
    return instant.notnull() & (instant < s.cutoff)


def idle_leads(tables: Tables, as_of: date, *, days: float = 7.0) -> pd.DataFrame:
    """Leads in the process that nobody has touched for some time: whom to call first.

    Parameters
    ----------
    tables : Tables
        With ``leads``.
    as_of : date
    days : float
        Idle for at least so long.

    Returns
    -------
    DataFrame
        ``lead_id, rep_id, source, rating, created_at`` (UTC), ``idle_days``, ``never_answered``; hot ones first, then
        the longest idle.
    """
    now = pd.Timestamp(cutoff(as_of, tables.time_zone))
    t = _leads(Source(tables, (), as_of))
    names = ["lead_id", "rep_id", "source", "rating", "created_at", "first_response_at", "last_touched_at",
             "converted_at"]  # fmt: skip
    leads = frame(t.filter(t.created_at < ibis.literal(now.to_pydatetime())).select(*names))
    leads = leads[leads["converted_at"].isna() | (leads["converted_at"] >= now)]
    answered = leads["first_response_at"].where(leads["first_response_at"] < now)
    last = pd.concat([leads["created_at"], answered, leads["last_touched_at"]], axis=1).max(axis=1)
    idle = (now - last).dt.total_seconds() / _DAY
    found = leads.assign(idle_days=idle, never_answered=answered.isna())[idle >= days]
    order = found.assign(hot=found["rating"] == "hot").sort_values(
        ["hot", "idle_days", "lead_id"], ascending=[False, False, True]
    )
    result: pd.DataFrame = order[[*names[:5], "idle_days", "never_answered"]].reset_index(drop=True)
    return result


def lead_trend(tables: Tables, periods: Sequence[Period], as_of: date) -> Decline:
    """New leads of the last whole period against those before it, from the first with leads on.

    See :func:`~spm_models.kpis.decline.decline`.
    """
    whole = [one for one in periods if one.end <= as_of]
    if not whole:
        return decline([])
    s = Source(tables, tuple(whole), as_of)
    counted = frame(s.facts(leads_created).group_by("period").aggregate(n=_.count()))
    counts = counted.set_index("period")["n"].reindex([one.label for one in whole]).fillna(0)
    return decline(np.trim_zeros(counts.to_numpy(dtype=float), "f"))


KPIS = (
    Kpi(
        "new_leads", "K12", "count", "higher", "Leads that arrived in the period.",
        facts=leads_created, numerator=_.count(),
    ),
    Kpi(
        "lead_conversion", "K11", "share", "higher",
        "Leads that became an opportunity by now / all that arrived in the period.",
        facts=leads_created, numerator=_.converted.sum(), denominator=_.count(), matures=True, interval="wilson",
    ),
    Kpi(
        "lead_to_won", "K11", "share", "higher",
        "Leads whose opportunity has been won by now / all that arrived in the period.",
        facts=leads_created, numerator=_.won.sum(), denominator=_.count(), matures=True, interval="wilson",
    ),
    Kpi(
        "qualified_leads", "K11", "share", "higher",
        "Leads found worth pursuing by now (or converted) / all that arrived in the period.",
        facts=leads_created, numerator=_.qualified.sum(), denominator=_.count(), matures=True, interval="wilson",
    ),
    Kpi(
        "hot_leads", "K11", "share", "higher", "Leads rated hot / all that arrived in the period.",
        facts=leads_created, numerator=_.hot.fill_null(False).sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "first_response_time", "K13", "hours", "lower",
        "Hours after which half of the leads that arrived in the period had been answered; those that still wait are "
        "censored.",
        facts=leads_created, statistic="survival", interval="kaplan_meier", source="Kaplan and Meier (1958)",
    ),
    Kpi(
        "lead_waiting_time", "K13", "days", "lower",
        "Mean days since the last touch (else the first answer, else the arrival) of leads in the process at the end "
        "of the period.",
        facts=leads_waiting, statistic="mean", of=_.days, interval="mean",
    ),
    Kpi(
        "open_leads", "K13", "count", "context", "Leads in the process at the end of the period.",
        facts=leads_waiting, numerator=_.count(),
    ),
)  # fmt: skip
