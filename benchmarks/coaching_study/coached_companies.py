"""Companies in which coaching has a known effect: who is coached follows the sales of a quarter, or a lot.

Deals close week by week, each won with the rep's own chance; a programme adds its gain over five weeks. Everybody's
expected win rate is known exactly: what is studied is the comparison, not the risk adjustment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.effects.order import draw_order
from spm_models.coaching.effects.randomised import Waves
from spm_models.coaching.effects.windows import EASE_IN, QUARTER, Programmes, Weekly

BASE = 0.23  #: win rate of a typical rep


@dataclass(frozen=True)
class Design:
    """One kind of company; ``effect`` in win rate, ``rule``: what managers look at when they choose."""

    name: str
    reps: int = 40
    quarters: int = 8
    coached: float = 0.2  # of the reps, each quarter
    effect: float = 0.06
    differs: float = 0.0  # standard deviation of the effect between programmes
    ability: float = 0.15  # relative standard deviation of win rates between reps; skewed
    deals: float = 1.8  # closed a week
    rule: str = "sold"
    ease_in: int = EASE_IN
    drift: float = 0.0  # of a rep's win rate, relative, a quarter


DESIGNS = (
    Design("nobody learns", effect=0.0),
    Design("nobody learns, 12 reps", reps=12, coached=0.25, effect=0.0),
    Design("all learn a little", effect=0.04),
    Design("all learn", effect=0.08),
    Design("gains differ", differs=0.06),
    Design("at once", ease_in=1),
    Design("lowest win rate", rule="win_rate"),
    Design("lowest of two quarters", rule="two_quarters"),
    Design("anybody", rule="anybody"),
    Design("very unequal reps", ability=0.35),
    Design("reps change", drift=0.08),
    Design("many coached", coached=0.5),
    Design("few coached", coached=0.08),
    Design("one year", quarters=4),
    Design("12 reps", reps=12, coached=0.25),
    Design("12 reps, three years", reps=12, coached=0.25, quarters=12),
    Design("three years", quarters=12, differs=0.04),
    Design("it does harm", effect=-0.05),
    Design("400 reps", reps=400, quarters=5, effect=0.04, differs=0.04),
    Design("400 reps, few coached", reps=400, quarters=5, coached=0.05),
)
#: Managers coach whom they believe in, by what no record holds: the estimate is too high; the placebo has to say so.
UNSEEN = Design("managers coach the promising", rule="promising", ability=0.35, quarters=12)
DRAWN = (
    Design("drawn, 12 reps", reps=12, quarters=9),
    Design("drawn, 24 reps", reps=24, quarters=9, differs=0.04),
    Design("drawn, 40 reps, nobody learns", quarters=9, effect=0.0),
)


def coached_company(design: Design, seed: int) -> tuple[Weekly, Programmes]:
    """Managers coach the lowest of each quarter, from the second quarter on."""
    draw = np.random.default_rng([seed, design.reps, design.quarters])
    weeks = QUARTER * design.quarters
    rate, ability = _reps(design, draw)
    drift = BASE * design.drift * draw.normal(size=(design.reps, design.quarters)).cumsum(axis=1)
    closed = draw.poisson(np.repeat(rate[:, None], weeks, axis=1))
    season = 0.02 * np.sin(np.arange(weeks) / 8)
    chance = ability[:, None] + season + np.repeat(drift, QUARTER, axis=1)
    won, sold = np.zeros(closed.shape), np.zeros(closed.shape)
    who, when = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for start in range(0, weeks, QUARTER):
        if QUARTER <= start < weeks - QUARTER:
            new = _lowest(design, won, sold, closed, ability, start, draw)
            who.append(new)
            when.append(np.full(len(new), start))
            gain = draw.normal(design.effect, design.differs, len(new))
            chance[new] += gain[:, None] * np.clip((np.arange(weeks) - start) / design.ease_in, 0, 1)
        span = slice(start, start + QUARTER)
        won[:, span] = draw.binomial(closed[:, span], np.clip(chance[:, span], 0.01, 0.95))
        sold[:, span] = won[:, span] * draw.lognormal(0, 0.5, won[:, span].shape)
    rep, week = np.concatenate(who), np.concatenate(when)
    return _weekly(won, closed, sold), Programmes(rep, week, np.ones(len(rep), dtype=bool))


def drawn_company(design: Design, seed: int) -> tuple[Weekly, Waves]:
    """Teams of eight draw by lot who comes first, three of each in a wave."""
    draw = np.random.default_rng([seed, 99, design.reps])
    weeks = QUARTER * design.quarters
    people = pd.DataFrame({
        "rep_id": [f"r{number:03}" for number in range(design.reps)],
        "team": (np.arange(design.reps) // 8).astype(str),
        "need": np.where(draw.uniform(size=design.reps) < 0.5, "a", "b"),
    })  # fmt: skip
    order = draw_order(people, skill="value", starts_on=date(2026, 1, 5), capacity=3, seed=seed)
    wave = order.places.set_index("rep_id").loc[people["rep_id"], "wave"].to_numpy()
    start = 2 * QUARTER + (wave - 1) * order.weeks
    rate, ability = _reps(design, draw)
    gain = draw.normal(design.effect, design.differs, design.reps)
    at_work = np.clip((np.arange(weeks) - start[:, None]) / EASE_IN, 0, 1)
    closed = draw.poisson(np.repeat(rate[:, None], weeks, axis=1))
    won = draw.binomial(closed, np.clip(ability[:, None] + gain[:, None] * at_work, 0.01, 0.95)).astype(float)
    block = people.groupby(["team", "need"]).ngroup().to_numpy(dtype=np.int64)
    return _weekly(won, closed, won), Waves(np.arange(design.reps), block, start)


def _reps(design: Design, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Deals a week and win rate of each rep; many a little low, few very able."""
    skewed = (draw.gamma(4, 1, design.reps) - 4) / 2
    return draw.gamma(12, design.deals / 12, design.reps), BASE * (1 + design.ability * skewed)


def _weekly(won: np.ndarray, closed: np.ndarray, sold: np.ndarray) -> Weekly:
    return Weekly(won - BASE * closed, closed.astype(float), sold, np.ones(closed.shape, dtype=bool))


def _lowest(
    design: Design, won: np.ndarray, sold: np.ndarray, closed: np.ndarray, ability: np.ndarray, start: int,
    draw: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    last, two = slice(start - QUARTER, start), slice(max(start - 2 * QUARTER, 0), start)
    looked_at = {
        "sold": sold[:, last].sum(axis=1),
        "win_rate": won[:, last].sum(axis=1) / np.maximum(closed[:, last].sum(axis=1), 1),
        "two_quarters": sold[:, two].sum(axis=1),
        "anybody": np.zeros(design.reps),
        "promising": np.where(draw.uniform(size=design.reps) < 0.5, -ability, 9.0),
    }[design.rule]
    many = max(1, round(design.coached * design.reps))
    return np.argsort(looked_at + 1e-9 * draw.uniform(size=design.reps))[:many]
