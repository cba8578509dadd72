"""The sales team itself and what it costs, worked by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from spm_models import kpis
from spm_models.periods import FiscalCalendar

AS_OF = date(2026, 6, 30)
CALENDAR = FiscalCalendar()
QUARTER = CALENDAR.quarter(AS_OF)
OPEN = {"opportunity_id": "o", "rep_id": "r0", "status": "open", "stage": "x", "created_on": date(2025, 1, 1)}


def _rep(name, hired, left=None, team="A", role="rep"):
    return {"rep_id": name, "team": team, "hired_on": hired, "left_on": left, "role": role}


def _of(tables, names=None, period=QUARTER, **how):
    return kpis.compute(tables, names, period=period, as_of=AS_OF, **how).set_index("kpi")


def test_who_stays_and_how_long_people_stay(tables_of):
    """Leavers after 100 and 200 days of four; two are still there after 300 and 400: 3/4, then 2/4 after 200 days."""
    tables = tables_of({"reps": [
        _rep("r0", date(2026, 6, 30).replace(year=2025), date(2025, 10, 8)),  # 100 days
        _rep("r1", date(2025, 10, 1), date(2026, 4, 19)),  # 200 days, within the quarter
        _rep("r2", date(2025, 9, 3)), _rep("r3", date(2025, 5, 26)), _rep("boss", date(2010, 1, 1), role="manager"),
    ], "opportunities": [OPEN]}, AS_OF)  # fmt: skip
    found = _of(tables, ["team_retention", "tenure"])
    assert found.loc["team_retention", ["numerator", "denominator"]].tolist() == [2, 3]
    assert found.loc["tenure", "value"] == 200
    before = _of(tables, ["tenure"], QUARTER.previous())
    assert np.isnan(before["value"].item())  # of four one had left: more than half stayed


def test_newcomers_talk_to_customers_after_some_days(tables_of):
    def did(rep, day, kind="call"):
        return {"activity_id": f"{rep}{day}{kind}", "rep_id": rep, "kind": kind, "happened_at": datetime(2026, *day)}

    tables = tables_of({"reps": [
        _rep("old", date(2020, 1, 1)), _rep("a", date(2026, 4, 1)), _rep("b", date(2026, 4, 1)),
        _rep("c", date(2026, 4, 1)), _rep("d", date(2026, 4, 1), date(2026, 4, 6)), _rep("late", date(2026, 7, 1)),
    ], "opportunities": [OPEN], "activities": [
        did("old", (1, 2)), did("a", (4, 3), "email"), did("a", (4, 11), "meeting"), did("b", (4, 21)),
        did("c", (7, 2)),  # not known yet
    ]}, AS_OF)  # fmt: skip
    found = _of(tables, ["time_to_first_conversation"])
    # d left on day 5 without one; of the three others the first talked on day 10 and the second on day 20
    assert found[["value", "denominator"]].values.tolist() == [[20, 2]]


def test_who_came_before_the_records_is_not_taken_for_one_who_always_stayed(tables_of):
    """Records begin on 1 January 2025: the old hand is watched from his 1000th day on, which no newcomer reached."""
    began, first = date(2025, 1, 1), date(2025, 1, 1) - timedelta(1000)
    reps = [_rep("old", first, date(2025, 7, 1)), _rep("old 2", first), _rep("old 3", first)]
    reps += [_rep(f"n{days}", began, began + timedelta(days)) for days in (100, 200)]
    reps += [_rep("n", began), _rep("n 2", date(2026, 1, 1))]
    found = _of(tables_of({"reps": reps, "opportunities": [OPEN]}, AS_OF), ["tenure"])
    # at 100 days 3 of 4 newcomers stay, at 200 half of 2/3 … (n 2 is censored at 180): 3/4 * 1/2 = 3/8
    assert found["value"].item() == 200


def test_only_conversations_since_the_hire_count(tables_of):
    def did(rep, day, kind="call"):
        return {"activity_id": f"{rep}{day}{kind}", "rep_id": rep, "kind": kind, "happened_at": datetime(2026, *day)}

    reps = [_rep("old", date(2020, 1, 1)), _rep("a", date(2026, 4, 1))]
    base = {"reps": reps, "opportunities": [OPEN]}
    tables = tables_of(base | {"activities": [did("old", (1, 2)), did("a", (3, 3)), did("a", (4, 21))]}, AS_OF)
    assert _of(tables, ["time_to_first_conversation"])["value"].item() == 20
    tables = tables_of(base | {"activities": [did("old", (1, 2), "email"), did("a", (4, 3), "email")]}, AS_OF)
    assert _of(tables, ["time_to_first_conversation"])["denominator"].item() == 0  # nobody talked to anybody


def test_who_may_be_full_already_is_not_counted_as_waiting(tables_of):
    """One got there 230 days after his hire; two others had their first full quarter just now, on day 240.

    Whether it was the first of two is known a quarter later: until then they are watched for the 149 days to the end
    of the quarter before, and say nothing of day 230.
    """
    settled = [_rep(f"s{n}", date(2020, 1, 1)) for n in range(5)]
    reps = [*settled, _rep("a", date(2025, 5, 15)), _rep("b", date(2025, 11, 2)), _rep("c", date(2025, 11, 2))]
    quarters = [date(2025, 5, 1), date(2025, 8, 1), date(2025, 11, 1), date(2026, 2, 1), date(2026, 5, 1)]
    full = dict.fromkeys([rep["rep_id"] for rep in settled], quarters) | {"a": quarters[2:], "b": quarters[4:]}
    deals = [
        {"opportunity_id": f"{rep}{day}", "rep_id": rep, "status": "won", "stage": "won", "amount": 100,
         "created_on": date(2023, 1, 1), "closed_on": day}
        for rep, days in (full | {"c": quarters[4:]}).items() for day in days
    ]  # fmt: skip
    found = _of(tables_of({"reps": reps, "opportunities": deals}, AS_OF), ["ramp_up"])
    assert found[["value", "denominator"]].values.tolist() == [[230, 1]]


def test_ramp_up_ends_with_two_quarters_at_what_settled_reps_book(tables_of):
    def won(rep, quarters):
        return [
            {"opportunity_id": f"{rep}{n}", "rep_id": rep, "status": "won", "stage": "won", "amount": amount,
             "created_on": date(2023, 1, 1), "closed_on": date(2024 + n // 4, 3 * (n % 4) + 2, 1)}
            for n, amount in enumerate(quarters)
        ]  # fmt: skip

    settled = [f"s{n}" for n in range(5)]
    reps = [_rep(name, date(2020, 1, 1)) for name in settled]
    reps += [_rep("new", date(2025, 1, 15)), _rep("slow", date(2025, 1, 15)), _rep("once", date(2025, 1, 15))]
    deals = [deal for name in settled for deal in won(name, [100] * 10)]
    deals += won("new", [0] * 4 + [500, 50, 100, 120, 130, 140])  # the quarter of the hire does not count
    deals += won("slow", [0] * 8 + [100, 100]) + won("once", [0] * 5 + [900, 0, 900, 0, 900])
    tables = tables_of({"reps": reps, "opportunities": deals}, AS_OF)
    found = _of(tables, ["ramp_up"])
    days = [(date(2025, 9, 30) - date(2025, 1, 15)).days, (date(2026, 3, 31) - date(2025, 1, 15)).days]
    # of three: new after the third quarter of 2025, slow after the first of 2026, once never in a row
    assert found[["value", "denominator"]].values.tolist() == [[days[1], 2]]
    assert days[0] < days[1]


def test_answers_of_small_groups_are_not_shown(tables_of):
    answers = [
        {"answer_id": f"{team}{n}", "team": team, "answered_on": date(2026, 5, 1), "score": score}
        for team, scores in (("A", [5, 4, 4, 3, 4]), ("B", [1, 1, 1, 1])) for n, score in enumerate(scores)
    ]  # fmt: skip
    tables = tables_of({"reps": [_rep("r0", date(2020, 1, 1))], "opportunities": [OPEN], "pulse": answers}, AS_OF)
    found = kpis.levels(tables, QUARTER, as_of=AS_OF, kpis=["engagement"]).set_index(["level", "key"])["value"]
    # nor is A: the company's mean less that of A would be the mean of the four others
    assert found.to_dict() == {("company", ""): pytest.approx(24 / 9)}
    more = [answer | {"answer_id": f"more {answer['answer_id']}"} for answer in answers]
    tables = tables_of(
        {"reps": [_rep("r0", date(2020, 1, 1))], "opportunities": [OPEN], "pulse": answers + more}, AS_OF
    )
    found = kpis.levels(tables, QUARTER, as_of=AS_OF, kpis=["engagement"]).set_index(["level", "key"])["value"]
    assert found.to_dict() == {("company", ""): pytest.approx(24 / 9), ("team", "A"): 4.0, ("team", "B"): 1.0}


def test_the_cost_report_is_by_category_and_month(tables_of):
    costs = [
        {"month": date(2026, month, 1), "category": name, "amount": amount}
        for month, name, amount in ((4, "salaries", 500), (5, "salaries", 510), (5, "travel", 20.5), (7, "travel", 9))
    ]  # fmt: skip
    tables = tables_of({"reps": [_rep("r0", date(2020, 1, 1))], "opportunities": [OPEN], "costs": costs}, AS_OF)
    months = CALENDAR.periods("month", date(2026, 4, 1), AS_OF)
    found = kpis.compute(tables, ["cost"], by="category", period=months, as_of=AS_OF)
    assert found.set_index(["category", "period"])["value"].to_dict() == {
        ("salaries", "2026-04"): 500, ("salaries", "2026-05"): 510, ("travel", "2026-05"): 20.5,
    }  # fmt: skip
    assert _of(tables, ["cost"]).loc["cost", "value"] == 1030.5
    levels = kpis.levels(tables, QUARTER, as_of=AS_OF, kpis=["cost"])
    assert levels[["level", "key", "value"]].values.tolist() == [["company", "", 1030.5]]
