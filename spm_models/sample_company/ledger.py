"""Opportunities and their history, with the corrections that people make after a deal is closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spm_models.sample_company import columns, market
from spm_models.sample_company.buyers import (
    CATEGORIES,
    CROSS_SELL,
    KINDS,
    NEW,
    STAGES,
    UPSELL,
    Deals,
    rounded,
    together,
)
from spm_models.sample_company.draws import Ints
from spm_models.sample_company.mechanism import COMPETITOR, LOSS_REASONS, NO_DECISION
from spm_models.sample_company.recorder import DAY, FIELDS, Columns, joined
from spm_models.sample_company.selling import Chunk

PROCUREMENT = ("direct", "tender", "framework")
BUDGET = ("unknown", "planned", "approved", "rejected")
OPEN = -1


@dataclass
class Ledger:
    """All deals of a chunk in the order of their numbers, and the corrections made after closing."""

    deals: Deals
    number: Ints  #: seat × 100,000 + n-th deal of the seat
    edits: Columns  #: position of the deal, field (0 amount, 1 loss reason, 2 budget status, 3 competitor), day
    amount_now: NDArray[Any]
    reason_now: Ints
    _sorted: NDArray[np.uint64]
    _order: Ints

    def position(self, uid: Any) -> Ints:
        """Position of the deals with these hidden keys."""
        found: Ints = self._order[np.searchsorted(self._sorted, uid)]
        return found

    @property
    def ids(self) -> pa.Array:
        """Identifiers of all deals."""
        return opportunity_id(self.number)


def opportunity_id(number: Any, *, empty: columns.Mask = None) -> pa.Array:
    """Identifiers of opportunities from their numbers."""
    return columns.code("O", np.asarray(number) + 100_001, 9, empty=empty)


def account_id(number: Any, *, empty: columns.Mask = None) -> pa.Array:
    """Identifiers of accounts from their numbers."""
    return columns.code("A", np.asarray(number) + 100_001, 9, empty=empty)


def rep_id(number: Any, *, empty: columns.Mask = None) -> pa.Array:
    """Identifiers of reps from their numbers in the whole company."""
    return columns.code("R", np.asarray(number) + 1, 4, empty=empty)


def build(chunk: Chunk, last_day: int) -> Ledger:
    """Put the deals of a chunk in order and make the corrections that come after closing."""
    closed = joined(chunk.recorder.closed)
    parts = [closed]
    if chunk.state.open is not None:
        count = len(chunk.state.open["uid"])
        empty = {"closed_on": np.full(count, OPEN), "won": np.zeros(count, bool), "reason": np.full(count, OPEN)}
        parts.append({**chunk.state.open, **empty})
    deals = together(parts)
    order = np.lexsort((deals["uid"], deals["created"], deals["seat"]))
    deals = {name: column[order] for name, column in deals.items()}
    seat = deals["seat"]
    first = np.searchsorted(seat, seat)
    number = seat * 100_000 + np.arange(len(seat)) - first
    by_uid = np.argsort(deals["uid"])
    _relabel(deals)
    edits, amount, reason = _corrections(chunk, deals, last_day)
    return Ledger(deals, number, edits, amount, reason, deals["uid"][by_uid], by_uid)


def _relabel(deals: Deals) -> None:
    """Business with an account that already bought is not new: the same product is more of it, else another."""
    won = np.flatnonzero(deals["won"])
    won = won[np.lexsort((deals["closed_on"][won], deals["account"][won]))]
    accounts, start = np.unique(deals["account"][won], return_index=True)
    where = np.searchsorted(accounts, deals["account"]).clip(0, max(len(accounts) - 1, 0))
    if not len(accounts):
        return
    known = (accounts[where] == deals["account"]) & (deals["closed_on"][won][start][where] < deals["created"])
    same = deals["product"][won][start][where] == deals["product"]
    again = (deals["kind"] == NEW) & known
    deals["kind"] = np.where(again, np.where(same, UPSELL, CROSS_SELL), deals["kind"])


def _corrections(chunk: Chunk, deals: Deals, last_day: int) -> tuple[Columns, NDArray[Any], Ints]:
    draws = chunk.world.draws
    key = draws.keys("edit", deals["uid"])
    closed = deals["closed_on"] >= 0
    when = deals["closed_on"] + 3 + (55 * draws.uniform("when", key)).astype(np.int64)
    in_time = closed & (when <= last_day)
    amount_edited = in_time & (draws.uniform("amount", key) < np.where(deals["won"], 0.06, 0.02))
    factor = 0.72 + 0.46 * draws.uniform("factor", key)
    corrected = rounded(deals["amount"] * factor, deals["currency"])
    amount_edited &= corrected != deals["amount"]
    lost = closed & ~deals["won"]
    reason_edited = in_time & lost & (deals["reason"] != NO_DECISION) & (draws.uniform("reason", key) < 0.12)
    filled = lost & (deals["reason"] == COMPETITOR) & (draws.uniform("competitor_known", key) >= 0.45)
    status_edited = in_time & (draws.uniform("budget_edited", key) < 0.5)
    rows = [
        (amount_edited, 0, when), (reason_edited, 1, when), (status_edited, 2, when), (filled, 3, deals["closed_on"]),
    ]  # fmt: skip
    edits = {
        "position": np.concatenate([np.flatnonzero(which) for which, _, _ in rows]),
        "field": np.concatenate([np.full(int(which.sum()), field) for which, field, _ in rows]),
        "day": np.concatenate([day[which] for which, _, day in rows]),
    }
    reason = np.where(reason_edited, NO_DECISION, deals["reason"])
    return edits, np.where(amount_edited, corrected, deals["amount"]), reason


def opportunities(chunk: Chunk, ledger: Ledger) -> pa.Table:
    """The table as it stands on the last day: every deal with its present values."""
    deals, draws = ledger.deals, chunk.world.draws
    is_open = deals["closed_on"] < 0
    key = draws.keys("fields", deals["uid"])
    known = draws.uniform("competitor_known", draws.keys("edit", deals["uid"])) < 0.45
    shown = known | (~is_open & (deals["reason"] == COMPETITOR))
    tender = np.where(deals["committee"] >= 4, 1, np.where(draws.uniform("framework", key) < 0.2, 2, 0))
    budget = np.where(deals["stage"] >= 3, 1 + (deals["budget"] >= deals["amount"]), 0)
    budget = np.where(draws.uniform("asked", key) < 0.35, 0, budget)
    edited = ledger.edits["position"][ledger.edits["field"] == 2]
    budget[edited] = np.where(deals["won"][edited], 2, 3)
    status = np.where(is_open, 0, np.where(deals["won"], 1, 2))
    return pa.table({
        "opportunity_id": ledger.ids,
        "account_id": account_id(deals["account"]),
        "rep_id": rep_id(chunk.world.staff.number[deals["owner"]]),
        "product_id": columns.word(deals["product"], [product for product, *_ in market.PRODUCTS]),
        "source": columns.word(deals["source"], market.SOURCES),
        "kind": columns.word(deals["kind"], KINDS),
        "created_on": columns.day(deals["created"]),
        "expected_close_on": columns.day(deals["expected"]),
        "closed_on": columns.day(deals["closed_on"], empty=is_open),
        "stage": columns.word(deals["stage"], STAGES),
        "status": columns.word(status, ("open", "won", "lost")),
        "amount": columns.money(ledger.amount_now),
        "currency": columns.word(deals["currency"], market.CURRENCIES),
        "term_months": pa.array(deals["term"]),
        "discount": columns.number(deals["discount"], 3, empty=deals["discount"] == 0),
        "loss_reason": columns.word(ledger.reason_now, LOSS_REASONS),
        "competitor": columns.word(deals["competitor"], market.COMPETITORS, empty=~shown),
        "forecast_category": columns.word(deals["category"], CATEGORIES),
        "procurement": columns.word(tender, PROCUREMENT),
        "budget_status": columns.word(budget, BUDGET),
    })  # fmt: skip


def history(chunk: Chunk, ledger: Ledger) -> pa.Table:
    """Every change of a tracked field, the first value included, and amounts corrected after closing."""
    changes = joined(chunk.recorder.changes)
    edited = ledger.edits["field"] == 0
    where = ledger.edits["position"][edited]
    clock = (3600 * 8 + 20_000 * chunk.world.draws.uniform("clock", ledger.deals["uid"][where])).astype(np.int64)
    position = np.concatenate([ledger.position(changes["uid"]), where])
    at = np.concatenate([changes["at"], ledger.edits["day"][edited] * DAY + clock])
    field = np.concatenate([changes["field"].astype(np.int64), np.full(len(where), FIELDS.index("amount"))])
    new = np.concatenate([changes["new"], ledger.amount_now[where].astype(np.int64)])
    order = np.lexsort((at, field, position))
    position, at, field, new = position[order], at[order], field[order], new[order]
    first = np.ones(len(new), dtype=bool)
    first[1:] = (position[1:] != position[:-1]) | (field[1:] != field[:-1])
    old = np.roll(new, 1)
    keep = first | (old != new)
    position, at, field, new, old, first = (part[keep] for part in (position, at, field, new, old, first))
    order = np.lexsort((field, at, position))
    text_new, text_old = _as_text(chunk, field, new, None), _as_text(chunk, field, old, first)
    table = pa.table({
        "opportunity_id": ledger.ids.take(pa.array(position)),
        "changed_at": columns.instant(at),
        "field": columns.word(field, FIELDS),
        "old": text_old,
        "new": text_new,
    })  # fmt: skip
    return table.take(pa.array(order))


def _as_text(chunk: Chunk, field: Ints, value: Ints, empty: NDArray[np.bool_] | None) -> pa.Array:
    """Values of several fields as text, each in its own way."""
    parts, where = [], []
    for code in range(len(FIELDS)):
        chosen = np.flatnonzero(field == code)
        values, none = value[chosen], None if empty is None else empty[chosen]
        safe = values if none is None else np.where(none, 0, values)
        if FIELDS[code] == "stage":
            part = columns.word(safe, STAGES, empty=none)
        elif FIELDS[code] == "amount":
            part = columns.code("", safe, empty=none)
        elif FIELDS[code] == "expected_close_on":
            part = pc.cast(columns.day(safe, empty=none), pa.string())
        elif FIELDS[code] == "rep_id":
            part = rep_id(chunk.world.staff.number[safe], empty=none)
        else:
            part = columns.word(safe, CATEGORIES, empty=none)
        parts.append(part)
        where.append(chosen)
    return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(where))))
