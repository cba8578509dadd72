"""Next steps, plans, and what wins are worth afterwards, worked by hand."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from spm_models import kpis
from spm_models.periods import FiscalCalendar

AS_OF = date(2026, 6, 30)
QUARTER = FiscalCalendar().quarter(AS_OF)


def _deal(name, status="won", closed=date(2026, 5, 20), **more):
    return {"opportunity_id": name, "rep_id": "r1", "status": status, "stage": status, "amount": 100,
            "created_on": date(2026, 3, 1), "closed_on": closed if status != "open" else None} | more  # fmt: skip


def _of(tables, names, **how):
    return kpis.compute(tables, names, period=QUARTER, as_of=AS_OF, **how).set_index("kpi")


def test_steps_are_in_time_by_the_end_of_the_day_they_were_planned_for(tables_of):
    def step(name, due, done, deal="o"):
        return {"activity_id": name, "rep_id": "r1", "opportunity_id": deal, "kind": "call", "due_at": due,
                "happened_at": done}  # fmt: skip

    tables = tables_of({
        "reps": [{"rep_id": "r1"}],
        "opportunities": [_deal(name, "open") for name in ("o", "quiet", "never touched")],
        "activities": [
            step("in time", datetime(2026, 5, 4, 8), datetime(2026, 5, 4, 20, 59)),  # 23:59 in Istanbul
            step("late", datetime(2026, 5, 4, 8), datetime(2026, 5, 4, 21)),
            step("not done", datetime(2026, 5, 4, 8), None),
            step("done in July", datetime(2026, 5, 4, 8), datetime(2026, 7, 4)),
            step("on no deal", datetime(2026, 5, 4, 8), datetime(2026, 5, 1), None),
            step("for July", datetime(2026, 7, 4, 8), None),
            step("unplanned", None, datetime(2026, 6, 20, 8)),
            step("on the other", None, datetime(2026, 4, 1, 8), "quiet"),
        ],
    }, AS_OF, time_zone="Europe/Istanbul")  # fmt: skip
    found = _of(tables, ["follow_up_in_time", "plan_fulfilment", "days_since_touch"])
    assert found.loc["follow_up_in_time", ["numerator", "denominator"]].tolist() == [1, 4]
    assert found.loc["plan_fulfilment", ["numerator", "denominator"]].tolist() == [3, 5]
    assert found.loc["days_since_touch", "value"] == pytest.approx(90, abs=1)  # 10, 90, and 121 since its creation


def test_wins_are_judged_by_discount_slip_churn_and_what_customers_say(tables_of):
    def expected(name, *days):
        return [
            {"opportunity_id": name, "changed_at": datetime(2026, 3, 1 + n), "field": "expected_close_on",
             "old": None, "new": day}
            for n, day in enumerate(days)
        ]  # fmt: skip

    contracts = [
        {"contract_id": name, "account_id": "a", "opportunity_id": deal, "started_on": start, "ended_on": end,
         "annual_value": 1}
        for name, deal, start, end in (
            ("whole year", "x", date(2025, 5, 1), date(2026, 4, 30)), ("cancelled", "y", date(2025, 5, 1),
             date(2025, 11, 1)), ("runs", "z", date(2025, 6, 1), None), ("young", "x", date(2026, 5, 1), None),
            ("without a deal", None, date(2025, 5, 1), date(2025, 6, 1)),
        )
    ]  # fmt: skip
    tables = tables_of({
        "reps": [{"rep_id": "r1"}],
        "opportunities": [
            _deal("x", discount=0.1), _deal("y", discount=0.3), _deal("z"), _deal("lost", "lost", discount=0.9),
        ],
        "opportunity_history": [
            *expected("x", "2026-05-10", "2026-05-25"), *expected("y", "2026-05-30"), *expected("lost", "2026-01-01"),
        ],
        "contracts": contracts,
        "surveys": [
            {"survey_id": str(n), "opportunity_id": deal, "answered_on": date(2026, 6, 1), "score": score}
            for n, (deal, score) in enumerate((("x", 5), ("y", 3), ("lost", 1), (None, 5)))
        ],
    }, AS_OF)  # fmt: skip
    found = _of(tables, ["discount", "slippage", "slipped_wins", "early_churn", "csat_of_won_deals"])
    assert found.loc["discount", ["value", "denominator"]].tolist() == pytest.approx([0.2, 2])
    assert found.loc["slippage", "value"] == 0  # ten days late and ten early
    assert found.loc["slipped_wins", "value"] == 1 / 2  # against the first date, not the one it was pushed to
    assert found.loc["early_churn", ["numerator", "denominator"]].tolist() == [1, 3]
    assert found.loc["csat_of_won_deals", "value"] == 1 / 2


def test_a_date_written_after_the_close_was_never_expected(tables_of):
    def said(name, day, new, old=None):
        return {"opportunity_id": name, "changed_at": datetime(2026, *day), "field": "expected_close_on", "old": old,
                "new": new}  # fmt: skip

    history = [
        said("afterwards", (6, 1), "2026-06-01"), said("not known yet", (7, 15), "2026-01-01"),
        said("records begin late", (4, 1), "2026-05-30", "2026-05-10"),
    ]  # fmt: skip
    deals = [_deal(row["opportunity_id"]) for row in history]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": deals, "opportunity_history": history}, AS_OF)
    found = _of(tables, ["slippage", "slipped_wins"])
    assert found[["value", "denominator"]].values.tolist() == [[10, 1], [1, 1]]


def test_contracts_of_deals_that_were_lost_are_no_churn(tables_of):
    contracts = [
        {"contract_id": deal, "account_id": "a", "opportunity_id": deal, "started_on": date(2025, 5, 1),
         "ended_on": date(2025, 9, 1), "annual_value": 1}
        for deal in ("won", "lost")
    ]  # fmt: skip
    deals = [_deal("won"), _deal("lost", "lost")]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": deals, "contracts": contracts}, AS_OF)
    assert _of(tables, ["early_churn"])["denominator"].item() == 1
