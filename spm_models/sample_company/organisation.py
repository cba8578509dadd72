"""Tables about people: reps, managers and the executive, who reported to whom, territories and absences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns, names
from spm_models.sample_company.draws import Draws, Ints
from spm_models.sample_company.ledger import rep_id
from spm_models.sample_company.people import ABSENCE_KINDS, NEVER, Staff
from spm_models.sample_company.sizes import Layout
from spm_models.sample_company.world import World

EXECUTIVE = "E001"


@dataclass(frozen=True)
class Managers:
    """Managers of the teams: every fifth team had another one during the first half."""

    number: Ints
    team: Ints
    since: Ints  #: day number, NEVER-like early days for "from the start"
    until: Ints  #: day number, NEVER if still there

    def of(self, team: Ints, day: Ints) -> Ints:
        """Number of the manager of a team on a day."""
        found = np.zeros(len(team), dtype=np.int64)
        for i in range(len(self.number)):
            found = np.where((team == self.team[i]) & (day >= self.since[i]), self.number[i], found)
        return found


def managers(plan: Layout, first_day: int, past: int) -> Managers:
    """One manager a team, two one after the other in every fifth team of a company with three teams or more."""
    rows = []
    change = first_day + 7 * (past // 2)
    for team in range(plan.teams):
        if team % 5 == 1 and plan.teams >= 3:
            rows += [(team, first_day - 1500, change - 1), (team, change, NEVER)]
        else:
            rows.append((team, first_day - 2000 - 13 * team % 700, NEVER))
    found = np.array(rows, dtype=np.int64)
    return Managers(np.arange(len(rows)), found[:, 0], found[:, 1], found[:, 2])


def manager_id(number: Ints) -> pa.Array:
    """Identifiers of managers."""
    return columns.code("M", number + 1, 3)


def reps(draws: Draws, plan: Layout, staff: Staff, chiefs: Managers, last_day: int) -> pa.Table:
    """Everybody: the executive, the managers, the reps."""
    today = np.full(len(staff), last_day)
    ids = pa.concat_arrays([pa.array([EXECUTIVE]), manager_id(chiefs.number), rep_id(staff.number)])
    count = len(ids)
    key = draws.keys("person", np.arange(count))
    first = (draws.uniform("first", key) * len(names.FIRST_NAMES)).astype(np.int64)
    last = (draws.uniform("last", key) * len(names.LAST_NAMES)).astype(np.int64)
    people = [f"{names.FIRST_NAMES[i]} {names.LAST_NAMES[j]}" for i, j in zip(first, last, strict=True)]
    english = draws.uniform("locale", key) < 0.06
    locale = ["ar" if name.split()[0] in names.ARABIC_FIRST else "en" if e else "tr"
              for name, e in zip(people, english, strict=True)]  # fmt: skip
    team = np.concatenate([[-1], chiefs.team, staff.team])
    role = np.concatenate([[2], np.ones(len(chiefs.number), np.int64), np.zeros(len(staff), np.int64)])
    left = np.concatenate([[NEVER], chiefs.until, staff.left])
    above = pa.concat_arrays([
        pa.array([None], pa.string()), pa.array([EXECUTIVE] * len(chiefs.number)),
        manager_id(chiefs.of(staff.team, today)),
    ])  # fmt: skip
    return pa.table({
        "rep_id": ids,
        "name": pa.array(people),
        "team": columns.word(team, plan.team_names),
        "region": columns.word(team, plan.team_regions),
        "role": columns.word(role, ("rep", "manager", "executive")),
        "manager_id": above,
        "hired_on": columns.day(np.concatenate([chiefs.since[:1] - 900, chiefs.since, staff.hired])),
        "left_on": columns.day(np.where(left >= last_day, 0, left), empty=left >= last_day),
        "email": columns.glued(pa.array([name.lower() for name in ids.to_pylist()]), "@atlas.example"),
        "locale": pa.array(locale),
    })  # fmt: skip


def reporting_lines(staff: Staff, chiefs: Managers, last_day: int) -> pa.Table:
    """One row for each stretch of days under one manager."""
    rows: list[tuple[str, str, int, int]] = []
    ids, chief_ids = rep_id(staff.number).to_pylist(), manager_id(chiefs.number).to_pylist()
    for i, chief in enumerate(chief_ids):
        rows.append((chief, EXECUTIVE, int(chiefs.since[i]), int(chiefs.until[i])))
    for i, rep in enumerate(ids):
        for j in np.flatnonzero(chiefs.team == staff.team[i]).tolist():
            start, end = max(staff.hired[i], chiefs.since[j]), min(staff.left[i], chiefs.until[j])
            if start <= end and start <= last_day:
                rows.append((rep, chief_ids[j], int(start), int(end)))
    return _assignments(rows, "manager_id", last_day)


def territories(swaps: list[tuple[int, int, int]], plan: Layout, staff: Staff, last_day: int) -> pa.Table:
    """One row for each stretch of days in one territory; ``swaps`` holds (day, rep, rep)."""
    rows: list[tuple[str, str, int, int]] = []
    swapped = {one: (day, other) for day, one, other in swaps}
    swapped |= {other: (day, one) for day, one, other in swaps}
    for i, rep in enumerate(rep_id(staff.number).to_pylist()):
        start, end = int(staff.hired[i]), int(staff.left[i])
        if start > last_day:
            continue
        here = territory_name(plan, int(staff.seat[i]))
        if i in swapped:
            day, other = swapped[i]
            rows.append((rep, here, start, day - 1))
            start, here = day, territory_name(plan, int(staff.seat[other]))
        rows.append((rep, here, start, end))
    return _assignments(rows, "territory", last_day)


def territory_name(plan: Layout, seat: int) -> str:
    """Name of the territory that belongs to a seat: a place near its team's."""
    team = int(plan.team_of_seat[seat])
    place = next(place for place in names.TERRITORIES if plan.team_names[team].startswith(place))
    nth, places = seat - plan.seats_of(team, team + 1)[0], names.TERRITORIES[place]
    turn = plan.team_names[team][len(place) :].strip()
    more = str(nth // len(places) + 1) if nth >= len(places) else ""
    return " ".join(part for part in (places[nth % len(places)], turn, more) if part)


def _assignments(rows: list[tuple[str, str, int, int]], to: str, last_day: int) -> pa.Table:
    end = np.array([row[3] for row in rows], dtype=np.int64)
    return pa.table({
        "rep_id": pa.array([row[0] for row in rows]),
        to: pa.array([row[1] for row in rows]),
        "valid_from": columns.day([row[2] for row in rows]),
        "valid_to": columns.day(np.where(end >= last_day, 0, end), empty=end >= last_day),
    })  # fmt: skip


def absences(world: World, last_day: int) -> pa.Table:
    """Absences that have begun."""
    away = world.away
    begun = away.starts <= last_day
    return pa.table({
        "rep_id": rep_id(world.staff.number[away.rep[begun]]),
        "starts_on": columns.day(away.starts[begun]),
        "ends_on": columns.day(away.ends[begun]),
        "kind": columns.word(away.kind[begun], ABSENCE_KINDS),
    })  # fmt: skip
