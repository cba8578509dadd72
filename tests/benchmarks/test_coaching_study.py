"""The coaching benchmark in small: its worlds hold what they say, and its figures are counted as they are named."""

from __future__ import annotations

import pandas as pd
import pytest
from coaching_study import flags, worlds

SMALL = worlds.World("small", 12, 4, 2)


def test_worlds_plant_what_they_say_on_reps_drawn_by_lot():
    _, truth = worlds.company(worlds.WORLDS[0], 3)
    assert truth.cause[truth.cause != ""].value_counts().to_dict() == {
        "knowledge": 4, "motivation": 3, "direction": 3, "territory": 3, "coasting": 2,
    }  # fmt: skip
    assert len(truth.planted) == 12 and len(truth.short()) > 12


def test_at_an_equal_number_of_flags_everybody_is_counted_alike():
    row = flags.one_company(SMALL, 2)
    assert row["wrong"] <= row["flags"] <= 12 * 13 and row["rules_flags"] <= row["flags"]
    assert row["win_rate_rank_flags"] == min(row["flags"], 12)
    assert row["planted_found"] <= row["planted"] and row["wrong_reps"] <= row["reps"]


def test_a_missed_target_is_right_where_behaviour_brings_too_little():
    _, truth = worlds.company(SMALL, 1)
    brings = truth.results["attainment"] / truth.results["attainment"].mean()
    ranked = pd.DataFrame({"rep_id": brings.index, "signal": "attainment"})
    said, wrong, found = flags._at_equal_number(ranked, truth, truth.short(), 12)
    assert said == 12 and wrong == int((brings >= 0.85).sum()) and found <= 12 - wrong


def test_a_year_of_weekly_looks_sees_each_day_once():
    looks = list(worlds.weekly_looks(1, quarters=1))
    assert len(looks) == 52
    assert all((look.as_of - look.since).days == 90 for look in looks)
    first, last = looks[0], looks[-1]
    assert (last.as_of - first.as_of).days == 51 * 7
    assert first.deals["closed_on"].max() <= pd.Timestamp(first.as_of)
    assert first.weeks.groupby("rep_id")["week"].count().eq(13).all()
    assert first.work["activity"]["count"].sum() == first.weeks["activity"].sum()


def test_the_upper_limit_of_quiet_runs_is_clopper_and_pearsons():
    found = flags._quiet_figures([True] * 18 + [False] * 402, [(2, 1), (0, 0)])
    assert found["null_flag_rate_upper"] == pytest.approx(0.0669, abs=5e-4)
    assert found["null_years_with_a_flag"] == 0.5 and found["null_weeks_with_a_flag"] == pytest.approx(1 / 52)
