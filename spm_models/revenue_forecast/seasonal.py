"""A seasonal view of the company's total, blended in by choosing among the simulation's draws.

Draws are chosen whole, more often the closer they bring the mean to the blend (exponential tilting), so that every
level stays a sum of the same draws and what is closed stays closed.

References
----------
Gneiting and Ranjan (2013), Combining predictive distributions, Electronic Journal of Statistics 7. Robertson, Tallman
and Whiteman (2005), Forecasting using relative entropy, Journal of Money, Credit and Banking 37: tilting is the
smallest change of the draws that has the wanted mean.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.history import won_by_quarter

Floats = npt.NDArray[np.float64]
LEAST_QUARTERS = 8
_PRIOR_QUARTERS = 8.0
_LARGEST_SHIFT = 1.0  # standard deviations of the total; further would leave few distinct draws
_LARGEST_WEIGHT = 0.5


def seasonal_point(outcomes: pd.DataFrame, period: Period, calendar: FiscalCalendar, as_of: date) -> float | None:
    """The same quarter last year times half the growth (in logs) of the last four quarters over the four before.

    None for other periods than quarters, or with fewer than eight whole quarters.
    """
    history = won_by_quarter(outcomes, calendar, as_of)
    same = period
    for _ in range(4):
        same = same.previous()
    if period.kind != "quarter" or len(history) < LEAST_QUARTERS or same.label not in history.index:
        return None
    recent, before = float(history.iloc[-4:].sum()), float(history.iloc[-8:-4].sum())
    growth = np.sqrt(np.clip(recent / before, 0.5, 2.0)) if before > 0 else 1.0
    return float(history[same.label] * growth)


def learn_weight(simulated: Floats, seasonal: Floats, actual: Floats) -> float:
    """Weight of the seasonal member: least squares over replayed quarters, shrunk towards 0 as by eight quarters.

    Examples
    --------
    >>> learn_weight(np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.array([2.0, 2.0]))
    0.2
    """
    known = np.isfinite(seasonal) & (actual > 0)
    if not known.any():
        return 0.0
    gap = (seasonal[known] - simulated[known]) / actual[known]
    wanted = 1 - simulated[known] / actual[known]
    squares = float((gap**2).sum())
    best = float((gap * wanted).sum()) / squares if squares > 0 else 0.0
    n = int(known.sum())
    return float(np.clip(best * n / (n + _PRIOR_QUARTERS), 0.0, _LARGEST_WEIGHT))


def tilted(totals: Floats, target: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draws (some several times, in order) whose mean total is about ``target``, or as near as draws allow."""
    spread = float(totals.std())
    if spread == 0:
        return np.arange(totals.size)
    standard = (totals - totals.mean()) / spread
    wanted = float(np.clip((target - totals.mean()) / spread, -_LARGEST_SHIFT, _LARGEST_SHIFT))
    low, high = -3.0, 3.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _weights(standard, middle) @ standard < wanted else (low, middle)
    cumulative = np.cumsum(_weights(standard, (low + high) / 2))
    points = (np.arange(totals.size) + rng.random()) / totals.size  # systematic resampling
    return np.minimum(np.searchsorted(cumulative, points), totals.size - 1).astype(np.int64)


def _weights(standard: Floats, tilt: float) -> Floats:
    weights = np.exp(tilt * standard - np.max(tilt * standard))
    return np.asarray(weights / weights.sum(), dtype=float)
