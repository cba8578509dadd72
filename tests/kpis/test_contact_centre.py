"""Calls and working time of a contact centre, worked by hand; none of it is a verdict on a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from spm_models import kpis
from spm_models.periods import FiscalCalendar
from spm_models.settings import Kpis

AS_OF = date(2026, 6, 30)
CALENDAR = FiscalCalendar()
DAY = CALENDAR.day(date(2026, 6, 10))
QUARTER = CALENDAR.quarter(AS_OF)


def _call(name, at, rep="r1", wait=10, talk=100, hold=20, wrap=30, abandoned=False, queue="sales", deal=None):
    return {"call_id": name, "rep_id": rep, "queue": queue, "offered_at": at, "wait_seconds": wait,
            "talk_seconds": talk, "hold_seconds": hold, "wrap_up_seconds": wrap, "abandoned": abandoned,
            "opportunity_id": deal}  # fmt: skip


def _lost(name, at, wait):
    return _call(name, at, None, wait, None, None, None, True, "service")


@pytest.fixture
def tables(tables_of):
    at = datetime(2026, 6, 10, 9)
    deal = {"opportunity_id": "o", "rep_id": "r1", "status": "won", "stage": "won", "amount": 1,
            "created_on": date(2026, 6, 1), "closed_on": date(2026, 6, 20)}  # fmt: skip
    return tables_of({
        "reps": [{"rep_id": "r1"}, {"rep_id": "r2"}], "opportunities": [deal],
        "calls": [
            _call("1", at, wait=10, deal="o"), _call("2", at, wait=30, talk=300, hold=None, wrap=None),
            _call("3", at, "r2", wait=20, talk=50, hold=0, wrap=0, queue="service"),
            _lost("4", at, 40), _lost("5", at, 3),  # the last one hung up at once
            _call("6", datetime(2026, 6, 10, 21)),  # the next day in Istanbul
        ],
        "agent_status": [
            {"rep_id": "r1", "started_at": start, "ended_at": end, "status": status}
            for start, end, status in (
                (datetime(2026, 6, 9, 20), datetime(2026, 6, 9, 23), "handling"),  # two of three hours after midnight
                (datetime(2026, 6, 10, 8), datetime(2026, 6, 10, 14), "available"),
                (datetime(2026, 6, 10, 14), datetime(2026, 6, 10, 15), "break"),
                (datetime(2026, 6, 10, 20), datetime(2026, 6, 11, 6), "handling"),  # one hour before midnight
            )
        ],
        "shifts": [
            {"shift_id": str(n), "rep_id": "r1", "scheduled_start_at": datetime(2026, 6, day, 22),
             "scheduled_end_at": datetime(2026, 6, day + 1, 6),
             "actual_start_at": late and datetime(2026, 6, day, 22, late - 1), "actual_end_at": None}
            for n, (day, late) in enumerate(((1, 1), (2, 13), (3, 4), (4, None)))
        ] + [{"shift_id": "running", "rep_id": "r1", "scheduled_start_at": datetime(2026, 6, 30, 14),
              "scheduled_end_at": datetime(2026, 6, 30, 22)}],
    }, AS_OF, time_zone="Europe/Istanbul")  # fmt: skip


def _of(tables, names, by="company", period=DAY):
    found = kpis.compute(tables, names, by=by, period=period, as_of=AS_OF)
    return found.set_index(["kpi", *([by] if by != "company" else [])])["value"]


def test_calls_are_handled_answered_and_abandoned(tables):
    names = ["handling_time", "speed_of_answer", "calls_offered", "abandonment_rate", "short_abandons",
             "call_conversion"]  # fmt: skip
    found = _of(tables, names)
    assert found["handling_time"] == (150 + 300 + 50) / 3
    assert found["speed_of_answer"] == 20
    assert found["calls_offered"] == 4 and found["short_abandons"] == 1
    assert found["abandonment_rate"] == 1 / 4  # who hung up at once is in neither
    assert found["call_conversion"] == 1 / 3
    queues = _of(tables, ["abandonment_rate", "calls_offered"], "queue")
    assert queues["abandonment_rate", "service"] == 1 / 2 and queues["abandonment_rate", "sales"] == 0
    reps = _of(tables, ["calls_offered"], "rep")
    assert reps.xs("calls_offered").to_dict() == {"r1": 2, "r2": 1, "unknown": 1}  # nobody took the abandoned one


def test_a_call_that_nobody_took_belongs_to_the_company_and_its_queue_only(tables):
    found = kpis.levels(tables, DAY, kpis=["calls_offered", "calls_answered", "abandonment_rate"], as_of=AS_OF)
    found = found.set_index(["kpi", "level", "key"])["value"]
    assert found["calls_offered", "company", ""] == 4 and found["calls_answered", "company", ""] == 3
    assert found["calls_offered", "rep"].to_dict() == {"r1": 2, "r2": 1}
    assert found["abandonment_rate", "rep"].to_dict() == {"r1": 0, "r2": 0}  # nobody's fault
    answered = _of(tables, ["calls_answered"], "queue")["calls_answered"]
    assert answered.to_dict() == {"sales": 2, "service": 1}


def test_what_is_a_short_abandon_is_a_setting(tables):
    names = ["calls_offered", "abandonment_rate", "short_abandons"]
    none = _of(replace(tables, kpis=Kpis(short_abandon_seconds=0)), names)
    assert none.to_dict() == {"calls_offered": 5, "abandonment_rate": 2 / 5, "short_abandons": 0}
    more = _of(replace(tables, kpis=Kpis(short_abandon_seconds=60)), names)
    assert more.to_dict() == {"calls_offered": 3, "abandonment_rate": 0, "short_abandons": 2}
    exact = _of(replace(tables, kpis=Kpis(short_abandon_seconds=3)), names)
    assert exact["short_abandons"] == 0  # at three seconds, not within


def _published(tables_of, **rows):
    deal = {"opportunity_id": "o", "rep_id": "a0", "status": "open", "stage": "x", "created_on": date(2026, 6, 1)}
    reps = [{"rep_id": f"a{n}"} for n in range(24)]
    return tables_of({"reps": reps, "opportunities": [deal], **rows}, AS_OF)


def test_a_published_example_of_handling_time_and_occupancy(tables_of):
    """M. Klenke, Occupancy vs. Speed of Answer Goals, SWPP On Target, winter 2018.

    120 calls in a half hour at 300 s each, after-call work included, are 20 Erlangs: with 24 people the occupancy is
    83 %, with 21 it is 95 %.
    """
    at = datetime(2026, 6, 10, 9)
    calls = [_call(str(n), at, f"a{n % 24}", talk=250, hold=0, wrap=50) for n in range(120)]
    work, paid = timedelta(seconds=120 * 300), timedelta(minutes=30)
    for people, printed in ((24, 0.83), (21, 0.95)):
        busy = work / people
        status = [
            {"rep_id": f"a{n}", "started_at": at + start, "ended_at": at + end, "status": name}
            for n in range(people)
            for name, start, end in (
                ("handling", timedelta(0), busy), ("available", busy, paid), ("break", paid, 2 * paid),
            )
        ]  # fmt: skip
        tables = _published(tables_of, calls=calls, agent_status=status)
        found = kpis.compute(tables, ["handling_time", "occupancy"], period=DAY, as_of=AS_OF).set_index("kpi")
        assert found.loc["handling_time", ["value", "numerator", "denominator"]].tolist() == [300, 36_000, 120]
        assert round(found.loc["occupancy", "value"], 2) == printed


def test_a_published_example_of_abandonment(tables_of):
    """Call Centre Helper, How to Measure Call Abandon Rate: of 100 calls offered 95 handled are a rate of 5 %; those
    abandoned in the first five seconds are left out."""
    at = datetime(2026, 6, 10, 9)
    calls = [_call(str(n), at, "a0") for n in range(95)] + [_lost(f"l{n}", at, 30) for n in range(5)]
    calls += [_lost(f"s{n}", at, 2) for n in range(7)]
    found = kpis.compute(_published(tables_of, calls=calls), ["abandonment_rate"], period=DAY, as_of=AS_OF)
    assert found[["value", "numerator", "denominator"]].values.tolist() == [[0.05, 5, 100]]


def test_occupancy_leaves_breaks_out_and_stops_at_midnight(tables):
    found = _of(tables, ["occupancy", "status_hours"])
    assert found["occupancy"] == pytest.approx(3 / 9)  # 2 hours after the first midnight and 1 before the second; 6
    assert found["status_hours"] == pytest.approx(10)
    by_status = _of(tables, ["status_hours", "occupancy"], "status")
    assert by_status.to_dict() == {
        ("status_hours", "available"): 6, ("status_hours", "break"): 1, ("status_hours", "handling"): 3,
    }  # fmt: skip


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 30), 24)])
def test_a_day_of_a_clock_change_has_23_or_25_hours(tables_of, day, hours):
    """An agent who handles calls for four days on end, seen on one of them in Berlin."""
    noon = datetime.combine(day, time(12))
    status = [{"rep_id": "r1", "started_at": noon - timedelta(days=2), "ended_at": noon + timedelta(days=2),
               "status": "handling"}]  # fmt: skip
    deal = {"opportunity_id": "o", "rep_id": "r1", "status": "open", "stage": "x", "created_on": day}
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [deal], "agent_status": status},
                       day + timedelta(days=5), time_zone="Europe/Berlin")  # fmt: skip
    for as_of in (day, day + timedelta(days=5)):  # the day is over on its own evening, and what follows is not seen
        found = kpis.compute(tables, ["status_hours"], period=CALENDAR.day(day), as_of=as_of)
        assert found["value"].tolist() == [hours]


def test_lateness_is_measured_on_shifts_that_are_over(tables):
    found = _of(tables, ["lateness", "late_shifts", "missed_shifts"], period=QUARTER)
    assert found["lateness"] == pytest.approx((0 + 12 + 3) / 3)
    assert found["late_shifts"] == 1 / 3
    assert found["missed_shifts"] == 1 / 4  # the running one is not missed
    strict = _of(replace(tables, kpis=Kpis(late_after_minutes=1)), ["late_shifts"], period=QUARTER)
    assert strict["late_shifts"] == 2 / 3  # the tolerance is the company's
    evening = kpis.compute(tables, ["missed_shifts"], period=QUARTER, as_of=date(2026, 6, 4))
    assert evening["denominator"].tolist() == [3]  # the night shift of the fourth is not over


def test_working_time_is_never_a_verdict(tables):
    judged = kpis.compute(
        tables, ["lateness", "late_shifts", "missed_shifts", "occupancy"], by="rep", period=QUARTER, as_of=AS_OF
    )
    assert set(judged["verdict"].dropna()) <= {"", "too_few"} and judged["target"].isna().all()
    for name in ("occupancy", "status_hours", "lateness", "late_shifts", "missed_shifts"):
        assert kpis.KPIS[name].direction == "context" and kpis.KPIS[name].healthy is None
