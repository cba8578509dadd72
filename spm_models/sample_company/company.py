"""A whole simulated company: made chunk by chunk, kept in memory or written to a folder as it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from spm_models.sample_company import (
    activities,
    columns,
    customers,
    ledger,
    market,
    organisation,
    people,
    plans,
    seasons,
    selling,
    sizes,
)
from spm_models.sample_company.draws import Draws, Floats
from spm_models.sample_company.recorder import joined
from spm_models.sample_company.world import World
from spm_models.sample_company.writer import Writer

LAST_DAY = date(2026, 6, 30)
AHEAD = 60  #: weeks that the truth looks ahead
Progress = Callable[[int, int], None]  #: called with reps simulated so far and reps in all


@dataclass(frozen=True)
class Company:
    """A simulated company in memory.

    Parameters
    ----------
    tables : dict of DataFrame
        The CRM tables with the types of ``crm.schemas`` (amounts as floats), by name.
    truth : dict of DataFrame
        What no table says: causes, what coaching did, corrections after closing, true chances.
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    seed: int
    last_day: date


def simulate(
    size: str = "usual", *, seed: int = 1, months: int = 36, last_day: date = LAST_DAY,
    opportunities: int | None = None, truth_draws: int | None = None,
) -> Company:  # fmt: skip
    """Simulate a company and keep it in memory.

    Parameters
    ----------
    size : {"tiny", "small", "usual", "large"}
        3, 12, 40 or 400 reps.
    seed : int
        The same seed gives the same company.
    months : int
        Length of the records; they end on ``last_day``.
    opportunities : int, optional
        About so many opportunities instead of a named size.
    truth_draws : int, optional
        Futures from which true chances are counted; by default 200, fewer for large companies, 0 for none.

    Examples
    --------
    >>> company = simulate("tiny", seed=7, months=6, truth_draws=0)
    >>> sorted(company.tables)[:3]
    ['absences', 'accounts', 'activities']
    """
    parts: dict[str, list[pa.Table]] = {}
    truth: dict[str, list[pa.Table]] = {}
    making = _Making(size, seed, months, last_day, opportunities, truth_draws)
    for kind, name, table in making.run(chunk_reps=80, progress=None):
        (parts if kind == "table" else truth).setdefault(name, []).append(table)
    return Company(
        {name: columns.typed(name, pa.concat_tables(pieces)) for name, pieces in parts.items()},
        {name: pa.concat_tables(pieces).to_pandas() for name, pieces in truth.items()},
        seed,
        last_day,
    )


def write(
    folder: Path | str, *, size: str = "usual", seed: int = 1, months: int = 36, last_day: date = LAST_DAY,
    opportunities: int | None = None, format: Literal["csv", "parquet"] = "csv",  # noqa: A002
    chunk_reps: int = 80, truth_draws: int | None = None, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Simulate a company and write it as it is made: ``folder/tables`` and ``folder/truth``.

    Memory depends on ``chunk_reps`` and not on the size of the company; the bytes written do not depend on it.

    Returns
    -------
    Path
        The folder with the tables.

    Examples
    --------
    >>> import tempfile
    >>> tables = write(tempfile.mkdtemp(), size="tiny", months=6, truth_draws=0)
    >>> (tables / "opportunities.csv").exists()
    True
    """
    root = Path(folder)
    making = _Making(size, seed, months, last_day, opportunities, truth_draws)
    with Writer(root / "tables", format) as tables, Writer(root / "truth", "parquet") as truth:
        for kind, name, table in making.run(chunk_reps, progress):
            (tables if kind == "table" else truth).add(name, table)
    return root / "tables"


@dataclass
class _Making:
    """The order of work: what concerns everybody, then each chunk of teams, then what is summed over all."""

    size: str
    seed: int
    months: int
    last: date
    wished: int | None
    truth_draws: int | None
    _sold: Floats = field(init=False)

    def run(self, chunk_reps: int, progress: Progress | None) -> Iterator[tuple[str, str, pa.Table]]:
        """Yield ("table" or "truth", name, rows); rows of one table come in several parts, in order."""
        self._prepare()
        terms = plans.quarters(self.first_day, self.last_day)
        self._sold = np.zeros((len(self.staff), len(terms.starts)))
        swaps: list[tuple[int, int, int]] = []
        for teams in self._chunks(chunk_reps):
            world = World.of(self.draws, self.plan, self.staff, self.weeks, self.prices, self.past, teams)
            offset = int(world.staff.number[0])
            swaps += [(int(self.weeks.first[w]), one + offset, other + offset) for w, one, other in world.swaps]
            chunk = selling.run(world)
            self._book(chunk, terms, offset)
            book = ledger.build(chunk, self.last_day)
            yield from self._tables(chunk, book)
            if progress is not None:
                progress(offset + len(world.staff), len(self.staff))
        yield from self._company(terms, swaps)

    def _prepare(self) -> None:
        self.draws = Draws(self.seed)
        self.last_day = seasons.day_number(self.last)
        self.past = sizes.past_weeks(self.last, self.months)
        self.plan = sizes.layout(sizes.seats_for(self.size, self.wished, self.months))
        self.weeks = seasons.weeks(self.last, self.past, AHEAD)
        self.first_day = int(self.weeks.first[0])
        self.prices = market.prices(self.draws, self.first_day - 1200, self.last_day, 7 * AHEAD + 10)
        everybody = people.staff(self.draws, self.plan, self.first_day, self.past)
        self.staff = everybody.part(everybody.hired <= self.last_day)

    def _chunks(self, chunk_reps: int) -> Iterator[tuple[int, int]]:
        """Whole teams, so many that they have about ``chunk_reps`` reps."""
        step = max(1, round(chunk_reps / sizes.TEAM))
        for first in range(0, self.plan.teams, step):
            yield first, min(first + step, self.plan.teams)

    def _book(self, chunk: selling.Chunk, terms: plans.Quarters, offset: int) -> None:
        closed = joined(chunk.recorder.closed)
        won = closed["won"]
        value = self.prices.to_company(closed["amount"], closed["currency"], closed["closed_on"])[won]
        np.add.at(self._sold, (closed["owner"][won] + offset, terms.of(closed["closed_on"][won])), value)

    def _tables(self, chunk: selling.Chunk, book: ledger.Ledger) -> Iterator[tuple[str, str, pa.Table]]:
        yield "table", "opportunities", ledger.opportunities(chunk, book)
        yield "table", "opportunity_history", ledger.history(chunk, book)
        yield "table", "activities", activities.activities(chunk, book, self.last_day)
        yield "table", "accounts", customers.accounts(chunk, book)
        yield "table", "contacts", customers.contacts(chunk, book, self.last_day)
        yield "table", "opportunity_lines", customers.opportunity_lines(chunk, book)
        yield "table", "deal_contributors", customers.deal_contributors(chunk, book)
        yield "table", "contracts", customers.contracts(chunk, book, self.last_day)
        yield "table", "surveys", customers.surveys(chunk, book, self.last_day)
        yield "table", "absences", organisation.absences(chunk.world, self.last_day)

    def _company(self, terms: plans.Quarters, swaps: list[tuple[int, int, int]]) -> Iterator[tuple[str, str, pa.Table]]:
        chiefs = organisation.managers(self.plan, self.first_day, self.past)
        yield "table", "reps", organisation.reps(self.draws, self.plan, self.staff, chiefs, self.last_day)
        yield "table", "reporting_lines", organisation.reporting_lines(self.staff, chiefs, self.last_day)
        lands = organisation.territories(swaps, self.staff, self.plan, self.first_day, self.last_day)
        yield "table", "territories", lands
        yield "table", "products", customers.products()
        yield "table", "exchange_rates", plans.exchange_rates(self.prices, self.first_day - 1100, self.last_day)
        quota = plans.quotas(self.draws, self.plan, self.staff, self.prices, terms, self._sold, self.last_day)
        yield "table", "quotas", quota
