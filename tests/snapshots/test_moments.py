"""Days to learn from: weekly, and fewer rows of the same deals where a company is large."""

from datetime import date

import pandas as pd
import pytest

from spm_models.snapshots import learning_days, moments, pipelines

LAST = date(2026, 6, 28)


@pytest.fixture
def company(tables_of):
    began = pd.date_range("2025-01-01", periods=60, freq="9D")
    deals = [
        {"opportunity_id": f"o{k:02}", "rep_id": "r", "created_on": day, "status": "open" if k % 5 == 0 else "lost",
         "closed_on": None if k % 5 == 0 else day + pd.Timedelta(days=40 + 3 * k)}
        for k, day in enumerate(began)
    ]  # fmt: skip
    return tables_of({"reps": [{"rep_id": "r"}], "opportunities": deals}, LAST, known_at_creation=frozenset({"rep_id"}))


def test_days_are_weeks_back_from_the_day_asked():
    days = learning_days("2026-01-01", LAST)
    assert days[-1] == LAST and days[0] == date(2026, 1, 4) and len(days) == 26
    assert {day.weekday() for day in days} == {LAST.weekday()}
    assert learning_days(LAST, LAST) == [LAST] == learning_days("2026-07-05", LAST)


def test_a_small_company_is_seen_every_week_open_deals_included(company):
    every_week = pipelines(company, learning_days("2025-01-01", LAST))
    pd.testing.assert_frame_equal(moments(company, LAST), every_week)
    assert every_week.loc[every_week.as_of == pd.Timestamp(LAST), "opportunity_id"].nunique() > 10


def test_a_large_company_is_seen_less_often_not_less_widely(company):
    whole, thin = moments(company, LAST), moments(company, LAST, max_rows=300)
    assert len(thin) == pytest.approx(300, rel=0.35) and len(whole) > 4 * len(thin)
    assert thin.opportunity_id.nunique() > 0.9 * whole.opportunity_id.nunique()
    assert thin.age_days.mean() == pytest.approx(whole.age_days.mean(), rel=0.15)
    assert thin.as_of.dt.quarter.value_counts(normalize=True).max() < 0.5
    kept = thin[["as_of", "opportunity_id"]].merge(whole, on=["as_of", "opportunity_id"])
    pd.testing.assert_frame_equal(kept, thin)  # counts over other deals as with all rows


def test_which_weeks_of_a_deal_are_kept_depends_on_the_deal_alone(company, tables_of):
    thin = pipelines(company, learning_days("2025-01-01", LAST), every=4)
    one = company["opportunities"].filter(company["opportunities"].opportunity_id == "o10").to_pandas()
    alone = tables_of({"reps": [{"rep_id": "r"}], "opportunities": one}, LAST)
    found = pipelines(alone, learning_days("2025-01-01", LAST), every=4)
    assert found.as_of.tolist() == thin.loc[thin.opportunity_id == "o10", "as_of"].tolist()


def test_a_company_without_deals_has_no_moments(tables_of):
    tables = tables_of({"reps": [{"rep_id": "r"}], "opportunities": [
        {"opportunity_id": "o", "rep_id": "r", "status": "open", "created_on": None}]}, LAST)  # fmt: skip
    assert moments(tables, "2026-01-31").empty
