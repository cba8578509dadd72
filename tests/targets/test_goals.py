"""Goals: SMART by field with what to write instead; the tree, its progress and pace, worked by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from spm_models.kpis import KPIS
from spm_models.periods import FiscalCalendar
from spm_models.targets import check_goals, okr_progress
from spm_models.targets.goal_chances import goal_chances
from spm_models.targets.result import FLOWS, NO_GOALS, NO_QUOTAS, Plans, review
from spm_models.targets.smart import FIELDS, REASONS
from spm_models.targets.words import check_sentence
from spm_models.translations import LOCALES, Translator

CALENDAR = FiscalCalendar()
AS_OF = date(2026, 5, 15)  # day 45 of the 91 of the quarter
GOOD: dict[str, Any] = {
    "goal_id": "g", "owner_kind": "rep", "owner_id": "a", "parent_goal_id": "c", "objective": "Win more of what we try",
    "key_result": "Win rate from 20 % to 30 %", "metric": "win_rate", "baseline": 0.2, "target": 0.3, "progress": 0.25,
    "set_on": "2026-04-01", "due_on": "2026-06-30",
}  # fmt: skip
COMPANY = GOOD | {"goal_id": "c", "owner_kind": "company", "owner_id": None, "parent_goal_id": None, "progress": None}


def tree(*goals: dict[str, Any], as_of: date = AS_OF, **more: Any) -> pd.DataFrame:
    return okr_progress(pd.DataFrame([COMPANY, *goals]), as_of, CALENDAR, flows=FLOWS, **more)


def check(goal: dict[str, Any], past: pd.DataFrame | None = None, **more: Any) -> pd.DataFrame:
    found = check_goals(tree(goal), KPIS, AS_OF, CALENDAR, past=past, **more)
    return found[found["goal_id"] == goal["goal_id"]].set_index("field")


def past(*values: float, metric: str = "win_rate") -> pd.DataFrame:
    return pd.DataFrame({"kpi": metric, "level": "rep", "key": "a", "period": range(len(values)), "value": values})


def test_a_good_goal_is_right_in_every_field() -> None:
    found = check(GOOD, past(0.2, 0.25, 0.32))
    assert list(found.index) == list(FIELDS) and (found["verdict"] == "ok").all()


@pytest.mark.parametrize(
    ("field", "change", "reason", "instead"),
    [
        ("specific", {"key_result": ""}, "no_key_result", "win_rate"),
        ("specific", {"key_result": "WIN MORE of what we try"}, "same_as_objective", "win_rate"),
        ("specific", {"key_result": "Win more", "target": None}, "no_number", "win_rate"),
        ("measurable", {"metric": None}, "no_metric", "win_rate, revenue"),
        ("measurable", {"metric": "Win Rates"}, "unknown_metric", "win_rate"),
        ("measurable", {"target": None}, "no_target", ""),
        ("measurable", {"baseline": None}, "no_baseline", "0.25"),
        ("measurable", {"baseline": 0.3}, "no_way_to_go", ""),
        ("measurable", {"target": 0.1}, "wrong_way", ""),
        ("measurable", {"target": 30.0}, "not_a_share", "0.3"),
        ("achievable", {"target": 0.5}, "beyond_best", "0.32"),
        ("achievable", {"target": 0.24}, "reached_already", "0.32"),
        ("achievable", {"owner_id": "b"}, "no_past", ""),
        ("relevant", {"parent_goal_id": None}, "no_parent", "c"),
        ("relevant", {"parent_goal_id": "nowhere"}, "orphan", "c"),
        ("relevant", {"parent_goal_id": "g"}, "cycle", "c"),
        ("time_bound", {"due_on": None}, "no_due_day", "2026-06-30"),
        ("time_bound", {"due_on": "2026-03-01"}, "due_before_start", "2026-06-30"),
        ("time_bound", {"due_on": "2028-03-01"}, "too_far", "2026-12-31"),
        ("time_bound", {"due_on": "2026-05-01"}, "overdue", "2026-06-30"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_what_to_write_instead(field, change, reason, instead) -> None:
    found = check(GOOD | change, past(0.2, 0.25, 0.32)).loc[field]
    assert (found["reason"], found["instead"]) == (reason, instead)
    assert found["verdict"] == REASONS[reason] != "ok"


def test_lower_is_better_where_the_kpi_says_so() -> None:
    faster = GOOD | {"metric": "sales_cycle", "baseline": 60.0, "target": 50.0, "progress": 55.0}
    found = check(faster, past(70.0, 60.0, 48.0, metric="sales_cycle"))
    assert found.loc[["measurable", "achievable"], "reason"].tolist() == ["measured", "within_reach"]
    assert tree(faster).set_index("goal_id").loc["g", "progress"] == 0.5


def test_a_chance_from_the_forecast_decides_what_can_be_achieved() -> None:
    goal = GOOD | {"metric": "revenue", "baseline": 100.0, "target": 200.0}
    draws = pd.DataFrame({"period": "2026-Q2", "level": "rep", "key": "a", "total": [150.0] * 95 + [200.0] * 5})
    quotas = pd.DataFrame({"period": ["2026-Q2"], "level": "rep", "key": "a", "tier": "standard", "quota": 160.0})
    chances = goal_chances(tree(goal), draws, quotas, [CALENDAR.parse("2026-Q2")])
    assert chances.set_index("goal_id")["probability"].to_dict() == {"g": 0.05}
    found = check(goal, chances=chances).loc["achievable"]
    assert (found["reason"], found["found"]) == ("out_of_reach", "5")
    attainment = GOOD | {"metric": "quota_attainment", "baseline": 0.8, "target": 150 / 160}
    assert goal_chances(tree(attainment), draws, quotas, [CALENDAR.parse("2026-Q2")])["probability"].tolist() == [1.0]


def test_the_chance_of_a_goal_over_two_quarters_counts_what_the_first_has_brought() -> None:
    goal = GOOD | {"metric": "revenue", "baseline": 0.0, "target": 300.0, "set_on": "2026-01-05"}
    draws = pd.DataFrame({"period": "2026-Q2", "level": "rep", "key": "a", "total": [150.0] * 70 + [200.0] * 30})
    quotas = pd.DataFrame({"period": ["2026-Q2"], "level": "rep", "key": "a", "tier": "standard", "quota": 160.0})
    history = pd.DataFrame({"period": ["2026-Q1"], "level": "rep", "key": "a", "revenue": [120.0]})
    span = [CALENDAR.parse("2026-Q2")]
    assert goal_chances(tree(goal), draws, quotas, span, history)["probability"].tolist() == [0.3]
    assert goal_chances(tree(goal), draws, quotas, span).empty  # what the first brought is not known
    late = goal | {"set_on": "2026-02-10"}  # of which revenue it speaks cannot be told
    assert goal_chances(tree(late), draws, quotas, span, history).empty
    before = goal | {"set_on": "2026-03-01", "target": 200.0}  # for the second quarter, a month ahead
    assert goal_chances(tree(before), draws, quotas, span, history)["probability"].tolist() == [0.3]


def test_every_reason_has_a_sentence_in_every_language() -> None:
    for locale in LOCALES:
        t = Translator(locale)
        sentences = {check_sentence(t, reason, found="X7", instead="Y8") for reason in REASONS}
        assert len(sentences) == len(REASONS)
        for reason, verdict in REASONS.items():
            assert t.name("targets.check_verdicts", verdict) != verdict, reason


def test_progress_pace_and_projection_by_hand() -> None:
    found = tree(GOOD).set_index("goal_id").loc["g"]
    assert found["progress"] == 0.5 and found["elapsed"] == round(45 / 91, 6)
    assert found["pace"] == pytest.approx(0.5 / (45 / 91), abs=1e-6) and found["verdict"] == "on_track"
    assert found["projected"] == pytest.approx(0.2 + 0.1 * 0.5 * 91 / 45, abs=1e-6)
    assert found["reached_on"] == pd.Timestamp("2026-06-29")  # 45 days for a half, 90 for the whole
    slower = {0.24: "slow", 0.22: "at_risk", 0.3: "reached"}
    for value, verdict in slower.items():
        assert tree(GOOD | {"progress": value}).set_index("goal_id").loc["g", "verdict"] == verdict
    assert tree(GOOD, as_of=date(2026, 6, 30)).set_index("goal_id").loc["g", "verdict"] == "missed"
    assert tree(GOOD, as_of=date(2026, 4, 5)).set_index("goal_id").loc["g", "verdict"] == "too_early"


def test_sums_begin_at_nothing_and_kpis_fill_in_what_nobody_did() -> None:
    goal = GOOD | {"metric": "revenue", "baseline": 100.0, "target": 200.0, "progress": None}
    kpis = pd.DataFrame({"kpi": ["revenue"], "level": "rep", "key": "a", "value": 90.0})
    found = tree(goal, measured=kpis).set_index("goal_id").loc["g"]
    assert (found["progress"], found["value_from"]) == (0.45, "kpi")


def test_the_tree_rolls_up_and_names_what_is_wrong() -> None:
    def goal(name: str, kind: str, parent: str | None, progress: float | None) -> dict[str, Any]:
        return GOOD | {"goal_id": name, "owner_kind": kind, "owner_id": name, "parent_goal_id": parent,
                       "progress": progress}  # fmt: skip

    found = tree(
        goal("t1", "team", "c", None), goal("t2", "team", "c", 0.3), goal("r1", "rep", "t1", 0.2),
        goal("r2", "rep", "t1", 0.25), goal("x", "rep", "y", 0.25), goal("y", "rep", "x", 0.25),
        goal("z", "rep", "y", 0.25), goal("o", "rep", "gone", 0.25), goal("u", "team", "r1", 0.25),
    ).set_index("goal_id")  # fmt: skip
    assert found["rolled_up"].round(6).to_dict() | {} == pytest.approx(
        {"c": 0.625, "t1": 0.25, "r1": 0.5}
        | dict.fromkeys(["t2", "r2", "x", "y", "z", "o", "u"], float("nan")), nan_ok=True
    )  # fmt: skip
    assert found["place"].to_dict() == {
        "c": "root", "t1": "child", "t2": "child", "r1": "child", "r2": "child", "x": "cycle", "y": "cycle",
        "z": "child", "o": "orphan", "u": "upside_down",
    }  # fmt: skip
    assert found["depth"].dropna().to_dict() == {"c": 0, "t1": 1, "t2": 1, "r1": 2, "r2": 2, "o": 0, "u": 3}


def test_without_goals_and_quotas_what_is_off_is_said() -> None:
    nothing = pd.DataFrame({"period": [], "level": [], "key": [], "tier": [], "quota": []})
    found = review(Plans(pd.DataFrame(), pd.DataFrame(), nothing, nothing), [], as_of=AS_OF, calendar=CALENDAR)
    assert found.tables == {} and found.notes == [NO_QUOTAS, NO_GOALS]
