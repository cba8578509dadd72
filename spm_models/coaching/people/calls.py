"""Calls worth listening to, and why; how long they were and what came of them, never what was said in them.

A reason says what there may be to learn from, not that something was wrong; transcripts are not looked at.
"""

from __future__ import annotations

from datetime import date, datetime

import ibis
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.snapshots import cutoff
from spm_models.snapshots.touches import AGREED, OBJECTED

DAYS = 28  # how far back one still remembers a call
LIMIT = 4
LONG = 0.9  # longer than so many of the answered calls of its queue
FEW = 20  # calls of a queue, before anything is long
SHORT_SECONDS = 60  # nothing much can be heard in less
REASONS = ("objection", "long_talk_lost", "first_of_stage", "next_step_agreed")
CALLS: dict[str, str] = {
    "rep_id": "str", "rank": "int64", "call_id": "str", "opportunity_id": "str", "offered_at": "datetime64[s]",
    "reason": "str", "value": "float64", "beside": "float64",
}  # fmt: skip


def calls_to_review(
    tables: Tables, pipeline: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, *, limit: int = LIMIT
) -> pd.DataFrame:
    """A few recent calls of each rep, each for one reason.

    Parameters
    ----------
    tables : Tables
        Of which ``calls`` and ``opportunity_history`` are looked at, up to the end of ``as_of``.
    pipeline, outcomes : DataFrame
        Open and closed deals: ``opportunity_id``, and ``won`` of those closed.
    as_of : datetime.date
    limit : int
        Most calls of a rep.

    Returns
    -------
    DataFrame
        Published table ``calls_to_review``. ``reason``: ``objection`` (the customer objected, the deal is open),
        ``long_talk_lost`` (longer than nine of ten calls of its queue, and the deal was lost), ``first_of_stage`` (the
        first call since the deal entered its stage), ``next_step_agreed`` (a step was agreed and the deal is open or
        won: what works). ``value`` and ``beside``: minutes of talk, and the median of the queue. ``offered_at`` is UTC.
    """
    if "calls" not in tables:
        return pd.DataFrame(columns=list(CALLS)).astype(CALLS)
    calls = _recent(tables, as_of)
    decided = outcomes.set_index("opportunity_id")["won"].astype(bool)
    is_open = calls["opportunity_id"].isin(pipeline["opportunity_id"])
    is_won = calls["opportunity_id"].isin(decided.index[decided])
    is_lost = calls["opportunity_id"].isin(decided.index[~decided])
    outcome = calls["outcome"].fillna("").str.replace("İ", "i").str.lower()
    holds = {
        "objection": outcome.str.contains(OBJECTED) & is_open,
        "long_talk_lost": is_lost & (calls["queue_calls"] >= FEW) & (calls["talk_seconds"] > calls["long"]),
        "first_of_stage": is_open & calls["first"],
        "next_step_agreed": outcome.str.contains(AGREED) & (is_open | is_won),
    }
    calls["reason"] = pd.Series(index=calls.index, dtype="str")
    for reason in REASONS:
        calls.loc[calls["reason"].isna() & holds[reason], "reason"] = reason
    return _chosen(calls[calls["reason"].notna()], limit)


def _recent(tables: Tables, as_of: date) -> pd.DataFrame:
    """Answered calls of the last weeks, with what is usual in their queue and whether they opened a stage."""
    end = cutoff(as_of, tables.time_zone)
    calls = tables["calls"]
    calls = calls.filter(
        calls.offered_at < ibis.literal(end), calls.rep_id.notnull(), ~calls.abandoned.fill_null(False),
        calls.talk_seconds.notnull(),
    )  # fmt: skip
    names = ("call_id", "rep_id", "opportunity_id", "queue", "offered_at", "talk_seconds", "outcome")
    calls = calls.select(*names).mutate(queue=calls.queue.fill_null(""))
    usual = calls.filter(calls.offered_at >= ibis.literal(end - pd.Timedelta(days=365))).group_by("queue")
    usual = usual.aggregate(median=ibis._.talk_seconds.median(), long=ibis._.talk_seconds.quantile(LONG),
                            queue_calls=ibis._.count())  # fmt: skip
    recent = calls.filter(calls.offered_at >= ibis.literal(end - pd.Timedelta(days=DAYS)))
    recent = recent.filter(recent.talk_seconds >= SHORT_SECONDS)
    found = frame(recent.order_by("call_id")).merge(frame(usual), on="queue", how="left")
    found["first"] = found["call_id"].isin(_first_of_stage(tables, calls, end))
    return found


def _first_of_stage(tables: Tables, calls: ibis.Table, end: datetime) -> list[str]:
    """The first call of each open deal since it last changed stage."""
    if not tables.has_history:
        return []
    moves = tables["opportunity_history"]
    moves = moves.filter(moves.field == "stage", moves.changed_at < ibis.literal(end))
    entered = moves.group_by("opportunity_id").aggregate(entered_at=moves.changed_at.max())
    since = calls.inner_join(entered, "opportunity_id").filter(lambda t: t.offered_at >= t.entered_at)
    first = since.group_by("opportunity_id").aggregate(call_id=since.call_id.argmin(since.offered_at))
    return [str(name) for name in frame(first.select("call_id"))["call_id"]]


def _chosen(calls: pd.DataFrame, limit: int) -> pd.DataFrame:
    """The newest call for each reason first, then the next ones."""
    calls = calls.sort_values(["offered_at", "call_id"], ascending=[False, True])
    calls["nth"] = calls.groupby(["rep_id", "reason"]).cumcount()
    calls["place"] = calls["reason"].map({reason: place for place, reason in enumerate(REASONS)})
    calls = calls.sort_values(["rep_id", "nth", "place", "call_id"], ignore_index=True)
    calls["rank"] = calls.groupby("rep_id").cumcount() + 1
    calls["value"], calls["beside"] = calls["talk_seconds"] / 60, calls["median"] / 60
    return calls.loc[calls["rank"] <= limit, list(CALLS)].astype(CALLS).reset_index(drop=True)
