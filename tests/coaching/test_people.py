"""Observations, actions, cadence and prompts: figures that can be checked by hand."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching.people import agreed_actions, cadence, observations, prompts
from spm_models.journal import Entry
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES

AS_OF = date(2026, 6, 30)  # a Tuesday
THEN = datetime(2026, 6, 30, 9, 0)


def seen(number, day, rep="r1", supersedes=None, **scores):
    body = {"held_on": day, "of": "call"} | {name: {"score": s, "note": f"note {number}"} for name, s in scores.items()}
    return Entry(number, THEN, "m1", "rep", rep, rep, "observation", body, supersedes, f"q{number}")


def word(entry, session, state, by="r1", **more):
    return Entry(entry, THEN, by, "session", session, "r1", "action", {"state": state} | more, None, f"q{entry}")


def held(*days, rep="r1", kind="one_to_one", actions=None, due=None):
    return pd.DataFrame({
        "session_id": [f"{rep}-{kind}-{day}" for day in days], "rep_id": rep, "manager_id": "m1",
        "held_on": pd.to_datetime(list(days)).astype("datetime64[s]"), "kind": kind, "skill": None, "actions": actions,
        "due_on": pd.Series([pd.Timestamp(due) if due else pd.NaT] * len(days), dtype="datetime64[s]"),
    })  # fmt: skip


def team(*reps, hired="2024-01-01", manager="m1"):
    return pd.DataFrame({
        "rep_id": list(reps), "manager_id": manager, "role": "rep",
        "hired_on": pd.Series([pd.Timestamp(hired)] * len(reps), dtype="datetime64[s]"),
        "left_on": pd.Series([pd.NaT] * len(reps), dtype="datetime64[s]"),
    })  # fmt: skip


def columns_of(name, frame):
    return frame.dtypes.astype(str).to_dict() == TABLES[name].columns and list(frame) == list(TABLES[name].columns)


def test_observations_by_skill_with_the_newest_score_and_the_trend():
    entries = [seen(1, "2025-07-01", value=1, opening=4), seen(2, "2025-10-01", value=2),
               seen(3, "2026-01-01", value=3), seen(4, "2026-04-01", value=4), seen(5, "2026-07-15", value=1),
               seen(6, "2026-04-01", rep="r2", value=5)]  # fmt: skip
    table = observations(entries, AS_OF)
    assert columns_of("observations", table) and table["rep_id"].tolist() == ["r1", "r1", "r2"]
    row = table[table["skill"] == "value"].iloc[0]
    assert (row["n"], row["latest"], row["mean"], row["note"]) == (4, 4, 2.5, "note 4")  # July has not come yet
    assert row["trend"] == pytest.approx(1.0, abs=0.02) and row["trend_low"] < row["trend"] < row["trend_high"]
    # t(0.9; 3) = 1.638, standard deviation 1.291
    assert (row["low"], row["high"]) == pytest.approx((2.5 - 1.638 * 1.291 / 2, 2.5 + 1.638 * 1.291 / 2), abs=0.001)
    single = table[table["skill"] == "opening"].iloc[0]
    assert single["n"] == 1 and np.isnan(single[["low", "high", "trend"]].astype(float)).all()


def test_replaced_and_withdrawn_observations_do_not_count():
    entries = [
        seen(1, "2026-04-01", value=1),
        seen(2, "2026-04-01", value=5, supersedes=1),
        seen(3, "2026-05-01", value=2),
    ]
    gone = Entry(4, THEN, "m1", "rep", "r1", "r1", "observation", entries[2].body | {"withdrawn": True}, 3, "q4")
    assert observations([*entries, gone], AS_OF)[["n", "latest"]].values.tolist() == [[1, 5]]
    assert observations([], AS_OF).empty


def test_the_last_word_on_an_action_holds_whoever_said_it():
    talks = held("2026-06-15", actions="1. Review two calls.\n2. Ask for the decision.\n\n", due="2026-06-29")
    session = talks["session_id"].item()
    entries = [word(1, session, "done"), word(2, session, "open", by="m1", number=2, note="Not yet."),
               word(3, "another", "dropped")]  # fmt: skip
    table = agreed_actions(talks, entries, AS_OF)
    assert columns_of("agreed_actions", table)
    assert table[["number", "action", "state", "said_by"]].values.tolist() == [
        [1, "Review two calls.", "done", "r1"], [2, "Ask for the decision.", "open", "m1"]
    ]  # fmt: skip
    assert agreed_actions(talks, entries, date(2026, 6, 14)).empty
    assert set(agreed_actions(talks, [], AS_OF)["state"]) == {"open"}


def test_what_was_said_of_an_agreement_holds_after_it_was_written_anew():
    def agreed(number, supersedes):
        return Entry(number, THEN, "m1", "rep", "r1", "r1", "agreement", {}, supersedes, f"a{number}")

    talks = held("2026-06-15", actions="Review three calls.").assign(session_id="journal-5")
    entries = [agreed(1, None), word(2, "journal-1", "done"), agreed(3, 1), agreed(5, 3)]
    assert agreed_actions(talks, entries, AS_OF)["state"].tolist() == ["done"]
    assert agreed_actions(talks, [*entries, word(6, "journal-5", "open")], AS_OF)["state"].tolist() == ["open"]


def test_a_fortnightly_rhythm_is_on_time_and_one_that_is_not_is_not():
    good = held(*[f"{day:%Y-%m-%d}" for day in pd.date_range("2026-03-17", "2026-06-23", freq="14D")])
    rare = held("2026-03-20", "2026-05-15", rep="r2")
    people = pd.concat([team("r1"), team("r2", manager="m2")])
    table = cadence(pd.concat([good, rare]), agreed_actions(good, [], AS_OF), people, AS_OF).set_index("key")
    assert columns_of("coaching_cadence", table.reset_index()[list(TABLES["coaching_cadence"].columns)])
    # six talks after 31 March, each 14 days after the last; a week since the newest
    assert table.loc["m1", ["due", "held", "on_time", "longest_without"]].tolist() == [6, 6, 1.0, 7]
    # 56 days to 15 May are four fortnights with one talk, late; 46 days since then three without one
    assert table.loc["m2", ["due", "held", "on_time", "longest_without"]].tolist() == [7, 1, 0.0, 46]
    assert 0.7 < table.loc["m1", "low"] < 1 == table.loc["m1", "high"]


def test_days_away_and_days_before_the_first_are_not_held_against_the_manager():
    talks = held("2026-05-01", "2026-06-14")
    away = pd.DataFrame({"rep_id": ["r1", "r1"], "starts_on": pd.to_datetime(["2026-05-04", "2026-05-10"]),
                         "ends_on": pd.to_datetime(["2026-05-20", "2026-06-02"])})  # fmt: skip
    none = agreed_actions(talks, [], AS_OF)
    row = cadence(talks, none, team("r1", hired="2026-04-20"), AS_OF, absences=away).iloc[0]
    # 11 days from the first to 1 May; 44 days less 30 away are 14; 16 days since
    assert row[["due", "held", "on_time", "longest_without"]].tolist() == [2, 2, 1.0, 16]
    new = cadence(talks.iloc[:0], none, team("r1", hired="2026-06-25"), AS_OF).iloc[0]
    assert new[["due", "held", "longest_without"]].tolist() == [0, 0, 5] and np.isnan(new["on_time"])


def test_actions_are_counted_as_closed_or_past_their_day():
    talks = pd.concat([held("2026-06-01", actions="One.\nTwo.", due="2026-06-15"),
                       held("2026-06-20", actions="Three.", due="2026-07-04"),
                       held("2026-01-05", actions="Long ago.", due="2026-01-19")])  # fmt: skip
    said = [word(1, "r1-one_to_one-2026-06-01", "dropped", number=1)]
    row = cadence(talks, agreed_actions(talks, said, AS_OF), team("r1"), AS_OF).iloc[0]
    assert row[["actions", "closed", "overdue"]].tolist() == [3, 1, 1]


def test_sessions_of_other_kinds_are_no_one_to_ones_and_who_left_is_not_counted():
    gone = team("r9").assign(left_on=pd.Timestamp("2026-06-01"))
    talks = held("2026-06-20", kind="coaching")
    row = cadence(talks, agreed_actions(talks, [], AS_OF), pd.concat([team("r1"), gone]), AS_OF).iloc[0]
    assert row[["reps", "held"]].tolist() == [1, 0]


def deals(**columns):
    usual = {"opportunity_id": ["o1"], "rep_id": "r1", "amount": 100.0, "days_since_activity": 1.0, "age_days": 50.0,
             "days_since_push": np.nan, "push_count": 0.0}  # fmt: skip
    return pd.DataFrame(usual | columns)


NOTHING_CLOSED = pd.DataFrame({
    "opportunity_id": pd.Series(dtype="str"), "rep_id": pd.Series(dtype="str"), "won": pd.Series(dtype=bool),
    "created_on": pd.Series(dtype="datetime64[s]"), "closed_on": pd.Series(dtype="datetime64[s]"),
    "amount": pd.Series(dtype=float),
})  # fmt: skip


@pytest.mark.parametrize(
    ("as_of", "silences", "told"),
    [
        (date(2026, 6, 30), [21, 22, 23], [22]),  # Tuesday: what passed 21 days today
        (date(2026, 6, 29), [21, 22, 24, 25], [24, 22]),  # Monday: Saturday and Sunday as well
        (date(2026, 6, 28), [21, 22, 24, 25], [24, 22]),  # Sunday: Friday's still
    ],
)
def test_a_deal_is_told_of_once_when_it_goes_silent(as_of, silences, told):
    n = len(silences)
    pipeline = deals(opportunity_id=[f"o{s}" for s in silences], days_since_activity=np.array(silences, float),
                     rep_id=["r1"] * n, amount=np.array(silences, float))  # fmt: skip
    found = prompts(pipeline, NOTHING_CLOSED, as_of)
    assert columns_of("prompts", found)
    assert found["value"].tolist() == told and set(found["kind"]) == {"gone_silent"}


def test_a_deal_that_nobody_ever_touched_is_silent_from_its_creation():
    pipeline = deals(days_since_activity=np.nan, age_days=22.0)
    assert prompts(pipeline, NOTHING_CLOSED, AS_OF)[["kind", "value"]].values.tolist() == [["gone_silent", 22.0]]


def test_who_is_away_is_not_told_of_silence_but_of_what_was_decided():
    pipeline = deals(opportunity_id=["o1", "o2"], days_since_activity=[22.0, 3.0], days_since_push=[np.nan, 0.0],
                     push_count=[0.0, 3.0], amount=[100.0, 50.0])  # fmt: skip
    away = pd.DataFrame({"rep_id": ["r1"], "starts_on": [pd.Timestamp("2026-06-28")],
                         "ends_on": [pd.Timestamp("2026-07-05")]})  # fmt: skip
    assert prompts(pipeline, NOTHING_CLOSED, AS_OF)["kind"].tolist() == ["pushed", "gone_silent"]
    assert prompts(pipeline, NOTHING_CLOSED, AS_OF, absences=away)[["kind", "value"]].values.tolist() == [
        ["pushed", 3.0]
    ]


def test_what_went_well_comes_first_and_names_are_those_of_accounts():
    closed = pd.DataFrame({
        "opportunity_id": ["a", "b", "c"], "rep_id": "r1", "won": [False, True, True],
        "created_on": pd.Timestamp("2026-06-01"),
        "closed_on": pd.to_datetime(["2026-06-30", "2026-06-30", "2026-06-26"]), "amount": [900.0, 10.0, 5.0],
    })  # fmt: skip
    found = prompts(deals().iloc[:0], closed, AS_OF, accounts=pd.Series({"a": "Acme"}))
    assert found[["rank", "kind", "value"]].values.tolist() == [[1, "won", 29.0], [2, "lost", 29.0]]
    assert found["account_name"].tolist()[1] == "Acme"
    assert len(prompts(deals().iloc[:0], closed, AS_OF, limit=1)) == 1


def test_the_week_is_the_companys_own():
    riyadh = FiscalCalendar(weekend=("friday", "saturday"))
    pipeline = deals(days_since_activity=24.0)
    assert prompts(pipeline, NOTHING_CLOSED, date(2026, 6, 28), calendar=riyadh)["value"].tolist() == [24.0]
    assert prompts(pipeline, NOTHING_CLOSED, date(2026, 6, 29), calendar=riyadh).empty
