"""A large company in chunks: deals, their history and ten activities each, drawn with NumPy.

Not the sample company, which simulates people one by one: here only the shape matters. Reps differ in their rates,
deals take log-normal times, a third of the amounts change under way, activities lie between creation and close.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from spm_models.crm.conversion import SQL_TYPES
from spm_models.crm.schemas import TABLES

STAGES = ("Discovery", "Qualification", "Proposal", "Negotiation")
KINDS = ("call", "meeting", "email", "demo", "proposal", "content")
SHARES = (0.35, 0.15, 0.35, 0.05, 0.05, 0.05)
FIRST, LAST = np.datetime64("2023-01-01"), np.datetime64("2026-06-30")
CHUNK = 100_000
PER_DEAL = 10  #: activities
DEALS_PER_REP = 500


def write(folder: Path, deals: int, seed: int = 1) -> None:
    """Write ``company.duckdb`` and one Parquet file a table."""
    generator = np.random.default_rng(seed)
    reps = max(deals // DEALS_PER_REP, 10)
    con = duckdb.connect(str(folder / "company.duckdb"))
    small = {
        "reps": pd.DataFrame({"rep_id": _ids("r", np.arange(reps)), "role": "rep"}).assign(
            hired_on=pd.Timestamp("2020-01-01"), left_on=pd.NaT, team=_ids("t", np.arange(reps) // 8)
        ),
        "accounts": pd.DataFrame({"account_id": _ids("a", np.arange(deals // 4))}).assign(
            segment=lambda t: np.take(["small", "mid_market", "enterprise"], np.arange(len(t)) % 3)
        ),
    }
    for name, rows in small.items():
        _append(con, name, rows)
    skill = generator.normal(0, 0.4, reps)
    for start in range(0, deals, CHUNK):
        for name, rows in _chunk(generator, start, min(CHUNK, deals - start), skill, deals // 4).items():
            _append(con, name, rows)
    for name in ("reps", "accounts", "opportunities", "opportunity_history", "activities"):
        con.execute(f"copy {name} to '{folder / name}.parquet' (format parquet)")
    con.close()


def _append(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame) -> None:
    """Every column of the schema is there; those that are not given are empty."""
    con.register("given", rows)
    kinds = {column: SQL_TYPES[TABLES[name].facts(column)["kind"]] for column in TABLES[name].columns}
    kinds |= {"amount_company": SQL_TYPES["money"]} if name == "opportunities" else {}
    picks = ", ".join(f'cast({c if c in rows else "null"} as {kind}) as "{c}"' for c, kind in kinds.items())
    exists = con.execute("select count(*) from duckdb_tables() where table_name = ?", [name]).fetchone()
    head = f"insert into {name}" if exists and exists[0] else f"create table {name} as"
    con.execute(f"{head} select {picks} from given")
    con.unregister("given")


def _ids(letter: str, numbers: np.ndarray) -> pd.Series:
    return pd.Series(numbers).astype("str").radd(letter)


def _chunk(g: np.random.Generator, start: int, n: int, skill: np.ndarray, accounts: int) -> dict[str, pd.DataFrame]:
    ids = _ids("o", np.arange(start, start + n))
    rep = g.integers(0, len(skill), n)
    days = int((LAST - FIRST).astype(int))
    created = FIRST + g.integers(0, days, n)
    took = np.ceil(g.lognormal(4.0, 0.7, n)).astype(int)
    closed = created + took
    won = g.random(n) < 1 / (1 + np.exp(1.0 - skill[rep]))
    over = closed <= LAST
    amount = np.round(g.lognormal(9.5, 1.0, n), 2)
    status = np.where(over, np.where(won, "won", "lost"), "open")
    reached = np.where(over & won, len(STAGES), g.integers(1, len(STAGES) + 1, n))  # how many stages it got to
    changed = g.random(n) < 1 / 3
    first = np.where(changed, np.round(amount * g.uniform(0.7, 1.4, n), 2), amount)
    expected = created + np.ceil(took * g.uniform(0.6, 1.3, n)).astype(int)
    end = np.minimum(closed, LAST)
    deals = pd.DataFrame({
        "opportunity_id": ids, "account_id": _ids("a", g.integers(0, accounts, n)), "rep_id": _ids("r", rep),
        "product_id": _ids("p", g.integers(0, 12, n)), "source": np.take(["web", "referral", "outbound"], rep % 3),
        "kind": "new", "created_on": created, "expected_close_on": expected,
        "closed_on": np.where(over, closed, np.datetime64("NaT")),
        "stage": np.where(over, status, np.take(STAGES, reached - 1)),
        "status": status, "amount": amount, "currency": "USD",
        "discount": np.round(g.uniform(0, 0.2, n), 3), "loss_reason": np.where(status == "lost", "price", None),
        "amount_company": amount,
    })  # fmt: skip
    return {
        "opportunities": deals,
        "opportunity_history": _history(ids, created, end, reached, first, amount, changed, expected, rep),
        "activities": _activities(g, start, ids, rep, created, end),
    }


def _history(
    ids: pd.Series, created: np.ndarray, end: np.ndarray, reached: np.ndarray, first: np.ndarray, amount: np.ndarray,
    changed: np.ndarray, expected: np.ndarray, rep: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """What was entered at creation, stages at equal distances, and the change of the amount half-way."""
    midday = np.timedelta64(9 * 60, "m")
    at = created.astype("datetime64[s]") + midday
    length = (end - created).astype("timedelta64[s]")
    parts = []

    def add(some: np.ndarray, when: np.ndarray, field: str, old: object, new: object) -> None:
        rows = pd.DataFrame({"opportunity_id": ids, "changed_at": when, "field": field, "old": old, "new": new})
        parts.append(rows[some])

    every = np.ones(len(ids), dtype=bool)
    for field, value in (("amount", first), ("expected_close_on", expected), ("rep_id", _ids("r", rep))):
        add(every, at, field, None, pd.Series(value).astype("str"))
    for place, name in enumerate(STAGES):
        add(reached > place, at + length * place // len(STAGES), "stage", STAGES[place - 1] if place else None, name)
    add(changed, at + length // 2, "amount", pd.Series(first).astype("str"), pd.Series(amount).astype("str"))
    return pd.concat(parts, ignore_index=True)


def _activities(
    g: np.random.Generator, start: int, ids: pd.Series, rep: np.ndarray, created: np.ndarray, end: np.ndarray
) -> pd.DataFrame:
    n = len(ids) * PER_DEAL
    deal = np.repeat(np.arange(len(ids)), PER_DEAL)
    begin = created.astype("datetime64[s]")[deal]
    length = (end - created).astype("timedelta64[s]").astype(int)[deal] + 3600 * 8
    happened = begin + (g.random(n) * length).astype("timedelta64[s]")
    planned = g.random(n) < 0.3
    due = happened + (g.normal(0, 2 * 86_400, n)).astype("timedelta64[s]")
    return pd.DataFrame({
        "activity_id": _ids("c", start * PER_DEAL + np.arange(n)), "opportunity_id": ids.to_numpy()[deal],
        "rep_id": _ids("r", rep[deal]), "kind": np.take(KINDS, g.choice(len(KINDS), n, p=SHARES)),
        "happened_at": happened, "due_at": np.where(planned, due, np.datetime64("NaT")),
    })  # fmt: skip
