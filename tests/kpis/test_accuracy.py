"""How near forecasts came, those of people and those of the model."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from spm_models import kpis
from spm_models.periods import FiscalCalendar
from spm_models.runs.past_forecasts import past_forecasts

AS_OF = date(2026, 6, 30)
QUARTERS = FiscalCalendar().quarters(date(2026, 1, 1), AS_OF)
NAMES = ["forecast_ratio_of_people", "forecast_error_of_people", "forecast_ratio_of_model", "forecast_error_of_model"]


def _said(period, start, day, commit, level="company", key="", actual=100.0):
    return {"period": period, "period_start": pd.Timestamp(start), "level": level, "key": key, "commit": commit,
            "submitted_at": pd.Timestamp(start) + timedelta(days=day), "actual": actual}  # fmt: skip


@pytest.fixture
def forecasts():
    said = pd.DataFrame([
        _said("2026-Q1", "2026-01-01", -3, 300), _said("2026-Q1", "2026-01-01", 41.9, 120),
        _said("2026-Q1", "2026-01-01", 42.1, 100),  # the seventh week: everybody knows by then
        _said("2026-Q1", "2026-01-01", 1, 45, "rep", "r1", 50.0),
        _said("2026-Q2", "2026-04-01", 1, 80, actual=float("nan")),
    ])  # fmt: skip
    replayed = pd.DataFrame([
        {"period": period, "week": week, "method": method, "mean": mean, "actual": 100.0}
        for period, week, method, mean in (("2026-Q1", 6, "blend", 90.0), ("2026-Q1", 0, "blend", 10.0),
                                           ("2026-Q1", 6, "run_rate", 99.0))
    ])  # fmt: skip
    return past_forecasts(replayed, said, "blend", lambda day: datetime(day.year, day.month, day.day, 23, 59))


def test_forecasts_are_judged_as_they_stood_after_six_weeks(tables_of, forecasts):
    deal = {"opportunity_id": "o", "rep_id": "r1", "status": "open", "stage": "x", "created_on": date(2026, 1, 1)}
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [deal]}, AS_OF)
    found = kpis.levels(tables, QUARTERS, as_of=AS_OF, kpis=NAMES, past_forecasts=forecasts)
    found = found.set_index(["kpi", "level", "period"])
    assert found.loc[("forecast_ratio_of_people", "company", "2026-Q1"), ["value", "verdict"]].tolist() == [
        1.2,
        "above",
    ]
    assert found.loc[("forecast_error_of_people", "company", "2026-Q1"), "value"] == pytest.approx(0.2)
    assert found.loc[("forecast_ratio_of_people", "rep", "2026-Q1"), "value"] == pytest.approx(0.9)
    assert found.loc[("forecast_ratio_of_model", "company", "2026-Q1"), "value"] == pytest.approx(0.9)
    assert found.loc[("forecast_error_of_model", "company", "2026-Q1"), "value"] == pytest.approx(0.1)
    assert "2026-Q2" not in found.index.get_level_values("period")  # not over: nothing to compare with
    without = kpis.levels(tables, QUARTERS, as_of=AS_OF)
    assert not set(NAMES) & set(without["kpi"])


def test_what_came_is_not_known_before_the_quarter_is_over(tables_of):
    past = pd.DataFrame([
        {"period": "2026-Q2", "level": "company", "key": "", "who": "model", "forecast": 90.0, "actual": 100.0}
    ])  # fmt: skip
    deal = {"opportunity_id": "o", "rep_id": "r1", "status": "open", "stage": "x", "created_on": date(2026, 1, 1)}
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [deal]}, AS_OF)
    known = [
        len(kpis.compute(tables, NAMES, period=QUARTERS[-1], as_of=day, past_forecasts=past))
        for day in (date(2026, 6, 29), AS_OF)
    ]
    assert known == [0, 2]
