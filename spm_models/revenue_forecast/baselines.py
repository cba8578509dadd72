"""Plain forecasts that the simulation has to beat, with ranges from their own past errors.

- ``seasonal_naive``: as much as in the same quarter last year;
- ``last_value``: as much as in the last quarter;
- ``run_rate``: at the pace of the last 365 days;
- ``stage_weighted``: open deals due in the period, each amount times the past win rate of its stage.

All are forecasts of the whole period. When part of it has passed, they stand for the days left, and what is closed
is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.amounts import AmountAtClose
from spm_models.revenue_forecast.features import OPEN, WON
from spm_models.revenue_forecast.history import won_by_quarter

Floats = npt.NDArray[np.float64]
BASELINES = ("seasonal_naive", "last_value", "run_rate", "stage_weighted")
_PRIOR_SD, _PRIOR_ERRORS = 0.25, 4.0
Z80 = 1.2815515655446004


@dataclass(frozen=True)
class Baseline:
    """A point forecast and the standard deviation of its log error."""

    method: str
    point: float
    deviation: float

    def quantiles(self) -> tuple[float, float, float]:
        """p10, p50, p90 of a log-normal around the point."""
        width = float(np.exp(Z80 * self.deviation))
        return self.point / width, self.point, self.point * width

    def totals(self, draws: int, closed: float) -> Floats:
        """Evenly spread quantiles of the total, never less than what is closed."""
        from scipy.special import ndtri

        normal = ndtri((np.arange(draws) + 0.5) / draws)
        return np.asarray(closed + max(self.point - closed, 0.0) * np.exp(self.deviation * normal), dtype=float)


def naive_points(outcomes: pd.DataFrame, period: Period, calendar: FiscalCalendar, as_of: date) -> dict[str, float]:
    """The three baselines that look at revenue only; those without enough history are absent."""
    history = won_by_quarter(outcomes, calendar, as_of)
    points: dict[str, float] = {}
    scale = period.days / calendar.quarter(period.start).days
    year_ago = calendar.quarter(period.start)
    for _ in range(4):
        year_ago = year_ago.previous()
    if year_ago.label in history.index:
        points["seasonal_naive"] = float(history[year_ago.label]) * scale
    if len(history):
        points["last_value"] = float(history.iloc[-1]) * scale
    closed = outcomes[outcomes.closed_on <= pd.Timestamp(as_of)]
    if len(closed):
        days = min(365, (pd.Timestamp(as_of) - closed.closed_on.min()).days + 1)
        recent = closed[closed.won & (closed.closed_on > pd.Timestamp(as_of) - pd.Timedelta(days=days))]
        points["run_rate"] = float(np.rint(recent.amount.fillna(0.0) * 100).sum()) / 100 / days * period.days
    return points


def stage_rates(rows: pd.DataFrame) -> tuple[dict[str, float], float]:
    """Share won of the decided past snapshots of each stage (two of the common rate added), and of all."""
    decided = rows[rows.event != OPEN]
    if decided.empty:
        return {}, 0.0
    won = decided.event == WON
    common = float(won.mean())
    by_stage = won.groupby(decided.stage).agg(["sum", "size"])
    rates = (by_stage["sum"] + 2 * common) / (by_stage["size"] + 2)
    return {str(stage): float(rate) for stage, rate in rates.items()}, common


def stage_weighted(
    pipeline: pd.DataFrame, period: Period, rates: tuple[dict[str, float], float], amounts: AmountAtClose
) -> float:
    """Open deals due by the end of the period (or without a date), amount times win rate of the stage."""
    on, soon = pipeline.expected_close_on, pipeline.as_of >= pd.Timestamp(period.start) - pd.Timedelta(days=1)
    in_time = (on <= pd.Timestamp(period.end)) & (soon | (on >= pd.Timestamp(period.start)))
    due = pipeline[on.isna() | in_time]
    rate = due.stage.map(rates[0]).fillna(rates[1]).to_numpy(dtype=float)
    own = due.amount.fillna(due.list_price).fillna(float(amounts.won_.mean())).to_numpy(dtype=float)
    return float(np.rint(own * rate * 100).sum()) / 100


def baselines(
    outcomes: pd.DataFrame, pipeline: pd.DataFrame, eves: pd.DataFrame, period: Period, *,
    calendar: FiscalCalendar, as_of: date, rates: tuple[dict[str, float], float], amounts: AmountAtClose,
) -> dict[str, Baseline]:  # fmt: skip
    """Every baseline that the record allows, by name.

    Parameters
    ----------
    outcomes : DataFrame
        Deals closed by ``as_of``.
    pipeline : DataFrame
        Deals open on ``as_of``.
    eves : DataFrame
        Past snapshots on the last days of quarters, for the past errors of ``stage_weighted``.
    """
    points = naive_points(outcomes, period, calendar, as_of)
    points["stage_weighted"] = stage_weighted(pipeline, period, rates, amounts)
    won = outcomes[outcomes.won & (outcomes.closed_on >= pd.Timestamp(period.start))]
    closed = float(np.rint(won.amount.fillna(0.0) * 100).sum()) / 100
    left = period.remaining_days(as_of) / period.days
    errors: dict[str, list[float]] = {method: [] for method in points}
    for label, actual in won_by_quarter(outcomes, calendar, as_of).iloc[1:].items():
        quarter = calendar.parse(str(label))
        eve = quarter.previous().end
        then = naive_points(outcomes[outcomes.closed_on <= pd.Timestamp(eve)], quarter, calendar, eve)
        rows = eves[eves.as_of == pd.Timestamp(eve)]
        if len(rows):
            then["stage_weighted"] = stage_weighted(rows, quarter, rates, amounts)
        for method in then.keys() & errors.keys():
            if actual > 0 and then[method] > 0:
                errors[method].append(float(np.log(actual / then[method])))
    return {
        method: Baseline(method, closed + point * left if method != "stage_weighted" else closed + point,
                         log_error_deviation(errors[method]))
        for method, point in sorted(points.items())
        if point > 0
    }  # fmt: skip


def log_error_deviation(errors: list[float]) -> float:
    """Root mean square of log errors, with a prior of 25 % worth four of them."""
    squares = float(np.square(errors).sum()) if errors else 0.0
    return float(np.sqrt((squares + _PRIOR_ERRORS * _PRIOR_SD**2) / (len(errors) + _PRIOR_ERRORS)))
