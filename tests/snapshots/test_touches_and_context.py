"""What was done for a deal, who takes part and what surrounds it, by hand."""

from datetime import date

import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.snapshots import pipeline, pipelines

DAY = date(2026, 5, 20)


def deal(name, **more):
    return {
        "opportunity_id": name,
        "rep_id": "r1",
        "created_on": "2026-01-05",
        "status": "open",
        "currency": "USD",
    } | more


def touch(number, at, kind, outcome=None, rep="r1", **more):
    row = {"activity_id": f"t{number}", "rep_id": rep, "opportunity_id": "a", "kind": kind, "happened_at": at}
    return row | {"outcome": outcome} | more


@pytest.fixture
def company(tables_of):
    touches = [
        touch(1, "2026-03-25 09:00", "meeting", "next_step"),
        touch(2, "2026-03-26 09:00", "email", "No answer"),
        touch(3, "2026-04-25 09:00", "call", "answered", "r2"),
        touch(4, "2026-05-01 09:00", "email", None),
        touch(5, "2026-05-10 09:00", "call", "left message"),
        touch(6, "2026-05-10 09:00", "proposal", "voicemail"),
        touch(7, "2026-05-21 09:00", "demo", "answered"),  # tomorrow
        touch(8, None, "meeting", due_at="2026-05-19 09:00"),
        touch(9, None, "meeting", due_at="2026-05-25 09:00"),  # a plan whose making nobody dates
    ]
    calls = [
        {"call_id": "c1", "rep_id": "r1", "opportunity_id": "a", "offered_at": "2026-05-12 10:00", "abandoned": False,
         "outcome": "objection"},
        {"call_id": "c2", "rep_id": "r1", "opportunity_id": "a", "offered_at": "2026-05-15 10:00", "abandoned": True},
    ]  # fmt: skip
    contacts = [
        {"contact_id": "p1", "opportunity_id": "a", "role": "Economic buyer", "added_on": "2026-02-01"},
        {"contact_id": "p2", "opportunity_id": "a", "role": "user", "added_on": "2026-02-01"},
        {"contact_id": "p3", "opportunity_id": "a", "role": "karar verici", "added_on": "2026-05-21"},
    ]
    shares = [
        {"opportunity_id": "a", "rep_id": "r1", "share": 0.5, "valid_from": "2026-02-01"},
        {"opportunity_id": "a", "rep_id": "r2", "share": 0.5, "valid_from": "2026-02-01", "valid_to": "2026-05-19"},
    ]
    past = {"created_on": "2025-01-01", "account_id": "k1"}
    deals = [
        deal("a", account_id="k1", amount=80),
        deal("b", account_id="k1", rep_id="r2"),
        deal("c", rep_id="r2"),
        deal("d", **past, status="won", closed_on="2026-05-10"),
        deal("e", **past, status="lost", closed_on="2026-02-10"),
        deal("f", **past, status="won", closed_on="2026-05-21"),  # open on the day
    ]
    history = [
        {"opportunity_id": "a", "changed_at": f"2026-0{month}-05 10:00", "field": field, "old": old, "new": new}
        for month, field, old, new in [
            (2, "amount", "100", "120"), (3, "amount", "120", "90"), (4, "amount", "90", "80"),
            (5, "amount", "80", "80"), (3, "expected_close_on", "2026-04-01", "2026-05-01"),
            (4, "expected_close_on", "2026-05-01", "2026-04-20"), (5, "rep_id", "r1", "r1"),
        ]
    ]  # fmt: skip
    frames = {
        "reps": [{"rep_id": "r1"}, {"rep_id": "r2"}], "accounts": [{"account_id": "k1"}], "opportunities": deals,
        "opportunity_history": history, "activities": touches, "calls": calls, "contacts": contacts,
        "deal_contributors": shares,
    }  # fmt: skip
    return tables_of(frames, date(2026, 6, 30), calendar=FiscalCalendar(start_month=2))


def test_touches_are_counted_by_kind_and_time_and_calls_are_touches(company):
    a = pipeline(company, DAY).set_index("opportunity_id").loc["a"]
    assert (a.activities, a.activities_14d, a.activities_30d, a.activities_prior_30d) == (7, 3, 5, 2)
    assert (a.calls, a.meetings, a.emails, a.proposals, a.demos, a.content_shared) == (3, 1, 2, 1, 0, 0)
    assert (a.meetings_30d, a.active_reps_30d, a.overdue_activities) == (0, 2, 1)
    assert (a.days_since_activity, a.days_since_meeting) == (8, 56)


def test_touches_since_the_last_answer_are_unanswered(company):
    frame = pipelines(company, [date(2026, 3, 24), date(2026, 3, 27), date(2026, 5, 11), DAY, date(2026, 5, 21)])
    a = frame[frame.opportunity_id == "a"].set_index("as_of")
    assert a.unanswered_touches.tolist()[1:] == [1, 3, 0, 0]  # e-mail; e-mail, call, proposal; objections are answers
    assert a.answered_touches.tolist()[1:] == [1, 2, 3, 4]
    assert (a.objections.iloc[3], a.next_steps.iloc[3], a.days_since_answer.iloc[2]) == (1, 1, 16)
    columns = ["unanswered_touches", "answered_touches", "objections", "next_steps"]
    assert a[columns].iloc[0].isna().all()  # no outcome had been recorded yet
    untouched = frame[(frame.opportunity_id == "b") & (frame.as_of == pd.Timestamp(DAY))].iloc[0]
    assert untouched[columns].tolist() == [0, 0, 0, 0] and pd.isna(untouched.days_since_activity)


def test_who_takes_part_and_what_else_owner_and_account_have(company):
    frame = pipeline(company, DAY).set_index("opportunity_id")
    a = frame.loc["a"]
    assert (a.contacts, a.contact_roles, a.decision_makers, a.contributors) == (2, 2, 1, 1)
    assert frame.rep_open_deals.to_dict() == {"a": 2, "b": 2, "c": 2, "f": 2}
    assert (a.account_won, a.account_lost, a.days_since_account_won, a.account_open_deals) == (1, 1, 10, 2)
    assert frame.loc["c", ["account_won", "account_lost", "account_open_deals"]].isna().all()


def test_cuts_pushes_and_the_place_in_the_fiscal_quarter(company):
    a = pipeline(company, DAY).set_index("opportunity_id").loc["a"]
    assert (a.amount_changes, a.amount_cuts, a.days_since_push) == (3, 2, 76)
    assert (a.quarter_day, a.days_to_quarter_end) == (19, 72)  # the year begins in February


def test_each_nth_week_of_a_deal_keeps_the_values_and_all_deals(company):
    days = pd.date_range("2026-02-05", "2026-05-21", freq="7D")
    whole, thin = pipelines(company, days), pipelines(company, days, every=3)
    keys = ["as_of", "opportunity_id"]
    pd.testing.assert_frame_equal(thin, thin[keys].merge(whole, on=keys))
    assert set(thin.opportunity_id) == set(whole.opportunity_id) and len(thin) * 2 < len(whole)
