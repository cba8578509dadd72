"""Costs by month, and goals from the company down to each rep."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns, market
from spm_models.sample_company.draws import Draws, Floats
from spm_models.sample_company.ledger import rep_id
from spm_models.sample_company.people import Staff
from spm_models.sample_company.plans import COMPANY, Quarters
from spm_models.sample_company.sizes import Layout

#: TRY of the base day: a month for each rep, or (marketing, tools) for each seat
_A_MONTH = {"salaries": 42_000.0, "marketing": 15_000.0, "travel": 4_200.0, "tools": 2_600.0, "training": 1_400.0}


def costs(draws: Draws, plan: Layout, staff: Staff, prices: market.Prices, first_day: int, last_day: int) -> pa.Table:
    """One row a month and category, for the whole company."""
    months = np.array([first_day, last_day]).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month = np.arange(months[0], months[1] + 1)
    starts = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    here = ((staff.hired <= starts[:, None] + 15) & (staff.left > starts[:, None] + 15)).sum(axis=1) + plan.teams
    level = prices.at(prices.lists, starts)
    rows = []
    for name, amount in _A_MONTH.items():
        spread = np.exp(0.12 * draws.normal(name, draws.keys("costs", month)))
        rows.append(np.round(amount * here * level * spread / 100) * 100)
    table = pa.table({
        "month": columns.day(np.repeat(starts, len(rows))),
        "category": pa.array(list(_A_MONTH) * len(starts)),
        "team": pa.array([None] * (len(rows) * len(starts)), pa.string()),
        "amount": columns.money(np.stack(rows, axis=1).reshape(-1)),
        "currency": pa.array(["TRY"] * (len(rows) * len(starts))),
    })  # fmt: skip
    return table


@dataclass
class _Goals:
    rows: list[dict[str, object]] = field(default_factory=list)

    def add(self, parent: str | None, kind: str, owner: str, days: tuple[int, int], facts: tuple[float, ...]) -> str:
        """One key result on revenue; ``facts`` are baseline, target and progress."""
        name = f"G{len(self.rows) + 1:05d}"
        self.rows.append({
            "goal_id": name, "owner_kind": kind, "owner_id": owner, "parent_goal_id": parent,
            "objective": "Kalıcı müşterilerle büyümek", "key_result": "Yarıyıl geliri", "metric": "revenue",
            "baseline": round(facts[0]), "target": round(facts[1]), "progress": round(facts[2]),
            "set_on": days[0] + 10, "due_on": days[1],
        })  # fmt: skip
        return name


def goals(plan: Layout, staff: Staff, terms: Quarters, sold: Floats, prices: market.Prices, last_day: int) -> pa.Table:
    """For each calendar half-year after the first: 10 % more, in real terms, than in the half-year before."""
    found = _Goals()
    middle = (terms.starts + terms.ends) // 2
    level = prices.at(prices.index, middle)
    ids = rep_id(staff.number).to_pylist()
    for quarter in range(2, len(terms.starts) - 1):
        month = int(terms.starts[quarter].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12)
        if month not in (0, 6) or terms.starts[quarter] + 10 > last_day:
            continue
        before, now = sold[:, quarter - 2 : quarter].sum(axis=1), sold[:, quarter : quarter + 2].sum(axis=1)
        target = before * 1.1 * level[quarter] / level[quarter - 2]
        days = int(terms.starts[quarter]), int(terms.ends[min(quarter + 1, len(terms.ends) - 1)])
        top = found.add(None, "company", COMPANY, days, (before.sum(), target.sum(), now.sum()))
        for team, name in enumerate(plan.team_names):
            mates = np.flatnonzero((staff.team == team) & (staff.hired < days[0] - 180) & (staff.left > days[0] + 30))
            every = staff.team == team
            mine = found.add(top, "team", name, days, (before[every].sum(), target[every].sum(), now[every].sum()))
            for rep in mates.tolist():
                found.add(mine, "rep", ids[rep], days, (before[rep], target[rep], now[rep]))
    return _table(found)


def _table(found: _Goals) -> pa.Table:
    days = ("set_on", "due_on")
    numbers = ("baseline", "target", "progress")
    names = (
        "goal_id", "owner_kind", "owner_id", "parent_goal_id", "objective", "key_result", "metric", *numbers, *days,
    )  # fmt: skip
    return pa.table({
        name: columns.day([row[name] for row in found.rows]) if name in days
        else columns.number([row[name] for row in found.rows], 0) if name in numbers
        else pa.array([row[name] for row in found.rows], pa.string())
        for name in names
    })  # fmt: skip
