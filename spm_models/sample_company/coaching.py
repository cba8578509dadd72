"""Coaching as managers really give it: to those with the weakest quarter, on the right skill about half of the time."""

from __future__ import annotations

import numpy as np

from spm_models.sample_company.buyers import Deals
from spm_models.sample_company.draws import Floats
from spm_models.sample_company.people import KNOWLEDGE, NEVER, SKILLS
from spm_models.sample_company.world import World

SESSIONS = 3  #: of a programme, two weeks apart
EASE_IN = 5  #: weeks until a gain is whole


class Coaching:
    """Programmes so far and what each rep can do by now.

    Whom to coach is decided on the last quarter's sales, which are partly chance: those chosen would on average
    have recovered without coaching too. That is what a measurement of effect must see through.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._sold = np.zeros((len(world.staff), world.past + 1))
        self.programmes: list[dict[str, float]] = []
        self._decided = -1

    def sold(self, week: int, closed: Deals) -> None:
        """Take note of what was won in a week (company currency)."""
        won = closed["won"]
        value = self._world.prices.to_company(closed["amount"], closed["currency"], closed["closed_on"])
        np.add.at(self._sold[:, week], closed["owner"][won], value[won])

    def skill(self, week: int) -> Floats:
        """What each rep can do in a week: trained, coached, and less while new; shape (reps, skills)."""
        if self._decided < week < self._world.past:  # nobody is coached in the futures
            self._decided = week
            self._decide(week)
        skill = self._world.staff.skill.copy()
        for item in self.programmes:
            share = min(max((week - item["week"]) / EASE_IN, 0.0), 1.0)
            skill[int(item["rep"]), int(item["skill"])] += item["gain"] * share
        found: Floats = skill.clip(0.02, 0.95) * (0.5 + 0.5 * self._world.ramp(week))[:, None]
        return found

    def _decide(self, week: int) -> None:
        staff = self._world.staff
        for rep in np.flatnonzero(staff.recovers == week).tolist():
            self._begin(week, rep, int(staff.weak[rep]), 0.52)
        if week < 13 or week % 13 or week >= self._world.past - 2:
            return
        recent = self._sold[:, week - 13 : week].sum(axis=1)
        there = (self._world.ramp(week) >= 1.0) & (staff.left > self._world.weeks.first[week] + 90)
        there &= (staff.recovers == NEVER) & (self._world.present[:, week - 6 : week].mean(axis=1) > 0.5)
        for team in np.unique(staff.team).tolist():
            mates = np.flatnonzero(there & (staff.team == team))
            lowest = mates[np.argsort(recent[mates], kind="stable")]
            for rep in lowest[: max(1, len(mates) // 4)].tolist():
                self._coach(week, rep)

    def _coach(self, week: int, rep: int) -> None:
        staff, draws = self._world.staff, self._world.draws
        key = draws.keys("programme", int(staff.number[rep]), week)
        known = staff.skill[rep] + sum(
            (item["gain"] * np.eye(len(SKILLS))[int(item["skill"])] for item in self.programmes if item["rep"] == rep),
            np.zeros(len(SKILLS)),
        )
        right = draws.uniform("right", key)[0] < 0.55
        skill = int(np.argmin(known)) if right else int(draws.uniform("any", key)[0] * len(SKILLS))
        works = draws.uniform("works", key)[0] < 0.5 and staff.cause[rep] != KNOWLEDGE and known[skill] < 0.75
        self._begin(week, rep, skill, 0.12 + 0.14 * float(draws.uniform("gain", key)[0]) if works else 0.0)

    def _begin(self, week: int, rep: int, skill: int, gain: float) -> None:
        self.programmes.append({"week": week, "rep": rep, "skill": skill, "gain": round(gain, 4)})
