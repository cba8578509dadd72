"""Activities of reps: touches of deals, next steps that were planned (some never done), and prospecting.

A telephone call of an inside team stands in ``calls`` and not here.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spm_models.crm.schemas.deals import ACTIVITY_KINDS
from spm_models.sample_company import columns
from spm_models.sample_company.draws import Ints
from spm_models.sample_company.ledger import Ledger, opportunity_id, rep_id
from spm_models.sample_company.recorder import DAY, Columns, joined
from spm_models.sample_company.selling import Chunk

CALL, MEETING, EMAIL, DEMO, PROPOSAL, CONTENT, FOLLOW_UP = range(len(ACTIVITY_KINDS))
_KINDS = np.array([  # by stage: call, meeting, email, demo, proposal, content, follow-up
    [35, 20, 33, 0, 0, 10, 2],
    [30, 34, 22, 0, 0, 10, 4],
    [12, 20, 20, 34, 0, 10, 4],
    [14, 20, 26, 2, 26, 4, 8],
    [28, 34, 20, 0, 6, 0, 12],
], dtype=np.float64)  # fmt: skip
_MINUTES = np.array([12.0, 50.0, 7.0, 60.0, 90.0, 10.0, 8.0])
OUTCOMES = ("answered", "next_step", "objection", "declined", "no_answer")
NONE = -1


def kinds(chunk: Chunk) -> tuple[Columns, Ints]:
    """All touches of a chunk and what kind each is."""
    touches = joined(chunk.recorder.touches)
    edges = np.cumsum(_KINDS, axis=1) / _KINDS.sum(axis=1, keepdims=True)
    u = chunk.world.draws.uniform("kind", touches["key"])
    kind = (u[:, None] > edges[touches["stage"].clip(0, 4)]).sum(axis=1).astype(np.int64)
    return touches, kind


def outcomes(chunk: Chunk, touches: Columns) -> Ints:
    """What came of each touch."""
    u = chunk.world.draws.uniform("outcome", touches["key"])
    next_step = chunk.world.staff.skill[touches["owner"], 4]
    plain = np.where(u < 0.75 * next_step, 1, np.where(u > 0.97, 4, 0))
    return np.where(touches["objection"], 2, np.where((touches["conviction"] < 0.2) & (u > 0.8), 3, plain))


def activities(chunk: Chunk, ledger: Ledger, last_day: int) -> pa.Table:
    """The table of activities, in the order of the territories and then of time."""
    touches, kind = kinds(chunk)
    draws, world = chunk.world.draws, chunk.world
    position = ledger.position(touches["uid"])
    planned = draws.uniform("planned", touches["key"]) < 0.25 + 0.45 * world.staff.skill[touches["owner"], 4]
    created = ledger.deals["created"][position] * DAY + 13 * 3600
    delay = (DAY * 3 * draws.uniform("delay", touches["key"]) ** 4).astype(np.int64) // 1800 * 1800
    due = np.maximum(touches["at"] // 1800 * 1800 - delay, created)
    minutes = _MINUTES[kind] * np.exp(0.35 * draws.normal("minutes", touches["key"]))
    done = {
        "seat": ledger.deals["seat"][position], "owner": touches["owner"], "number": ledger.number[position],
        "kind": kind, "due": np.where(planned & (due <= touches["at"]), due, NONE), "at": touches["at"],
        "minutes": minutes, "outcome": outcomes(chunk, touches),
    }  # fmt: skip
    on_the_line = world.inside[touches["owner"]] & (kind == CALL)
    parts = [
        {name: column[~on_the_line] for name, column in done.items()},
        _never_done(chunk, ledger, touches, last_day), _to_come(chunk, ledger, last_day), _prospecting(chunk),
    ]  # fmt: skip
    return _table(chunk, {name: np.concatenate([part[name] for part in parts]) for name in done})


def _planned(chunk: Chunk, seat: Ints, owner: Ints, number: Ints, kind: Ints, due: Ints) -> Columns:
    nothing = np.full(len(seat), NONE)
    return {
        "seat": seat, "owner": owner, "number": number, "kind": kind, "due": due, "at": nothing,
        "minutes": nothing.astype(float), "outcome": nothing,
    }  # fmt: skip


def _never_done(chunk: Chunk, ledger: Ledger, touches: Columns, last_day: int) -> Columns:
    """Next steps that were agreed and then forgotten, more often by those who are weak at next steps."""
    key, world = touches["key"], chunk.world
    position = ledger.position(touches["uid"])
    forgotten = world.draws.uniform("forgotten", key) < 0.02 + 0.12 * (0.9 - world.staff.skill[touches["owner"], 4])
    due = (touches["at"] // DAY + 3 + (10 * world.draws.uniform("later", key)).astype(np.int64)) * DAY + 9 * 3600
    end = ledger.deals["closed_on"][position]
    forgotten &= due // DAY < np.where(end < 0, last_day, end)
    chosen = np.flatnonzero(forgotten)
    at = position[chosen]
    kind = np.where(world.draws.uniform("which", key[chosen]) < 0.5, FOLLOW_UP, MEETING)
    return _planned(
        chunk, ledger.deals["seat"][at], touches["owner"][chosen], ledger.number[at], kind, due[chosen]
    )  # fmt: skip


def _to_come(chunk: Chunk, ledger: Ledger, last_day: int) -> Columns:
    """Next steps of open deals that lie ahead of the last day."""
    deals, world = ledger.deals, chunk.world
    key = world.draws.keys("to_come", deals["uid"])
    has = (deals["closed_on"] < 0) & (
        world.draws.uniform("has", key) < 0.2 + 0.6 * world.staff.skill[deals["owner"], 4]
    )
    at = np.flatnonzero(has)
    due = (last_day + 1 + (14 * world.draws.uniform("due", key[at])).astype(np.int64)) * DAY + 8 * 3600
    kind = np.where(world.draws.uniform("which", key[at]) < 0.5, FOLLOW_UP, MEETING)
    return _planned(chunk, deals["seat"][at], deals["owner"][at], ledger.number[at], kind, due)


def _prospecting(chunk: Chunk) -> Columns:
    """Calls and e-mails to companies that are not (yet) a deal."""
    world = chunk.world
    parts = []
    for week in range(world.past):
        open_days = np.flatnonzero(world.weeks.working[week])
        if not len(open_days):
            continue
        rate = 2.2 * len(open_days) / 5 * world.present[:, week] * world.effort(week)
        key = world.draws.keys("prospecting", world.staff.number, week)
        rep = np.repeat(np.arange(len(world.staff)), world.draws.poisson("count", key, rate, 9))
        nth = np.arange(len(rep)) - np.searchsorted(rep, rep)
        key = world.draws.keys("prospect", key[rep], nth)
        day = world.weeks.days(week, world.draws.uniform("day", key))
        day = np.minimum(day, world.staff.left[rep])
        at = day * DAY + 6 * 3600 + (8 * 3600 * world.draws.uniform("clock", key)).astype(np.int64)
        email = world.inside[rep] | (world.draws.uniform("kind", key) < 0.5)
        answered = np.where(world.draws.uniform("answered", key) < 0.3, 0, 4)
        parts.append({
            "seat": world.staff.seat[rep], "owner": rep, "number": np.full(len(rep), NONE),
            "kind": np.where(email, EMAIL, CALL), "due": np.full(len(rep), NONE), "at": at,
            "minutes": np.where(email, 5.0, 4.0 + 6.0 * world.draws.uniform("minutes", key)), "outcome": answered,
        })  # fmt: skip
    return joined(parts)


def _table(chunk: Chunk, rows: Columns) -> pa.Table:
    when = np.where(rows["at"] < 0, rows["due"], rows["at"])
    order = np.lexsort((rows["kind"], rows["owner"], rows["number"], when, rows["seat"]))
    rows = {name: column[order] for name, column in rows.items()}
    nth = np.arange(len(order)) - np.searchsorted(rows["seat"], rows["seat"])
    undone = rows["at"] < 0
    return pa.table({
        "activity_id": columns.code("T", (rows["seat"] + 1) * 1_000_000 + nth, 10),
        "rep_id": rep_id(chunk.world.staff.number[rows["owner"]]),
        "opportunity_id": opportunity_id(rows["number"], empty=rows["number"] < 0),
        "kind": columns.word(rows["kind"], ACTIVITY_KINDS),
        "due_at": columns.instant(rows["due"], empty=rows["due"] < 0),
        "happened_at": columns.instant(rows["at"], empty=undone),
        "minutes": columns.number(rows["minutes"].clip(1, 600), 0, empty=undone),
        "outcome": columns.word(rows["outcome"], OUTCOMES),
    })  # fmt: skip
