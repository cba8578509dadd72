"""Tables of the telephone teams: calls, shifts, and what agents were doing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spm_models.sample_company import columns
from spm_models.sample_company.activities import CALL, OUTCOMES, kinds, outcomes
from spm_models.sample_company.draws import Ints, Keys
from spm_models.sample_company.ledger import Ledger, opportunity_id, rep_id
from spm_models.sample_company.recorder import DAY, Columns
from spm_models.sample_company.selling import Chunk

QUEUES = ("new_business", "customers", "callback")
CALLS_A_DAY = 2.4  #: arriving calls that belong to no deal, for each agent on shift
STATUSES = ("available", "handling", "break", "training", "meeting", "offline")
SENTENCES = {
    0: "Merhaba teklifiniz hakkında bilgi almak istiyorum.",
    1: "Salı günü saat onda görüşelim ve takvime ekleyelim.",
    2: "Fiyat bize yüksek geldi ve rakibiniz daha uygun.",
    3: "Şu an ihtiyacımız yok teşekkür ederim.",
}
NONE = -1


def days_worked(chunk: Chunk) -> tuple[Ints, Ints]:
    """Agent and day of every planned shift of the telephone teams."""
    world = chunk.world
    past = world.weeks.first[0] + np.arange(7 * world.past)
    working = world.weeks.working[: world.past].reshape(-1)
    agents = np.flatnonzero(world.inside)
    planned = working & (past >= world.staff.hired[agents, None]) & (past <= world.staff.left[agents, None])
    for i in range(len(world.away.rep)):
        here = agents == world.away.rep[i]
        planned[np.ix_(here, (past >= world.away.starts[i]) & (past <= world.away.ends[i]))] = False
    who, when = np.nonzero(planned)
    return agents[who], past[when]


def shifts(chunk: Chunk, agent: Ints, day: Ints) -> tuple[pa.Table, Columns]:
    """Eight hours each, now and then late or missed; the table, and the actual times for the other tables."""
    draws, world = chunk.world.draws, chunk.world
    key = draws.keys("shift", world.staff.number[agent], day)
    start = (
        day * DAY
        + np.where(draws.uniform("early", draws.keys("half", world.staff.number[agent], day // 7)) < 0.5, 6, 8) * 3600
    )
    missed = draws.uniform("missed", key) < 0.012
    late = np.where(
        draws.uniform("late", key) < 0.10, 60 * (3 + 37 * draws.uniform("by", key)), 60 * draws.uniform("s", key)
    )
    begin = start + late.astype(np.int64)
    end = start + 8 * 3600 + (600 * draws.uniform("end", key) - 240).astype(np.int64)
    nth = np.arange(len(agent)) - np.searchsorted(agent, agent)
    table = pa.table({
        "shift_id": columns.code("H", (world.staff.number[agent] + 1) * 10_000 + nth, 8),
        "rep_id": rep_id(world.staff.number[agent]),
        "scheduled_start_at": columns.instant(start),
        "scheduled_end_at": columns.instant(start + 8 * 3600),
        "actual_start_at": columns.instant(begin, empty=missed),
        "actual_end_at": columns.instant(end, empty=missed),
    })  # fmt: skip
    there = ~missed
    return table, {
        "agent": agent[there],
        "day": day[there],
        "begin": begin[there],
        "end": end[there],
        "key": key[there],
    }


def agent_status(chunk: Chunk, worked: Columns) -> pa.Table:
    """A shift as a chain of intervals without gaps: two breaks, now and then training or a meeting."""
    draws = chunk.world.draws
    pattern = np.array([0, 1, 2, 1, 0, 1, 2, 1, 0])
    weight = np.array([0.8, 2.6, 0.35, 2.2, 0.7, 2.4, 0.5, 2.0, 0.6])
    count, steps = len(worked["agent"]), len(pattern)
    key = draws.keys("status", np.repeat(worked["key"], steps), np.tile(np.arange(steps), count))
    length = weight * np.exp(0.25 * draws.normal("length", key).reshape(count, steps))
    status = np.tile(pattern, (count, 1))
    extra = draws.uniform("extra", worked["key"])
    status[extra < 0.10, 4] = 3
    status[extra > 0.85, 4] = 4
    edges = np.concatenate([np.zeros((count, 1)), np.cumsum(length, axis=1)], axis=1)
    span = (worked["end"] - worked["begin"])[:, None]
    at = worked["begin"][:, None] + (edges / edges[:, -1:] * span).astype(np.int64)
    return pa.table({
        "rep_id": rep_id(chunk.world.staff.number[np.repeat(worked["agent"], steps)]),
        "started_at": columns.instant(at[:, :-1].reshape(-1)),
        "ended_at": columns.instant(at[:, 1:].reshape(-1)),
        "status": columns.word(status.reshape(-1), STATUSES),
    })  # fmt: skip


def calls(chunk: Chunk, ledger: Ledger, worked: Columns) -> pa.Table:
    """Calls about deals, and arriving calls, some of which are abandoned before anybody answers."""
    parts = [_of_deals(chunk, ledger), _arriving(chunk, worked)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((rows["key"], rows["at"], rows["seat"]))
    rows = {name: column[order] for name, column in rows.items()}
    draws, key, abandoned = chunk.world.draws, rows["key"], rows["abandoned"]
    nth = np.arange(len(order)) - np.searchsorted(rows["seat"], rows["seat"])
    talk = 60 * np.where(rows["outcome"] == 4, 0.4, 5.5) * np.exp(0.6 * draws.normal("talk", key))
    hold = np.where(draws.uniform("holds", key) < 0.3, 45 * np.exp(0.7 * draws.normal("hold", key)), 0.0)
    wait = np.where(rows["queue"] == 2, 0.0, 22 * np.exp(0.9 * draws.normal("wait", key)) * np.where(abandoned, 2.2, 1))
    said = np.where((draws.uniform("transcribed", key) < 0.25) & ~abandoned, rows["outcome"], NONE)
    said = np.where(said > 3, NONE, said)
    return pa.table({
        "call_id": columns.code("B", (rows["seat"] + 1) * 1_000_000 + nth, 10),
        "rep_id": rep_id(chunk.world.staff.number[rows["agent"]], empty=abandoned),
        "opportunity_id": opportunity_id(rows["number"], empty=rows["number"] < 0),
        "queue": columns.word(rows["queue"], QUEUES),
        "offered_at": columns.instant(rows["at"]),
        "wait_seconds": columns.number(wait, 0),
        "talk_seconds": columns.number(talk, 0, empty=abandoned),
        "hold_seconds": columns.number(hold, 0, empty=abandoned),
        "wrap_up_seconds": columns.number(50 * np.exp(0.5 * draws.normal("wrap", key)), 0, empty=abandoned),
        "abandoned": pa.array(abandoned),
        "outcome": columns.word(rows["outcome"], OUTCOMES, empty=abandoned),
        "transcript": columns.word(said, [SENTENCES[i] for i in range(4)]),
    })  # fmt: skip


def _of_deals(chunk: Chunk, ledger: Ledger) -> Columns:
    touches, kind = kinds(chunk)
    spoken = chunk.world.inside[touches["owner"]] & (kind == CALL)
    found = {name: column[spoken] for name, column in touches.items()}
    position = ledger.position(found["uid"])
    return _rows(
        found["key"], ledger.deals["seat"][position], found["owner"], ledger.number[position], found["at"],
        np.full(len(position), 2), outcomes(chunk, found), np.zeros(len(position), bool),
    )  # fmt: skip


def _arriving(chunk: Chunk, worked: Columns) -> Columns:
    draws = chunk.world.draws
    count = draws.poisson("calls", worked["key"], np.full(len(worked["key"]), CALLS_A_DAY), 12)
    which = np.repeat(np.arange(len(count)), count)
    key = draws.keys("call", worked["key"][which], np.arange(len(which)) - np.searchsorted(which, which))
    span = worked["end"][which] - worked["begin"][which] - 1800
    at = worked["begin"][which] + (span * draws.uniform("clock", key)).astype(np.int64)
    agent = worked["agent"][which]
    return _rows(
        key, chunk.world.staff.seat[agent], agent, np.full(len(key), NONE), at,
        (draws.uniform("queue", key) < 0.6).astype(np.int64), draws.choice("outcome", key, (70, 12, 10, 8)),
        draws.uniform("abandoned", key) < 0.07,
    )  # fmt: skip


def _rows(
    key: Keys, seat: Ints, agent: Ints, number: Ints, at: Ints, queue: Ints, outcome: Ints, abandoned: NDArray[Any]
) -> Columns:
    return {
        "key": key, "seat": seat, "agent": agent, "number": number, "at": at, "queue": queue, "outcome": outcome,
        "abandoned": abandoned,
    }  # fmt: skip
