"""The simulation of a chunk, week by week: who comes and goes, what is found, sold, renewed and coached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company import buyers, market
from spm_models.sample_company.buyers import CROSS_SELL, NEW, RENEWAL, TERMS, UPSELL, Deals, length, take, together
from spm_models.sample_company.coaching import Coaching
from spm_models.sample_company.draws import Floats, Ints
from spm_models.sample_company.mechanism import step
from spm_models.sample_company.recorder import Columns, Recorder
from spm_models.sample_company.world import World

NEW_PER_WEEK = 0.76  #: deals that a settled rep with full effort finds in a usual territory
FIRST_CUSTOMERS = 7  #: running contracts of a territory when the records begin


@dataclass
class State:
    """Where the simulation stands between two weeks."""

    open: Deals | None = None
    ahead: dict[int, list[Deals]] = field(default_factory=dict)  #: renewals and the like, by week of creation


@dataclass
class Chunk:
    """What the simulation of some teams gave."""

    world: World
    state: State
    recorder: Recorder
    coaching: Coaching


def run(world: World) -> Chunk:
    """Simulate the past weeks of some whole teams."""
    state, recorder, coaching = State(), Recorder(), Coaching(world)
    _first_customers(world, state, recorder)
    for week in range(world.past):
        advance(world, state, week, coaching.skill(week), recorder, coaching)
    return Chunk(world, state, recorder, coaching)


def advance(
    world: World, state: State, week: int, skill: Floats, recorder: Recorder | None, coaching: Coaching | None,
    runs: Ints | None = None,
) -> Deals | None:  # fmt: skip
    """One week: owners change, open deals move, deals close, new ones come. Returns the deals that closed.

    ``runs`` numbers the parallel futures in which business not yet created is drawn; None means the one past.
    """
    if not world.weeks.working[week].any():
        _postpone(state, week)
        return None
    closed = None
    holder = world.holders(week)
    if state.open is not None and length(state.open):
        _hand_over(world, state.open, week, holder, recorder)
        before = {name: state.open[name].copy() for name in (*_TRACKED, "stage")}
        happened = step(world, week, state.open, skill)
        if recorder is not None:
            day = recorder.week(world, week, before, state.open, happened)
        else:
            day = world.weeks.days(week, world.draws.uniform("day", world.draws.keys("when", state.open["uid"], week)))
        over = happened.won | happened.lost
        closed = take(state.open, over)
        closed |= {"closed_on": day[over], "won": happened.won[over], "reason": happened.reason[over]}
        state.open = take(state.open, ~over)
        _consequences(world, state, week, closed, recorder)
        if recorder is not None:
            recorder.closed.append(closed)
        if coaching is not None:
            coaching.sold(week, closed)
    _create(world, state, week, holder, recorder, runs)
    return closed


_TRACKED = ("stage", "amount", "expected", "owner", "category")


def _postpone(state: State, week: int) -> None:
    state.ahead.setdefault(week + 1, []).extend(state.ahead.pop(week, []))


def _hand_over(world: World, deals: Deals, week: int, holder: Ints, recorder: Recorder | None) -> None:
    """Deals of people who left, and early deals of territories that changed hands, get another owner."""
    first = int(world.weeks.first[week])
    staff, owner = world.staff, deals["owner"]
    gone = staff.left[owner] < first
    swapped = [pair for when, *pair in world.swaps if when == week]
    moves = np.isin(owner, [rep for pair in swapped for rep in pair]) & (deals["stage"] <= 1)
    if not (gone.any() or moves.any()):
        return
    heir = holder[deals["seat"] - world.first_seat]
    new = np.where(moves & (heir >= 0), heir, owner)
    for rep in np.unique(owner[gone]).tolist():
        here = (staff.hired <= first) & (staff.left > first + 30) & (staff.team == staff.team[rep])
        mates = np.flatnonzero(here)
        successor = mates[mates > rep][:1] if (mates > rep).any() else mates[:1]
        new = np.where(gone & (owner == rep) & (len(successor) > 0), successor[0] if len(successor) else rep, new)
    changed = new != owner
    deals["owner"] = new
    if recorder is not None and changed.any():
        recorder.owner_change(deals, changed, first + int(np.flatnonzero(world.weeks.working[week])[0]))


def _create(world: World, state: State, week: int, holder: Ints, recorder: Recorder | None, runs: Ints | None) -> None:
    """New business from prospecting and enquiries, and business that follows from customers."""
    seats = np.flatnonzero(holder >= 0)
    owner, seat = holder[seats], seats + world.first_seat
    work = world.weeks.working[week].sum() / 5.0
    pull = (0.3 + 0.7 * world.effort(week)) * (0.4 + 0.6 * world.ramp(week)) * (0.3 + 0.7 * world.present[:, week])
    rate = NEW_PER_WEEK * work * float(world.weeks.pace[week]) * pull[owner] * world.seat_richness(seat) ** 0.6
    rate = rate * np.where(world.inside[owner], 1.25, 1.0)
    futures = np.zeros(1, dtype=np.int64) if runs is None else runs
    seat, owner, rate = (np.tile(part, len(futures)) for part in (seat, owner, rate))
    run = np.repeat(futures, len(seats))
    count = world.draws.poisson("found", world.draws.keys("found", seat, week, run), rate, 8)
    parts = [buyers.fresh(world, week, seat, owner, run, count)]
    for due in state.ahead.pop(week, []):
        parts.append(_follow_up(world, week, due, holder))
    found = [part for part in parts if part is not None and length(part)]
    if found:
        new = together(found)
        if recorder is not None:
            recorder.creation(world, new)
        state.open = new if state.open is None else together([state.open, new])


def _follow_up(world: World, week: int, due: Deals, holder: Ints) -> Deals | None:
    """Deals that were foreseen: the territory's present rep takes them up."""
    owner = holder[due["seat"] - world.first_seat]
    due = take(due, owner >= 0)
    owner = owner[owner >= 0]
    source = np.where(due["source"] >= 0, due["source"], market.EXISTING)
    return buyers.create(
        world, week, due["uid"], due["run"], due["seat"], owner, due["account"], source, due["kind"], due["parent"],
        due["price"],
    )  # fmt: skip


def _schedule(world: World, state: State, now: int, day: Ints, due: Deals) -> None:
    week = np.maximum((day - world.weeks.first[0]) // 7, now + 1)
    for when in np.unique(week).tolist():
        if when < len(world.weeks.first):
            state.ahead.setdefault(int(when), []).append(take(due, week == when))


def _first_customers(world: World, state: State, recorder: Recorder) -> None:
    """Contracts that were running before the records begin; their renewals come up during the simulation."""
    seat = np.repeat(np.arange(world.first_seat, world.last_seat), FIRST_CUSTOMERS)
    nth = np.tile(np.arange(FIRST_CUSTOMERS), world.last_seat - world.first_seat)
    key = world.draws.keys("first", seat, nth)
    account = world.account_number(seat, nth)
    term = TERMS[world.draws.choice("term", key, (0.66, 0.2, 0.14))]
    start = world.weeks.first[0] - (world.draws.uniform("start", key) * term * 30.4).astype(np.int64)
    value = market.LIST_PRICES[world.draws.choice("what", key, (20, 16, 7, 16, 10, 15, 9, 7))] * 0.8
    value = value * market.accounts(world.draws, account).scale
    annual = buyers.rounded(value * world.prices.at(world.prices.lists, start), np.zeros_like(seat))
    contract = {
        "uid": key, "account": account, "seat": seat, "deal": np.zeros(len(key), dtype=np.uint64), "start": start,
        "term": term, "annual": annual, "currency": np.zeros_like(seat), "run": np.zeros_like(seat),
    }  # fmt: skip
    recorder.contracts.append(contract)
    _renewals(world, state, -1, contract, value)


def _renewals(world: World, state: State, week: int, contract: Columns, price: Floats) -> None:
    """A renewal comes up some weeks before a contract ends."""
    key = world.draws.keys("renewal", contract["uid"])
    comes = world.draws.uniform("comes", key) < 0.82
    day = contract["start"] + (contract["term"] * 30.4375).astype(np.int64)
    day = day - 60 - (50 * world.draws.uniform("before", key)).astype(np.int64)
    due = _due(contract, key, RENEWAL, market.EXISTING, contract["uid"], price)
    _schedule(world, state, week, day[comes], take(due, comes))


def _due(
    after: Columns, key: Any, kind: int, source: int, parent: NDArray[Any], price: Floats, account: Any = None
) -> Deals:
    count = len(key)
    return {
        "uid": key, "run": after["run"], "seat": after["seat"],
        "account": after["account"] if account is None else account, "kind": np.full(count, kind),
        "source": np.full(count, source), "parent": parent, "price": price,
    }  # fmt: skip


def _consequences(world: World, state: State, week: int, closed: Deals, recorder: Recorder | None) -> None:
    """Won deals become contracts; contracts are renewed, customers buy more and recommend us."""
    won = take(closed, closed["won"])
    if not length(won):
        return
    draws, key = world.draws, world.draws.keys("after", won["uid"], won["run"])
    contract = {
        "uid": draws.keys("contract", won["uid"], won["run"]), "account": won["account"], "seat": won["seat"],
        "deal": won["uid"], "start": won["closed_on"] + 1 + (14 * draws.uniform("start", key)).astype(np.int64),
        "term": won["term"], "annual": won["amount"], "currency": won["currency"], "run": won["run"],
    }  # fmt: skip
    _renewals(world, state, week, contract, won["listed"])
    satisfaction = 0.5 * won["need"] + 0.5 * won["conviction"]
    for name, kind, chance, soonest, within in (
        ("upsell", UPSELL, 0.22, 90, 300), ("cross_sell", CROSS_SELL, 0.22, 60, 300), ("referral", NEW, 0.22, 30, 180),
    ):  # fmt: skip
        comes = draws.uniform(name, key) < chance * satisfaction * 1.4
        child = draws.keys(name, won["uid"], won["run"])
        day = won["closed_on"] + soonest + (within * draws.uniform(name + "_day", key)).astype(np.int64)
        if kind == NEW:
            account = won["seat"] * market.ACCOUNTS_PER_SEAT + world.pool + (child % np.uint64(90_000)).astype(np.int64)
            due = _due(won, child, kind, market.REFERRAL, won["uid"], np.zeros(len(key)), account)
            if recorder is not None:
                recorder.referrals.append({
                    "account": account[comes], "by": won["account"][comes], "day": day[comes],
                })  # fmt: skip
        else:
            price = won["listed"] * (0.45 if kind == UPSELL else 0.8)
            due = _due(won, child, kind, market.EXISTING, won["uid"], price)
        _schedule(world, state, week, day[comes], take(due, comes))
    if recorder is not None:
        recorder.contracts.append(contract)
