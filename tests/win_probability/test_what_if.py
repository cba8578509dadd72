"""A what-if changes exactly what reality would have changed, adds up, and refuses what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError
from spm_models.snapshots import PIPELINE, pipeline
from spm_models.win_probability import DealScores, WinProbability
from spm_models.win_probability.result import REASONS
from spm_models.win_probability.what_if import CAUTION, VARIABLE, WhatIf, what_if

DAY = date(2026, 5, 20)
STAGES = ("Lead", "Meeting", "Offer")
Row = dict[str, object]


class Plain:
    """Says a third for every deal: for tests of what is asked, not of what is answered."""

    def predict(self, open_deals: pd.DataFrame) -> DealScores:
        table = open_deals.assign(win_probability=1 / 3, low=0.2, high=0.5, scored_by="base_rate")
        return DealScores(table, pd.DataFrame(columns=list(REASONS)))


def change(at: str, field: str, old: str | None, new: str) -> Row:
    return {"changed_at": f"{at} 10:00", "field": field, "old": old, "new": new}


def touch(at: str, kind: str, outcome: str) -> Row:
    return {"rep_id": "r1", "kind": kind, "happened_at": f"{at} 10:00", "outcome": outcome}


TODAY = "2026-05-20"
HISTORY = [
    change("2026-01-05", "stage", None, "Lead"), change("2026-03-01", "stage", "Lead", "Meeting"),
    change("2026-01-05", "amount", None, "100"), change("2026-03-01", "amount", "100", "120"),
    change("2026-01-05", "expected_close_on", None, "2026-04-01"),
    change("2026-03-05", "expected_close_on", "2026-04-01", "2026-06-01"),
]  # fmt: skip
TOUCHES = [
    touch("2026-03-25", "meeting", "answered"), touch("2026-05-01", "email", "no answer"),
    touch("2026-05-02", "call", "voicemail"),
]  # fmt: skip
CONTACT = {"role": "user", "added_on": "2026-02-01"}


def pushed(day: str) -> Row:
    return change(TODAY, "expected_close_on", "2026-06-01", day)


@dataclass(frozen=True)
class Case:
    """What is asked, and the rows that the source would hold had it happened."""

    asked: dict[str, object]
    history: tuple[Row, ...] = ()
    touches: tuple[Row, ...] = ()
    contacts: tuple[Row, ...] = ()


CASES = {
    "a later date": Case({"expected_close_on": "2026-07-15"}, (pushed("2026-07-15"),)),
    "an earlier date": Case({"expected_close_on": date(2026, 5, 25)}, (pushed("2026-05-25"),)),
    "a larger amount": Case({"amount": 150}, (change(TODAY, "amount", "120", "150"),)),
    "a cut": Case({"amount": 60.0}, (change(TODAY, "amount", "120", "60"),)),
    "a step on": Case({"stage": "Offer"}, (change(TODAY, "stage", "Meeting", "Offer"),)),
    "a step back": Case({"stage": "Lead"}, (change(TODAY, "stage", "Meeting", "Lead"),)),
    "two meetings": Case({"more_meetings": 2}, touches=(touch(TODAY, "meeting", "answered"),) * 2),
    "a demo": Case({"more_demos": 1}, touches=(touch(TODAY, "demo", "answered"),)),
    "a call": Case({"more_calls": 1}, touches=(touch(TODAY, "call", "answered"),)),
    "an e-mail": Case({"more_emails": 1}, touches=(touch(TODAY, "email", "answered"),)),
    "a contact": Case({"more_contacts": 1}, contacts=({"role": "user", "added_on": TODAY},)),
    "several at once": Case(
        {"stage": "Offer", "more_meetings": 1, "more_emails": 1, "amount": 90},
        (change(TODAY, "stage", "Meeting", "Offer"), change(TODAY, "amount", "120", "90")),
        (touch(TODAY, "meeting", "answered"), touch(TODAY, "email", "answered")),
    ),
    "nothing new": Case({"stage": "Meeting", "amount": 120, "expected_close_on": "2026-06-01", "more_calls": 0}),
}  # fmt: skip


def frames(*, happened: bool) -> dict[str, list[Row]]:
    """One deal a case, all alike, or each with what is asked about it."""
    found: dict[str, list[Row]] = {
        name: [] for name in ("opportunities", "opportunity_history", "activities", "contacts")
    }
    for deal, case in CASES.items():
        more = (case.history, case.touches, case.contacts) if happened else ((), (), ())
        now = {str(row["field"]): row["new"] for row in (*HISTORY, *more[0])}
        found["opportunities"].append(
            {"opportunity_id": deal, "rep_id": "r1", "created_on": "2026-01-05", "status": "open", "currency": "USD",
             **now, "amount": float(str(now["amount"]))}
        )  # fmt: skip
        for name, rows in (
            ("opportunity_history", (*HISTORY, *more[0])), ("activities", (*TOUCHES, *more[1])),
            ("contacts", (CONTACT, *more[2])),
        ):  # fmt: skip
            found[name] += [
                {"opportunity_id": deal, "activity_id": f"{deal}{n}", "contact_id": f"{deal}{n}"} | row
                for n, row in enumerate(rows)
            ]
    drop = {
        "opportunity_history": ("activity_id", "contact_id"),
        "activities": ("contact_id",),
        "contacts": ("activity_id",),
    }
    return {"reps": [{"rep_id": "r1"}]} | {
        name: [{key: value for key, value in row.items() if key not in drop.get(name, ())} for row in rows]
        for name, rows in found.items()
    }


def test_the_row_becomes_what_it_would_be_had_it_happened(tables_of) -> None:
    before, really = (
        pipeline(tables_of(frames(happened=happened), date(2026, 6, 30), stages=STAGES), DAY)
        for happened in (False, True)
    )
    for deal, case in CASES.items():
        row, true = (frame[frame["opportunity_id"] == deal].reset_index(drop=True) for frame in (before, really))
        found = what_if(Plain(), row, stages=STAGES, **case.asked)
        compared = [
            name for name in PIPELINE if deal != "a contact" or name not in ("contact_roles", "decision_makers")
        ]
        pd.testing.assert_frame_equal(found.changed[compared], true[compared], obj=deal)
        differ = [name for name in compared if str(row[name].iloc[0]) != str(true[name].iloc[0])]
        assert found.inputs["column"].tolist() == differ and bool(differ) == (deal != "nothing new"), deal


@pytest.fixture
def deal() -> pd.DataFrame:
    """One row of a pipeline, in which everything is recorded."""
    row = {name: [0.0 if kind == "float64" else pd.NaT] for name, kind in PIPELINE.items() if kind != "str"}
    texts = {name: ["x"] for name, kind in PIPELINE.items() if kind == "str"}
    days = {"as_of": [pd.Timestamp(DAY)], "expected_close_on": [pd.Timestamp("2026-06-01")]}
    amounts = {"amount": [120.0], "amount_ratio": [1.0], "stage": ["Meeting"], "stage_order": [1.0]}
    return pd.DataFrame({**row, **texts, **days, **amounts})[list(PIPELINE)].astype(PIPELINE)


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"age_days": 3}, "cannot be varied"), ({"rep_id": "r2"}, "cannot be varied"),
        ({"stage": "Won"}, "cannot have this stage"), ({"stage": ""}, "stage"),
        ({"amount": 0}, "amount"), ({"amount": -5.0}, "amount"), ({"amount": float("nan")}, "amount"),
        ({"amount": float("inf")}, "amount"), ({"amount": "120"}, "amount"), ({"amount": 1e13}, "amount"),
        ({"expected_close_on": "2026-05-19"}, "expected_close_on"), ({"expected_close_on": "soon"}, "close_on"),
        ({"expected_close_on": 20260601}, "close_on"), ({"expected_close_on": "2099-01-01"}, "close_on"),
        ({"more_meetings": -1}, "more_meetings"), ({"more_meetings": 1.5}, "more_meetings"),
        ({"more_meetings": True}, "more_meetings"), ({"more_calls": 1000}, "more_calls"),
        ({"more_contacts": "2"}, "more_contacts"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_says_what_can(deal, asked, match) -> None:
    with pytest.raises(ModelError, match=match) as caught:
        what_if(Plain(), deal, stages=STAGES, **asked)
    assert caught.value.remedy


def test_days_may_be_given_as_any_date(deal) -> None:
    days = ("2026-07-15", date(2026, 7, 15), datetime(2026, 7, 15, 12), pd.Timestamp("2026-07-15"))
    found = [what_if(Plain(), deal, expected_close_on=day).changed for day in days]
    assert {str(row["expected_close_on"].iloc[0]) for row in found} == {"2026-07-15 00:00:00"}
    assert what_if(Plain(), deal, expected_close_on=None).inputs.empty


def test_what_the_source_does_not_record_cannot_be_varied_and_stays_empty(deal) -> None:
    bare = deal.assign(activities=np.nan, contacts=np.nan)
    for asked in ({"more_meetings": 1}, {"more_contacts": 1}):
        with pytest.raises(ModelError, match="cannot have this") as caught:
            what_if(Plain(), bare, **asked)
        assert "records no" in caught.value.remedy
    unknown = dict.fromkeys(("push_count", "slip_days", "amount_cuts", "amount_changes", "days_in_stage"), np.nan)
    without = deal.assign(**unknown)
    found = what_if(Plain(), without, expected_close_on="2026-07-15", amount=50, stage="Offer", stages=STAGES)
    assert found.changed[["push_count", "slip_days", "amount_cuts", "days_in_stage"]].isna().all(axis=None)


def test_one_deal_is_asked_about(deal) -> None:
    for wrong in (pd.concat([deal, deal]), deal.head(0), deal.iloc[0]):
        with pytest.raises(ModelError, match="one deal"):
            what_if(Plain(), wrong, amount=5)


@pytest.fixture(scope="module")
def learned(company):
    snapshots, closed = company(700, seed=5)
    model = WinProbability(seed=1, method="model", timing=False).fit(snapshots, closed, "2026-06-30")
    return model, snapshots[snapshots["as_of"] == "2026-06-30"].drop(columns=["log_odds", "p_win"])


def test_reasons_of_both_sides_add_up_to_both_scores_and_to_their_difference(learned) -> None:
    model, open_deals = learned
    row = open_deals[open_deals["stage"] == "Lead"].head(1)
    found = what_if(model, row, stages=("Lead", "Meeting", "Offer"), stage="Offer", amount=2000)
    before, after = found.scores["win_probability"]
    log_odds = np.log([before / (1 - before), after / (1 - after)])
    assert found.table[["before", "after"]].sum().to_numpy() == pytest.approx(log_odds, abs=1e-9)
    assert found.table["difference"].sum() == pytest.approx(log_odds[1] - log_odds[0], abs=1e-9)
    assert found.table["points"].sum() == pytest.approx(found.difference, abs=1e-9) and found.difference > 0
    assert found.table["difference"].abs().is_monotonic_decreasing
    alone = model.predict(row).table
    assert before == alone["win_probability"].iloc[0], "the deal as it is keeps its published score"


def test_nothing_is_left_behind_in_the_model_or_the_row(learned) -> None:
    model, open_deals = learned
    row = open_deals.head(1)
    copy, scores = row.copy(), model.predict(open_deals).table
    what_if(model, row, amount=1.0)
    pd.testing.assert_frame_equal(row, copy)
    pd.testing.assert_frame_equal(model.predict(open_deals).table, scores)


def test_a_what_if_shows_itself_with_the_caution_and_escaped(learned) -> None:
    model, open_deals = learned
    found = what_if(model, open_deals.head(1).assign(opportunity_id="<b>o1"), amount=2000)
    assert isinstance(found, WhatIf) and CAUTION in repr(found) and "amount=2,000" in repr(found)
    html = found._repr_html_()
    assert "&lt;b&gt;o1" in html and "<b>o1" not in html and "not cause" in html and "→ 2,000" in html
    assert set(VARIABLE) >= {"stage", "amount", "expected_close_on", "more_meetings"}


def test_a_deal_without_a_score_has_no_difference(company) -> None:
    snapshots, closed = company(40, seed=1)
    model = WinProbability(timing=False).fit(snapshots, closed.head(2), "2026-06-30")
    found = what_if(model, snapshots.tail(1).drop(columns=["log_odds", "p_win"]), amount=100)
    assert "Too few deals" in repr(found) and "Too few deals" in found._repr_html_()
    assert np.isnan(found.difference) and found.table["before"].sum() == 0
