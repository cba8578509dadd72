"""The forecasts that stand beside the simulation, from what was known on one day: plain ones, and the series."""

from __future__ import annotations

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.past_knowledge import Known
from spm_models.revenue_forecast.plain_forecasts import Baseline, PlainForecasts
from spm_models.revenue_forecast.seasonal import seasonal_point


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
    series = seasonal_point(then.outcomes, period, calendar, then.as_of)
    plain = PlainForecasts(then.snapshots, then.outcomes, then.earlier, as_of=then.as_of, calendar=calendar)
    return plain.of(then.pipeline, period, more={} if series is None else {"series": series})
