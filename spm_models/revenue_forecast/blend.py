"""Simulation, series and plain ratios together, weighted by how each has done at this week of past quarters.

The blended mean is the simulation's plus, for each other member, a weight times its distance from the simulation,
plus a share of the error that the simulation made before at this week. Weights are ridge estimates around the
simulation alone, averaged over beliefs of how far one may have to leave it: hardly, unless past errors say so by more
than chance. The weeks of a quarter count as one observation, near weeks more than far ones. Spread is that of the
simulation times how wide it should have been.

References
----------
Granger and Ramanathan (1984), Improved methods of combining forecasts, Journal of Forecasting 3. Diebold and Pauly
(1990), The use of prior information in forecast combination, International Journal of Forecasting 6: shrinkage.
Hoeting, Madigan, Raftery and Volinsky (1999), Bayesian model averaging, Statistical Science 14.
Dawid (1984), The prequential approach, JRSS A 147: each quarter is forecast by weights of earlier quarters only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.revenue_forecast.quarter_weeks import WEEKS, week_of
from spm_models.revenue_forecast.result import RevenueForecast
from spm_models.revenue_forecast.reweighting import moved

Floats = npt.NDArray[np.float64]
BLEND = "blend"
MEMBERS = ("series", "coverage_ratio", "linearity")
_NEAR, _WIDE = 2.0, 4.0  # weeks: how far an error speaks for other weeks, about the mean and about the spread
#: Standard deviations of each weight a priori, and what they are believed: the simulation is mostly the best there is.
_TRUST = {0.03: 0.75, 0.3: 0.25}
_PRIOR = {"series": 0.0, "coverage_ratio": 0.0, "linearity": 0.0}  # weights before anything was replayed
_OWN_ERROR = {0.015: 0.75, 0.06: 0.25}  # the same of the simulation's standing error at the start of a quarter
_LEAST_NOISE = 0.02  # of a quarter's total: smaller errors are taken for chance
_SPREAD_QUARTERS = 8.0  # what the belief that the simulation's spread is right is worth
_LARGEST = 1.0  # relative distances beyond this are taken as this
_SURPRISE = 9.0  # squared standardised errors beyond this are taken as this
_SCALES = (0.6, 1.5)


@dataclass(frozen=True, eq=False)
class Blend:
    """Weights by week of the quarter.

    Parameters
    ----------
    weights : ndarray, shape (13, members)
        Of :data:`MEMBERS`; the rest is the simulation's.
    shift : ndarray, shape (13,)
        Standing error of the simulation that is taken off, relative to its mean.
    scale : ndarray, shape (13,)
        Spread over that of the simulation.
    quarters : int
        Replayed quarters behind them.
    """

    weights: Floats
    shift: Floats
    scale: Floats
    quarters: int

    def mean(self, week: int, simulated: float, points: Mapping[str, float], closed: float = 0.0) -> float:
        """The blended mean of the total, never below what is closed."""
        if simulated <= 0:
            return simulated
        distances = np.array([_distance(points.get(name), simulated) for name in MEMBERS])
        change = float(self.shift[week]) + float(self.weights[week] @ distances)
        return max(simulated * (1.0 + change), closed)

    def apply(self, forecast: RevenueForecast, points: Mapping[str, float], seed: int = 0) -> RevenueForecast:
        """The blend of a forecast: its draws, chosen so that the company's total has the blended mean and spread.

        Parameters
        ----------
        forecast : RevenueForecast
            The simulation.
        points : mapping
            Totals of the other members by name; those that are absent leave their weight to the simulation.
        seed : int
        """
        totals = forecast.company_total()
        week = week_of(forecast.period, forecast.as_of)
        wanted = self.mean(week, float(totals.mean()), points, float(forecast.closed.sum()) / 100)
        return moved(forecast, wanted, float(self.scale[week]), seed, self.note(week, points), BLEND)

    def note(self, week: int, points: Mapping[str, float]) -> str:
        """What a reader should know of it."""
        if not self.quarters:
            return ""
        given = {name: weight for name, weight in zip(MEMBERS, self.weights[week], strict=True) if name in points}
        others = "".join(f", {name} {weight:.0%}" for name, weight in given.items() if weight >= 0.005)
        return (
            f"Weights learned on {self.quarters} replayed quarters: simulation {1 - sum(given.values()):.0%}{others}."
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row a week: weights by member (``simulation`` first), ``shift``, ``scale``."""
        frame = pd.DataFrame(self.weights, columns=list(MEMBERS))
        frame.insert(0, "week", list(WEEKS))
        frame.insert(1, "simulation", 1.0 - self.weights.sum(axis=1))
        return frame.assign(shift=self.shift, scale=self.scale)


def learn_blend(rows: pd.DataFrame) -> Blend:
    """Learn it from replayed weeks.

    Parameters
    ----------
    rows : DataFrame
        One row a replayed week: ``period`` (labels in the order of time), ``week``, ``simulation`` and ``spread`` (mean
        and standard deviation of the simulated total), ``actual``, and a column for each of :data:`MEMBERS` that
        could be made (empty where it could not).

    Examples
    --------
    >>> weeks = pd.DataFrame({"period": "2026-Q1", "week": [0, 6], "simulation": 100.0, "spread": 10.0,
    ...                       "actual": 100.0, "series": 130.0})
    >>> float(learn_blend(weeks).weights.sum())
    0.0
    """
    rows = rows[(rows.simulation > 0) & rows.actual.notna()]
    periods = sorted(rows.period.unique())
    means = [_means(rows[rows.period.isin(periods[:place])]) for place in range(len(periods) + 1)]
    found = [
        rows[rows.period == period].assign(blended=_blended(rows[rows.period == period], *before))
        for period, before in zip(periods, means[:-1], strict=True)
    ]
    scale = _scale(pd.concat(found, ignore_index=True)) if found else np.ones(len(WEEKS))
    weights, shift = means[-1]
    return Blend(weights, shift, scale, len(periods))


def _means(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Weights and shift of every week."""
    prior = np.array([_PRIOR[name] for name in MEMBERS])
    if rows.empty:
        return np.tile(prior, (len(WEEKS), 1)), np.zeros(len(WEEKS))
    distances = np.column_stack([_column(rows, name) for name in MEMBERS])
    error = np.clip(rows.actual.to_numpy(float) / rows.simulation.to_numpy(float) - 1.0, -_LARGEST, _LARGEST)
    found = [_of_week(week, rows, distances, error, prior) for week in WEEKS]
    return np.stack([weights for weights, _ in found]), np.array([shift for _, shift in found])


def _of_week(week: int, rows: pd.DataFrame, x: Floats, y: Floats, prior: Floats) -> tuple[Floats, float]:
    """Ridge estimates, with weights that are not negative and sum to one at most, averaged over the beliefs.

    Each belief counts as much as it explains the errors seen (its marginal likelihood, weights being free in sign).
    """
    kernel = _kernel(rows, week, _NEAR)
    early, size = float(np.sqrt(1 - week / (len(WEEKS) + 0.5))), x.shape[1]
    certain = np.sqrt(kernel) / _noise(rows, kernel, y)
    seen = np.column_stack([x, np.ones(len(y))]) * certain[:, None]
    _, reduced = np.linalg.qr(np.column_stack([seen, certain * y]))  # the same sums of squares in few rows
    found, logs = [], []
    for trusts, error in product(product(_TRUST, repeat=size), _OWN_ERROR):
        estimate, log = _ridge(reduced[:, :-1], reduced[:, -1], np.array([*trusts, error * early]), prior)
        found.append(estimate)
        logs.append(log + float(np.log(_OWN_ERROR[error] * np.prod([_TRUST[trust] for trust in trusts]))))
    belief = np.exp(np.array(logs) - max(logs))
    mean = belief @ np.array(found) / belief.sum()
    return mean[:size] / max(float(mean[:size].sum()), 1.0), float(mean[size])


def _ridge(seen: Floats, wanted: Floats, scale: Floats, prior: Floats) -> tuple[Floats, float]:
    """Estimates under one belief, only the last of any sign; log of its marginal likelihood, up to a constant."""
    from scipy.optimize import nnls

    both = np.concatenate([seen, np.diag(1 / scale)])
    found, _ = nnls(np.column_stack([both, -both[:, -1]]), np.concatenate([wanted, prior / scale[:-1], [0.0]]))
    inner = np.linalg.cholesky(np.eye(len(scale)) + (seen * scale).T @ (seen * scale))
    left = wanted - seen[:, :-1] @ prior
    solved = np.linalg.solve(inner, (seen * scale).T @ left)
    log = 0.5 * float(solved @ solved - left @ left) - float(np.log(np.diag(inner)).sum())
    return np.append(found[: len(prior)], found[-2] - found[-1]), log


def _noise(rows: pd.DataFrame, kernel: Floats, y: Floats) -> Floats:
    """Standard deviation of each error by chance: the simulation's own, more or less by what errors were like."""
    said = np.maximum(rows.spread.to_numpy(float) / rows.simulation.to_numpy(float), _LEAST_NOISE)
    surprise = np.minimum((y / said) ** 2, _SURPRISE)
    more = (_SPREAD_QUARTERS + float(kernel @ surprise)) / (_SPREAD_QUARTERS + float(kernel.sum()))
    return np.asarray(said * np.sqrt(max(more, 1.0)), dtype=float)


def _kernel(rows: pd.DataFrame, week: int, reach: float) -> Floats:
    """Weight of each row for a week; those of one quarter sum to one at most."""
    near = np.exp(-0.5 * ((rows.week.to_numpy(float) - week) / reach) ** 2)
    sums = pd.Series(near).groupby(rows.period.to_numpy()).transform("sum").to_numpy(float)
    return np.asarray(near / np.maximum(sums, 1.0), dtype=float)


def _blended(rows: pd.DataFrame, weights: Floats, shift: Floats) -> Floats:
    distances = np.column_stack([_column(rows, name) for name in MEMBERS])
    week = rows.week.to_numpy(int)
    change = shift[week] + (weights[week] * distances).sum(axis=1)
    return np.asarray(rows.simulation.to_numpy(float) * (1.0 + change), dtype=float)


def _scale(rows: pd.DataFrame) -> Floats:
    """How much wider than the simulation's the spread should have been, by the prequential errors."""
    known = rows[rows.spread > 0]
    squares = np.minimum(((known.actual - known.blended) / known.spread).to_numpy(float) ** 2, _SURPRISE)
    found = []
    for week in WEEKS:
        kernel = _kernel(known, week, _WIDE)
        found.append((_SPREAD_QUARTERS + float(kernel @ squares)) / (_SPREAD_QUARTERS + float(kernel.sum())))
    return np.asarray(np.clip(np.sqrt(np.array(found)), *_SCALES), dtype=float)


def _column(rows: pd.DataFrame, name: str) -> Floats:
    if name not in rows:
        return np.zeros(len(rows))
    relative = rows[name].to_numpy(float) / rows.simulation.to_numpy(float) - 1.0
    return np.asarray(np.clip(np.nan_to_num(relative), -_LARGEST, _LARGEST), dtype=float)


def _distance(point: float | None, simulated: float) -> float:
    if point is None or not np.isfinite(point):
        return 0.0
    return float(np.clip(point / simulated - 1.0, -_LARGEST, _LARGEST))
