"""Where an early warning speaks up, and how soon it can: by simulation over the company's own deals and weeks.

Formulas for the run length of such sums assume that everybody's usual level is known. Here it is learned, from deals
that differ and reps who differ, so that the whole procedure is played through with nothing changed, and with half.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from spm_models.coaching.watch_steps import RATIO, Steps
from spm_models.inference.cusum import Floats

PATHS = 5000  #: quiet years at most that are played to find the threshold
_FEWEST_PATHS = 2000
_STEPS = 1_000_000  # of all paths together
_LOOK_AHEAD = 52  # weeks after a change in which it may be seen
_CHANGED = 2400  # reps with a change that are played
_KINDS = 6  # of reps by how much their steps tell
_BISECTIONS = 30


def threshold(steps: Steps, false_alarms: float, random: np.random.Generator) -> tuple[float, float]:
    """Where the sum has to be for chance alone to get there ``false_alarms`` times a rep and year.

    Returns
    -------
    tuple of float
        The threshold, and the rate that it has among the quiet years played: a little less than asked for where few
        steps allow few values.
    """
    reps = len(steps.rep_id)
    number = max(int(np.clip(_STEPS / steps.y.shape[1], _FEWEST_PATHS, PATHS)), reps)
    played = steps.take(np.arange(number) % reps)
    _, path = played.path(_quiet(played, random))
    weekly, stood = played.weekly(path)
    watched = float((len(steps.weeks) - played.begins).clip(min=0).sum()) / 52.1775
    low, high = 0.0, float(max(weekly.max(), 1.0)) + 1e-6
    if watched <= 0:
        return high, 0.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _alarms(weekly, stood, middle) / watched > false_alarms else (low, middle)
    return high, _alarms(weekly, stood, high) / watched


def weeks_to_see(steps: Steps, limit: float, random: np.random.Generator) -> Floats:
    """Weeks in which half of such changes would be seen, for every rep's own number of deals; missing: not in a year.

    The change comes at the end of the window, and the weeks after it bring what the rep's last ones brought.
    """
    told = np.nansum(_information(steps), axis=1) / len(steps.weeks)
    order = np.argsort(told, kind="stable")
    kinds = order[np.unique(np.linspace(0, len(order) - 1, _KINDS).round().astype(int))]
    last = min(_LOOK_AHEAD, len(steps.weeks))
    longer = _continued(steps.take(np.repeat(kinds, _CHANGED // len(kinds))), last)
    now = len(steps.weeks)
    _, path = longer.path(_quiet(longer, random, np.where(longer.week >= now, RATIO, 1.0)))
    weekly, _ = longer.weekly(path)
    seen = weekly[:, now:] >= limit
    taken = np.where(seen.any(axis=1), seen.argmax(axis=1) + 1.0, np.inf)
    taken[weekly[:, now - 1] >= limit] = np.nan  # somebody who had signalled before
    middle = np.nanmedian(taken.reshape(len(kinds), -1), axis=1)
    middle = np.where(np.isfinite(middle), middle, 2.0 * last)
    middle = optimize.isotonic_regression(middle, increasing=False).x
    found = np.interp(np.log(told + 1e-9), np.log(told[kinds] + 1e-9), middle)
    return np.where(found > last, np.nan, np.round(found))


def _alarms(weekly: Floats, stood: NDArray[np.bool_], limit: float) -> float:
    """How often a sum reached the limit; once for each time that it left zero."""
    number, up = 0, np.zeros(len(weekly), dtype=bool)
    for week in range(weekly.shape[1]):
        up &= ~stood[:, week]
        reached = weekly[:, week] >= limit
        number += int((reached & ~up).sum())
        up |= reached
    return float(number)


def _quiet(steps: Steps, random: np.random.Generator, ratio: Floats | float = 1.0) -> Floats:
    """Outcomes or counts of reps who keep their own levels, or whose odds or rates are multiplied by ``ratio``."""
    level = np.exp(steps.spread[:, None] * random.standard_normal((len(steps.usual), 1)))
    if steps.family == "binomial":
        odds = steps.usual / (1 - steps.usual) * level * ratio
        return np.asarray(random.random(odds.shape) < odds / (1 + odds), dtype=float)
    mean = np.nan_to_num(steps.usual * level * ratio)
    more = steps.dispersion - 1
    if more > 1e-6:
        mean = random.gamma(np.maximum(mean / more, 1e-9), more)
    return random.poisson(mean).astype(float)


def _continued(steps: Steps, last: int) -> Steps:
    """The window and, after it, its last weeks once more."""
    now = len(steps.weeks)
    again = (steps.week >= now - last) & (steps.week < now)
    week = np.concatenate([steps.week, np.where(again, steps.week + last, now + last)], axis=1)
    week[:, : steps.week.shape[1]][steps.week >= now] = now + last
    order = np.argsort(week, axis=1, kind="stable")
    usual = np.concatenate([steps.usual, np.where(again, steps.usual, np.nan)], axis=1)
    usual = np.take_along_axis(usual, order, axis=1)
    weeks = pd.date_range(steps.weeks[0], periods=now + last, freq="7D")
    return replace(
        steps, weeks=weeks, y=np.zeros(usual.shape), usual=usual, week=np.take_along_axis(week, order, axis=1)
    )


def _information(steps: Steps) -> Floats:
    """What each step tells on average when the change is there (Kullback and Leibler)."""
    if steps.family == "poisson":
        return np.asarray(steps.usual * (RATIO * np.log(RATIO) - RATIO + 1) / steps.dispersion)
    p = steps.usual
    q = special.expit(special.logit(p) + np.log(RATIO))
    return np.asarray(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)))
