"""True chances: the simulation is carried on from its hidden state many times, and outcomes are counted.

Each future repeats the same open deals and foreseen renewals with other luck, and finds its own new business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spm_models.sample_company.buyers import Deals, length, together
from spm_models.sample_company.coaching import Coaching
from spm_models.sample_company.draws import Floats, Ints, Keys
from spm_models.sample_company.selling import State, advance
from spm_models.sample_company.world import World

PARTS = ("open", "new")


@dataclass
class Futures:
    """What happened in the futures of some teams.

    Parameters
    ----------
    uid : array
        Hidden keys of the open deals.
    won, won_in_quarter : array
        In how many futures each was won, ever and in the next quarter.
    revenue : array of shape (reps, 2, draws)
        Sales of the next quarter in company currency: of deals open now, and of deals not yet created.
    wins : array of shape (reps, draws)
        Deals won in the next quarter.
    """

    uid: Keys
    won: Ints
    won_in_quarter: Ints
    revenue: Floats
    wins: Ints
    draws: int = field(default=0)


def look_ahead(world: World, state: State, coaching: Coaching, draws: int, quarter: tuple[int, int]) -> Futures:
    """Carry on from a state for ``draws`` futures; the state itself is left as it is.

    The next quarter is simulated whole; after it only until the deals open now are decided or the calendar ends.
    """
    reps = len(world.staff)
    uid = np.sort(state.open["uid"]) if state.open is not None else np.zeros(0, np.uint64)
    found = Futures(uid, np.zeros(len(uid), np.int64), np.zeros(len(uid), np.int64), np.zeros((reps, 2, draws)),
                    np.zeros((reps, draws), np.int64), draws)  # fmt: skip
    runs = np.arange(1, draws + 1)
    ahead = State(
        _repeated(state.open, runs), {week: [_repeated_all(due, runs)] for week, due in state.ahead.items() if due}
    )
    for week in range(world.past, len(world.weeks.first)):
        closed = advance(world, ahead, week, coaching.skill(week), None, None, runs)
        if closed is not None:
            _count(world, found, closed, quarter)
        if (
            int(world.weeks.first[week]) + 6 >= quarter[1]
            and ahead.open is not None
            and not _still_open(ahead.open, uid)
        ):
            break
    return found


def _repeated(deals: Deals | None, runs: Ints) -> Deals | None:
    if deals is None or not length(deals):
        return None
    many = {name: np.tile(column, len(runs)) for name, column in deals.items()}
    many["run"] = np.repeat(runs, length(deals))
    return many


def _repeated_all(due: list[Deals], runs: Ints) -> Deals:
    joined = together(due)
    repeated = _repeated(joined, runs)
    return joined if repeated is None else repeated


def _still_open(deals: Deals, uid: Keys) -> bool:
    return bool(np.isin(deals["uid"], uid).any())


def _count(world: World, found: Futures, closed: Deals, quarter: tuple[int, int]) -> None:
    won = closed["won"]
    where = np.searchsorted(found.uid, closed["uid"]).clip(0, max(len(found.uid) - 1, 0))
    known = found.uid[where] == closed["uid"] if len(found.uid) else np.zeros(len(won), bool)
    soon = (closed["closed_on"] >= quarter[0]) & (closed["closed_on"] <= quarter[1])
    np.add.at(found.won, where[known & won], 1)
    np.add.at(found.won_in_quarter, where[known & won & soon], 1)
    value = world.prices.to_company(closed["amount"], closed["currency"], closed["closed_on"])
    take = won & soon
    cell = (closed["owner"][take], np.where(known[take], 0, 1), closed["run"][take] - 1)
    np.add.at(found.revenue, cell, value[take])
    np.add.at(found.wins, (closed["owner"][take], closed["run"][take] - 1), 1)
