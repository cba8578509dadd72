"""Calls worth listening to: each for one reason, and never for what was said in them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from spm_models.coaching.people import calls_to_review
from spm_models.published.schemas import TABLES

AS_OF = date(2026, 6, 30)
CLOSED = pd.DataFrame({"opportunity_id": ["lost1", "won1"], "won": [False, True]})
OPEN = pd.DataFrame({"opportunity_id": ["open1", "open2"]})


def call(name, deal, day, minutes=5.0, outcome="answered", **more):
    return {"call_id": name, "rep_id": "r1", "opportunity_id": deal, "queue": "new", "abandoned": False,
            "offered_at": datetime(2026, 6, 1, 9) + timedelta(days=day - 1), "talk_seconds": 60 * minutes,
            "outcome": outcome} | more  # fmt: skip


USUAL = [call(f"u{i:02}", None, -60, minutes=3 + i % 5) for i in range(40)]
CALLS = [
    call("objected", "open1", 20, outcome="objection"),
    call("long", "lost1", 18, minutes=30), call("short", "lost1", 19, minutes=3),
    call("first", "open2", 16), call("second", "open2", 17),
    call("agreed", "won1", 12, outcome="next_step"), call("agreed before", "open1", 8, outcome="next_step"),
    call("old", "open1", -20, outcome="objection"), call("given up", "open1", 21, outcome="objection", abandoned=True),
    call("nobody", "open1", 22, outcome="objection", rep_id=None),
    call("of a moment", "open1", 23, 0.5, outcome="objection"),
    call("tomorrow", "open1", 31, outcome="objection"), call("no deal", None, 24, outcome="objection"),
]  # fmt: skip
HISTORY = [
    {"opportunity_id": "open2", "changed_at": datetime(2026, 6, day), "field": "stage", "old": "a", "new": "b"}
    for day in (2, 15)
]


@pytest.fixture
def company(tables_of):
    return tables_of({"calls": [*USUAL, *CALLS], "opportunity_history": HISTORY}, AS_OF)


def test_each_call_has_its_reason_and_the_newest_of_each_reason_comes_first(company):
    found = calls_to_review(company, OPEN, CLOSED, AS_OF, limit=9)
    assert found.dtypes.astype(str).to_dict() == TABLES["calls_to_review"].columns
    assert found[["call_id", "reason"]].values.tolist() == [
        ["objected", "objection"], ["long", "long_talk_lost"], ["first", "first_of_stage"],
        ["agreed", "next_step_agreed"], ["agreed before", "next_step_agreed"],
    ]  # fmt: skip
    assert found["value"].tolist()[:2] == [5.0, 30.0] and found["beside"].nunique() == 1
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert len(calls_to_review(company, OPEN, CLOSED, AS_OF)) == 4


def test_a_transcript_changes_nothing(tables_of):
    plain = calls_to_review(tables_of({"calls": [*USUAL, *CALLS]}, AS_OF), OPEN, CLOSED, AS_OF)
    spoken = [row | {"transcript": "objection! too expensive, no, refused, lost"} for row in [*USUAL, *CALLS]]
    pd.testing.assert_frame_equal(calls_to_review(tables_of({"calls": spoken}, AS_OF), OPEN, CLOSED, AS_OF), plain)


def test_what_came_later_is_not_known(tables_of, company):
    day = date(2026, 6, 19)
    later = [row | {"outcome": "objection"} if row["offered_at"].day > 19 else row for row in CALLS]
    other = tables_of({"calls": [*USUAL, *later], "opportunity_history": HISTORY}, AS_OF)
    pd.testing.assert_frame_equal(
        calls_to_review(company, OPEN, CLOSED, day), calls_to_review(other, OPEN, CLOSED, day)
    )


def test_without_calls_nothing_is_said(tables_of):
    tables = tables_of({"reps": [{"rep_id": "r1", "name": "Ayşe"}]}, AS_OF)
    assert calls_to_review(tables, OPEN, CLOSED, AS_OF).empty


def test_turkish_and_arabic_outcomes_are_understood(tables_of):
    rows = [call("tr", "open1", 20, outcome="İtiraz etti"), call("ar", "open2", 20, outcome="اعتراض على السعر")]
    found = calls_to_review(tables_of({"calls": rows}, AS_OF), OPEN, CLOSED, AS_OF)
    assert set(found["reason"]) == {"objection"} and len(found) == 2
