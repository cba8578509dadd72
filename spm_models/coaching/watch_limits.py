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

PATHS = 10_000  #: quiet years at most that are played to find the threshold
NEW_AFTER = 13  #: weeks without a hint after which one is new
_FEWEST_PATHS = 2000
_STEPS = 1_000_000  # of all paths together
_LOOK_AHEAD = 52  # weeks after a change in which it may be seen
_CHANGED = 2400  # reps with a change that are played
_KINDS = 6  # of reps by how much their steps tell
_BISECTIONS = 30


def threshold(steps: Steps, false_alarms: float, random: np.random.Generator) -> tuple[float, float]:
    """Where the sum has to be for chance alone to bring ``false_alarms`` new hints a rep and year.

    A hint is new where there was none in the quarter before; counted from the second watched quarter on, as a company
    meets them that looks every week.

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
    weekly = played.weekly(path)
    places = np.arange(len(steps.weeks))
    counted = places[None, :] >= np.minimum(played.begins + NEW_AFTER, len(steps.weeks) - NEW_AFTER)[:, None]
    years = float((counted & (places[None, :] >= played.begins[:, None])).sum()) / 52.1775
    low, high = 0.0, float(max(weekly.max(), 1.0)) + 1e-6
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        rate = (new_hints(weekly, middle) & counted).sum() / years
        low, high = (middle, high) if rate > false_alarms else (low, middle)
    return high, float((new_hints(weekly, high) & counted).sum() / years)


def new_hints(weekly: Floats, limit: float) -> NDArray[np.bool_]:
    """Weeks in which a sum stands at the limit that did not in the :data:`NEW_AFTER` weeks before.

    Examples
    --------
    >>> new_hints(np.array([[0.0, 3.0, 3.5, 1.0, 3.0, *[0.0] * 13, 4.0]]), 2.0).nonzero()[1].tolist()
    [1, 18]
    """
    reached = weekly >= limit
    total = np.concatenate([np.zeros((len(weekly), 1), dtype=int), np.cumsum(reached, axis=1)], axis=1)
    place = np.arange(weekly.shape[1])
    before = total[:, place] - total[:, np.maximum(place - NEW_AFTER, 0)]
    return np.asarray(reached & (before == 0))


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
    weekly = longer.weekly(path)
    seen = weekly[:, now:] >= limit
    taken = np.where(seen.any(axis=1), seen.argmax(axis=1) + 1.0, np.inf)
    taken[weekly[:, now - 1] >= limit] = np.nan  # somebody who had signalled before
    middle = np.nanmedian(taken.reshape(len(kinds), -1), axis=1)
    middle = np.where(np.isfinite(middle), middle, 2.0 * last)
    middle = optimize.isotonic_regression(middle, increasing=False).x
    found = np.interp(np.log(told + 1e-9), np.log(told[kinds] + 1e-9), middle)
    return np.where(found > last, np.nan, np.round(found))


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
