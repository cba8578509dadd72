"""What had been done for a deal by a day: how much, of what kind, how long ago, and what came back.

A touch is an activity that took place, or a telephone call that was not abandoned. What came of a touch counts as
known when it took place. The source does not say when a planned activity was entered: a plan is known from the day on
which it was due, and next steps that lie ahead are left out.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.snapshots.days import whole_days
from spm_models.snapshots.facts import Facts

RECENT_DAYS = 30
#: Outcomes that say that nobody was reached, in the words of common sources (any case; Turkish and Arabic as well).
_NOBODY = (
    r"no[ _-]?(answer|reply|response|show)|not[ _-]reached|unanswered|voice[ _-]?mail|left[ _-]message|busy|bounce"
    r"|cevapsız|yanıtsız|ulaşılamadı|لم يرد|لا رد"
)
OBJECTED = r"objection|declin|refus|not[ _-]interested|reject|itiraz|\bret\b|رفض|اعتراض"
AGREED = r"next[ _-]?step|meeting[ _-]set|agreed|sonraki|randevu|الخطوة"
_FACE_TO_FACE = ("meeting", "demo")
_KINDS = {
    "calls": "call", "meetings": "meeting", "emails": "email", "demos": "demo", "proposals": "proposal",
    "content_shared": "content",
}  # fmt: skip
#: Counts that are 0 for a deal that nobody touched, and days that are empty for it.
COUNTS = (
    "activities", "activities_14d", "activities_30d", "activities_prior_30d", "meetings_30d", "active_reps_30d",
    *_KINDS,
)  # fmt: skip
ANSWERS = ("answered_touches", "unanswered_touches", "objections", "next_steps")
SINCE = ("days_since_activity", "days_since_meeting")


def touches(tables: Tables, keys: ir.Table) -> list[Facts]:
    """Touches until the end of the day, and planned activities that are overdue.

    Parameters
    ----------
    tables : Tables
    keys : ibis table
        Deals and days: opportunity_id, as_of, cutoff.
    """
    of_deal = ("opportunity_id", "as_of")
    overdue = _overdue(tables, keys) if "activities" in tables else None
    done = _done(tables)
    facts = answers = since = None
    if done is not None:
        facts = _facts(keys, done)
        since = done.happened_at.min(where=done.outcome.notnull()).execute()
        answers = None if pd.isna(since) else facts
    return [
        Facts(facts, of_deal, counts=COUNTS, values=SINCE),
        Facts(answers, of_deal, counts=ANSWERS, values=("days_since_answer",), known=lambda t: t.cutoff > since),
        Facts(overdue, of_deal, counts=("overdue_activities",)),
    ]


def _done(tables: Tables) -> ir.Table | None:
    """Touches of deals in their order, each with the touches since the last answer, itself included."""
    parts = []
    names = ("opportunity_id", "rep_id", "kind", "happened_at", "outcome", "touch")
    if "activities" in tables:
        t = tables["activities"]
        parts.append(t.filter(t.happened_at.notnull()).mutate(touch=t.activity_id).select(*names))
    if "calls" in tables:
        t = tables["calls"].filter(~tables["calls"].abandoned.fill_null(False))
        parts.append(t.mutate(kind=ibis.literal("call"), happened_at=t.offered_at, touch=t.call_id).select(*names))
    if not parts:
        return None
    t = parts[0] if len(parts) == 1 else ibis.union(*parts)
    t = t.filter(t.opportunity_id.notnull())
    said = t.outcome.lower().fill_null("")
    t = t.mutate(
        answered=t.kind.isin(_FACE_TO_FACE) & ~said.re_search(_NOBODY) | (said != "") & ~said.re_search(_NOBODY),
        objected=said.re_search(OBJECTED),
        agreed=said.re_search(AGREED),
    )
    in_order = ibis.window(group_by="opportunity_id", order_by=["happened_at", "touch"], following=0)
    t = t.mutate(nth=ibis.row_number().over(in_order), spell=ibis.ifelse(t.answered, 1, 0).sum().over(in_order))
    place = ibis.row_number().over(ibis.window(group_by=["opportunity_id", "spell"], order_by="nth"))
    return t.mutate(unanswered=place + ibis.ifelse(t.spell == 0, 1, 0))


def _facts(keys: ir.Table, done: ir.Table) -> ir.Table:
    """One row per deal and day with touches."""
    j = keys.inner_join(done, ["opportunity_id", done.happened_at < keys.cutoff])
    within = {days: j.happened_at >= j.cutoff - ibis.interval(days=days) for days in (14, RECENT_DAYS, 2 * RECENT_DAYS)}
    meeting = j.kind.isin(_FACE_TO_FACE)
    last = j.cutoff.max()
    return j.group_by("opportunity_id", "as_of").aggregate(
        activities=j.count(),
        activities_14d=within[14].sum(),
        activities_30d=within[RECENT_DAYS].sum(),
        activities_prior_30d=(within[2 * RECENT_DAYS] & ~within[RECENT_DAYS]).sum(),
        meetings_30d=((j.kind == "meeting") & within[RECENT_DAYS]).sum(),
        active_reps_30d=j.rep_id.nunique(where=within[RECENT_DAYS]),
        **{name: (j.kind == kind).sum() for name, kind in _KINDS.items()},
        answered_touches=j.answered.sum(),
        unanswered_touches=j.unanswered.argmax(j.nth),
        objections=j.objected.sum(),
        next_steps=j.agreed.sum(),
        days_since_activity=whole_days(j.happened_at.max(), last),
        days_since_meeting=whole_days(j.happened_at.max(where=meeting), last),
        days_since_answer=whole_days(j.happened_at.max(where=j.answered), last),
    )


def _overdue(tables: Tables, keys: ir.Table) -> ir.Table:
    """Activities due by the day and not done by then; whether they were done later is not known."""
    plans = tables["activities"].select("opportunity_id", "due_at", "happened_at")
    undone = plans.happened_at.isnull() | (plans.happened_at >= keys.cutoff)
    j = keys.inner_join(plans, ["opportunity_id", plans.due_at < keys.cutoff, undone])
    return j.group_by("opportunity_id", "as_of").aggregate(overdue_activities=j.count())
