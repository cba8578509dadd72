"""Past quarters forecast on their first day with what was known then, beside plain baselines; and the verdict.

References
----------
Tashman (2000), Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16: rolling origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.crm.organisation import organisation
from spm_models.crm.tables import Tables
from spm_models.errors import NotEnoughDataError
from spm_models.evaluation.forecast import forecast_scores
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.baselines import BASELINES, Baseline
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.model import RevenueForecaster
from spm_models.revenue_forecast.result import SIMULATION, RevenueForecast
from spm_models.revenue_forecast.seasonal import learn_weight
from spm_models.snapshots import month_ends, outcomes, pipelines

Floats = npt.NDArray[np.float64]
QUESTION = "revenue_forecast"


@dataclass(frozen=True, eq=False)
class Scored:
    """What was said of a pipeline: ``deal_scores`` and ``deal_timing`` of :meth:`RevenueForecaster.predict`."""

    scores: pd.DataFrame | None
    timing: pd.DataFrame | None = None


#: Win probabilities for a pipeline, and by when, from what was known: ``score(snapshots, outcomes, pipeline)``. A table
#: alone needs ``opportunity_id, win_probability``.
Score = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], pd.DataFrame | Scored]
_LEAST_QUARTERS = 2


@dataclass(frozen=True, eq=False)
class Known:
    """Everything known at the end of one day.

    Parameters
    ----------
    as_of : datetime.date
    snapshots, outcomes, organisation : DataFrame
        As :meth:`RevenueForecaster.fit` takes them; ``snapshots`` includes the pipeline of ``as_of``.
    """

    as_of: date
    snapshots: pd.DataFrame
    outcomes: pd.DataFrame
    organisation: pd.DataFrame

    @property
    def pipeline(self) -> pd.DataFrame:
        """Deals open at the end of the day."""
        return self.snapshots[self.snapshots.as_of == pd.Timestamp(self.as_of)]


@dataclass(frozen=True, eq=False)
class Replay:
    """What replayed quarters taught.

    Parameters
    ----------
    table : DataFrame
        Published table ``forecast_replay``: the company's total by quarter and method; ``error`` is mean minus
        actual, in the company's currency.
    seasonal_weight : float
        To be given to :class:`RevenueForecaster`.
    verdict : DataFrame
        One row of the published table ``model_verdicts``.
    skipped : tuple of str
        Quarters that could not be forecast, and why.
    by_timing : bool
        Whether open deals are to be forecast by their own timing (``deal_timing`` of
        :meth:`RevenueForecaster.predict`): it was given, and did no worse than deals like them before.
    """

    table: pd.DataFrame
    seasonal_weight: float
    verdict: pd.DataFrame
    skipped: tuple[str, ...] = field(default=())
    by_timing: bool = False

    @property
    def published(self) -> str:
        """``simulation``, or the baseline that it did not match."""
        return str(self.verdict.published.iloc[0])

    @property
    def scores(self) -> pd.DataFrame:
        """Rows of the published table ``model_scores``: error, bias, coverage and interval score by method."""
        if self.table.empty:
            return pd.DataFrame(
                columns=["question", "model", "measure", "value", "n", "test_start", "test_end"], dtype="object"
            )
        wide = forecast_scores(self.table)
        rows = wide.melt(["method", "n"], var_name="measure").rename(columns={"method": "model"})
        start = self.table.as_of.min() + pd.Timedelta(days=1)
        return rows.assign(question=QUESTION, test_start=start, test_end=self.table.attrs["test_end"])

    @property
    def summary(self) -> pd.DataFrame:
        """One row a method, best error first: quarters, error, bias, coverage of the range, interval score."""
        return forecast_scores(self.table)

    def timing(self, table: pd.DataFrame | None) -> pd.DataFrame | None:
        """``deal_timing`` to forecast with: the table, or None where past forecasts did better without."""
        return table if self.by_timing else None

    def publish(self, forecast: RevenueForecast, baselines: dict[str, Baseline]) -> RevenueForecast:
        """The forecast itself, or, if the verdict says so, the baseline's totals shared out like it.

        Parameters
        ----------
        forecast : RevenueForecast
        baselines : dict
            Of the same period (:meth:`RevenueForecaster.baselines`).
        """
        baseline = baselines.get(self.published)
        if baseline is None:
            return forecast
        totals = baseline.totals(len(forecast.open), float(forecast.closed.sum()) / 100)
        note = f"The totals are those of the plain baseline {baseline.method}: the simulation did not match it."
        return forecast.rescaled(totals, baseline.method, note)


def snapshot_days(first: date, as_of: date, calendar: FiscalCalendar | None = None) -> list[date]:
    """Days to look back at: month ends, last days of quarters, and ``as_of``, in order.

    Examples
    --------
    >>> retail = FiscalCalendar(start_month=2, pattern="4-4-5")
    >>> [str(day) for day in snapshot_days(date(2026, 4, 1), date(2026, 6, 5), retail)]
    ['2026-04-30', '2026-05-03', '2026-05-31', '2026-06-05']
    """
    ends = [quarter.end for quarter in (calendar or FiscalCalendar()).quarters(first, as_of)]
    return sorted({*month_ends(first, as_of), *(end for end in ends if first <= end <= as_of), as_of})


def known_from(
    tables: Tables, as_of: date, calendar: FiscalCalendar | None = None, snapshots: pd.DataFrame | None = None
) -> Callable[[date], Known]:
    """A function that tells what was known at the end of any day up to ``as_of``.

    Parameters
    ----------
    tables : Tables
    as_of : datetime.date
    calendar : FiscalCalendar, optional
    snapshots : DataFrame, optional
        Pipelines of :func:`snapshot_days`, if they were made already. A snapshot of a day holds nothing later, so
        that one stack serves all days.
    """
    stacked = snapshots if snapshots is not None else _snapshots(tables, as_of, calendar)

    def known(day: date) -> Known:
        past = stacked[stacked.as_of <= pd.Timestamp(day)]
        return Known(day, past, outcomes(tables, day), organisation(tables, day))

    return known


def replay(
    known: Callable[[date], Known],
    as_of: date,
    *,
    score: Score | None = None,
    calendar: FiscalCalendar | None = None,
    quarters: int = 4,
    seed: int = 0,
    draws: int = 1000,
) -> Replay:
    """Forecast each of the last finished quarters on its first day, and judge.

    Parameters
    ----------
    known : callable
        What was known at the end of a day (:func:`known_from`).
    as_of : datetime.date
        Quarters finished by then are replayed; actuals are as known then.
    score : callable, optional
        Win probabilities from what was known, and by when; without it every deal has the common win rate.
    quarters, seed, draws : int

    Returns
    -------
    Replay

    Notes
    -----
    The seasonal weight of a replayed quarter is learned from earlier replayed quarters only. Where the score tells by
    when deals are won, each quarter is forecast with and without; timing is used if its absolute error is no larger.
    The simulation is
    published unless its absolute error is larger than that of the best baseline (chosen in hindsight, to its favour)
    by more than the noise of the differences; with four quarters that noise is large, and the reason says so.
    """
    calendar = calendar or FiscalCalendar()
    actuals = won_by_quarter(known(as_of).outcomes, calendar, as_of).tail(quarters)
    timed, untimed = _Course(timed=True), _Course(timed=False)
    skipped: list[str] = []
    for label, actual in actuals.items():
        quarter = calendar.parse(str(label))
        try:
            _one(known, quarter, float(actual), score, seed, draws, (timed, untimed))
        except NotEnoughDataError as error:
            skipped.append(f"{label}: {error.what}")
    by_timing = _timing_holds(timed, untimed)
    chosen = timed if by_timing else untimed
    table = _table(chosen.rows)
    end = calendar.parse(str(actuals.index[-1])).end if len(actuals) else as_of
    table.attrs["test_end"] = pd.Timestamp(end).as_unit("s")
    return Replay(table, chosen.weight, _verdict(table), tuple(skipped), by_timing)


@dataclass(eq=False)
class _Course:
    """Quarters replayed with or without the deals' own timing: rows, what the weight is learned from, times told."""

    timed: bool
    rows: list[dict[str, object]] = field(default_factory=list)
    members: list[tuple[float, float, float]] = field(default_factory=list)
    told: int = 0

    @property
    def weight(self) -> float:
        return learn_weight(*np.array(self.members).T) if self.members else 0.0

    @property
    def errors(self) -> Floats:
        """Absolute error of each quarter."""
        found = [row["error"] for row in self.rows if row["method"] == SIMULATION]
        return np.asarray(np.abs(np.array(found, dtype=float)), dtype=float)


def _timing_holds(timed: _Course, untimed: _Course) -> bool:
    """Whether timing was given in every quarter, and its errors are no larger."""
    quarters = len(timed.errors)
    better = float(timed.errors.sum()) <= float(untimed.errors.sum())
    return quarters >= _LEAST_QUARTERS and timed.told == quarters and better


def _one(
    known: Callable[[date], Known], quarter: Period, actual: float, score: Score | None, seed: int, draws: int,
    courses: tuple[_Course, _Course],
) -> None:  # fmt: skip
    eve = quarter.start - timedelta(days=1)
    then = known(eve)
    pipeline = then.pipeline
    model = RevenueForecaster(seed, draws).fit(
        then.snapshots, then.outcomes, then.organisation, as_of=eve, calendar=quarter.calendar
    )
    found = score(then.snapshots, then.outcomes, pipeline) if score and len(pipeline) else None
    scored = found if isinstance(found, Scored) else Scored(found)
    seasonal = model.seasonal_point(quarter)
    plain_rows = []
    for baseline in model.baselines(pipeline, quarter).values():
        figures = (baseline.point, *baseline.quantiles())
        plain_rows.append(_row(quarter, eve, baseline.method, figures, actual))
    for course in courses:
        timing = scored.timing if course.timed else None
        model.seasonal_weight = 0.0
        plain = model.predict(pipeline, quarter, deal_scores=scored.scores, deal_timing=timing)
        model.seasonal_weight = course.weight
        forecast = plain
        if course.weight:
            forecast = model.predict(pipeline, quarter, deal_scores=scored.scores, deal_timing=timing)
        course.members.append((float(plain.company_total().mean()), np.nan if seasonal is None else seasonal, actual))
        total = forecast.summary().loc["total"].to_numpy(dtype=float)
        course.rows += [_row(quarter, eve, SIMULATION, tuple(total), actual), *plain_rows]
        course.told += timing is not None


def _row(quarter: Period, eve: date, method: str, figures: tuple[float, ...], actual: float) -> dict[str, object]:
    mean, p10, p50, p90 = figures
    return {
        "period": quarter.label, "as_of": pd.Timestamp(eve), "method": method, "p10": p10, "p50": p50, "p90": p90,
        "mean": mean, "actual": actual, "error": mean - actual, "hit": p10 <= actual <= p90,
    }  # fmt: skip


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    kinds = {
        "period": "str", "as_of": "datetime64[s]", "method": "str", "p10": "float64", "p50": "float64",
        "p90": "float64", "mean": "float64", "actual": "float64", "error": "float64", "hit": "boolean",
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds).sort_values(["method", "period"], ignore_index=True)


def _verdict(table: pd.DataFrame) -> pd.DataFrame:
    """Whether the simulation may be published, and why."""
    errors = table.assign(size=table.error.abs()).pivot(index="period", columns="method", values="size")
    rivals = [method for method in BASELINES if method in errors and errors[method].notna().all()]
    if len(errors) < _LEAST_QUARTERS or not rivals:
        found = f"{len(errors)} finished quarter{'s' if len(errors) != 1 else ''} could be replayed"
        none = "" if len(errors) < _LEAST_QUARTERS else ", but no plain baseline in each of them"
        return _row_of(SIMULATION, "none", f"{found}{none}: the simulation is not tested yet.")
    best = min(rivals, key=lambda method: (float(np.mean(errors[method].to_numpy(dtype=float))), method))
    worse = (errors[SIMULATION] - errors[best]).to_numpy(dtype=float)
    noise = float(worse.std(ddof=1)) / np.sqrt(len(worse))
    actual = float(table.groupby("period")["actual"].first().to_numpy().sum())
    ours, theirs = (float(errors[name].to_numpy().sum()) for name in (SIMULATION, best))
    sizes = (ours, theirs, noise * len(errors))
    off, rival, chance = (f"{size / actual:.1%}" if actual > 0 else f"{size:,.0f}" for size in sizes)
    keeps = float(worse.mean()) <= noise
    reason = (
        f"Over {len(errors)} replayed quarters{'' if actual > 0 else ', in which nothing was won,'} the simulation was "
        f"off by {off}, the best plain baseline ({best}) by {rival}; a difference of {chance} would be chance. "
        f"{len(errors)} quarters are few."
    )
    return _row_of(SIMULATION if keeps else best, best, reason)


def _row_of(published: str, baseline: str, reason: str) -> pd.DataFrame:
    return pd.DataFrame([{"question": QUESTION, "published": published, "baseline": baseline, "reason": reason}])


def _snapshots(tables: Tables, as_of: date, calendar: FiscalCalendar | None) -> pd.DataFrame:
    first = tables["opportunities"].created_on.min().execute()
    if first is None or pd.isna(first):
        return pipelines(tables, [as_of])
    return pipelines(tables, snapshot_days(pd.Timestamp(first).date(), as_of, calendar))
