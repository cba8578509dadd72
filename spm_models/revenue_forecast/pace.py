"""How the pace of new business moves: level, trend, season and good or bad quarters, told apart together.

Monthly counts over what the people there could have been expected to create are a Gaussian process on the log scale:
a straight trend, a level that wanders and comes back, a smooth season of the year, and quarters of their own. How
strong each of these is cannot be known from some years of counts, so a grid of strengths is fitted at once and each
weighs as much as it explains the record, times a prior for calm. Told apart one after the other, a growing company's
trend is taken for a season, and a season for a trend.

References
----------
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, sections 2.7, 3.4 and 5.4.
Gardner and McKenzie (1985), Forecasting trends in time series, Management Science 31: damped trends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
MONTH = 30.4375  # days
_AHEAD = 15  # months
_LEAST_MONTHS = 3
_UNKNOWN = 0.3  # deviation of the log pace where the record tells nothing
# standard deviations of log factors, and their weights before anything was seen
_WANDER = {0.0: 0.35, 0.03: 0.35, 0.08: 0.2, 0.18: 0.1}  # of a month's change of level
_SLOPE = {0.05: 0.5, 0.25: 0.5}  # of the trend, a year
_SWING = {0.0: 0.25, 0.08: 0.35, 0.2: 0.25, 0.4: 0.15}  # of the season
_QUARTER = {0.04: 0.5, 0.12: 0.5}  # of what the months of a quarter have in common
_RETURN = 18.0  # months: what moved the level is forgotten by as much as time passes
_HARMONICS = 1 / np.arange(1.0, 6.0) ** 2
_DAMPING = -np.log(0.93)  # of the trend, a month ahead
_LEVEL = 4.0  # variance
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Pace:
    """Log factors of the pace in the middle of months past and to come.

    Parameters
    ----------
    middle : ndarray, shape (months,)
        Days after the last day of the record; those below 0 are on it.
    logs, deviation : ndarray, shape (months,)
        Mean and standard deviation of the log factor on the mean pace of the record.
    """

    middle: Floats
    logs: Floats
    deviation: Floats

    def factors(self, days: npt.ArrayLike) -> Floats:
        """Factor on each of some days after the last of the record (0 and less: on it)."""
        return np.asarray(np.exp(np.interp(np.asarray(days, dtype=float), self.middle, self.logs)))

    def spread(self, days: npt.ArrayLike) -> Floats:
        """Standard deviation of their logs."""
        return np.asarray(np.interp(np.asarray(days, dtype=float), self.middle, self.deviation))


def month_of(days: int) -> npt.NDArray[np.int64]:
    """Month of the record, counted from its first, of each of its days; the last month is whole."""
    months = max(round(days / MONTH), 1)
    ago = ((days - 1 - np.arange(days)) // MONTH).astype(np.int64)
    return months - 1 - np.minimum(ago, months - 1)


def learn_pace(counts: Floats, expected: Floats, end: date, dispersion: float = 1.3) -> Pace:
    """Estimate it from a record that ends on a day.

    Parameters
    ----------
    counts : ndarray, shape (months,)
        Deals created in each month (of 30.4 days, the last one ending with the record).
    expected : ndarray, shape (months,)
        What a steady pace would have brought, up to a common factor: above 0.
    end : datetime.date
    dispersion : float
        Variance of counts over their mean.

    Examples
    --------
    >>> months, day = np.arange(36), date(2025, 12, 31)
    >>> calm = learn_pace(np.full(36, 80.0), np.ones(36), day)
    >>> calm.factors([-1000, 0, 90]).round(2).tolist()
    [1.0, 1.0, 1.0]
    >>> grown = learn_pace(40 * 1.03**months, np.ones(36), day)
    >>> float(grown.factors(45)[()] / grown.factors(-45)[()]) > 1.06
    True
    """
    known = len(counts)
    when = np.arange(1.0 - known, _AHEAD + 1)  # months; the last on record is 0
    middle = (when - 0.5) * MONTH
    if known < _LEAST_MONTHS or counts.sum() <= 0:
        return Pace(middle, np.zeros(len(when)), np.full(len(when), _UNKNOWN))
    kernels, prior = _kernels(when, pd.Timestamp(end) + pd.to_timedelta(np.rint(middle), unit="D"))
    scaled = expected * counts.sum() / expected.sum()
    logs = 0.5 * np.log((counts + 0.5) / (scaled + 0.5))
    for _ in range(_ROUNDS):  # counts as normal values around the last fit: their noise is that of what was expected
        mean = np.maximum(scaled * np.exp(logs[:known]), 0.05)
        values = logs[:known] + np.clip((counts - mean) / mean, -3.0, 3.0)
        logs, deviation = _posterior(kernels, prior, values, dispersion / mean)
    return Pace(middle, logs, deviation)


def _kernels(when: Floats, days: pd.DatetimeIndex) -> tuple[Floats, Floats]:
    """Covariances of all pairs of months under each combination of strengths; logs of their weights."""
    apart = when[:, None] - when[None, :]
    bent = np.where(when > 0, -np.expm1(-_DAMPING * np.maximum(when, 0.0)) / _DAMPING, when) / 12
    angle = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
    turn = angle[:, None] - angle[None, :]
    season = sum(weight * np.cos(n * turn) for n, weight in enumerate(_HARMONICS / _HARMONICS.sum(), start=1))
    quarter = (days.year * 4 + days.quarter).to_numpy()
    same = (quarter[:, None] == quarter[None, :]).astype(float)
    wander = _RETURN / 2 * np.exp(-np.abs(apart) / _RETURN)
    parts = [wander, bent[:, None] * bent[None, :], season, same]
    grids = [_WANDER, _SLOPE, _SWING, _QUARTER]
    strengths = np.array(list(product(*grids)))
    weights = np.array(list(product(*(grid.values() for grid in grids)))).prod(axis=1)
    return _LEVEL + np.tensordot(strengths**2, np.stack(parts), axes=1), np.log(weights)


def _posterior(kernels: Floats, prior: Floats, values: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation in all months, averaged over the strengths."""
    known = len(values)
    inner = np.linalg.cholesky(kernels[:, :known, :known] + np.diag(noise))
    right = np.concatenate([np.broadcast_to(values[:, None], (len(kernels), known, 1)), kernels[:, :known]], axis=2)
    solved = np.linalg.solve(inner, right)
    z, across = solved[:, :, 0], solved[:, :, 1:]
    means = np.einsum("gk,gkm->gm", z, across)
    variances = np.diagonal(kernels, axis1=1, axis2=2) - (across**2).sum(axis=1)
    logs = prior - 0.5 * (z**2).sum(axis=1) - np.log(np.diagonal(inner, axis1=1, axis2=2)).sum(axis=1)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    mean = weights @ means
    variance = weights @ (variances + (means - mean) ** 2)
    return np.asarray(mean), np.sqrt(np.maximum(variance, 0.0))
