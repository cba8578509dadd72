"""Plans: numbers that colleagues have reached, mentors who are strong there, topics that hold, the agenda."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching import CoachingReview
from spm_models.coaching.plans import (
    agenda,
    check_actions,
    keep_topics,
    mentors,
    next_one_to_one,
    plans,
    read_library,
)
from spm_models.coaching.plans.mentoring import CAPACITY
from spm_models.coaching.plans.nearness import nearness
from spm_models.coaching.plans.peers import goal, nearest
from spm_models.coaching.plans.smart import FIELDS
from spm_models.errors import SpmError
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES

CAUSES = ["knowledge", "motivation", "direction", "territory", "coasting"]


@pytest.fixture(scope="module")
def world(company):
    causes = {f"r{number:03d}": CAUSES[number // 4 % 5] for number in range(0, 40, 4)}
    evidence, _ = company(11, reps=40, quarters=4, causes=causes, spread=0.25)
    findings = CoachingReview().fit(evidence).predict(evidence)
    return SimpleNamespace(evidence=evidence, findings=findings, made=plans(evidence, findings))


@pytest.fixture(scope="module")
def by_cause(world):
    return {
        cause: plans(world.evidence, world.findings, causes=stated(world, cause)).table
        for cause in ("knowledge", "motivation", "direction", "context")
    } | {"": world.made.table}


def stated(world, cause):
    reps = world.findings.verdicts.dropna(subset="topic")["rep_id"]
    return pd.DataFrame(
        {"rep_id": reps, "cause": cause, "place": 1, "probability": 0.8, "stated": True, "confirmed": ""}
    )


# -- actions
def test_every_topic_gets_two_or_three_actions_that_fit_the_contract(world):
    plan = world.made.table
    assert list(plan.columns) == list(TABLES["coaching_plan"].columns)
    assert plan.dtypes.astype(str).to_dict() == TABLES["coaching_plan"].columns
    counts = plan.groupby("rep_id").size()
    with_topic = world.findings.verdicts.dropna(subset="topic")["rep_id"]
    assert len(with_topic) > 10 and set(counts.index) == set(with_topic)
    assert counts.between(2, 3).all()
    assert not plan.duplicated(["rep_id", "rank"]).any()


@pytest.mark.parametrize("cause", ["", "knowledge", "motivation", "direction", "context"])
def test_every_action_is_smart(world, by_cause, cause):
    plan = by_cause[cause]
    assert len(plan)
    smart = check_actions(plan, world.findings.verdicts, world.evidence.as_of)
    assert smart[list(FIELDS)].all().all()
    assert (plan["due_on"] > pd.Timestamp(world.evidence.as_of)).all()
    assert (plan["due_on"] <= pd.Timestamp("2026-09-30")).all()  # the running quarter's end
    assert set(plan["item"]) <= set(read_library().items)


def test_where_nobody_has_a_topic_nothing_is_planned(world):
    quiet = replace(world.findings, verdicts=world.findings.verdicts.assign(topic=None, topic_part=None))
    made = plans(world.evidence, quiet)
    assert made.table.empty and made.table.dtypes.astype(str).to_dict() == TABLES["coaching_plan"].columns
    assert set(made.feedback["stance"]) == {"well"}
    nobody = replace(quiet, verdicts=quiet.verdicts.iloc[:0], table=quiet.table.iloc[:0])
    none = plans(world.evidence, nobody)
    assert none.table.empty and none.feedback.empty


def test_goals_are_numbers_that_colleagues_have_reached_counted_by_hand(world):
    goals = world.made.table[world.made.table["remedy"] == "goal"]
    assert len(goals) > 10
    table = world.findings.table
    near = nearness(world.evidence.deals, pd.Index(sorted(world.findings.verdicts["rep_id"])))
    for row in goals.itertuples():
        same = table[(table["signal"] == row.signal) & (table["part"] == row.part)].set_index("rep_id")
        others = same[same["verdict"] != "not_enough_data"].drop(row.rep_id)
        alike = near.loc[row.rep_id, others.index].sort_index()
        closest = alike.sort_values(ascending=False, kind="stable").index[:12]
        reached = 0
        for peer in closest:
            beside = others.at[peer, "pooled"] / others.at[peer, "expected"]
            value = same.at[row.rep_id, "expected"] * beside
            reached += value <= row.goal if (row.signal == "cycle") else value >= row.goal
        assert (row.reached_by, row.peers) == (reached, len(closest))
        assert row.baseline == pytest.approx(same.at[row.rep_id, "pooled"], abs=1e-9)
        change = row.goal / row.baseline
        assert (0.65 <= change < 1) if (row.signal == "cycle") else (1 < change <= 1.351), row


def test_no_goal_without_colleagues(world):
    table = world.findings.table
    rep = world.findings.verdicts.dropna(subset="topic").iloc[0]
    few = table[table["rep_id"].isin([rep["rep_id"], *table["rep_id"].unique()[:3]])]
    near = nearness(world.evidence.deals, pd.Index(sorted(world.findings.verdicts["rep_id"])))
    assert goal(few, near, rep["rep_id"], rep["topic"], rep["topic_part"]) is None
    assert goal(table, near, rep["rep_id"], rep["topic"], rep["topic_part"]) is not None


def test_what_is_territory_is_never_coached(world, by_cause):
    plan = by_cause["context"]
    assert len(plan) and set(plan["remedy"]) <= {"target_update", "territory_review", "fewer_deals"}
    targets = plan[plan["remedy"] == "target_update"].set_index("rep_id")
    quota = world.evidence.results.set_index("rep_id")["quota_ahead"]
    assert (targets["goal"] <= 0.9 * quota.reindex(targets.index)).all()


def test_the_confirmed_cause_beats_the_stated_one(world, by_cause):
    said = stated(world, "knowledge")
    both = pd.concat([said.assign(confirmed="no"), said.assign(cause="context", stated=False, confirmed="yes")])
    found = plans(world.evidence, world.findings, causes=both).table
    pd.testing.assert_frame_equal(found, by_cause["context"])
    assert not found.equals(by_cause["knowledge"])


def test_quiet_deals_are_counted_as_anybody_would(world):
    plan = world.made.table
    quiet = plan[plan["unit"] == "quiet_deals"]
    deals = world.evidence.open_deals
    silent = deals[deals["days_since_activity"] > 21]
    for row in quiet.itertuples():
        own = silent[silent["rep_id"] == row.rep_id]
        assert row.baseline == len(own) and row.goal < row.baseline
        assert own.set_index("opportunity_id")["amount"].idxmax() == row.opportunity_id
    assert len(quiet)


def test_plans_do_not_depend_on_the_order_of_rows(world):
    shuffled = replace(
        world.evidence, deals=world.evidence.deals.sample(frac=1, random_state=1),
        open_deals=world.evidence.open_deals.sample(frac=1, random_state=2),
        stages=world.evidence.stages.sample(frac=1, random_state=3),
    )  # fmt: skip
    again = plans(shuffled, world.findings)
    pd.testing.assert_frame_equal(again.table, world.made.table)
    pd.testing.assert_frame_equal(again.feedback, world.made.feedback)


# -- mentors
def pairs(world, **changed):
    verdicts = world.findings.verdicts.dropna(subset="topic")
    wanted = verdicts[["rep_id", "topic", "topic_part"]].set_axis(["rep_id", "signal", "part"], axis=1)
    given = {"table": world.findings.table, "wanted": wanted, "deals": world.evidence.deals,
             "reps": world.evidence.reps, "as_of": pd.Timestamp(world.evidence.as_of)} | changed  # fmt: skip
    return mentors(**given)


def test_mentors_are_strong_where_somebody_wants_to_grow(world):
    found = pairs(world)
    assert len(found) > 5 and list(found.columns) == ["rep_id", "signal", "part", "mentor_id"]  # no score, no rank
    assert found["mentor_id"].value_counts().max() <= CAPACITY
    assert (found["mentor_id"] != found["rep_id"]).all()
    table = world.findings.table.set_index(["rep_id", "signal", "part"])
    for row in found.itertuples():
        strong = table.loc[(row.mentor_id, row.signal, row.part)]
        better = strong["high"] < strong["expected"] if row.signal == "cycle" else strong["low"] > strong["expected"]
        assert better


def test_managers_newcomers_and_people_who_left_are_no_mentors(world):
    before = pairs(world)
    first = before.iloc[0]
    managers = pd.DataFrame({"rep_id": [first["rep_id"]], "manager_id": [first["mentor_id"]]})
    after = pairs(world, managers=managers).set_index("rep_id")["mentor_id"]
    assert after.get(first["rep_id"]) != first["mentor_id"]
    for column, day in (("start_on", "2026-05-01"), ("left_on", "2026-06-01")):
        reps = world.evidence.reps.copy()
        reps.loc[reps["rep_id"] == first["mentor_id"], column] = pd.Timestamp(day)
        assert first["mentor_id"] not in set(pairs(world, reps=reps)["mentor_id"])


def test_the_assignment_over_the_company_beats_first_come_first_served(world):
    table = pd.DataFrame(
        {"rep_id": ["a", "b", "x", "y"], "signal": "win_rate", "part": "", "expected": 0.4,
         "pooled": [0.3, 0.3, 0.6, 0.55], "low": [0.2, 0.2, 0.5, 0.45], "high": [0.4, 0.4, 0.7, 0.65],
         "verdict": "fine"}
    )  # fmt: skip
    deals = pd.DataFrame({"rep_id": list("abxy"), "segment": ["s", "t", "s", "s"], "industry": "i", "kind": "k",
                          "family": "f", "region": "r", "territory": ["p", "q", "p", "q"]})  # fmt: skip
    reps = pd.DataFrame({"rep_id": list("abxy"), "start_on": pd.Timestamp("2020-01-01"), "left_on": pd.NaT})
    reps["left_on"] = pd.to_datetime(reps["left_on"])
    wanted = pd.DataFrame({"rep_id": ["a", "b"], "signal": "win_rate", "part": ""})
    found = mentors(table, wanted, deals, reps, pd.Timestamp("2026-06-30"), capacity=1).set_index("rep_id")["mentor_id"]
    assert found.to_dict() == {"a": "x", "b": "y"}


def test_nobody_wanted_or_nobody_strong_gives_no_pairs(world):
    assert pairs(world, wanted=pd.DataFrame({"rep_id": [], "signal": [], "part": []})).empty
    flat = world.findings.table.assign(low=0.0, high=1e9)
    assert pairs(world, table=flat).empty


# -- the topic holds until it was talked about
def previous(findings, topic="activity", day="2026-06-23"):
    verdicts = findings.verdicts.assign(as_of=pd.Timestamp(day))
    chosen = verdicts["topic"].notna() & verdicts["topic"].ne(topic)
    return verdicts.assign(
        topic=verdicts["topic"].where(~chosen, topic), topic_part=verdicts["topic_part"].where(~chosen, "")
    )


def sessions(rep, day, kind="one_to_one"):
    return pd.DataFrame({"session_id": ["s"], "rep_id": [rep], "held_on": [pd.Timestamp(day)], "kind": [kind]})


def test_a_topic_is_unchanged_until_the_next_one_to_one(world):
    findings = world.findings
    old = previous(findings)
    changed = findings.verdicts.loc[
        findings.verdicts["topic"].notna() & findings.verdicts["topic"].ne("activity"), "rep_id"
    ]
    rep, other = changed.iloc[0], changed.iloc[1]
    held = sessions(rep, "2026-06-25")
    kept = keep_topics(findings, old, held, date(2026, 6, 30)).verdicts.set_index("rep_id")
    fresh = findings.verdicts.set_index("rep_id")
    assert kept.at[rep, "topic"] == fresh.at[rep, "topic"]  # it was talked about
    assert kept.at[other, "topic"] == "activity" and kept.at[other, "topic_part"] == ""
    table = findings.table.set_index(["rep_id", "signal", "part"])
    assert kept.at[other, "money_at_stake"] == table.at[(other, "activity", ""), "money_at_stake"]
    for day, kind in (("2026-06-23", "one_to_one"), ("2026-07-01", "one_to_one"), ("2026-06-25", "training")):
        same = keep_topics(findings, old, sessions(rep, day, kind), date(2026, 6, 30)).verdicts.set_index("rep_id")
        assert same.at[rep, "topic"] == "activity", (day, kind)


def test_a_topic_ends_with_its_data_and_nobody_is_given_one(world):
    findings = world.findings
    held = sessions("nobody", "2026-06-01")
    gone = keep_topics(findings, previous(findings, "no_such_signal"), held, date(2026, 6, 30))
    pd.testing.assert_series_equal(gone.verdicts["topic"], findings.verdicts["topic"])
    kept = keep_topics(findings, previous(findings), held, date(2026, 6, 30)).verdicts
    pd.testing.assert_series_equal(kept["topic"].isna(), findings.verdicts["topic"].isna())
    assert keep_topics(findings, None, held, date(2026, 6, 30)) is findings


def test_where_no_sessions_are_recorded_topics_change_every_fortnight(world):
    findings = world.findings
    topics = [
        keep_topics(findings, previous(findings, day=day), None, date(2026, 6, 30))
        .verdicts["topic"]
        .eq("activity")
        .sum()
        for day in ("2026-06-30", "2026-06-29", "2026-06-14", "2026-05-01")
    ]
    assert topics[0] == topics[1] > topics[2] == topics[3]


# -- the agenda
def test_the_next_one_to_one_comes_a_fortnight_after_the_last():
    calendar = FiscalCalendar()
    as_of = date(2026, 6, 30)
    assert next_one_to_one(None, "a", as_of, calendar) == date(2026, 7, 14)
    assert next_one_to_one(sessions("a", "2026-06-25"), "a", as_of, calendar) == date(2026, 7, 9)
    assert next_one_to_one(sessions("a", "2026-03-01"), "a", as_of, calendar) == date(2026, 7, 1)  # overdue
    assert next_one_to_one(sessions("a", "2026-06-25"), "a", as_of, calendar, every_days=7) == date(2026, 7, 2)
    riyadh = FiscalCalendar(week_start="sunday", weekend=("friday", "saturday"))
    assert next_one_to_one(sessions("a", "2026-06-19"), "a", as_of, riyadh) == date(2026, 7, 5)
    assert next_one_to_one(sessions("a", "2026-07-03"), "a", as_of, calendar) == date(2026, 7, 14)  # not yet held


def test_last_actions_come_first_and_open_ones_before_done_ones(world):
    rep = world.findings.verdicts.dropna(subset="topic")["rep_id"].iloc[0]
    days = pd.to_datetime(["2026-06-18", "2026-06-18", "2026-06-04", "2026-06-04"])
    actions = pd.DataFrame({"rep_id": rep, "held_on": days, "number": [1, 2, 1, 2], "action": ["a", "b", "c", "d"],
                            "state": ["done", "open", "open", "done"],
                            "due_on": pd.to_datetime(["2026-06-25", "2026-06-30", "2026-06-20", "2026-06-20"]),
                            })  # fmt: skip
    items = agenda(rep, world.evidence.as_of, verdicts=world.findings.verdicts, plan=world.made.table,
                   feedback=world.made.feedback, actions=actions)  # fmt: skip
    kinds = [item.kind for item in items]
    order = ["last_action", "well", "topic", "change", "action", "next"]
    assert list(dict.fromkeys(kinds)) == order
    assert [item.values["action"] for item in items if item.kind == "last_action"] == ["c", "b", "a"]
    none = agenda("nobody", world.evidence.as_of, verdicts=world.findings.verdicts, plan=world.made.table,
                  feedback=world.made.feedback)  # fmt: skip
    assert [item.kind for item in none] == ["nothing_agreed", "no_topic", "next"]


# -- the library
def test_a_company_may_add_its_own_library(tmp_path):
    (tmp_path / "focus.toml").write_text(
        'signals = ["focus"]\nskill = "s"\nminutes = 5\n[en]\n'
        'title = "Ours"\ntext = "t"\nquestion = "q?"\nexercise = "e"\n'
    )
    (tmp_path / "remedies.toml").write_text('[[rules]]\nsignals = ["focus"]\nremedies = ["call_review"]\n')
    library = read_library(tmp_path)
    assert library.items["focus"].words("tr").title == "Ours"
    assert library.remedies("focus", "direction") == ("call_review",)
    assert library.remedies("cycle", "knowledge") == read_library().remedies("cycle", "knowledge")
    assert read_library(tmp_path / "absent").items.keys() == read_library().items.keys()


@pytest.mark.parametrize("text", ["signals = [", 'signals = ["focus"]\n', '[[rules]]\nremedies = ["shouting"]\n'])
def test_a_file_that_cannot_be_read_says_where(tmp_path, text):
    (tmp_path / ("remedies.toml" if "rules" in text else "own.toml")).write_text(text)
    with pytest.raises(SpmError, match="cannot be read") as caught:
        read_library(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_the_nearest_colleagues_have_the_most_similar_deals(world):
    ids = pd.Index(sorted(world.evidence.reps["rep_id"]))
    near = nearness(world.evidence.deals, ids)
    values = near.to_numpy()
    assert np.allclose(values, values.T) and np.allclose(np.diag(values), 1.0) and (values >= 0).all()
    chosen = nearest(near, "r000", ids)
    assert len(chosen) == 12 and "r000" not in chosen
    assert near.loc["r000", chosen].min() >= near.loc["r000"].drop([*chosen, "r000"]).max()


def test_pages_put_plans_into_words_without_a_statistics_library():
    code = (
        "import sys; from spm_models.coaching.plans import agenda, agenda_sentences, feedback_sentences, read_library; "
    )
    code += "sys.exit(bool({'scipy', 'sklearn', 'statsmodels'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_mentor_is_named_in_the_plan_itself_because_a_rep_may_not_look_his_colleagues_up(world):
    people = world.evidence.reps[["rep_id"]].assign(manager_id="boss")
    people["name"] = "Name of " + people["rep_id"]
    rows = plans(world.evidence, world.findings, organisation=people).table.query("remedy == 'mentoring'")
    assert len(rows) > 0
    assert (rows["with_name"] == "Name of " + rows["with_id"]).all()


def test_what_was_left_open_years_ago_does_not_fill_an_agenda():
    held = pd.to_datetime(["2023-07-11"] * 6 + ["2026-06-20", "2026-05-30"])
    old = pd.DataFrame({"rep_id": "a", "held_on": held, "number": range(1, 9), "action": [f"say {n}" for n in range(8)],
                        "state": "open", "due_on": held + pd.Timedelta(days=14)})  # fmt: skip
    none = pd.DataFrame(columns=["rep_id", "rank", "stance", "topic"])
    points = agenda("a", date(2026, 6, 30), verdicts=none, plan=none, feedback=none, actions=old)
    assert [p.values["action"] for p in points if p.kind == "last_action"] == ["say 7", "say 6"]
