"""What a drawn order shows: those of a wave beside those who still waited, judged by the draw itself.

Each wave was a draw among those who were still waiting in their block. So all orders that could have come out are
drawn again, and the interval holds every effect with which what was seen would not be unusual among them. Nothing is
assumed about how outcomes are distributed. Everybody counts as drawn, coached in time or not (intention to treat).

References
----------
Fisher (1935), The Design of Experiments; Rosenbaum (2002), Covariance adjustment in randomized experiments and
observational studies, Statistical Science 17 (the pre-value takes noise away, the draw judges); Garthwaite (1996),
Confidence intervals from randomization tests, Biometrics 52; Phipson and Smyth (2010), Permutation p-values should
never be zero, Stat. Appl. Genet. Mol. Biol. 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from spm_models.coaching.effects.windows import HISTORY, QUARTER, Floats, Ints, Weekly, history, precision, record
from spm_models.errors import NotEnoughDataError

DRAWS = 4999
LEAST_WEEKS = 8  #: of a wave that must be measured
LEAST_ORDERS = 40  #: that could have come out: with fewer no interval of 90 % exists


@dataclass(frozen=True)
class Waves:
    """A drawn order on the grid of a record: rep, block (team and need), first week of each rep's wave."""

    rep: Ints
    block: Ints
    start: Ints


@dataclass(frozen=True)
class Drawn:
    """Effect of the drawn coaching, with the interval and p of the draw; ``detectable`` as in the matched one."""

    effect: float
    low: float
    high: float
    p: float
    detectable: float
    naive: float
    uncoached: float
    reps: int
    controls: int
    placebo: tuple[float, float, float] | None


@dataclass(frozen=True)
class _Wave:
    rep: Ints
    block: Ints
    coached: NDArray[np.bool_]
    y: Floats
    before: Floats
    weight: Floats
    past: Floats
    placebo_past: Floats
    placebo_weight: Floats


def analyse(
    weekly: Weekly, waves: Waves, *, ease_in: int, seed: int, level: float = 0.9, placebo_level: float = 0.95
) -> Drawn:
    """Measure the effect of a drawn order.

    Parameters
    ----------
    weekly : Weekly
    waves : Waves
    ease_in : int
        Weeks after the first day of a wave that are left out; measured are those up to the next wave, a quarter at
        most.
    seed : int
        Of the orders that are drawn again.
    level, placebo_level : float

    Raises
    ------
    NotEnoughDataError
        Too few orders could have come out, or no wave has lasted long enough.
    """
    found = _waves(weekly, waves, ease_in)
    orders = float(np.prod([float(_orders(wave)) for wave in found])) if found else 0.0
    if orders < LEAST_ORDERS:
        raise NotEnoughDataError(
            "Too few orders could have been drawn, or too little time has passed", where="drawn order of coaching",
            found=f"{orders:.0f} orders, {len(found)} waves measured",
            remedy=f"From {LEAST_ORDERS} possible orders on, and {ease_in + LEAST_WEEKS} weeks into a wave.",
        )  # fmt: skip
    draws = [_redraw(wave, np.random.default_rng([seed, number])) for number, wave in enumerate(found)]
    effect, ends, p = _invert(found, draws, [one.y for one in found], [one.weight for one in found],
                              [one.past for one in found], level)  # fmt: skip
    placebo = None
    if all((wave.placebo_weight > 0).any() for wave in found):
        value, held, _ = _invert(found, draws, [one.before for one in found], [one.placebo_weight for one in found],
                                 [one.placebo_past for one in found], placebo_level)  # fmt: skip
        placebo = (value, *held)
    rise = np.concatenate([wave.y - wave.before for wave in found])
    coached, rep = np.concatenate([w.coached for w in found]), np.concatenate([w.rep for w in found])
    half = (ends[1] - ends[0]) / 2
    return Drawn(
        effect, *ends, p, half * _beyond(level) if np.isfinite(half) else float("nan"),
        float(rise[coached].mean()), float(rise[~coached].mean()), len(np.unique(rep[coached])),
        len(np.unique(rep[~coached])), placebo,
    )  # fmt: skip


def _beyond(level: float, power: float = 0.8) -> float:
    """The least effect that lies outside the interval with this power, in half widths of the interval."""
    normal = NormalDist()
    return 1 + normal.inv_cdf(power) / normal.inv_cdf(0.5 + level / 2)


def _waves(weekly: Weekly, waves: Waves, ease_in: int) -> list[_Wave]:
    """Each wave beside those still waiting, while they waited."""
    starts = np.unique(waves.start)
    kappa = record(weekly)
    found = []
    for week, following in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        first, last = week + ease_in, min(week + ease_in + QUARTER, following, weekly.weeks)
        if last - first < LEAST_WEEKS or week < QUARTER:
            continue
        there = waves.start >= week
        rep, block, coached = waves.rep[there], waves.block[there], waves.start[there] == week
        surplus, size, _ = history(weekly, week, HISTORY)
        after = weekly.total("size", first, last)[rep]
        known = (after > 0) & (size[rep, 0] > 0)
        rep, block, coached, after = rep[known], block[known], coached[known], after[known]
        if _known(block, coached) == 0:
            continue
        surplus, size = surplus[rep], size[rep]
        total, rest = size.sum(axis=1), size[:, 1:].sum(axis=1)
        found.append(_Wave(
            rep, block, coached, weekly.total("surplus", first, last)[rep] / after, surplus[:, 0] / size[:, 0],
            precision(after, total, kappa), surplus.sum(axis=1) / (total + kappa),
            surplus[:, 1:].sum(axis=1) / (rest + kappa), precision(size[:, 0], rest, kappa) * (rest > 0),
        ))  # fmt: skip
    return found


def _known(block: Ints, coached: NDArray[np.bool_]) -> int:
    """How many blocks have people on both sides."""
    return len(np.intersect1d(block[coached], block[~coached]))


def _orders(wave: _Wave) -> int:
    """How many ways there were to draw a wave."""
    ways = 1
    for block in np.unique(wave.block):
        mine = wave.block == block
        ways *= comb(int(mine.sum()), int((mine & wave.coached).sum()))
    return ways


def _redraw(wave: _Wave, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Who would have been coached in other draws; shape (draws, people)."""
    keys = draw.uniform(size=(DRAWS, len(wave.rep)))
    found = np.zeros(keys.shape, dtype=bool)
    for block in np.unique(wave.block):
        mine = np.flatnonzero(wave.block == block)
        many = int(wave.coached[mine].sum())
        found[:, mine] = keys[:, mine].argsort(axis=1).argsort(axis=1) < many
    return found


def _invert(
    waves: list[_Wave], draws: list[NDArray[np.bool_]], ys: list[Floats], weights: list[Floats], pasts: list[Floats],
    level: float,
) -> tuple[float, tuple[float, float], float]:  # fmt: skip
    """Effect, interval and p: what each other draw would have shown if the effect were t is A − t·B.

    An end of the interval is the t at which as many draws lie beyond what was seen as its tail allows; for each draw
    that is a number of its own, (seen − A) / (1 − B), so the ends are order statistics of these.
    """
    scores, products, own, seen = [], [], [], []
    for wave, drawn, y, weight, past in zip(waves, draws, ys, weights, pasts, strict=True):
        design = np.column_stack([wave.block[:, None] == np.unique(wave.block)[None, :], past])
        root = np.sqrt(weight)[:, None]
        basis, _ = np.linalg.qr(design[weight > 0] * root[weight > 0])
        full = np.zeros(design.shape)
        full[weight > 0] = basis
        left = (np.eye(len(y)) - full @ full.T) * root * root.T  # takes block and past out, weighted
        mine = wave.coached.astype(float)
        scores.append(drawn @ (left @ y))
        products.append(drawn @ (left @ mine))
        own.append(np.einsum("dr,rs,ds->d", drawn.astype(float), left, drawn.astype(float), optimize=True))
        seen.append((mine @ left @ y, mine @ left @ mine))
    up, down = (float(sum(pair[i] for pair in seen)) for i in (0, 1))
    if down <= 1e-9:
        raise NotEnoughDataError("The past explains who was drawn", where="drawn order of coaching")
    effect, total = up / down, np.maximum(sum(own), 1e-12)
    other, share = sum(scores) / total, sum(products) / total
    apart = 1.0 - share
    bound = np.where(apart > 1e-9, (effect - other) / np.maximum(apart, 1e-9), np.nan)
    same = int(np.isnan(bound).sum()) + 1  # what was seen is one of the draws
    ends = np.sort(bound[~np.isnan(bound)])
    spare = int(np.floor((1 - level) / 2 * (DRAWS + 1))) - same
    low, high = (float(ends[spare]), float(ends[-1 - spare])) if 0 <= spare < len(ends) else (-np.inf, np.inf)
    beyond = int((np.abs(other) >= abs(effect) - 1e-12).sum())
    return effect, (low, high), (beyond + 1) / (DRAWS + 1)
