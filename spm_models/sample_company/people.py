"""The sales organisation with its hidden truth: who can do what, who tries how hard, and what holds each back."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company.draws import Draws, Floats, Ints
from spm_models.sample_company.sizes import Layout

SKILLS = ("opening", "need_orientation", "value", "objections", "next_step", "closing")
CAUSES = ("typical", "knowledge", "motivation", "direction", "territory", "coasting", "recovered")
TYPICAL, KNOWLEDGE, MOTIVATION, DIRECTION, TERRITORY, COASTING, RECOVERED = range(len(CAUSES))
_PLANTS_OF_40 = (KNOWLEDGE,) * 4 + (MOTIVATION,) * 3 + (DIRECTION,) * 3 + (TERRITORY,) * 3 + (COASTING,) * 2 + (
    RECOVERED,
) * 2  # fmt: skip
_PLANTS_OF_12 = (KNOWLEDGE, MOTIVATION, DIRECTION, TERRITORY, COASTING)
_PLANTS_OF_3 = (TYPICAL, KNOWLEDGE)
LOW = 0.12  #: a skill that a rep with the cause "knowledge" lacks
NEVER = 10**6  #: a week or day that does not come


@dataclass(frozen=True)
class Staff:
    """Reps of a company (or of a part of it), one position each; weeks count from the simulation's first.

    Hidden truth throughout: nothing here but seat, dates and absences is ever written to a table.
    """

    number: Ints  #: position in the whole company
    seat: Ints
    team: Ints
    cause: Ints
    skill: Floats  #: shape (reps, skills), 0 to 1, when fully ramped and before any coaching
    weak: Ints  #: the skill that is low, where one is
    effort: Floats  #: share of a full week's work
    effort_later: Floats  #: the same from ``effort_falls`` on
    effort_falls: Ints  #: week
    focus: Floats  #: from -1 (time goes to the wrong deals) to 1 (to the right ones)
    richness: Floats  #: of the seat's territory; 1 is usual
    optimism: Floats
    discounting: Floats
    hygiene: Floats  #: chance per week that a dead deal is closed
    hired: Ints  #: day number
    left: Ints  #: day number, NEVER if employed
    recovers: Ints  #: week in which planted coaching works, NEVER otherwise

    def __len__(self) -> int:
        return len(self.number)

    def part(self, keep: NDArray[np.bool_]) -> Staff:
        """Only the chosen reps."""
        return Staff(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


def staff(draws: Draws, plan: Layout, first_day: int, past: int) -> Staff:
    """Everybody who sells or sold in the simulated weeks.

    About one seat in eight changes hands: its rep leaves, and a successor comes after some weeks.
    """
    seats = np.arange(plan.seats)
    key = draws.keys("seat", seats)
    cause = _causes(draws, plan.seats)
    team_size = np.bincount(plan.team_of_seat, minlength=plan.teams)[plan.team_of_seat]
    leaves = (draws.uniform("leaves", key) < 0.2) & (cause == TYPICAL) & (team_size >= 4)
    left_week = (past * (0.3 + 0.45 * draws.uniform("left", key))).astype(np.int64)
    gap = 3 + (6 * draws.uniform("gap", key)).astype(np.int64)
    leaves &= (left_week > 0) & (left_week + gap < past)
    newcomer = (draws.uniform("new", key) < 0.18) & (cause == TYPICAL) & ~leaves & (team_size >= 4)
    tenure = (180 + 2500 * draws.uniform("tenure", key) ** 2).astype(np.int64)
    hired = first_day - tenure
    hired = np.where(newcomer, first_day + 7 * (past * 0.75 * draws.uniform("hired", key)).astype(np.int64), hired)
    left = np.where(leaves, first_day + 7 * left_week - 1, NEVER)  # weeks are worked whole

    seat = np.concatenate([seats, seats[leaves]])
    order = np.argsort(seat, kind="stable")
    seat = seat[order]
    hired = np.concatenate([hired, (first_day + 7 * (left_week + gap))[leaves]])[order]
    left = np.concatenate([left, np.full(leaves.sum(), NEVER)])[order]
    return _character(draws, plan, seat, np.concatenate([cause, cause[leaves]])[order], hired, left, past)


def _causes(draws: Draws, seats: int) -> Ints:
    """A fixed number of plants in every forty seats, on seats picked by lot."""
    cause = np.zeros(seats, dtype=np.int64)
    for begin in range(0, seats, 40):
        length = min(40, seats - begin)
        plants = _PLANTS_OF_40 if length >= 30 else _PLANTS_OF_12 if length >= 8 else _PLANTS_OF_3[:length]
        lot = np.argsort(draws.uniform("lot", draws.keys("plant", begin + np.arange(length))))
        cause[begin + lot[: len(plants)]] = plants
    return cause


def _character(draws: Draws, plan: Layout, seat: Ints, cause: Ints, hired: Ints, left: Ints, past: int) -> Staff:
    count = len(seat)
    key = draws.keys("rep", np.arange(count))
    able = np.isin(cause, (TERRITORY, COASTING, MOTIVATION, DIRECTION))
    ability = np.where(able, 0.66, np.where(cause == TYPICAL, 0.58, 0.60)) + 0.05 * draws.normal("ability", key)
    skill = np.stack([ability + 0.07 * draws.normal(name, key) for name in SKILLS], axis=1).clip(0.3, 0.92)
    has_weak = np.isin(cause, (KNOWLEDGE, RECOVERED))
    weak = 1 + (np.cumsum(has_weak) + int(draws.uniform("weak", draws.keys("weak"))[0] * 4)) % 4
    skill[has_weak, weak[has_weak]] = LOW
    effort = (0.95 + 0.07 * draws.normal("effort", key)).clip(0.75, 1.12)
    effort = np.where(cause == COASTING, 0.62, np.where(np.isin(cause, (TYPICAL, RECOVERED)), effort, 1.0))
    u = draws.uniform("falls", key)
    falls = np.where(cause == MOTIVATION, (past * (0.60 + 0.17 * u)).astype(np.int64), NEVER)
    recovers = np.where(cause == RECOVERED, (past * (0.42 + 0.14 * u)).astype(np.int64), NEVER)
    richness = np.exp(0.14 * draws.normal("rich", draws.keys("territory", seat)))
    richness = np.where(cause == TERRITORY, 0.55, np.where(cause == COASTING, 1.6, richness.clip(0.75, 1.35)))
    return Staff(
        number=np.arange(count), seat=seat, team=plan.team_of_seat[seat], cause=cause, skill=skill,
        weak=np.where(has_weak, weak, -1), effort=effort, effort_later=np.where(cause == MOTIVATION, 0.42, effort),
        effort_falls=falls, focus=np.where(cause == DIRECTION, -0.9, (0.45 + 0.2 * draws.normal("focus", key))),
        richness=richness, optimism=draws.uniform("optimism", key), discounting=draws.uniform("discounting", key),
        hygiene=0.25 + 0.45 * draws.uniform("hygiene", key), hired=hired, left=left, recovers=recovers,
    )  # fmt: skip


@dataclass(frozen=True)
class Absences:
    """Absences of reps: one entry each, days inclusive."""

    rep: Ints
    starts: Ints
    ends: Ints
    kind: Ints  #: position in ABSENCE_KINDS


ABSENCE_KINDS = ("leave", "sick", "parental", "training")


def absences(draws: Draws, team: Staff, first_day: int, past: int, ahead: int) -> Absences:
    """Leave (most of it in summer), illness, training and now and then a parental leave.

    Reps draw for each year of 52 weeks; overlapping entries are dropped.
    """
    rep, starts, ends, kinds = [], [], [], []
    for year in range(-(-(past + ahead) // 52)):
        begin = first_day + 364 * year
        key = draws.keys("absence", team.number, year)
        u = [draws.uniform(f"at{i}", key) for i in range(5)]
        plans = [
            (0, begin + 5 + (55 * u[0]).astype(np.int64), 6 + (8 * draws.uniform("l0", key)).astype(np.int64), 0.9),
            (0, begin + 160 + (150 * u[1]).astype(np.int64), 4 + (5 * draws.uniform("l1", key)).astype(np.int64), 0.6),
            (1, begin + 80 + (70 * u[2]).astype(np.int64), 1 + (4 * draws.uniform("l2", key)).astype(np.int64), 0.6),
            (3, begin + 320 + (30 * u[3]).astype(np.int64), 1 + (3 * draws.uniform("l3", key)).astype(np.int64), 0.5),
            (2, begin + 170 + (20 * u[4]).astype(np.int64), np.full(len(team), 110), 0.02),
        ]
        for kind, start, length, chance in plans:
            happens = draws.uniform(f"chance{kind}{chance}", key) < chance
            happens &= (start > team.hired + 30) & (start + length < team.left)
            rep.append(np.flatnonzero(happens))
            starts.append(start[happens])
            ends.append((start + length)[happens])
            kinds.append(np.full(int(happens.sum()), kind, dtype=np.int64))
    return _without_overlap(*(np.concatenate(part) for part in (rep, starts, ends, kinds)))


def _without_overlap(rep: Ints, starts: Ints, ends: Ints, kind: Ints) -> Absences:
    order = np.lexsort((starts, rep))
    rep, starts, ends, kind = rep[order], starts[order], ends[order], kind[order]
    reach = np.maximum.accumulate(ends + rep * 10**6) - rep * 10**6
    keep = np.ones(len(rep), dtype=bool)
    keep[1:] = (rep[1:] != rep[:-1]) | (starts[1:] > reach[:-1])
    return Absences(rep[keep], starts[keep], ends[keep], kind[keep])


def presence(team: Staff, away: Absences, first: Ints, working: NDArray[np.bool_]) -> Floats:
    """Share of each week's working days on which each rep is at work; shape (reps, weeks)."""
    days = np.arange(first[0], first[-1] + 7)
    at_work = (days >= team.hired[:, None]) & (days <= team.left[:, None])
    for i in range(len(away.rep)):
        low, high = away.starts[i] - days[0], away.ends[i] - days[0] + 1
        at_work[away.rep[i], max(low, 0) : max(high, 0)] = False
    count = (at_work & working.reshape(-1)).reshape(len(team), -1, 7).sum(axis=2)
    share: Floats = count / np.maximum(working.sum(axis=1), 1)
    return share
