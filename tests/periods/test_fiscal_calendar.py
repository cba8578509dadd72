from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spm_models.errors import PeriodError
from spm_models.periods import WEEKDAYS, FiscalCalendar, Period, as_day
from spm_models.settings import Calendar

calendars = st.builds(
    FiscalCalendar, st.integers(1, 12), st.sampled_from(["calendar", "4-4-5"]), st.sampled_from(WEEKDAYS)
)
days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
kinds = st.sampled_from(["week", "month", "quarter", "year"])

# First days of the National Retail Federation's fiscal years, from its published 4-5-4 calendars.
NRF_STARTS = {
    2012: "2012-01-29", 2013: "2013-02-03", 2016: "2016-01-31", 2017: "2017-01-29", 2018: "2018-02-04",
    2022: "2022-01-30", 2023: "2023-01-29", 2024: "2024-02-04", 2025: "2025-02-02",
}  # fmt: skip


@given(calendars, kinds, days)
def test_period_contains_its_day_and_neighbours_touch(calendar, kind, day):
    period = calendar.period(kind, day)
    assert period.contains(day)
    assert period.next().start == period.end + timedelta(days=1)
    assert period.previous().end == period.start - timedelta(days=1)
    assert period.next().previous() == period
    assert period.next().label != period.label


@given(calendars, kinds, days)
def test_labels_name_one_period_and_parse_back(calendar, kind, day):
    period = calendar.period(kind, day)
    assert calendar.parse(period.label) == period


@given(calendars, kinds, st.lists(days, max_size=8))
def test_columns_agree_with_single_days(calendar, kind, several):
    column = pd.Series(pd.to_datetime([*several, None]), name="day").astype("datetime64[s]")
    column.index = column.index + 5
    labels, starts = calendar.labels(column, kind), calendar.period_starts(column, kind)
    assert labels.tolist()[:-1] == [calendar.period(kind, day).label for day in several]
    assert [start.date() for start in starts.tolist()[:-1]] == [calendar.period(kind, day).start for day in several]
    assert pd.isna(labels.iloc[-1]) and pd.isna(starts.iloc[-1])
    assert labels.index.equals(column.index) and labels.dtype == "str" and starts.dtype == "datetime64[s]"


@pytest.mark.parametrize("dtype", ["datetime64[s]", "datetime64[us]", "datetime64[ns]"])
def test_empty_column_gives_an_empty_column(dtype):
    empty = pd.Series([], dtype=dtype)
    assert FiscalCalendar().quarter_labels(empty).empty
    assert FiscalCalendar().period_starts(empty).dtype == "datetime64[s]"


@given(calendars, days)
def test_year_is_made_of_four_quarters_and_twelve_months(calendar, day):
    year = calendar.year(day)
    quarters = calendar.quarters(year.start, year.end)
    months = calendar.periods("month", year.start, year.end)
    assert [q.label for q in quarters] == [f"{year.label}-Q{n}" for n in range(1, 5)]
    assert len(months) == 12
    assert sum(q.days for q in quarters) == sum(m.days for m in months) == year.days
    if calendar.pattern == "4-4-5":
        assert year.days in (364, 371)
        assert [m.days // 7 for m in months[:11]] == [4, 4, 5] * 3 + [4, 4]
        assert months[-1].days // 7 == (5 if year.days == 364 else 6)


@pytest.mark.parametrize(("fiscal", "start"), NRF_STARTS.items())
def test_years_start_as_the_retail_federation_publishes(fiscal, start):
    calendar = FiscalCalendar(start_month=2, pattern="4-4-5", week_start="sunday")
    assert calendar.parse(str(fiscal + 1)).start.isoformat() == start  # ours is named by the year in which it ends


@given(days)
def test_plain_monday_weeks_are_iso_weeks(day):
    iso = day.isocalendar()
    assert FiscalCalendar().week(day).label == f"{iso.year}-W{iso.week:02d}"


@pytest.mark.parametrize(
    ("start_month", "day", "label"),
    [(1, "2026-03-31", "2026-Q1"), (2, "2026-01-31", "2026-Q4"), (2, "2026-02-01", "2027-Q1"),
     (7, "2026-06-30", "2026-Q4"), (10, "2025-10-01", "2026-Q1"), (12, "2025-12-01", "2026-Q1")],
)  # fmt: skip
def test_fiscal_year_is_named_by_the_year_in_which_it_ends(start_month, day, label):
    assert FiscalCalendar(start_month).quarter(date.fromisoformat(day)).label == label


def test_months_of_a_plain_calendar_keep_their_calendar_name():
    assert FiscalCalendar(start_month=7).month(date(2026, 8, 3)).label == "2026-08"


def test_remaining_days_and_workdays():
    quarter = FiscalCalendar().quarter(date(2026, 6, 1))
    assert quarter.remaining_days(date(2026, 6, 30)) == 0
    assert quarter.remaining_days(date(2026, 3, 31)) == quarter.days == 91
    assert quarter.remaining_days(date(2020, 1, 1)) == 91 and quarter.remaining_days(date(2027, 1, 1)) == 0
    assert quarter.remaining_workdays(date(2026, 6, 26)) == 2  # a Friday; Monday and Tuesday are left
    assert quarter.remaining_workdays(date(2026, 6, 26), holidays=[date(2026, 6, 29)]) == 1
    assert quarter.week_number(date(2026, 4, 7)) == 1 and quarter.week_number(date(2026, 4, 8)) == 2


@given(days, st.integers(-3, 60), st.sets(st.sampled_from(WEEKDAYS), max_size=6))
def test_workdays_count_what_is_not_weekend(first, length, weekend):
    calendar = FiscalCalendar(weekend=tuple(sorted(weekend)))
    counted = sum(WEEKDAYS[(first + timedelta(days=n)).weekday()] not in weekend for n in range(length))
    assert calendar.workdays(first, first + timedelta(days=length - 1)) == counted


@pytest.mark.parametrize(
    "wrong",
    [{"start_month": 0}, {"start_month": 13}, {"pattern": "4-5-4"}, {"week_start": "Monday"},
     {"weekend": WEEKDAYS}, {"weekend": ("funday",)}],
)  # fmt: skip
def test_settings_that_do_not_exist_are_refused(wrong):
    with pytest.raises(PeriodError, match="does not exist"):
        FiscalCalendar(**wrong)


@pytest.mark.parametrize("label", ["2026-Q5", "2026-13", "2026-W54", "26-Q1", "", "2026-P01", "Q1 2026"])
def test_labels_that_do_not_exist_are_refused(label):
    with pytest.raises(PeriodError):
        FiscalCalendar().parse(label)


@pytest.mark.parametrize("value", [None, "2026-01-01", pd.NaT, date(1, 1, 1), date(9999, 12, 31)])
def test_what_is_no_day_is_refused(value):
    with pytest.raises(PeriodError):
        as_day(value)


def test_settings_and_instants_are_understood():
    calendar = FiscalCalendar.of(Calendar(fiscal_year_start_month=2, week_start="sunday", weekend=("friday",)))
    assert calendar == FiscalCalendar(2, "calendar", "sunday", ("friday",))
    assert calendar.month(datetime(2026, 5, 20, 23, 59)) == calendar.month(pd.Timestamp("2026-05-01"))
    assert isinstance(calendar.year(date(2026, 1, 1)), Period)


def test_quarters_between_two_days():
    assert [q.label for q in FiscalCalendar().quarters(date(2025, 12, 31), date(2026, 4, 1))] == [
        "2025-Q4", "2026-Q1", "2026-Q2",
    ]  # fmt: skip
    assert FiscalCalendar().quarters(date(2026, 4, 1), date(2026, 3, 1)) == []
