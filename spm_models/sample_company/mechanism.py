"""One week of selling and buying: what reps do, what buyers come to think of it, and what they decide.

Nothing here is a formula for the probability of winning. A deal is won when, in a week, everybody on the buyer's
side has agreed, the price is within the budget, and the buyer is more convinced of us than of the rival; all of
these are states that touches, time, rivals and the calendar have moved until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company.buyers import LOST, RENEWAL, WON, Deals, rounded
from spm_models.sample_company.draws import Floats, Ints
from spm_models.sample_company.world import World

Draw = Callable[[str], Floats]  #: a number between 0 and 1 for each deal, by name

#: Which skills a touch needs, by stage (rows) and skill (opening, need, value, objections, next step, closing).
RELEVANCE = np.array([
    [0.35, 0.50, 0.00, 0.00, 0.15, 0.00],
    [0.05, 0.60, 0.15, 0.00, 0.20, 0.00],
    [0.00, 0.15, 0.65, 0.15, 0.05, 0.00],
    [0.00, 0.00, 0.40, 0.40, 0.20, 0.00],
    [0.00, 0.00, 0.15, 0.40, 0.05, 0.40],
])  # fmt: skip
CONVINCED = np.array([0.26, 0.38, 0.50, 0.66, 0.735])  #: to go on from each stage; the last: to buy
TOUCHES_NEEDED = np.array([1.0, 2.0, 2.0, 2.0])
TOUCHES_A_WEEK = 19.0
LOSS_REASONS = ("price", "competitor", "no_decision", "no_budget", "no_need")
PRICE, COMPETITOR, NO_DECISION, NO_BUDGET, NO_NEED = range(len(LOSS_REASONS))


@dataclass(frozen=True)
class Week:
    """What happened in a week to the open deals, one position a deal."""

    touches: Ints
    won: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    reason: Ints  #: position in LOSS_REASONS, -1 where not lost
    objection: NDArray[np.bool_]


def step(world: World, week: int, deals: Deals, skill: Floats) -> Week:
    """Move all open deals by one week, in place; ``skill`` has the shape (reps, skills)."""
    draws, weeks = world.draws, world.weeks
    key = draws.keys("week", deals["uid"], week, deals["run"])

    def u(name: str) -> Floats:
        return draws.uniform(name, key)

    pace, hurry = float(weeks.pace[week]), float(weeks.hurry[week])
    work = weeks.working[week].sum() / 5.0
    owner = deals["owner"]
    touches = draws.poisson("touches", key, _attention(world, week, deals, work, hurry), 6)
    objection = _convince(world, week, deals, touches, skill, draws.normal("mood", key), u("objects"), u("handles"))
    _rival(deals, u("rival"), u("rise"), u("appears"), pace)
    ready = (deals["stage"] >= 2) & (deals["conviction"] > 0.40)
    closing = np.where(deals["stage"] == 4, 0.55 + 0.75 * skill[owner, 5], 1.0)
    progress = u("committee") * 1.35 * pace * (1 + 0.5 * hurry) * closing * work
    deals["approvals"] += np.where(ready, progress * np.where(world.inside[owner], 1.6, 1.0), 0.0)
    _advance(world, deals, touches, skill, u, draws.normal("scope", key), pace, hurry)
    _haggle(world, deals, u)
    won, lost, reason = _decide(world, week, deals, skill, u, hurry, work)
    _expect(world, week, deals, u, won | lost)
    return Week(touches, won, lost, reason, objection)


def _attention(world: World, week: int, deals: Deals, work: float, hurry: float) -> Floats:
    """Expected touches of each deal: a rep's week, shared out by what he thinks (or wrongly thinks) is worth it."""
    owner = deals["owner"]
    promise = 2.0 * (deals["need"] - 0.5) + 0.8 * np.log(deals["budget"] / deals["price"])
    promise = promise.clip(-1.2, 1.2) + 0.25 * np.log(deals["listed"] / 250_000)
    weight = np.exp(1.5 * world.staff.focus[owner] * promise)
    weight *= np.array([0.8, 0.9, 1.1, 1.1, 1.2])[deals["stage"]] * np.where(deals["stage"] >= 3, 1 + hurry, 1.0)
    reps = len(world.staff)
    group = deals["run"] * reps + owner
    total = np.bincount(group, weights=weight, minlength=1)
    capacity = TOUCHES_A_WEEK * work * world.present[:, week] * world.effort(week) * (0.55 + 0.45 * world.ramp(week))
    expected: Floats = np.minimum(capacity[owner] * weight / total[group], 3.0 * work)
    return expected


def _convince(
    world: World, week: int, deals: Deals, touches: Ints, skill: Floats, mood: Floats, objects: Floats, handles: Floats
) -> NDArray[np.bool_]:
    """Touches convince, each a little less than the one before; silence, and objections left open, undo it."""
    owner, stage = deals["owner"], deals["stage"]
    quality = (RELEVANCE[stage] * skill[owner]).sum(axis=1)
    understood = deals["need"] * (0.76 + 0.40 * skill[owner, 1])  # a need that nobody asks about convinces nobody
    ceiling = 0.02 + 0.66 * understood + 0.60 * quality + world.climate.mood(week)
    reach = 1.0 - (1.0 - 0.36 * quality) ** touches
    gap = ceiling - deals["conviction"]
    conviction = deals["conviction"] + gap * reach * np.where(gap > 0, 1.0, 0.6) + 0.022 * mood
    objection: NDArray[np.bool_] = (stage >= 1) & (objects < 1.0 - 0.80**touches)
    unanswered = objection & (handles > 0.15 + skill[owner, 3])
    conviction -= np.where(unanswered, 0.09, 0.0)
    conviction = np.where(touches == 0, conviction * 0.965, conviction)
    deals["conviction"] = conviction.clip(0.01, 0.99)
    deals["silent"] = np.where(touches > 0, 0.0, deals["silent"] + 1.25 - 0.6 * skill[owner, 4])
    deals["in_stage"] = deals["in_stage"] + touches
    deals["touched"] = deals["touched"] + touches
    return objection


def _rival(deals: Deals, strike: Floats, rise: Floats, appears: Floats, pace: float) -> None:
    """Rivals press in some weeks and not in others; now and then a new one comes."""
    newcomer = (deals["competitor"] < 0) & (appears < 0.012)
    deals["competitor"] = np.where(newcomer, (appears / 0.012 * 4).astype(np.int64).clip(0, 3), deals["competitor"])
    rival = np.where(newcomer, 0.2, deals["rival"])
    pressed = (rival >= 0) & (strike < 0.50 * pace)
    deals["rival"] = np.where(pressed, rival + (0.82 - rival).clip(0.0) * 0.30 * rise, rival)


def _advance(
    world: World, deals: Deals, touches: Ints, skill: Floats, u: Draw, scope: Floats, pace: float, hurry: float
) -> None:
    """Convinced buyers go on to the next stage, disappointed ones may fall back; a proposal names a price."""
    owner, stage = deals["owner"], deals["stage"]
    open_stage = np.minimum(stage, 3)
    wanted = CONVINCED[open_stage] - 0.08 * world.staff.optimism[owner]
    onward = (stage < 4) & (touches > 0) & (deals["in_stage"] >= TOUCHES_NEEDED[open_stage])
    onward &= (deals["conviction"] > wanted) & (u("onward") < pace * (0.25 + 0.85 * skill[owner, 4]))
    back = (stage > 0) & (deals["conviction"] < CONVINCED[(stage - 1).clip(0)] - 0.05) & (u("back") < 0.16)
    deals["stage"] = stage + onward - back
    deals["in_stage"] = np.where(onward | back, 0.0, deals["in_stage"])
    quoted = onward & (deals["stage"] == 3)
    generous = world.staff.discounting[owner]
    discount = (0.02 + 0.14 * generous * u("discount") + 0.05 * hurry * generous).round(3)
    deals["discount"] = np.where(quoted, discount, deals["discount"])
    deals["price"] = np.where(quoted, deals["price"] * np.exp(0.10 * scope), deals["price"])
    offered = rounded(deals["price"] * (1.0 - deals["discount"]), deals["currency"])
    deals["amount"] = np.where(quoted, offered, deals["amount"])


def _haggle(world: World, deals: Deals, u: Draw) -> None:
    """A buyer over budget asks for less; some reps give way sooner than others."""
    dear = (deals["stage"] == 4) & (deals["amount"] > deals["budget"])
    gives = dear & (u("gives") < 0.18 + 0.30 * world.staff.discounting[deals["owner"]]) & (deals["discount"] < 0.3)
    deals["discount"] = np.where(gives, (deals["discount"] + 0.05).round(3), deals["discount"])
    offered = rounded(deals["price"] * (1.0 - deals["discount"]), deals["currency"])
    deals["amount"] = np.where(gives, offered, deals["amount"])


def _decide(
    world: World, week: int, deals: Deals, skill: Floats, u: Draw, hurry: float, work: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Ints]:
    """Who signs, who says no, and which dead deals somebody at last takes off the list."""
    owner, stage, conviction = deals["owner"], deals["stage"], deals["conviction"]
    agreed = (stage == 4) & (deals["approvals"] >= deals["committee"])
    affordable = deals["amount"] <= deals["budget"] * world.climate.budgets(week)
    prefers = (conviction > CONVINCED[4]) & (conviction > deals["rival"])
    signs = u("signs") < (0.22 + 0.30 * skill[owner, 5]) * (1.0 + 0.6 * hurry) * work
    won = agreed & affordable & prefers & signs
    day = int(world.weeks.first[week])
    reason = np.full(len(owner), -1, dtype=np.int64)
    over = np.maximum(deals["silent"] - deals["patience"], (day - deals["deadline"]) / 7.0) > 0
    says_no = u("says_no")
    for code, happens in (
        (NO_NEED, (stage <= 1) & (deals["touched"] >= 3) & (deals["need"] < 0.34) & (says_no < 0.16)),
        (NO_BUDGET, says_no > 1.0 - 0.005 * np.where(deals["kind"] == RENEWAL, 0.5, 1.0)),
        (NO_DECISION, over & (u("cleans") < world.staff.hygiene[owner])),
        (NO_DECISION, agreed & affordable & (conviction < CONVINCED[4]) & (says_no < 0.25)),
        (PRICE, agreed & ~affordable & (says_no < 0.28)),
        (COMPETITOR, (deals["rival"] > 0.52) & (deals["rival"] > conviction) & (says_no < 0.22)),
    ):
        reason = np.where(happens & ~won, code, reason)
    lost = reason >= 0
    deals["stage"] = np.where(won, WON, np.where(lost, LOST, stage))
    return won, lost, reason


def _expect(world: World, week: int, deals: Deals, u: Draw, closed: NDArray[np.bool_]) -> None:
    """Reps move dates that have come too near, most of them by too little, and judge their deals."""
    owner, stage = deals["owner"], deals["stage"]
    sunny = world.staff.optimism[owner]
    end = int(world.weeks.first[week]) + 7
    late = deals["expected"] < end + np.array([28, 21, 14, 7, 0, 0, 0])[stage] * (1.0 - sunny)
    by = (10 + 38 * u("push") * (1.35 - sunny)).astype(np.int64)
    moved = np.where(late & (u("notices") < 0.8), np.maximum(deals["expected"], end) + by, deals["expected"])
    nearer = ~late & (stage == 4) & (deals["expected"] > end + 45) & (u("nearer") < 0.25)
    deals["expected"] = np.where(closed, deals["expected"], np.where(nearer, end + 7 + by // 2, moved))
    felt = deals["conviction"] + 0.16 * (sunny - 0.5)
    judged = np.where(stage >= 4, np.where(felt > 0.56, 2, 1), np.where((stage >= 2) & (felt > 0.42), 1, 0))
    judged = np.where(stage == WON, 3, np.where((stage == LOST) | (deals["silent"] > 6), 4, judged))
    changes = closed | (u("judges") < 0.6)
    deals["category"] = np.where(changes, judged, deals["category"])
