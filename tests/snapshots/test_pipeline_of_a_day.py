"""A handful of deals by hand: what the pipeline of a day must show."""

from datetime import date

import pandas as pd
import pytest

from spm_models.snapshots import OUTCOMES, PIPELINE, outcomes, pipeline, pipelines

ZONE = "Europe/Istanbul"  # UTC+3: the day ends at 21:00 UTC
STAGES = ("Lead", "Meeting", "Offer")


def change(deal, at, field, old, new):
    return {"opportunity_id": deal, "changed_at": pd.Timestamp(at), "field": field, "old": old, "new": new}


def deal(name, created, **more):
    row = {"opportunity_id": name, "rep_id": "r1", "created_on": created, "status": "open", "currency": "USD"}
    return row | more


@pytest.fixture
def company(tables_of):
    deals = [
        deal("a", "2026-01-10", stage="Won", status="won", closed_on="2026-04-20", amount=900, rep_id="r2",
             expected_close_on="2026-04-20", account_id="k1", product_id="p1", competitor="Rival"),
        deal("b", "2026-03-01", stage="Lead", amount=50, expected_close_on="2026-05-31"),
        deal("c", "2026-04-02", stage="Lead", amount=70),
        deal("d", None, stage="Lead", amount=80),
        deal("e", "2026-01-05", stage="Lost", status="lost", closed_on="2026-03-31", amount=10),
    ]  # fmt: skip
    history = [
        change("a", "2026-01-10 08:00", "stage", None, "Lead"),
        change("a", "2026-02-10 08:00", "stage", "Lead", "Offer"),
        change("a", "2026-03-31 20:59", "stage", "Offer", "Meeting"),  # 23:59 on the last day of March
        change("a", "2026-03-31 21:00", "stage", "Meeting", "Offer"),  # 1 April in Istanbul
        change("a", "2026-04-20 10:00", "stage", "Offer", "Won"),
        change("a", "2026-01-10 08:00", "amount", None, "400"),
        change("a", "2026-03-01 08:00", "amount", "400", "600"),
        change("a", "2026-04-19 08:00", "amount", "600", "900"),
        change("a", "2026-01-10 08:00", "expected_close_on", None, "2026-02-28"),
        change("a", "2026-02-20 08:00", "expected_close_on", "2026-02-28", "2026-03-31"),
        change("a", "2026-03-20 08:00", "expected_close_on", "2026-03-31", "2026-03-21"),
        change("a", "2026-04-01 08:00", "expected_close_on", "2026-03-21", "2026-04-20"),
        change("a", "2026-03-05 08:00", "rep_id", "r1", "r2"),
        change("b", "2026-04-10 08:00", "amount", "45", "50"),  # first change of b: 45 stood there before
    ]
    activities = [
        {"activity_id": "1", "rep_id": "r1", "opportunity_id": "a", "kind": "meeting",
         "happened_at": "2026-02-01 10:00"},
        {"activity_id": "2", "rep_id": "r1", "opportunity_id": "a", "kind": "call", "happened_at": "2026-03-29 10:00"},
        {"activity_id": "3", "rep_id": "r1", "opportunity_id": "a", "kind": "call", "due_at": "2026-03-30 10:00",
         "happened_at": "2026-04-02 10:00"},
        {"activity_id": "4", "rep_id": "r1", "opportunity_id": "a", "kind": "call", "due_at": "2026-04-30 10:00"},
    ]  # fmt: skip
    return tables_of(
        {
            "reps": [
                {"rep_id": "r1", "team": "North", "region": "EU", "manager_id": "m0", "hired_on": "2025-03-31"},
                {"rep_id": "r2", "team": "South", "region": "EU", "manager_id": "m0", "hired_on": "2026-03-01"},
            ],
            "reporting_lines": [
                {"rep_id": "r2", "manager_id": "m1", "valid_from": "2026-01-01", "valid_to": "2026-03-31"},
                {"rep_id": "r2", "manager_id": "m2", "valid_from": "2026-04-01", "valid_to": None},
            ],
            "accounts": [{"account_id": "k1", "segment": "small", "industry": "retail"}],
            "products": [{"product_id": "p1", "family": "F", "list_price": 1000}],
            "opportunities": deals,
            "opportunity_history": history,
            "activities": activities,
        },
        date(2026, 4, 30),
        time_zone=ZONE,
        stages=STAGES,
    )


def row(frame, name):
    return frame.set_index("opportunity_id").loc[name]


def test_shows_exactly_the_contracts_columns_and_types(company):
    frame = pipeline(company, "2026-03-31")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == PIPELINE
    assert frame.opportunity_id.tolist() == ["a", "b"]  # c is not created yet, d undated, e lost on that day
    closed = outcomes(company, "2026-04-30")
    assert {name: str(kind) for name, kind in closed.dtypes.items()} == OUTCOMES


def test_values_are_those_of_the_end_of_the_day_in_the_companys_time_zone(company):
    a = row(pipeline(company, date(2026, 3, 31)), "a")
    assert (a.stage, a.stage_order, a.stage_regressions, a.days_in_stage) == ("Meeting", 1, 1, 0)
    assert row(pipeline(company, date(2026, 4, 1)), "a").stage == "Offer"
    assert (a.amount, a.amount_changes, a.amount_ratio) == (600, 1, 1.5)
    assert a.expected_close_on == pd.Timestamp("2026-03-21")
    assert (a.push_count, a.slip_days, a.days_to_expected_close) == (1, 31 - 10, -10)
    assert (a.rep_id, a.owner_changes, a.manager_id, a.team, a.rep_tenure_days) == ("r2", 1, "m1", "South", 30)
    assert row(pipeline(company, "2026-04-01"), "a").manager_id == "m2"
    assert (a.age_days, a.segment, a.industry, a.family, a.list_price) == (80, "small", "retail", "F", 1000)
    assert (a.activities, a.activities_30d, a.meetings, a.days_since_activity) == (2, 1, 1, 2)
    assert a.overdue_activities == 1  # done on 2 April, which nobody knew in March


def test_the_value_before_the_first_recorded_change_is_its_old_value(company):
    assert row(pipeline(company, "2026-03-31"), "b").amount == 45
    assert row(pipeline(company, "2026-04-15"), "b").amount == 50


def test_a_field_without_any_change_keeps_its_value_and_an_unrecorded_one_is_empty(company):
    march = pipeline(company, "2026-03-31")
    assert row(march, "b").stage == "Lead"
    assert row(march, "b").expected_close_on == pd.Timestamp("2026-05-31")
    assert march[["forecast_category", "competitor"]].isna().all(axis=None)  # no history row tells
    assert row(pipeline(company, "2026-01-31"), "a")[["rep_id", "owner_changes"]].isna().all()  # recorded from March


def test_deals_without_a_creation_day_appear_from_the_extract_on(company):
    assert "d" not in pipeline(company, "2026-04-29").opportunity_id.tolist()
    last = pipeline(company, "2026-04-30")
    assert last.opportunity_id.tolist() == ["b", "c", "d"]
    assert pd.isna(row(last, "d").age_days)


def test_many_days_are_the_same_as_each_day_alone(company):
    days = ["2026-04-01", "2026-01-31", "2026-03-31", "2026-04-30"]
    alone = pd.concat([pipeline(company, day) for day in sorted(days)], ignore_index=True)
    pd.testing.assert_frame_equal(pipelines(company, days), alone)


def test_outcomes_know_the_amount_of_that_day_and_the_owner_at_the_close(company):
    closed = outcomes(company, "2026-04-20")
    assert closed[["opportunity_id", "status", "won", "amount", "rep_id"]].values.tolist() == [
        ["a", "won", True, 900.0, "r2"], ["e", "lost", False, 10.0, "r1"],
    ]  # fmt: skip
    assert outcomes(company, "2026-03-30").empty


def test_an_amount_in_another_currency_takes_the_rate_of_creation_then_of_the_close(tables_of):
    rates = [
        {"day": "2026-01-01", "currency": "EUR", "rate": 1.1},
        {"day": "2026-02-15", "currency": "EUR", "rate": 1.2},
    ]
    tables = tables_of(
        {
            "reps": [{"rep_id": "r1"}],
            "opportunities": [
                deal("a", "2026-01-10", stage="Offer", amount=100, currency="EUR", amount_company=120),
                deal("b", "2026-01-10", stage="Won", status="won", closed_on="2026-02-20", amount=100, currency="EUR"),
            ],
            "opportunity_history": [change("a", "2026-01-10 08:00", "amount", None, "100")],
            "exchange_rates": rates,
        },
        date(2026, 3, 31),
    )
    assert [row(pipeline(tables, day), "a").amount for day in ("2026-01-31", "2026-02-28")] == pytest.approx([110, 110])
    assert row(outcomes(tables, "2026-02-28"), "b").amount == pytest.approx(120)
    assert pd.isna(row(pipeline(tables, "2026-03-31"), "a").segment)


def test_without_history_only_what_is_settled_at_creation_is_known_of_past_days(tables_of):
    deals = [
        deal(
            "a", "2026-01-10", stage="Offer", amount=100, product_id="p1", account_id="k1", field_size=3, field_mood="x"
        ),
        deal("b", "2026-01-11", stage="Won", status="won", closed_on="2026-02-20", amount=7),
    ]
    tables = tables_of(
        {
            "reps": [{"rep_id": "r1", "team": "North", "manager_id": "m"}],
            "opportunities": deals,
            "products": [{"product_id": "p1", "family": "F", "list_price": 5}],
            "accounts": [{"account_id": "k1", "segment": "small"}],
        },
        date(2026, 3, 31),
        stages=STAGES,
        known_at_creation=frozenset({"product_id", "field_size"}),
        custom_fields={"size": "number", "mood": "text"},
    )
    past = pipeline(tables, "2026-01-31")
    known = set(past.columns[past.notna().any()])
    assert known == {
        "as_of",
        "opportunity_id",
        "created_on",
        "product_id",
        "family",
        "list_price",
        "age_days",
        "field_size",
        "quarter_day",
        "days_to_quarter_end",
    }
    assert past.opportunity_id.tolist() == ["a", "b"]
    a = row(pipeline(tables, "2026-03-31"), "a")
    assert (a.stage, a.stage_order, a.amount, a.segment, a.rep_id, a.manager_id) == (
        "Offer",
        2,
        100,
        "small",
        "r1",
        "m",
    )
    assert (a.field_size, a.field_mood) == (3, "x")
    assert row(outcomes(tables, "2026-02-28"), "b").amount == 7


def test_a_day_without_deals_gives_an_empty_frame_with_all_columns(company):
    frame = pipelines(company, ["2020-01-01"])
    assert frame.empty and list(frame) == list(PIPELINE)
