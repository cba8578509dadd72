"""Planted effects of coaching: do the intervals hold what was planted, and what would before and after have said?

``study(companies, seed)`` simulates companies week by week: deals close, the lowest are coached, some of them learn.
Run ``python -m benchmarks.coaching_study.effects``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.effects.matched import Estimate, estimate
from spm_models.coaching.effects.order import draw_order
from spm_models.coaching.effects.randomised import Waves, analyse
from spm_models.coaching.effects.windows import EASE_IN, QUARTER, Programmes, Weekly, stack
from spm_models.errors import NotEnoughDataError

LEVEL = 0.9


@dataclass(frozen=True)
class Design:
    """One kind of company; ``effect`` in points of win rate, ``rule``: how managers choose."""

    name: str
    reps: int = 40
    quarters: int = 8
    coached: float = 0.2
    effect: float = 0.06
    differs: float = 0.0  # standard deviation of the effect between programmes
    ability: float = 0.15  # relative standard deviation of win rates between reps
    deals: float = 1.8  # closed a week
    rule: str = "sold"
    ease_in: int = EASE_IN
    drift: float = 0.0  # of a rep's ability, a quarter
    share: float = 1.0  # of those chosen who are coached (managers lack time)


DESIGNS = (
    Design("nobody learns", effect=0.0),
    Design("nobody learns, 12 reps", reps=12, coached=0.25, effect=0.0),
    Design("all learn a little", effect=0.04),
    Design("all learn", effect=0.08),
    Design("gains differ", effect=0.06, differs=0.06),
    Design("at once", ease_in=1),
    Design("lowest win rate", rule="win_rate"),
    Design("lowest of two quarters", rule="two_quarters"),
    Design("anybody", rule="anybody"),
    Design("very unequal reps", ability=0.35),
    Design("reps change", drift=0.08),
    Design("many coached", coached=0.5),
    Design("few coached", coached=0.08),
    Design("few quarters", quarters=4),
    Design("12 reps", reps=12, coached=0.25),
    Design("12 reps, three years", reps=12, coached=0.25, quarters=12),
    Design("three years", quarters=12, differs=0.04),
    Design("it does harm", effect=-0.05),
    Design("400 reps", reps=400, quarters=5, effect=0.04, differs=0.04),
    Design("400 reps, few coached", reps=400, quarters=5, coached=0.05),
)
_LARGE = 0.1  # share of large companies' seeds


def company(design: Design, seed: int, base: float = 0.25) -> tuple[Weekly, Programmes]:
    """Simulate one company; everybody's expected win rate is ``base``, known exactly."""
    draw = np.random.default_rng([seed, design.reps, design.quarters])
    weeks = QUARTER * design.quarters
    rate = draw.gamma(12, design.deals / 12, design.reps)
    skew = draw.gamma(4, 1, design.reps)
    ability = base * (1 + design.ability * (skew - 4) / 2)
    drift = base * design.drift * draw.normal(size=(design.reps, design.quarters)).cumsum(axis=1)
    closed = draw.poisson(np.repeat(rate[:, None], weeks, axis=1)).astype(float)
    season = 0.02 * np.sin(np.arange(weeks) / 8)
    chance = ability[:, None] + season + np.repeat(drift, QUARTER, axis=1)
    won, sold = np.zeros_like(closed), np.zeros_like(closed)
    who, when = [np.zeros(0, int)], [np.zeros(0, int)]
    for quarter in range(design.quarters):
        start = quarter * QUARTER
        if 1 <= quarter < design.quarters - 1:
            new = _choose(design, won, sold, closed, start, draw)
            who.append(new)
            when.append(np.full(len(new), start))
            gain = draw.normal(design.effect, design.differs, len(new))
            ease = np.clip((np.arange(weeks) - start) / design.ease_in, 0, 1)
            chance[new] += gain[:, None] * ease
        span = slice(start, start + QUARTER)
        p = np.clip(chance[:, span], 0.01, 0.95)
        won[:, span] = draw.binomial(closed[:, span].astype(int), p)
        sold[:, span] = won[:, span] * draw.lognormal(0, 0.5, won[:, span].shape)
    rep, week = np.concatenate(who), np.concatenate(when)
    weekly = Weekly(won - base * closed, closed, sold, np.ones(closed.shape, dtype=bool))
    return weekly, Programmes(rep.astype(np.int64), week.astype(np.int64), np.ones(len(rep), dtype=bool))


def _choose(design: Design, won, sold, closed, start: int, draw: np.random.Generator) -> np.ndarray:
    last = slice(start - QUARTER, start)
    two = slice(max(start - 2 * QUARTER, 0), start)
    by = {
        "sold": sold[:, last].sum(axis=1),
        "win_rate": won[:, last].sum(axis=1) / np.maximum(closed[:, last].sum(axis=1), 1),
        "two_quarters": sold[:, two].sum(axis=1),
        "anybody": draw.uniform(size=design.reps),
    }[design.rule]
    many = max(1, round(design.coached * design.reps))
    return np.argsort(by + 1e-9 * draw.uniform(size=design.reps))[:many]


def bottom_fifth(companies: int, seed: int) -> tuple[float, float]:
    """Win rate of the lowest fifth in the quarter on which they are chosen, and in the next, with nobody coached."""
    before, after = [], []
    for number in range(companies):
        weekly, _ = company(replace(DESIGNS[0], quarters=2, deals=1.5), seed + number)
        rates = [
            (weekly.total("surplus", at, at + QUARTER) / np.maximum(weekly.total("size", at, at + QUARTER), 1)) + 0.25
            for at in (0, QUARTER)
        ]
        lowest = np.argsort(rates[0])[: len(rates[0]) // 5]
        before.append(rates[0][lowest].mean())
        after.append(rates[1][lowest].mean())
    return float(np.mean(before)), float(np.mean(after))


def measured(design: Design, seed: int) -> Estimate | None:
    weekly, programmes = company(design, seed)
    try:
        return estimate(stack(weekly, programmes))
    except NotEnoughDataError:
        return None


def by_design(companies: int, seed: int, designs=DESIGNS) -> pd.DataFrame:
    """One row a company."""
    rows = []
    small = [design for design in designs if design.reps < 100]
    large = [design for design in designs if design.reps >= 100]
    for number in range(companies):
        big = large and number % round(1 / _LARGE) == 0
        design = large[number // 10 % len(large)] if big else small[number % len(small)]
        found = measured(design, seed + number)
        if found is None:
            rows.append({"design": design.name, "measured": False})
            continue
        low, high = found.effect.interval(LEVEL)
        row = {"design": design.name, "measured": True, "planted": design.effect, "effect": found.effect.value,
               "error": found.effect.error, "freedom": found.effect.freedom, "covered": low <= design.effect <= high,
               "seen": low > 0 or high < 0, "naive": found.naive, "uncoached": found.uncoached, "width": high - low}
        if found.placebo is not None:
            low, high = found.placebo.interval(0.95)
            row |= {"placebo": found.placebo.value, "placebo_fails": low > 0 or high < 0}
        rows.append(row)
    return pd.DataFrame(rows)


def drawn_company(design: Design, seed: int, base: float = 0.25) -> tuple[Weekly, Waves]:
    """A company that draws who is coached first, two of each team and wave; everybody needs the same."""
    draw = np.random.default_rng([seed, 99, design.reps])
    weeks = QUARTER * design.quarters
    team = np.arange(design.reps) // 8
    people = pd.DataFrame({"rep_id": [f"r{n:03}" for n in range(design.reps)], "team": team.astype(str),
                           "need": np.where(draw.uniform(size=design.reps) < 0.5, "a", "b")})  # fmt: skip
    order = draw_order(people, skill="value", starts_on=date(2026, 1, 5), capacity=3, seed=seed)
    places = order.places.set_index("rep_id").loc[people["rep_id"]]
    start = 2 * QUARTER + (places["wave"].to_numpy() - 1) * order.weeks
    block = pd.factorize(people["team"] + people["need"])[0]
    ability = base * (1 + design.ability * (draw.gamma(4, 1, design.reps) - 4) / 2)
    gain = draw.normal(design.effect, design.differs, design.reps)
    ease = np.clip((np.arange(weeks)[None, :] - start[:, None]) / EASE_IN, 0, 1)
    rate = draw.gamma(12, design.deals / 12, design.reps)
    closed = draw.poisson(np.repeat(rate[:, None], weeks, axis=1))
    won = draw.binomial(closed, np.clip(ability[:, None] + gain[:, None] * ease, 0.01, 0.95))
    weekly = Weekly(won - base * closed, closed.astype(float), won.astype(float), np.ones(closed.shape, dtype=bool))
    return weekly, Waves(np.arange(design.reps), block, start)


def drawn(companies: int, seed: int) -> pd.DataFrame:
    """The analysis of drawn orders; one row a company."""
    rows = []
    kinds = (Design("12 drawn", reps=12, quarters=9), Design("24 drawn", reps=24, quarters=9, differs=0.04),
             Design("40 drawn, nobody learns", quarters=9, effect=0.0))  # fmt: skip
    for number in range(companies):
        design = kinds[number % 3]
        weekly, waves = drawn_company(design, seed + number)
        try:
            found = analyse(weekly, waves, ease_in=EASE_IN, seed=1)
        except NotEnoughDataError:
            rows.append({"design": design.name, "measured": False})
            continue
        rows.append({"design": design.name, "measured": True, "planted": design.effect, "effect": found.effect, "width": found.high - found.low,
                     "covered": found.low <= design.effect <= found.high, "seen": found.low > 0 or found.high < 0, "p05": found.p <= 0.1,
                     "placebo_fails": found.placebo is not None and not found.placebo[1] <= 0 <= found.placebo[2]})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    import sys, time
    start = time.perf_counter()
    table = by_design(int(sys.argv[1]), 7)
    print(time.perf_counter() - start)
    ok = table[table.measured]
    g = ok.astype({"covered": float, "seen": float, "placebo_fails": float}).groupby("design", sort=False)
    out = g[["planted", "effect", "covered", "seen", "naive", "uncoached", "placebo", "placebo_fails", "freedom", "width"]].mean()
    out["sd"], out["error"], out["n"] = g["effect"].std(), g["error"].mean(), g.size()
    print(out.round(3).to_string())
    print(table.measured.mean(), ok.covered.mean(), len(ok), bottom_fifth(60, 1))
