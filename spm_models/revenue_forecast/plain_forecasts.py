"""Plain forecasts that the simulation has to beat, with ranges from their own past errors.

- ``seasonal_naive``: as much as in the same quarter last year;
- ``last_value``: as much as in the last quarter;
- ``run_rate``: at the pace of the last 365 days;
- ``ets``: exponential smoothing of past quarters (damped trend, on logs);
- ``stage_weighted``: open deals due in the period, each amount times the past win rate of its stage;
- ``coverage_ratio``: the open pipeline times what a pipeline of this week has brought by the quarter's end before;
- ``linearity``: what is closed so far over the share that was usually closed by this week;
- ``commit``, ``best_case``: what is closed, and open deals due in the period that people put into these categories.

All but the last three look at the whole period; when part of it has passed, they stand for the days left, and what is
closed is added.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.quarter_weeks import same_weeks

Floats = npt.NDArray[np.float64]
BASELINES = (
    "seasonal_naive", "last_value", "run_rate", "ets", "stage_weighted", "coverage_ratio", "linearity",
)  # fmt: skip
PEOPLE = ("commit", "best_case")
_CATEGORIES = {"commit": ("commit",), "best_case": ("commit", "best_case")}
_PRIOR_SD, _PRIOR_ERRORS = 0.25, 4.0
_LEAST_SHARE = 0.08  # closed less than this by a week, the share says little about the total
_LEAST_FOR_ETS = 6
_RECENT = 4  # quarters that count twice in a ratio
Z80, Z50, Z95 = 1.2815515655446004, 0.6744897501960817, 1.959963984540054


@dataclass(frozen=True)
class Baseline:
    """A point forecast of the total and the standard deviation of its log error; ``closed`` is won already."""

    method: str
    point: float
    deviation: float
    closed: float = 0.0

    def quantiles(self, z: tuple[float, ...] = (-Z80, 0.0, Z80)) -> tuple[float, ...]:
        """Quantiles of a log-normal around the point, by standard normal ``z`` (p10, p50, p90 without it).

        Examples
        --------
        >>> [round(value) for value in Baseline("run_rate", 100.0, 0.25, closed=80.0).quantiles()]
        [80, 100, 138]
        """
        return tuple(max(self.closed, self.point * float(np.exp(self.deviation * each))) for each in z)

    def totals(self, draws: int, closed: float) -> Floats:
        """Evenly spread quantiles of the total, never less than what is closed."""
        from scipy.special import ndtri

        normal = ndtri((np.arange(draws) + 0.5) / draws)
        return np.asarray(np.maximum(self.point * np.exp(self.deviation * normal), closed), dtype=float)


class PlainForecasts:
    """The plain forecasts of a period, from what was known on one day.

    Parameters
    ----------
    snapshots : DataFrame
        Pipelines of past days, for the win rates of stages.
    outcomes : DataFrame
        Deals closed by ``as_of``.
    earlier : DataFrame, optional
        Pipelines at the same week of earlier quarters (``Known.earlier``); those in ``snapshots`` without it.
    as_of : datetime.date
    calendar : FiscalCalendar
    """

    def __init__(
        self, snapshots: pd.DataFrame, outcomes: pd.DataFrame, earlier: pd.DataFrame | None, *, as_of: date,
        calendar: FiscalCalendar,
    ) -> None:  # fmt: skip
        self.as_of, self.calendar = as_of, calendar
        closed = outcomes[outcomes.closed_on <= pd.Timestamp(as_of)]
        won = closed[closed.won].sort_values(["closed_on", "opportunity_id"])
        self.days = won.closed_on.to_numpy(dtype="datetime64[D]")
        self.cents = np.concatenate([[0.0], np.cumsum(np.rint(won.amount.fillna(0.0).to_numpy(dtype=float) * 100))])
        self.worth = self.cents[-1] / 100 / len(won) if len(won) else 0.0
        history = won_by_quarter(outcomes, calendar, as_of)
        self.history = {calendar.parse(str(label)): float(revenue) for label, revenue in history.items()}
        self.rates = stage_rates(snapshots, closed)
        rows = snapshots if earlier is None else earlier
        self.earlier = {pd.Timestamp(day).date(): rows[rows.as_of == day] for day in rows.as_of.unique()}
        self.first = closed.closed_on.min().date() if len(closed) else as_of

    def of(
        self, pipeline: pd.DataFrame, period: Period, *, more: Mapping[str, float] | None = None
    ) -> dict[str, Baseline]:
        """Every plain forecast that the record allows, by name.

        Parameters
        ----------
        pipeline : DataFrame
            Deals open on ``as_of``.
        period : Period
            Running or coming.
        more : mapping, optional
            Further forecasts of the whole period from its history alone, by name, to be put on the same footing.
        """
        points = self._points(pipeline, period, self.as_of, more)
        errors: dict[str, list[float]] = {method: [] for method in points}
        for quarter, day in self._alike(period).items():
            actual = self.history.get(quarter, 0.0)
            then = self._points(self.earlier.get(day), quarter, day, None)
            for method in then.keys() & errors.keys():
                if actual > 0 and then[method] > 0:
                    errors[method].append(float(np.log(actual / then[method])))
        closed, left = self._won(period, self.as_of), period.remaining_days(self.as_of) / period.days
        return {
            method: Baseline(method, point, log_error_deviation(errors[method], np.sqrt(left)), closed)
            for method, point in sorted(points.items()) if point > 0
        }  # fmt: skip

    def _points(
        self, pipeline: pd.DataFrame | None, period: Period, day: date, more: Mapping[str, float] | None
    ) -> dict[str, float]:
        """Totals as they would have been forecast at the end of ``day``, which may lie in the past."""
        past = {quarter: revenue for quarter, revenue in self.history.items() if quarter.end <= day}
        whole = self._naive(past, period, day)
        if day == self.as_of and (found := ets_point(list(past.values()))) is not None:
            whole["ets"] = found * period.days / self.calendar.quarter(period.start).days
        closed, left = self._won(period, day), period.remaining_days(day) / period.days
        points = {method: closed + point * left for method, point in whole.items()}
        quarters = {quarter: at for quarter, at in self._alike(period, day).items() if quarter.end <= day}
        share = self._share(quarters)
        points |= {method: closed + point * (1 - share if quarters else left) for method, point in (more or {}).items()}
        if share >= _LEAST_SHARE and closed > 0:
            points["linearity"] = closed / share
        if pipeline is None:
            return points
        due = self._due(pipeline, period, day)
        points["stage_weighted"] = closed + float((due.worth * due.rate).sum())
        ratio = self._ratio(quarters)
        if ratio is not None:
            points["coverage_ratio"] = closed + ratio * float(self._worth(pipeline).sum())
        for name, categories in _CATEGORIES.items():
            if due.category.notna().any():
                points[name] = closed + float(due.worth[due.category.isin(categories)].sum())
        return points

    def _alike(self, period: Period, day: date | None = None) -> dict[Period, date]:
        return same_weeks(period, day or self.as_of, self.calendar, self.first) if period.kind == "quarter" else {}

    def _between(self, first: date, last: date) -> float:
        """Revenue won from ``first`` to ``last``, both included."""
        low = np.searchsorted(self.days, np.datetime64(first), side="left")
        high = np.searchsorted(self.days, np.datetime64(last), side="right")
        return float(self.cents[max(high, low)] - self.cents[low]) / 100

    def _won(self, period: Period, until: date) -> float:
        return self._between(period.start, min(period.end, until))

    def _naive(self, past: Mapping[Period, float], period: Period, day: date) -> dict[str, float]:
        """The baselines that look at revenue only; those without enough history are absent."""
        points: dict[str, float] = {}
        year_ago = quarter = self.calendar.quarter(period.start)
        for _ in range(4):
            year_ago = year_ago.previous()
        scale = period.days / quarter.days
        if year_ago in past:
            points["seasonal_naive"] = past[year_ago] * scale
        if past:
            points["last_value"] = list(past.values())[-1] * scale
        days = min(365, (day - self.first).days + 1)
        if days > 0:
            points["run_rate"] = self._between(day - timedelta(days=days - 1), day) / days * period.days
        return points

    def _share(self, quarters: Mapping[Period, date]) -> float:
        """Share of the revenue of earlier quarters that was closed by the same week."""
        total = sum(self._won(quarter, quarter.end) for quarter in quarters)
        return sum(self._won(quarter, day) for quarter, day in quarters.items()) / total if total > 0 else 0.0

    def _ratio(self, quarters: Mapping[Period, date]) -> float | None:
        """What pipelines at the same week of earlier quarters brought by the quarter's end, per unit of amount."""
        brought = stood = 0.0
        for place, (quarter, day) in enumerate(sorted(quarters.items(), key=lambda pair: pair[1])):
            rows = self.earlier.get(day)
            if rows is not None:
                count = 2.0 if len(quarters) - place <= _RECENT else 1.0
                stood += count * float(self._worth(rows).sum())
                brought += count * (self._won(quarter, quarter.end) - self._won(quarter, day))
        return brought / stood if stood > 0 else None

    def _worth(self, deals: pd.DataFrame) -> Floats:
        """Amounts in whole cents; the list price, or else the mean of won deals, where there is none."""
        listed = deals.list_price if "list_price" in deals else np.nan
        own = deals.amount.fillna(listed).fillna(self.worth).to_numpy(dtype=float)
        return np.asarray(np.rint(own * 100) / 100, dtype=float)

    def _due(self, pipeline: pd.DataFrame, period: Period, day: date) -> pd.DataFrame:
        """Worth, win rate of the stage and forecast category of open deals due in the period, or without a date."""
        on, soon = pipeline.expected_close_on, day >= period.start - timedelta(days=1)
        in_time = (on <= pd.Timestamp(period.end)) & (soon | (on >= pd.Timestamp(period.start)))
        due = pipeline[on.isna() | in_time]
        worth = self._worth(due)
        rate = due.stage.map(self.rates[0]).fillna(self.rates[1]).to_numpy(dtype=float)
        category = (
            due.forecast_category if "forecast_category" in due else pd.Series(None, index=due.index, dtype="str")
        )
        return pd.DataFrame({"worth": worth, "rate": rate, "category": category.to_numpy()})


def ets_point(history: list[float]) -> float | None:
    """Next quarter by exponential smoothing with a damped trend on logs; None with fewer than six, or with zeros."""
    values = np.array(history, dtype=float)
    if len(values) < _LEAST_FOR_ETS or (values <= 0).any():
        return None
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few values: the optimiser may stop early, which costs accuracy only
        fit = ExponentialSmoothing(np.log(values), trend="add", damped_trend=True, initialization_method="estimated")
        point = float(np.exp(np.asarray(fit.fit().forecast(1))[0]))
    return point if np.isfinite(point) and point < 10 * values.max() else None


def stage_rates(snapshots: pd.DataFrame, closed: pd.DataFrame) -> tuple[dict[str, float], float]:
    """Share won of the decided past snapshots of each stage (two of the common rate added), and of all."""
    won = snapshots.opportunity_id.map(closed.drop_duplicates("opportunity_id").set_index("opportunity_id").won)
    decided = won.notna()
    if not decided.any():
        return {}, float(closed.won.mean()) if len(closed) else 0.0
    known = won[decided].astype(bool)
    common = float(known.mean())
    by_stage = known.groupby(snapshots.stage[decided]).agg(["sum", "size"])
    rates = (by_stage["sum"] + 2 * common) / (by_stage["size"] + 2)
    return {str(stage): float(rate) for stage, rate in rates.items()}, common


def log_error_deviation(errors: list[float], left: float = 1.0) -> float:
    """Root mean square of log errors, with a prior of 25 % worth four of them (less as the period passes).

    Examples
    --------
    >>> log_error_deviation([]), round(log_error_deviation([0.5] * 4), 3)
    (0.25, 0.395)
    """
    squares = float(np.square(errors).sum()) if errors else 0.0
    prior = _PRIOR_SD * max(float(left), 0.1)
    return float(np.sqrt((squares + _PRIOR_ERRORS * prior**2) / (len(errors) + _PRIOR_ERRORS)))
