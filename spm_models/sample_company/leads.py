"""Leads: those that became an opportunity, and the many that did not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns
from spm_models.sample_company.draws import Floats, Ints, Keys
from spm_models.sample_company.ledger import Ledger, opportunity_id, rep_id
from spm_models.sample_company.market import EVENT, INBOUND, PARTNER, SOURCES
from spm_models.sample_company.recorder import DAY, Columns, joined
from spm_models.sample_company.selling import Chunk

CAMPAIGNS = ("spring_fair", "webinar", "search_ads", "newsletter", "partner_days")
RATINGS = ("cold", "warm", "hot")
OTHERS_PER_WEEK = 1.5  #: leads of a territory that come to nothing
NONE = -1


def leads(chunk: Chunk, ledger: Ledger, last_day: int) -> pa.Table:
    """The table of leads, in the order of the territories and then of their arrival."""
    parts = [_converted(chunk, ledger), _others(chunk, last_day)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((rows["number"], rows["created"], rows["seat"]))
    rows = {name: column[order] for name, column in rows.items()}
    nth = np.arange(len(order)) - np.searchsorted(rows["seat"], rows["seat"])
    return pa.table({
        "lead_id": columns.code("L", (rows["seat"] + 1) * 100_000 + nth, 9),
        "rep_id": rep_id(chunk.world.staff.number[rows["owner"]]),
        "source": columns.word(rows["source"], SOURCES),
        "campaign": columns.word(rows["campaign"], CAMPAIGNS),
        "rating": columns.word(rows["rating"], RATINGS),
        **{
            f"{name}_at": columns.instant(rows[name], empty=rows[name] < 0)
            for name in ("created", "first_response", "last_touched", "qualified", "converted")
        },
        "opportunity_id": opportunity_id(rows["number"], empty=rows["number"] < 0),
    })  # fmt: skip


def _converted(chunk: Chunk, ledger: Ledger) -> Columns:
    """Deals that began as an enquiry: arrival, answer, qualification, conversion on the day of creation."""
    deals, draws = ledger.deals, chunk.world.draws
    first = joined(chunk.recorder.changes)
    is_owner = first["field"] == 3
    owner = np.full(len(deals["uid"]), NONE)
    order = np.argsort(-first["at"][is_owner], kind="stable")  # the earliest owner is written last and stays
    owner[ledger.position(first["uid"][is_owner][order])] = first["new"][is_owner][order]
    which = np.flatnonzero(np.isin(deals["source"], (INBOUND, PARTNER, EVENT)))
    key = draws.keys("lead", deals["uid"][which])
    converted = deals["created"][which] * DAY + 7 * 3600
    created = converted - ((1 + 25 * draws.uniform("age", key) ** 1.5) * DAY).astype(np.int64)
    response = created + _response(chunk, owner[which], key, draws.uniform("answer", key))
    response = np.minimum(response, converted - 7200)
    qualified = response + ((converted - response) * (0.3 + 0.6 * draws.uniform("qualified", key))).astype(np.int64)
    need = deals["need"][which] + 0.2 * draws.normal("rating", key)
    return {
        "seat": deals["seat"][which], "owner": owner[which], "source": deals["source"][which],
        "campaign": _campaign(chunk, key), "rating": np.where(need > 0.62, 2, np.where(need > 0.42, 1, 0)),
        "created": created, "first_response": response, "last_touched": converted, "qualified": qualified,
        "converted": converted, "number": ledger.number[which],
    }  # fmt: skip


def _others(chunk: Chunk, last_day: int) -> Columns:
    world, parts = chunk.world, []
    for week in range(world.past):
        holder = world.holders(week)
        seat = np.flatnonzero(holder >= 0)
        key = world.draws.keys("leads", seat + world.first_seat, week)
        rate = OTHERS_PER_WEEK * world.weeks.pace[week] * world.seat_richness(seat + world.first_seat)
        where = np.repeat(seat, world.draws.poisson("count", key, rate, 9))
        nth = np.arange(len(where)) - np.searchsorted(where, where)
        key = world.draws.keys("other_lead", where + world.first_seat, week, nth)
        day = world.weeks.first[week] + (7 * world.draws.uniform("day", key)).astype(np.int64)
        parts.append({
            "where": where, "owner": holder[where], "key": key,
            "created": day * DAY + (5 + 14 * world.draws.uniform("clock", key)) * 3600 // 1,
        })  # fmt: skip
    rows = joined(parts)
    key, draws, end = rows["key"], world.draws, (last_day + 1) * DAY - 4 * 3600
    created = rows["created"].astype(np.int64)
    answer = created + _response(chunk, rows["owner"], key, draws.uniform("answer", key))
    answered = (draws.uniform("answered", key) < 0.55 + 0.35 * world.effort(world.past - 1)[rows["owner"]]) & (
        answer < end
    )
    last = answer + (12 * DAY * draws.uniform("last", key)).astype(np.int64)
    qualified = answered & (draws.uniform("good", key) < 0.22) & (last < end)
    keep = created < end
    found = {
        "seat": rows["where"] + world.first_seat, "owner": rows["owner"],
        "source": np.array([INBOUND, PARTNER, EVENT])[draws.choice("source", key, (6, 2, 2))],
        "campaign": _campaign(chunk, key), "rating": draws.choice("rating", key, (6, 3, 1)), "created": created,
        "first_response": np.where(answered, answer, NONE),
        "last_touched": np.where(answered, np.minimum(last, end), NONE),
        "qualified": np.where(qualified, answer + (last - answer) // 2, NONE),
        "converted": np.full(len(key), NONE), "number": np.full(len(key), NONE),
    }  # fmt: skip
    return {name: column[keep] for name, column in found.items()}


def _response(chunk: Chunk, owner: Ints, key: Keys, u: Floats) -> Ints:
    """Seconds until the first answer: hours for most, days for reps with little effort."""
    late = 2.2 * (1 - chunk.world.staff.effort[owner]) + 1.1 * chunk.world.draws.normal("wait", key)
    wait: Ints = (3600 * np.exp(0.9 + late) + 600 * u).astype(np.int64).clip(0, 12 * DAY)
    return wait


def _campaign(chunk: Chunk, key: Keys) -> Ints:
    found = chunk.world.draws.choice("campaign", key, (2, 3, 4, 2, 1))
    return np.where(chunk.world.draws.uniform("named", key) < 0.6, found, NONE)
