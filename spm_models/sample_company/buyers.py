"""Deals as the simulation holds them: columns of numbers, and what a buyer is like when a deal is created."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company.draws import Floats, Ints, Keys
from spm_models.sample_company.market import EXISTING, INBOUND, LIST_PRICES, OUTBOUND, REFERRAL, accounts
from spm_models.sample_company.world import World

Deals = dict[str, NDArray[Any]]  #: columns of one length, one position a deal
STAGES = ("Discovery", "Qualification", "Demo", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
WON, LOST = 5, 6
KINDS = ("new", "upsell", "cross_sell", "renewal")
NEW, UPSELL, CROSS_SELL, RENEWAL = range(len(KINDS))
CATEGORIES = ("pipeline", "best_case", "commit", "closed", "omitted")
TERMS = np.array([12, 24, 36])
_NEED_BY_SOURCE = np.array([0.05, -0.05, 0.02, 0.0, 0.12, 0.10])


def length(deals: Deals) -> int:
    """Number of deals."""
    return len(deals["uid"])


def take(deals: Deals, which: Any) -> Deals:
    """Some of the deals."""
    return {name: column[which] for name, column in deals.items()}


def together(parts: list[Deals]) -> Deals:
    """All deals of several parts."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fresh(world: World, week: int, seat: Ints, owner: Ints, run: Ints, count: Ints) -> Deals | None:
    """New business found in a week: ``count`` deals for each seat, on accounts of its territory."""
    position = np.repeat(np.arange(len(seat)), count)
    if not len(position):
        return None
    nth = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
    seat, owner, run = seat[position], owner[position], run[position]
    uid = world.draws.keys("deal", seat, week, nth, run)
    source = world.draws.choice("source", uid, world.climate.sources(week))
    account = world.account_number(seat, (world.draws.uniform("who", uid) * world.pool).astype(np.int64))
    none = np.zeros(len(uid), dtype=np.uint64)
    return create(world, week, uid, run, seat, owner, account, source, np.zeros_like(seat), none, None)


def create(
    world: World, week: int, uid: Keys, run: Ints, seat: Ints, owner: Ints, account: Ints, source: Ints, kind: Ints,
    parent: Keys, price: Floats | None,
) -> Deals:  # fmt: skip
    """Deals with everything that is hidden in the buyer: need, budget, committee, patience, rival.

    ``price`` is the list value in TRY where it follows from a running contract.
    """
    draws, n = world.draws, len(uid)
    buyer = accounts(draws, account)
    inside = world.inside[owner]
    day = world.weeks.days(week, draws.uniform("created", uid))
    product = draws.choice("product", uid, world.climate.products(week))
    scale = buyer.scale * np.where(inside, 0.5, 1.0) * np.exp(0.2 * draws.normal("scale", uid))
    usual = LIST_PRICES[product] * scale * world.seat_richness(seat) ** 0.4
    listed = usual if price is None else np.where(price > 0, price, usual)
    currency = draws.choice("currency", draws.keys("money", account), (0.82, 0.10, 0.08))
    in_lira = listed * world.prices.at(world.prices.lists, day)
    offer = in_lira / world.prices.to_company(np.ones(n), currency, day)
    amount = rounded(offer * np.exp(0.10 * draws.normal("guess", uid)), currency)
    wrong = np.where((source == OUTBOUND) & (world.staff.focus[owner] < 0), -0.10, 0.0)
    rich = 0.13 * np.log(world.seat_richness(seat))
    need = buyer.need + _NEED_BY_SOURCE[source] + wrong + rich + 0.10 * draws.normal("need", uid)
    need = (need + np.where(kind == RENEWAL, 0.14, 0.0)).clip(0.04, 0.98)
    contested = draws.uniform("contested", uid) < np.where(np.isin(source, (REFERRAL, EXISTING)), 0.25, 0.5)
    committee = 1.0 + draws.poisson("committee", uid, np.array([0.7, 1.4, 2.2])[buyer.segment] - 0.4 * inside, 5)
    start = 0.06 + 0.22 * need + np.where(source == INBOUND, 0.05, 0.0) + np.where(kind == RENEWAL, 0.20, 0.0)
    cycle = 45 + 14 * committee - 18 * inside - 25 * world.staff.optimism[owner]
    return {
        "uid": uid, "run": run, "seat": seat, "owner": owner, "account": account, "product": product,
        "source": source, "kind": kind, "parent": parent, "currency": currency, "created": day,
        "term": TERMS[draws.choice("term", uid, (0.66, 0.2, 0.14))], "listed": listed, "price": offer,
        "amount": amount, "discount": np.zeros(n), "need": need, "conviction": start,
        "budget": offer * np.exp(0.10 + 0.26 * draws.normal("budget", uid)) * world.seat_richness(seat) ** 0.3,
        "rival": np.where(contested, 0.25 * draws.uniform("rival", uid), -1.0),
        "competitor": np.where(contested, draws.choice("competitor", uid, (4, 3, 2, 2)), -1),
        "committee": committee, "approvals": np.zeros(n), "silent": np.zeros(n),
        "patience": 2.0 + 5.0 * draws.uniform("patience", uid) * (1.0 + 0.4 * (kind != NEW)),
        "deadline": day + (75 + 120 * draws.uniform("deadline", uid)).astype(np.int64),
        "stage": np.zeros(n, dtype=np.int64), "in_stage": np.zeros(n), "touched": np.zeros(n),
        "expected": day + (cycle * np.exp(0.25 * draws.normal("expected", uid))).astype(np.int64).clip(7),
        "category": np.zeros(n, dtype=np.int64),
    }  # fmt: skip


def rounded(amount: Floats, currency: Ints) -> Floats:
    """Amounts as reps write them: whole 500 TRY, or whole 50 in other currencies."""
    step = np.where(currency == 0, 500.0, 50.0)
    return np.maximum(np.round(amount / step) * step, step)
