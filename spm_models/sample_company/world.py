"""Everything a chunk of the company needs while it is simulated: people, calendar, prices, territories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company import market, people
from spm_models.sample_company.climate import Climate
from spm_models.sample_company.draws import Draws, Floats, Ints
from spm_models.sample_company.people import NEVER, Absences, Staff
from spm_models.sample_company.seasons import Weeks
from spm_models.sample_company.sizes import Layout

RAMP_DAYS = 200


@dataclass
class World:
    """Whole teams of a company; reps and seats are positions within the part, ``first_*`` their offset."""

    draws: Draws
    plan: Layout
    staff: Staff
    weeks: Weeks
    prices: market.Prices
    climate: Climate
    away: Absences
    present: Floats  #: shape (reps, weeks)
    past: int
    pool: int
    first_seat: int
    last_seat: int
    richness: Floats  #: of each seat of the part
    inside: NDArray[np.bool_]  #: of each rep
    swaps: list[tuple[int, int, int]] = field(default_factory=list)  #: (week, rep, rep): they change territories

    @classmethod
    def of(
        cls, draws: Draws, plan: Layout, everybody: Staff, weeks: Weeks, prices: market.Prices, past: int,
        teams: tuple[int, int], climate: Climate,
    ) -> World:  # fmt: skip
        """The part of the company that the teams from ``teams[0]`` up to, not including, ``teams[1]`` make."""
        staff = everybody.part((everybody.team >= teams[0]) & (everybody.team < teams[1]))
        first, last = plan.seats_of(*teams)
        away = people.absences(draws, staff, int(weeks.first[0]), past, len(weeks.first) - past)
        present = people.presence(staff, away, weeks.first, weeks.working)
        seats, where = np.unique(staff.seat, return_index=True)
        inside = np.array(plan.inside)[staff.team]
        world = cls(
            draws, plan, staff, weeks, prices, climate, away, present, past, market.POOL, first, last,
            staff.richness[where][: len(seats)], inside,
        )  # fmt: skip
        world.swaps = _swaps(draws, staff, int(weeks.first[0]), past)
        return world

    def seat_richness(self, seat: Ints) -> Floats:
        """Richness of the territories with these seat numbers (of the whole company)."""
        found: Floats = self.richness[seat - self.first_seat]
        return found

    def account_number(self, seat: Ints, nth: Ints) -> Ints:
        """Number of the n-th account of a territory."""
        return seat * market.ACCOUNTS_PER_SEAT + nth

    def ramp(self, week: int) -> Floats:
        """How far each rep has come since the hire, from 0.25 to 1."""
        tenure = self.weeks.first[week] - self.staff.hired
        ramped: Floats = (0.25 + 0.75 * tenure / RAMP_DAYS).clip(0.25, 1.0)
        return ramped

    def effort(self, week: int) -> Floats:
        """Share of a full week's work that each rep puts in."""
        falls = self.staff.effort_falls
        fading = ((week - falls) / 6.0).clip(0.0, 1.0)
        effort: Floats = self.staff.effort + (self.staff.effort_later - self.staff.effort) * fading
        return effort

    def holders(self, week: int) -> Ints:
        """Rep who works each territory in a week, -1 where nobody does."""
        day = int(self.weeks.first[week])
        holder = np.full(self.last_seat - self.first_seat, -1, dtype=np.int64)
        here = np.flatnonzero((self.staff.hired <= day + 6) & (self.staff.left >= day))
        holder[self.staff.seat[here] - self.first_seat] = here
        for when, one, other in self.swaps:
            if week >= when:
                seats = self.staff.seat[[one, other]] - self.first_seat
                holder[seats] = holder[seats[::-1]]
        return holder


def _swaps(draws: Draws, staff: Staff, first_day: int, past: int) -> list[tuple[int, int, int]]:
    """In about half of the teams two settled reps change territories once."""
    swaps: list[tuple[int, int, int]] = []
    teams: list[Any] = np.unique(staff.team).tolist()
    for team in teams:
        settled = np.flatnonzero(
            (staff.team == team) & (staff.cause == people.TYPICAL) & (staff.left == NEVER)
            & (staff.hired < first_day) & ~_replaced(staff)
        )  # fmt: skip
        key = draws.keys("swap", team)
        if len(settled) >= 2 and draws.uniform("happens", key)[0] < 0.55:
            week = int(past * (0.35 + 0.4 * draws.uniform("when", key)[0]))
            swaps.append((week, int(settled[0]), int(settled[-1])))
    return swaps


def _replaced(staff: Staff) -> NDArray[np.bool_]:
    """Reps whose seat more than one rep has held."""
    seats, count = np.unique(staff.seat, return_counts=True)
    shared: NDArray[np.bool_] = np.isin(staff.seat, seats[count > 1])
    return shared
