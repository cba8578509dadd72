"""The order of work: what concerns everybody, then each chunk of teams, then what is summed over all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from spm_models.sample_company import (
    activities,
    budget,
    contact_centre,
    customers,
    development,
    futures,
    leads,
    ledger,
    market,
    organisation,
    people,
    plans,
    pulse,
    seasons,
    selling,
    sizes,
    truth,
)
from spm_models.sample_company.climate import Climate
from spm_models.sample_company.draws import Draws, Floats
from spm_models.sample_company.recorder import joined
from spm_models.sample_company.world import World

AHEAD = 60  #: weeks that the truth looks ahead at most
Progress = Callable[[str, int, int], None]  #: told about work: (what, done, total)
Piece = tuple[str, str, pa.Table]  #: "table" or "truth", its name, some of its rows


def usual_draws(seats: int) -> int:
    """Futures from which true chances are counted, where nobody says how many."""
    return 200 if seats <= 60 else 40 if seats <= 500 else 0


@dataclass
class Making:
    """One company being made."""

    seats: int
    seed: int
    months: int
    last: date
    truth_draws: int
    drift: float = 0.0
    _sold: Floats = field(init=False)
    _revenue: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.draws = Draws(self.seed)
        self.last_day = seasons.day_number(self.last)
        self.past = sizes.past_weeks(self.last, self.months)
        self.plan = sizes.layout(self.seats)
        self.weeks = seasons.weeks(self.last, self.past, AHEAD)
        self.climate = Climate.of(self.draws, self.past, AHEAD, self.drift)
        self.first_day = int(self.weeks.first[0])
        self.prices = market.prices(self.draws, self.first_day - 1200, self.last_day, 7 * AHEAD + 10)
        self.staff = people.staff(self.draws, self.plan, self.first_day, self.past)
        self.chiefs = organisation.managers(self.plan, self.first_day, self.past)
        self.terms = plans.quarters(self.first_day, self.last_day)
        self._sold = np.zeros((len(self.staff), len(self.terms.starts)))
        self._revenue = np.zeros((len(self.staff), len(futures.PARTS), self.truth_draws))

    def run(self, chunk_reps: int, progress: Progress | None) -> Iterator[Piece]:
        """Yield all tables and truths; rows of one table come in several pieces, in order."""
        swaps: list[tuple[int, int, int]] = []
        step = max(1, round(chunk_reps / sizes.TEAM))
        for first in range(0, self.plan.teams, step):
            teams = (first, min(first + step, self.plan.teams))
            world = World.of(self.draws, self.plan, self.staff, self.weeks, self.prices, self.past, teams, self.climate)
            offset = int(world.staff.number[0])
            swaps += [(int(self.weeks.first[w]), one + offset, other + offset) for w, one, other in world.swaps]
            chunk = selling.run(world)
            self._book(chunk, offset)
            book = ledger.build(chunk, self.last_day)
            yield from self._deals(chunk, book)
            yield from self._people(chunk, book)
            if self.truth_draws:
                yield from self._ahead(chunk, book, offset)
            if progress is not None:
                progress("simulate reps", offset + len(world.staff), len(self.staff))
        yield from self._company(swaps)

    def _book(self, chunk: selling.Chunk, offset: int) -> None:
        closed = joined(chunk.recorder.closed)
        won = closed["won"]
        value = self.prices.to_company(closed["amount"], closed["currency"], closed["closed_on"])[won]
        np.add.at(self._sold, (closed["owner"][won] + offset, self.terms.of(closed["closed_on"][won])), value)

    def _deals(self, chunk: selling.Chunk, book: ledger.Ledger) -> Iterator[Piece]:
        yield "table", "opportunities", ledger.opportunities(chunk, book)
        yield "table", "opportunity_history", ledger.history(chunk, book)
        yield "table", "opportunity_lines", customers.opportunity_lines(chunk, book)
        yield "table", "activities", activities.activities(chunk, book, self.last_day)
        yield "table", "accounts", customers.accounts(chunk, book)
        yield "table", "contacts", customers.contacts(chunk, book, self.last_day)
        yield "table", "deal_contributors", customers.deal_contributors(chunk, book)
        yield "table", "contracts", customers.contracts(chunk, book, self.last_day)
        yield "table", "surveys", customers.surveys(chunk, book, self.last_day)
        yield "table", "leads", leads.leads(chunk, book, self.last_day)
        yield "truth", "edits", truth.edits(book)
        yield "truth", "deals", truth.deals(book)

    def _people(self, chunk: selling.Chunk, book: ledger.Ledger) -> Iterator[Piece]:
        yield "table", "absences", organisation.absences(chunk.world, self.last_day)
        sessions, first_sessions = development.coaching_sessions(chunk, self.chiefs, self.last_day)
        yield "table", "coaching_sessions", sessions
        yield "table", "feedback_360", development.feedback_360(chunk, self.last_day)
        yield "truth", "coaching", truth.coaching(chunk, first_sessions)
        yield "truth", "skills_now", truth.skills_now(chunk)
        shifts, worked = contact_centre.shifts(chunk, *contact_centre.days_worked(chunk))
        yield "table", "shifts", shifts
        yield "table", "agent_status", contact_centre.agent_status(chunk, worked)
        yield "table", "calls", contact_centre.calls(chunk, book, worked)

    def _ahead(self, chunk: selling.Chunk, book: ledger.Ledger, offset: int) -> Iterator[Piece]:
        quarter = int(self.terms.starts[-1]), int(self.terms.ends[-1])
        found = futures.look_ahead(chunk.world, chunk.state, chunk.coaching, self.truth_draws, quarter)
        self._revenue[offset : offset + len(chunk.world.staff)] = found.revenue
        yield "truth", "open_deals", truth.open_deals(book, found)

    def _company(self, swaps: list[tuple[int, int, int]]) -> Iterator[Piece]:
        plan, staff, terms = self.plan, self.staff, self.terms
        yield "table", "reps", organisation.reps(self.draws, plan, staff, self.chiefs, self.last_day)
        yield "table", "reporting_lines", organisation.reporting_lines(staff, self.chiefs, self.last_day)
        yield "table", "territories", organisation.territories(swaps, plan, staff, self.last_day)
        yield "table", "products", customers.products()
        yield "table", "exchange_rates", plans.exchange_rates(self.prices, self.first_day - 1100, self.last_day)
        yield (
            "table",
            "quotas",
            plans.quotas(self.draws, plan, staff, self.prices, terms, self._sold, self.last_day),
        )
        yield "table", "goals", budget.goals(plan, staff, terms, self._sold, self.prices, self.last_day)
        yield "table", "costs", budget.costs(self.draws, plan, staff, self.prices, self.first_day, self.last_day)
        yield "table", "pulse", pulse.pulse(self.draws, plan, staff, self.weeks, self.past, self.last_day)
        yield "truth", "reps", truth.reps(staff, self.weeks.first)
        if self.truth_draws:
            start, end = int(terms.starts[-1]), int(terms.ends[-1])
            yield "truth", "next_quarter", truth.next_quarter(plan, staff, self._revenue, start, end)
