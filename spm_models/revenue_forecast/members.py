"""The forecasts that stand beside the simulation, from what was known on one day: plain ones, and the series."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.past_knowledge import Known
from spm_models.revenue_forecast.plain_forecasts import Baseline, PlainForecasts

SERIES = "series"
_LEAST_QUARTERS = 3


def members_of(then: Known, period: Period, calendar: FiscalCalendar) -> dict[str, Baseline]:
    """Every forecast of the company's total that the record allows, by name (:mod:`.plain_forecasts`, ``series``).

    Parameters
    ----------
    then : Known
        What was known on the day.
    period : Period
        Running or coming.
    calendar : FiscalCalendar
    """
    series = series_point(then, period, calendar)
    plain = PlainForecasts(then.snapshots, then.outcomes, then.earlier, as_of=then.as_of, calendar=calendar)
    return plain.of(then.pipeline, period, more={} if series is None else {SERIES: series})


def series_point(then: Known, period: Period, calendar: FiscalCalendar) -> float | None:
    """What the revenue of finished quarters alone says of a whole quarter; None with fewer than three of them.

    Parameters
    ----------
    then : Known
    period : Period
        After the last finished quarter; other kinds of periods have no series.
    calendar : FiscalCalendar
    """
    history = won_by_quarter(then.outcomes, calendar, then.as_of)
    if period.kind != "quarter" or len(history) < _LEAST_QUARTERS:
        return None
    ahead, last = 0, calendar.parse(str(history.index[-1]))
    while last.start < period.start:
        last, ahead = last.next(), ahead + 1
    return _ahead(tuple(map(float, history)), ahead) if ahead else None


@lru_cache(maxsize=256)
def _ahead(values: tuple[float, ...], quarters: int) -> float:
    """The series so many quarters ahead; the weeks of one quarter ask for the same one again and again."""
    from spm_models.revenue_forecast.series.forecaster import SeriesForecaster

    frame = pd.DataFrame({"unique_id": "company", "ds": range(len(values)), "y": values})
    found = SeriesForecaster(season_length=4, levels=(80,)).fit(frame).predict(quarters)
    return max(float(found["mean"].iloc[-1]), 0.0)
