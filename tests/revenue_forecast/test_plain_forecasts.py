"""Plain forecasts by hand: what was usual at this week, applied to what stands there now."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import Known, members_of
from spm_models.revenue_forecast.plain_forecasts import Baseline, PlainForecasts
from spm_models.revenue_forecast.quarter_weeks import day_of_week, same_weeks

CALENDAR = FiscalCalendar()
QUARTER = CALENDAR.quarter(date(2026, 4, 1))
DAY = day_of_week(QUARTER, 6)


def won(day: str, amount: float, *, was: bool = True) -> dict[str, object]:
    return {"opportunity_id": f"{day}-{amount}", "closed_on": pd.Timestamp(day), "won": was, "amount": amount}


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    """Each past quarter brings 100: a quarter of it in the fifth week, the rest in the eleventh; now 30 came so far."""
    rows = [won("2025-01-02", 0.01, was=False)]
    for month in ("2025-02", "2025-05", "2025-08", "2025-11", "2026-02"):
        rows += [
            won(f"{month}-01", 25.0),
            won((pd.Timestamp(f"{month}-01") + pd.Timedelta("42D")).strftime("%Y-%m-%d"), 75.0),
        ]
    return pd.DataFrame([*rows, won("2026-05-02", 30.0), won("2026-04-20", 1.0, was=False)])


def pipeline(day: date, amount: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"as_of": pd.Timestamp(day), "opportunity_id": [f"a{day}", f"b{day}"], "stage": ["Offer", "Talk"],
         "amount": [amount, amount], "list_price": np.nan, "forecast_category": ["commit", "best_case"],
         "expected_close_on": [pd.Timestamp("2026-06-20"), pd.Timestamp("2026-09-20")]}
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(outcomes: pd.DataFrame) -> dict[str, Baseline]:
    alike = same_weeks(QUARTER, DAY, CALENDAR, date(2025, 1, 1))
    earlier = pd.concat([pipeline(day, 150.0) for day in alike.values()])
    now = pipeline(DAY, 200.0)
    return PlainForecasts(earlier, outcomes, earlier, as_of=DAY, calendar=CALENDAR).of(
        now, QUARTER, more={"series": 80.0}
    )


def test_what_was_usual_at_this_week(plain: dict[str, Baseline]) -> None:
    assert plain["linearity"].point == pytest.approx(30 / 0.25)
    assert plain["coverage_ratio"].point == pytest.approx(30 + 400 * 75 / 300)
    assert plain["last_value"].point == pytest.approx(30 + 100 * QUARTER.remaining_days(DAY) / QUARTER.days)
    assert plain["seasonal_naive"].point == plain["last_value"].point
    assert plain["series"].point == pytest.approx(30 + 80 * 0.75)


def test_categories_count_deals_due_in_the_quarter(plain: dict[str, Baseline]) -> None:
    assert plain["commit"].point == plain["best_case"].point == pytest.approx(30 + 200)


def test_ranges_come_from_past_errors_and_never_fall_below_what_is_closed(plain: dict[str, Baseline]) -> None:
    low, middle, high = plain["linearity"].quantiles()
    assert 30 <= low < middle == plain["linearity"].point < high
    assert plain["linearity"].deviation < 0.2, "it was always right"
    assert (plain["linearity"].totals(100, 110.0) >= 110).all()


def test_on_the_eve_nothing_is_closed_and_linearity_is_silent(outcomes: pd.DataFrame) -> None:
    eve = day_of_week(QUARTER, 0)
    then = Known(eve, pipeline(eve, 200.0), outcomes[outcomes.closed_on <= pd.Timestamp(eve)], pd.DataFrame())
    found = members_of(then, QUARTER, CALENDAR)
    assert "linearity" not in found and found["last_value"].point == pytest.approx(100.0)
    assert found["series"].point == pytest.approx(100.0, rel=0.2)
    assert eve + timedelta(days=1) == QUARTER.start


def test_a_company_without_history_has_few_plain_forecasts() -> None:
    nothing = pd.DataFrame([won("2026-04-03", 5.0)])
    found = PlainForecasts(pipeline(DAY, 10.0), nothing, None, as_of=DAY, calendar=CALENDAR).of(
        pipeline(DAY, 10.0), QUARTER
    )
    assert set(found) <= {"run_rate", "stage_weighted", "commit", "best_case"} and found["commit"].point == 15.0
