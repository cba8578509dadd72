"""Tables about development: coaching sessions and one-to-ones, and 360° feedback."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spm_models.sample_company import columns
from spm_models.sample_company.coaching import SESSIONS
from spm_models.sample_company.ledger import rep_id
from spm_models.sample_company.organisation import Managers, manager_id
from spm_models.sample_company.people import SKILLS
from spm_models.sample_company.recorder import Columns, joined
from spm_models.sample_company.selling import Chunk

KINDS = ("one_to_one", "coaching", "role_play", "shadowing", "mentoring")
GIVERS = (("manager", 1), ("peer", 6), ("department", 5), ("customer", 5))
_ACTIONS = {
    "opening": "Her ilk görüşme için üç açılış sorusu hazırlayıp bu hafta denemek",
    "need_orientation": "Demodan önce müşterinin ihtiyacını kendi sözleriyle yazmak",
    "value": "Her teklifte faydayı müşterinin kendi rakamlarıyla göstermek",
    "objections": "En sık dört itirazı toplayıp her birine bir yanıt çalışmak",
    "next_step": "Hiçbir görüşmeyi sonraki adımın tarihi belli olmadan bitirmemek",
    "closing": "Müşteri tarafı hemfikir olunca kararı açıkça istemek",
}
_COMMENTS = (
    "İyi dinliyor ve sorulara dönüş yapıyor.", "Bizi sürece daha erken katabilir.", "Görüşmelere iyi hazırlanıyor.",
    "Görüşmelerden sonra sonraki adım daha net olabilir.", "Birlikte çalışmak keyifli.",
)  # fmt: skip


def coaching_sessions(chunk: Chunk, chiefs: Managers, last_day: int) -> tuple[pa.Table, dict[tuple[int, int], str]]:
    """The table, and the first session of each programme by (rep, week)."""
    staff = chunk.world.staff
    parts = [_programmes(chunk), _one_to_ones(chunk)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keep = (
        (rows["day"] <= last_day) & (rows["day"] >= staff.hired[rows["rep"]]) & (rows["day"] <= staff.left[rows["rep"]])
    )
    rows = {name: column[keep] for name, column in rows.items()}
    order = np.lexsort((rows["kind"], rows["day"], rows["rep"]))
    rows = {name: column[order] for name, column in rows.items()}
    nth = np.arange(len(order)) - np.searchsorted(rows["rep"], rows["rep"])
    ids = columns.code("K", (staff.number[rows["rep"]] + 1) * 10_000 + nth, 8)
    first = {
        (int(rows["rep"][i]), int(rows["week"][i])): session
        for i, session in enumerate(ids.to_pylist()) if rows["first"][i]
    }  # fmt: skip
    table = pa.table({
        "session_id": ids,
        "rep_id": rep_id(staff.number[rows["rep"]]),
        "manager_id": manager_id(chiefs.of(staff.team[rows["rep"]], rows["day"])),
        "held_on": columns.day(rows["day"]),
        "kind": columns.word(rows["kind"], KINDS),
        "skill": columns.word(rows["skill"], SKILLS),
        "actions": columns.word(rows["skill"], [_ACTIONS[skill] for skill in SKILLS]),
        "due_on": columns.day(rows["day"] + 14),
    })  # fmt: skip
    return table, first


def _programmes(chunk: Chunk) -> Columns:
    """Three sessions, two weeks apart, on one skill."""
    found = chunk.coaching.programmes
    week = np.repeat(np.array([int(row["week"]) for row in found], dtype=np.int64), SESSIONS)
    rep = np.repeat(np.array([int(row["rep"]) for row in found], dtype=np.int64), SESSIONS)
    nth = np.tile(np.arange(SESSIONS), len(found))
    key = chunk.world.draws.keys("session", chunk.world.staff.number[rep], week, nth)
    return {
        "rep": rep, "week": week, "day": chunk.world.weeks.first[week] + 14 * nth + _workday(chunk, week, nth),
        "kind": 1 + chunk.world.draws.choice("kind", key, (6, 2, 2, 1)), "first": nth == 0,
        "skill": np.repeat(np.array([int(row["skill"]) for row in found], dtype=np.int64), SESSIONS),
    }  # fmt: skip


def _workday(chunk: Chunk, week: NDArray[Any], nth: NDArray[Any]) -> NDArray[Any]:
    """Days from the week's first to its first working day."""
    later = np.minimum(week + 2 * nth, len(chunk.world.weeks.first) - 1)
    found: NDArray[Any] = chunk.world.weeks.working[later].argmax(axis=1)
    return found


def _one_to_ones(chunk: Chunk) -> Columns:
    """Every second to fourth week; some managers keep to it better than others."""
    world, parts = chunk.world, []
    diligence = world.draws.uniform("diligence", world.draws.keys("manager", world.staff.team))
    for week in range(0, world.past, 2):
        open_days = np.flatnonzero(world.weeks.working[week])
        if not len(open_days):
            continue
        key = world.draws.keys("one_to_one", world.staff.number, week)
        held = world.draws.uniform("held", key) < (0.35 + 0.6 * diligence) * world.present[:, week]
        rep = np.flatnonzero(held)
        named = world.draws.uniform("names", key[rep]) < 0.5
        skill = (world.draws.uniform("skill", key[rep]) * len(SKILLS)).astype(np.int64)
        parts.append({
            "rep": rep, "week": np.full(len(rep), week),
            "day": world.weeks.days(week, world.draws.uniform("day", key[rep])),
            "kind": np.zeros(len(rep), np.int64), "first": np.zeros(len(rep), bool),
            "skill": np.where(named, skill, -1),
        })  # fmt: skip
    return joined(parts)


def feedback_360(chunk: Chunk, last_day: int) -> pa.Table:
    """Twice a year, from five to seven people of each side; a little too kind, and noisy."""
    world, parts = chunk.world, []
    givers = np.repeat(np.arange(len(GIVERS)), [count for _, count in GIVERS])
    for week in range(24, world.past, 26):
        skill = chunk.coaching.skill(week)
        rep = np.flatnonzero(
            (world.staff.hired < world.weeks.first[week] - 90) & (world.staff.left > world.weeks.first[week] + 20)
        )
        who = np.repeat(rep, len(givers) * len(SKILLS))
        giver = np.tile(np.repeat(np.arange(len(givers)), len(SKILLS)), len(rep))
        dimension = np.tile(np.arange(len(SKILLS)), len(rep) * len(givers))
        key = world.draws.keys("answer", world.staff.number[who], week, giver, dimension)
        person = world.draws.keys("giver", world.staff.number[who], week, giver)
        answered = world.draws.uniform("answers", person) < 0.8
        mild = 0.35 * world.draws.normal("mild", person)
        score = np.clip(
            np.round(1.6 + 3.6 * skill[who, dimension] + mild + 0.7 * world.draws.normal("score", key)), 1, 5
        )
        says = np.where(world.draws.uniform("says", key) < 0.04, (world.draws.uniform("what", key) * 5).astype(int), -1)
        parts.append({
            "rep": who[answered], "giver": givers[giver[answered]], "dimension": dimension[answered],
            "score": score[answered], "says": says[answered],
            "day": (world.weeks.first[week] + (14 * world.draws.uniform("day", person)).astype(np.int64))[answered],
        })  # fmt: skip
    if not parts:
        parts = [{name: np.zeros(0, np.int64) for name in ("rep", "giver", "dimension", "score", "says", "day")}]
    rows = joined(parts)
    rows = {name: column[rows["day"] <= last_day] for name, column in rows.items()}
    order = np.lexsort((rows["day"], rows["rep"]))
    rows = {name: column[order] for name, column in rows.items()}
    nth = np.arange(len(order)) - np.searchsorted(rows["rep"], rows["rep"])
    number = world.staff.number[rows["rep"]]
    return pa.table({
        "feedback_id": columns.code("F", (number + 1) * 10_000 + nth, 8),
        "about_rep_id": rep_id(number),
        "given_by": columns.word(rows["giver"], [giver for giver, _ in GIVERS]),
        "dimension": columns.word(rows["dimension"], SKILLS),
        "score": columns.number(rows["score"], 0),
        "comment": columns.word(rows["says"], _COMMENTS),
        "given_on": columns.day(rows["day"]),
    })  # fmt: skip
