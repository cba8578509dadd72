"""Tables about buyers: accounts, contacts, lines of deals, shared credit, contracts and satisfaction."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns, market, names
from spm_models.sample_company.ledger import Ledger, account_id, opportunity_id, rep_id
from spm_models.sample_company.recorder import DAY, joined
from spm_models.sample_company.selling import Chunk

ROLES = ("champion", "decision_maker", "user", "procurement", "finance", "it")


def products() -> pa.Table:
    """The price list in TRY of the base day."""
    return pa.table({
        "product_id": pa.array([row[0] for row in market.PRODUCTS]),
        "name": pa.array([row[1] for row in market.PRODUCTS]),
        "family": pa.array([row[2] for row in market.PRODUCTS]),
        "list_price": columns.money([row[3] for row in market.PRODUCTS]),
        "currency": pa.array(["TRY"] * len(market.PRODUCTS)),
    })  # fmt: skip


def accounts(chunk: Chunk, ledger: Ledger) -> pa.Table:
    """Accounts with a deal or a contract; those that were recommended name the customer who did it."""
    world, draws = chunk.world, chunk.world.draws
    contracts, referrals = joined(chunk.recorder.contracts), joined(chunk.recorder.referrals or [_NO_REFERRAL])
    number = np.unique(np.concatenate([ledger.deals["account"], contracts["account"]]))
    buyer = market.accounts(draws, number)
    key = draws.keys("company", number)
    first = (draws.uniform("first", key) * len(names.COMPANY_FIRST)).astype(np.int64)
    second = (draws.uniform("second", key) * 3).astype(np.int64)
    form = draws.choice("form", key, (5, 3, 1, 1))
    kinds = [word for industry in market.INDUSTRIES for word in names.COMPANY_SECOND[industry]]
    name = columns.glued(
        columns.word(first, names.COMPANY_FIRST), columns.word(buyer.industry * 3 + second, kinds),
        columns.word(form, names.COMPANY_FORM), between=" ",
    )  # fmt: skip
    earliest = np.full(len(number), np.iinfo(np.int64).max)
    np.minimum.at(earliest, np.searchsorted(number, ledger.deals["account"]), ledger.deals["created"])
    np.minimum.at(earliest, np.searchsorted(number, contracts["account"]), contracts["start"])
    referred = np.full(len(number), -1, dtype=np.int64)
    seen = np.isin(referrals["account"], number)
    referred[np.searchsorted(number, referrals["account"][seen])] = referrals["by"][seen]
    team = world.plan.team_of_seat[number // market.ACCOUNTS_PER_SEAT]
    waited = np.where(referred >= 0, 0, (240 * draws.uniform("waited", key)).astype(np.int64))
    return pa.table({
        "account_id": account_id(number),
        "name": name,
        "segment": columns.word(buyer.segment, market.SEGMENTS),
        "industry": columns.word(buyer.industry, market.INDUSTRIES),
        "region": columns.word(team, world.plan.team_regions),
        "created_on": columns.day(earliest - waited),
        "referred_by_account_id": account_id(referred, empty=referred < 0),
    })  # fmt: skip


_NO_REFERRAL = {name: np.zeros(0, dtype=np.int64) for name in ("account", "by", "day")}


def contacts(chunk: Chunk, ledger: Ledger, last_day: int) -> pa.Table:
    """People of the buying committee, met one after the other; some of them never."""
    deals, draws = ledger.deals, chunk.world.draws
    met = np.minimum(deals["committee"].astype(np.int64), 1 + np.minimum(deals["stage"], 4))
    where = np.repeat(np.arange(len(met)), met)
    nth = np.arange(len(where)) - np.repeat(np.cumsum(met) - met, met)
    key = draws.keys("contact", deals["uid"][where], nth)
    end = np.where(deals["closed_on"] < 0, last_day, deals["closed_on"])[where]
    created = deals["created"][where]
    share = np.where(nth == 0, 0.0, draws.uniform("added", key) ** 1.5)
    role = np.where(nth == 0, 0, np.minimum(nth, 5))
    return pa.table({
        "contact_id": columns.glued(
            account_id(deals["account"][where]), columns.code("", nth + 1), between="-"
        ),
        "opportunity_id": ledger.ids.take(pa.array(where)),
        "role": columns.word(role, ROLES),
        "added_on": columns.day(created + ((end - created) * share).astype(np.int64)),
    })  # fmt: skip


def opportunity_lines(chunk: Chunk, ledger: Ledger) -> pa.Table:
    """One to three products a deal; the lines add up to the deal's present amount."""
    deals, draws = ledger.deals, chunk.world.draws
    key = draws.keys("lines", deals["uid"])
    count = 1 + draws.choice("count", key, (0.62, 0.28, 0.10))
    where = np.repeat(np.arange(len(count)), count)
    line = np.arange(len(where)) - np.repeat(np.cumsum(count) - count, count)
    share = 0.12 + 0.12 * draws.uniform("share", draws.keys("line", deals["uid"][where], line))
    total = ledger.amount_now[where]
    extra = np.where(line > 0, np.round(total * share), 0.0)
    extras = np.bincount(where, weights=extra, minlength=len(count))
    amount = np.where(line > 0, extra, total - extras[where])
    product = (deals["product"][where] + line * 3) % len(market.PRODUCTS)
    in_lira = chunk.world.prices.to_company(amount, deals["currency"][where], deals["created"][where])
    price = market.LIST_PRICES[product] * chunk.world.prices.at(chunk.world.prices.lists, deals["created"][where])
    return pa.table({
        "opportunity_id": ledger.ids.take(pa.array(where)),
        "line": pa.array(line + 1),
        "product_id": columns.word(product, [row[0] for row in market.PRODUCTS]),
        "quantity": columns.number(np.maximum(np.round(5 * in_lira / price), 1), 0),
        "amount": columns.money(amount),
    })  # fmt: skip


def deal_contributors(chunk: Chunk, ledger: Ledger) -> pa.Table:
    """Large deals shared with a colleague of the team: on every day the shares add up to one."""
    deals, world = ledger.deals, chunk.world
    staff = world.staff
    key = world.draws.keys("share", deals["uid"])
    large = deals["listed"] > 300_000
    shared = np.flatnonzero(world.draws.uniform("shared", key) < np.where(large, 0.16, 0.04))
    owner, created = deals["owner"][shared], deals["created"][shared]
    mate = owner + np.where(world.draws.uniform("mate", key[shared]) < 0.5, 1, -1)
    mate = np.clip(mate, 0, len(staff) - 1)
    fits = (staff.team[mate] == staff.team[owner]) & (mate != owner) & (staff.hired[mate] <= created)
    fits &= (staff.left[mate] > created) & (staff.hired[owner] <= created)
    shared, owner, mate, created = shared[fits], owner[fits], mate[fits], created[fits]
    share = np.round(0.1 + 0.2 * world.draws.uniform("part", key[shared]), 2)
    order = np.argsort(np.concatenate([shared, shared]), kind="stable")
    both = pa.table({
        "opportunity_id": pa.concat_arrays([ledger.ids.take(pa.array(shared))] * 2),
        "rep_id": pa.concat_arrays([rep_id(staff.number[owner]), rep_id(staff.number[mate])]),
        "role": pa.array(["owner"] * len(shared) + ["specialist"] * len(shared), pa.string()),
        "share": columns.number(np.concatenate([1 - share, share])),
        "valid_from": columns.day(np.concatenate([created, created])),
        "valid_to": columns.day(np.zeros(2 * len(shared)), empty=np.ones(2 * len(shared), dtype=bool)),
    })  # fmt: skip
    return both.take(pa.array(order))


def contracts(chunk: Chunk, ledger: Ledger, last_day: int) -> pa.Table:
    """Contracts that have begun: those from before the records, then those that were won."""
    found = joined(chunk.recorder.contracts)
    order = np.lexsort((found["uid"], found["start"], found["seat"]))
    found = {name: column[order] for name, column in found.items()}
    nth = np.arange(len(order)) - np.searchsorted(found["seat"], found["seat"])
    from_deal = found["deal"] > 0
    number = np.full(len(order), -1, dtype=np.int64)
    number[from_deal] = ledger.number[ledger.position(found["deal"][from_deal])]
    end = found["start"] + (found["term"] * 30.4375).astype(np.int64) - 1
    begun = found["start"] <= last_day
    table = pa.table({
        "contract_id": columns.code("C", (found["seat"] + 1) * 100_000 + nth, 9),
        "account_id": account_id(found["account"]),
        "opportunity_id": opportunity_id(number, empty=number < 0),
        "started_on": columns.day(found["start"]),
        "ended_on": columns.day(end, empty=end > last_day),
        "annual_value": columns.money(found["annual"]),
        "currency": columns.word(found["currency"], market.CURRENCIES),
    })  # fmt: skip
    return table.filter(pa.array(begun))


def surveys(chunk: Chunk, ledger: Ledger, last_day: int) -> pa.Table:
    """Answers of customers some weeks after a deal was won: better where need was met and promises were modest."""
    deals, draws = ledger.deals, chunk.world.draws
    key = draws.keys("survey", deals["uid"])
    answered = deals["closed_on"] + 20 + (45 * draws.uniform("day", key)).astype(np.int64)
    has = np.flatnonzero(deals["won"] & (draws.uniform("answers", key) < 0.5) & (answered <= last_day))
    met = 1.3 + 2.6 * deals["need"][has] + 2.0 * deals["conviction"][has] - 2.0 * deals["discount"][has]
    score = np.clip(np.round(met + 0.8 * draws.normal("score", key[has])), 1, 5)
    return pa.table({
        "survey_id": columns.code("S", ledger.number[has] + 100_001, 9),
        "account_id": account_id(deals["account"][has]),
        "opportunity_id": ledger.ids.take(pa.array(has)),
        "answered_on": columns.day(answered[has]),
        "score": columns.number(score, 0),
    })  # fmt: skip


__all__ = ["DAY", "accounts", "contacts", "contracts", "deal_contributors", "opportunity_lines", "products", "surveys"]
