"""What is true of the sample company and stands in none of its tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns
from spm_models.sample_company.draws import Floats, Ints
from spm_models.sample_company.futures import PARTS, Futures
from spm_models.sample_company.ledger import Ledger, rep_id
from spm_models.sample_company.mechanism import COMPETITOR, LOSS_REASONS
from spm_models.sample_company.people import CAUSES, NEVER, RECOVERED, SKILLS, Staff
from spm_models.sample_company.plans import COMPANY
from spm_models.sample_company.selling import Chunk
from spm_models.sample_company.sizes import Layout

EDITED = ("amount", "loss_reason", "budget_status", "competitor")


def reps(staff: Staff, weeks: Ints) -> pa.Table:
    """Cause, skills before coaching, effort, focus and territory of each rep."""
    falls = np.where(staff.effort_falls == NEVER, 0, staff.effort_falls)
    recovers = np.where(staff.recovers == NEVER, 0, staff.recovers)
    table = {
        "rep_id": rep_id(staff.number),
        "cause": columns.word(staff.cause, CAUSES),
        "weak_skill": columns.word(staff.weak, SKILLS),
        "effort": columns.number(staff.effort, 4),
        "effort_later": columns.number(staff.effort_later, 4),
        "effort_falls_on": columns.day(weeks[falls], empty=staff.effort_falls == NEVER),
        "recovers_on": columns.day(weeks[recovers], empty=staff.recovers == NEVER),
        "focus": columns.number(staff.focus, 4),
        "territory_richness": columns.number(staff.richness, 4),
        "optimism": columns.number(staff.optimism, 4),
    }
    return pa.table(table | {skill: columns.number(staff.skill[:, i], 4) for i, skill in enumerate(SKILLS)})


def coaching(chunk: Chunk, first_sessions: dict[tuple[int, int], str]) -> pa.Table:
    """Every coaching programme: its first session, and by how much the skill rose (0: it did nothing)."""
    staff, weeks = chunk.world.staff, chunk.world.weeks.first
    rows = sorted(chunk.coaching.programmes, key=lambda row: (row["rep"], row["week"]))
    rep = np.array([int(row["rep"]) for row in rows], dtype=np.int64)
    gain = np.array([row["gain"] for row in rows])
    return pa.table({
        "session_id": pa.array([first_sessions[int(row["rep"]), int(row["week"])] for row in rows], pa.string()),
        "rep_id": rep_id(staff.number[rep]),
        "skill": columns.word([int(row["skill"]) for row in rows], SKILLS),
        "from_day": columns.day(weeks[np.array([int(row["week"]) for row in rows], dtype=np.int64)]),
        "gain": columns.number(gain, 4),
        "worked": pa.array(gain > 0, pa.bool_()),
        "planted": pa.array((staff.cause[rep] == RECOVERED) & (gain > 0.4), pa.bool_()),
    })  # fmt: skip


def edits(ledger: Ledger) -> pa.Table:
    """Values that were changed or filled in after a deal was closed: they tell the outcome."""
    position, field = ledger.edits["position"], ledger.edits["field"]
    order = np.lexsort((field, position))
    position, field, day = position[order], field[order], ledger.edits["day"][order]
    deals = ledger.deals
    before = columns.code("", deals["amount"][position].astype(np.int64)).to_pylist()
    reason = columns.word(deals["reason"][position], LOSS_REASONS).to_pylist()
    old = [b if f == 0 else r if f == 1 else None for b, r, f in zip(before, reason, field.tolist(), strict=True)]
    return pa.table({
        "opportunity_id": ledger.ids.take(pa.array(position)),
        "field": columns.word(field, EDITED),
        "edited_on": columns.day(day),
        "value_at_close": pa.array(old, pa.string()),
        "in_history": pa.array(field == 0),
    })  # fmt: skip


def deals(ledger: Ledger) -> pa.Table:
    """Hidden state of each deal as it ended or stands."""
    hidden = ledger.deals
    return pa.table({
        "opportunity_id": ledger.ids,
        "need": columns.number(hidden["need"], 4),
        "budget": columns.money(hidden["budget"]),
        "conviction": columns.number(hidden["conviction"], 4),
        "rival_conviction": columns.number(hidden["rival"], 4, empty=hidden["rival"] < 0),
        "committee": pa.array(hidden["committee"].astype(np.int64)),
        "lost_to_competitor": pa.array(hidden["reason"] == COMPETITOR),
    })  # fmt: skip


def open_deals(ledger: Ledger, futures: Futures) -> pa.Table:
    """True chance of each open deal, with the standard error that comes from counting futures."""
    position = ledger.position(futures.uid)
    order = np.argsort(position)
    share, soon = futures.won[order] / futures.draws, futures.won_in_quarter[order] / futures.draws
    return pa.table({
        "opportunity_id": ledger.ids.take(pa.array(position[order])),
        "p_win": columns.number(share, 4),
        "p_win_next_quarter": columns.number(soon, 4),
        "standard_error": columns.number(np.sqrt((share * (1 - share)).clip(0.25 / futures.draws) / futures.draws), 4),
        "draws": pa.array(np.full(len(order), futures.draws)),
    })  # fmt: skip


def next_quarter(plan: Layout, staff: Staff, revenue: Floats, start: int, end: int) -> pa.Table:
    """True distribution of the next quarter's sales for reps, teams, regions and the company.

    ``revenue`` has the shape (reps, parts, draws); the parts are deals open now and deals not yet created.
    """
    regions, region_of_team = np.unique(np.array(plan.team_regions), return_inverse=True)
    by_team = _sums(revenue, staff.team, plan.teams)
    by_region = _sums(by_team, region_of_team, len(regions))
    blocks = [
        ("rep", rep_id(staff.number).to_pylist(), revenue), ("team", list(plan.team_names), by_team),
        ("region", [str(name) for name in regions], by_region), ("company", [COMPANY], revenue.sum(axis=0)[None]),
    ]  # fmt: skip
    tables = []
    for level, ids, amounts in blocks:
        total = amounts.sum(axis=1)
        low, middle, high = np.quantile(total, [0.1, 0.5, 0.9], axis=1)
        parts = {f"mean_{name}": columns.number(amounts[:, i].mean(axis=1)) for i, name in enumerate(PARTS)}
        tables.append(pa.table({
            "level": pa.array([level] * len(ids)),
            "id": pa.array(ids),
            "period_start": columns.day(np.full(len(ids), start)),
            "period_end": columns.day(np.full(len(ids), end)),
            "mean": columns.number(total.mean(axis=1)),
            "p10": columns.number(low), "p50": columns.number(middle), "p90": columns.number(high),
            **parts,
            "draws": pa.array(np.full(len(ids), revenue.shape[2])),
        }))  # fmt: skip
    return pa.concat_tables(tables)


def _sums(amounts: Floats, group: Ints, groups: int) -> Floats:
    total = np.zeros((groups, *amounts.shape[1:]))
    np.add.at(total, group, amounts)
    return total


def skills_now(chunk: Chunk) -> pa.Table:
    """What each rep can do on the last day, coaching and ramp-up included."""
    skill = chunk.coaching.skill(chunk.world.past - 1)
    table = {"rep_id": rep_id(chunk.world.staff.number)}
    return pa.table(table | {name: columns.number(skill[:, i], 4) for i, name in enumerate(SKILLS)})
