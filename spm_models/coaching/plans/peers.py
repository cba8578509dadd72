"""Goals that colleagues have reached: the values of the most similar reps, told in the rep's own circumstances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spm_models.coaching.signals import SIGNALS

NEAREST = 12  #: colleagues beside whom a goal is set
FEWEST = 5  #: with fewer no goal is set
LEAST_REACHED = 3  #: a goal that fewer of them have reached is none
_LEAST_STEP, _LARGEST_STEP = 0.05, 0.35  # of what is known today, in one quarter
_QUANTILES = (0.5, 0.4, 0.3, 0.2)
_UPPER = 0.75
UNITS = {"activity": "per_week", "pipeline_creation": "per_month", "cycle": "days", "deal_size": "money"}
_STEPS = {"share": 0.01, "per_week": 0.5, "per_month": 0.1, "days": 1.0}


@dataclass(frozen=True)
class Goal:
    """A number to reach, and how many colleagues have reached it."""

    unit: str
    baseline: float
    goal: float
    reached_by: int
    peers: int


def lower_is_better(signals: pd.Series) -> pd.Series:
    """Of which signals less is better."""
    return signals.isin([name for name, signal in SIGNALS.items() if signal.lower_is_better])


def relative(table: pd.DataFrame) -> pd.Series:
    """Performance beside a typical colleague after chance is allowed for: 1 is typical, more is better."""
    ratio = table["pooled"] / table["expected"].where(table["expected"] > 0)
    return ratio.mask(lower_is_better(table["signal"]), 1 / ratio.where(ratio > 0))


def nearest(near: pd.DataFrame, rep_id: str, among: pd.Index) -> pd.Index:
    """The colleagues with the most similar deals, those of equal nearness by id."""
    others = among.drop(rep_id, errors="ignore").sort_values()
    beside = near.reindex(index=[rep_id], columns=others).fillna(0.0).to_numpy(dtype=float)[0]
    return others[np.argsort(-beside, kind="stable")[:NEAREST]]


def goal(table: pd.DataFrame, near: pd.DataFrame, rep_id: str, signal: str, part: str) -> Goal | None:
    """A goal for one quarter, or None where no number can be stood for.

    The value that half of the colleagues with the most similar deals have reached, told in the rep's own circumstances
    (their performance beside what was expected of them × what is expected of him). Where that is more than a third
    from where he is today, a lower quantile, and at most a third of the way up from today; where it is close to it,
    the upper quarter. Rounded towards today.

    Parameters
    ----------
    table : DataFrame
        ``coaching_findings``. Today's value is the pooled one, so that chance alone does not reach the goal.
    near : DataFrame
        Of :func:`~spm_models.coaching.plans.nearness.nearness`.
    """
    known = table[(table["signal"] == signal) & (table["part"] == part)].set_index("rep_id")
    if rep_id not in known.index:
        return None
    own: Any = known.loc[rep_id]
    others = known[known["verdict"] != "not_enough_data"]
    chosen = nearest(near, rep_id, others.index)
    beside = relative(others.reset_index()).set_axis(others.index).reindex(chosen).dropna()
    if len(beside) < FEWEST:
        return None
    lower, unit = bool(lower_is_better(pd.Series([signal])).iloc[0]), UNITS.get(signal, "share")
    values = own["expected"] / beside if lower else own["expected"] * beside
    today = float(own["pooled"])
    for at in _steps(values.to_numpy(dtype=float), today, lower=lower):
        target = rounded(at, unit, up=lower)
        gained = (1 - target / today) if lower else (target / today - 1)
        reached = int(((values <= target) if lower else (values >= target)).sum())
        if gained >= _least(unit, today) and reached >= LEAST_REACHED:
            return Goal(unit, today, target, reached, len(beside))
    return None


def _steps(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], today: float, *, lower: bool) -> list[float]:
    """Values to try, best first: quantiles of colleagues within reach, the upper quarter only where half is close."""
    quantiles = [float(np.quantile(values, 1 - share if lower else share)) for share in _QUANTILES]
    reach = today * (1 - _LARGEST_STEP if lower else 1 + _LARGEST_STEP)
    within = [at for at in quantiles if (at >= reach if lower else at <= reach)]
    if not within:
        return [reach]
    return [*within, float(np.quantile(values, 1 - _UPPER if lower else _UPPER))] if len(within) == 4 else within


def _least(unit: str, today: float) -> float:
    return min(_LEAST_STEP, 0.02 / today) if unit == "share" and today > 0 else _LEAST_STEP


def rounded(value: float, unit: str, *, up: bool) -> float:
    """A number that can be said aloud, on the easier side.

    Examples
    --------
    >>> rounded(0.4678, "share", up=False), rounded(53.2, "days", up=True), rounded(18765.0, "money", up=False)
    (0.46, 54.0, 18000.0)
    """
    step = _STEPS.get(unit) or 10.0 ** max(np.floor(np.log10(max(abs(value), 1.0))) - 1, 0)
    whole = np.ceil(value / step - 1e-9) if up else np.floor(value / step + 1e-9)
    return float(round(whole * step, 6))
