"""Calls and working time of a contact centre, worked by hand; none of it is a verdict on a person."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from spm_models import kpis
from spm_models.periods import FiscalCalendar

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


def test_a_published_example_of_handling_time(tables_of):
    """Talk 210 s, hold 20 s and wrap-up 30 s a call are an AHT of 260 s, of 100 calls 26,000 s of work."""
    deal = {"opportunity_id": "o", "rep_id": "r1", "status": "open", "stage": "x", "created_on": date(2026, 6, 1)}
    calls = [_call(str(n), datetime(2026, 6, 10, 9), talk=210, hold=20, wrap=30) for n in range(100)]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [deal], "calls": calls}, AS_OF)
    found = kpis.compute(tables, ["handling_time"], period=DAY, as_of=AS_OF)
    assert found[["value", "numerator", "denominator"]].values.tolist() == [[260.0, 26_000.0, 100.0]]


def test_occupancy_leaves_breaks_out_and_stops_at_midnight(tables):
    found = _of(tables, ["occupancy", "status_hours"])
    assert found["occupancy"] == pytest.approx(3 / 9)  # 2 hours after the first midnight and 1 before the second; 6
    assert found["status_hours"] == pytest.approx(10)
    by_status = _of(tables, ["status_hours"], "status")
    assert by_status.to_dict() == {
        ("status_hours", "available"): 6, ("status_hours", "break"): 1, ("status_hours", "handling"): 3,
    }  # fmt: skip


def test_lateness_is_measured_on_shifts_that_are_over(tables):
    found = _of(tables, ["lateness", "late_shifts", "missed_shifts"], period=QUARTER)
    assert found["lateness"] == pytest.approx((0 + 12 + 3) / 3)
    assert found["late_shifts"] == 1 / 3
    assert found["missed_shifts"] == 1 / 4  # the running one is not missed


def test_working_time_is_never_a_verdict():
    for name in ("occupancy", "status_hours", "lateness", "late_shifts", "missed_shifts"):
        assert kpis.KPIS[name].direction == "context" and kpis.KPIS[name].healthy is None
