"""Sources of which little is known: a review ends well, says what is off, and fits what is published."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pandas as pd
import pytest

from spm_models.pipeline_health import review
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

AS_OF, BEGIN = date(2026, 6, 30), date(2025, 1, 1)


def deal(n: int, status: str, created: date, **more: object) -> dict[str, object]:
    closed = None if status == "open" else created + timedelta(days=30)
    return {"opportunity_id": f"o{n}", "rep_id": f"r{n % 2}", "stage": "Lead", "status": status, "created_on": created,
            "closed_on": closed, "amount": 1000, **more}  # fmt: skip


CASES = {
    "no deal": [deal(1, "open", AS_OF + timedelta(days=9))],
    "one open deal": [deal(1, "open", BEGIN)],
    "nobody owns it": [deal(1, "open", BEGIN, rep_id=None, amount=None)],
    "all lost": [deal(n, "lost", BEGIN + timedelta(days=3 * n)) for n in range(60)],
    "all won, no amounts": [deal(n, "won", BEGIN + timedelta(days=3 * n), amount=None) for n in range(60)],
    "won and open": [deal(n, "won" if n % 3 else "open", BEGIN + timedelta(days=3 * n)) for n in range(90)],
}


@pytest.mark.parametrize("deals", CASES.values(), ids=CASES.keys())
def test_a_review_of_deals_alone(tables_of, deals):
    reps = [{"rep_id": "r0"}, {"rep_id": "r1"}]
    tables = tables_of({"reps": reps, "opportunities": deals}, AS_OF, stages=("Lead",))
    scores = pd.DataFrame({"opportunity_id": ["o1"], "win_probability": [0.3], "expected_amount": [300.0]})
    found = review(tables, AS_OF, deal_scores=scores)
    for name, table in found.tables.items():
        conform(table, TABLES[name])
    assert any("no opportunity_history" in note for note in found.notes)
    assert any("no activities" in note for note in found.notes) and found["activity_relation"].empty
    created = sum(row["created_on"] <= AS_OF and row["status"] == "open" for row in deals)
    stages = found["pipeline_stages"]
    assert stages.loc[stages["level"] == "company", "deals"].sum() == created


@pytest.mark.parametrize("deals", CASES.values(), ids=CASES.keys())
def test_a_review_of_deals_with_touches_and_history(tables_of, deals):
    created = {row["opportunity_id"]: row["created_on"] for row in deals}
    at = {name: datetime.combine(day, time(9)) for name, day in created.items()}
    history = [
        {"opportunity_id": name, "changed_at": at[name], "field": field, "old": None, "new": new}
        for name, day in created.items()
        for field, new in (("stage", "Lead"), ("expected_close_on", f"{day + timedelta(days=40)}"))
    ]
    activities = [
        {"activity_id": f"{name}{n}", "rep_id": "r0", "opportunity_id": name, "kind": kind,
         "happened_at": at[name] + timedelta(days=3 * n + 1)}
        for name in created for n, kind in enumerate(("call", "meeting"))
    ]  # fmt: skip
    contacts = [{"contact_id": f"c{name}", "opportunity_id": name, "role": "user", "added_on": created[name]}
                for name in created]  # fmt: skip
    frames = {"reps": [{"rep_id": "r0"}, {"rep_id": "r1"}], "opportunities": deals, "opportunity_history": history,
              "activities": activities, "contacts": contacts}  # fmt: skip
    found = review(tables_of(frames, AS_OF, stages=("Lead",)), AS_OF)
    for name, table in found.tables.items():
        conform(table, TABLES[name])


def test_old_deals_are_stuck_by_their_age_where_nothing_else_is_known(tables_of):
    tables = tables_of({"reps": [{"rep_id": "r0"}], "opportunities": CASES["won and open"]}, AS_OF, stages=("Lead",))
    found = review(tables, AS_OF)
    assert set(found["stuck_reasons"]["reason"]) == {"age"} and (found["stuck_reasons"]["limit"] == 30).all()
    assert len(found["stuck_deals"]) == 30 and set(found["stuck_deals"]["next_step"]) == {"agree_next_step"}
