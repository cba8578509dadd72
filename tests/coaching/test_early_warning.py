"""Early warnings: about change alone, at the rate of false alarms that they state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching import CoachingReview, Evidence, simulate_evidence
from spm_models.coaching.early_warning import FALSE_ALARMS, early_warnings
from spm_models.coaching.watch_limits import threshold
from spm_models.coaching.watch_steps import REFERENCE_WEEKS, wins


def watch(evidence: Evidence, seed: int = 1):
    return early_warnings(evidence, CoachingReview().fit(evidence).predict(evidence), seed=seed)


@pytest.fixture(scope="module")
def quiet():
    return simulate_evidence(11, reps=20, deals=120, spread=0.25)[0]


@pytest.fixture(scope="module")
def found(quiet):
    return watch(quiet)


def since_week(evidence: Evidence, week: int) -> pd.Timestamp:
    return pd.Timestamp(np.sort(evidence.weeks["week"].unique())[week])


def lost_from(evidence: Evidence, reps: list[str], week: int) -> Evidence:
    """The same company in which some win nothing from a week on."""
    deals = evidence.deals.copy()
    late = deals["rep_id"].isin(reps) & (deals["closed_on"] >= since_week(evidence, week))
    deals.loc[late, "won"] = False
    return replace(evidence, deals=deals)


def test_who_stops_winning_is_seen_and_since_when(quiet):
    reps = ["r004", "r008", "r012", "r016"]
    changed = watch(lost_from(quiet, reps, 36)).table
    rows = changed[changed["rep_id"].isin(reps) & (changed["watch"] == "wins")]
    assert rows["signalled"].sum() >= 3
    seen = rows[rows["signalled"]]
    assert (seen["statistic"] >= seen["threshold"]).all() and (seen["observed"] < 0.7 * seen["expected"]).all()
    assert (seen["since"] - since_week(quiet, 36)).dt.days.between(-63, 14).all()  # a few bad weeks before may be in it


def test_work_that_falls_is_seen_in_weeks(quiet):
    weeks = quiet.weeks.copy()
    late = weeks["rep_id"].eq("r007") & (weeks["week"] >= since_week(quiet, 40))
    weeks.loc[late, ["activity", "created"]] = np.floor(weeks.loc[late, ["activity", "created"]] * 0.4)
    table = watch(replace(quiet, weeks=weeks)).table
    row = table[(table["rep_id"] == "r007") & (table["watch"] == "activity")].iloc[0]
    assert row["signalled"] and abs((row["since"] - since_week(quiet, 40)).days) <= 21


def test_weeks_of_absence_are_no_fall(quiet):
    weeks = quiet.weeks.copy()
    away = weeks["rep_id"].eq("r007") & (weeks["week"] >= since_week(quiet, 44))
    weeks.loc[away, ["activity", "created", "days"]] = 0.0
    table = watch(replace(quiet, weeks=weeks)).table
    rows = table[(table["rep_id"] == "r007") & (table["watch"] != "wins")]
    assert len(rows) == 2 and not rows["signalled"].any()


def test_a_season_of_the_whole_company_is_nobodys_fall(quiet):
    weeks = quiet.weeks.copy()
    late = weeks["week"] >= since_week(quiet, 40)
    weeks.loc[late, "activity"] = np.floor(weeks.loc[late, "activity"] * 0.45)
    table = watch(replace(quiet, weeks=weeks)).table
    assert table.loc[table["watch"] == "activity", "signalled"].sum() <= 1


def test_who_always_wins_half_does_not_signal():
    halves = {f"r{number:03d}": 0.55 for number in range(6)}
    evidence, _ = simulate_evidence(21, reps=30, deals=150, spread=0.1, factors={"win_rate": halves})
    table = watch(evidence).table
    low = table[table["rep_id"].isin(halves) & (table["watch"] == "wins")]
    assert low["signalled"].sum() <= 1 and len(low) == 6


def test_the_threshold_has_the_rate_that_is_stated(quiet):
    steps = wins(quiet, CoachingReview().fit(quiet).predict(quiet))
    limit, stated = threshold(steps, 0.1, np.random.default_rng(1))
    _, again = threshold(steps, 0.1, np.random.default_rng(2))
    assert 0.08 < stated <= 0.1 and 0.08 < again <= 0.1
    stricter, _ = threshold(steps, 0.02, np.random.default_rng(1))
    assert stricter > limit + 0.5


def test_tables_have_their_columns_and_are_the_same_again(quiet, found):
    again = watch(quiet)
    pd.testing.assert_frame_equal(found.table, again.table)
    pd.testing.assert_frame_equal(found.path, again.path)
    assert not found.table.duplicated(["rep_id", "watch"]).any()
    assert found.path.groupby(["rep_id", "watch"]).size().eq(52 - REFERENCE_WEEKS).all()
    last = found.path.groupby(["rep_id", "watch"])["statistic"].last().reset_index()
    both = found.table.merge(last, on=["rep_id", "watch"], suffixes=("", "_last"))
    assert both["statistic"].to_numpy() == pytest.approx(both["statistic_last"].to_numpy())
    rates = found.table.groupby("watch")["false_alarms_a_year"].first() / 20
    for name, asked in FALSE_ALARMS.items():
        assert 0.75 * asked <= rates[name] <= asked
    assert (found.path["low"] <= found.path["high"]).all()


def test_more_deals_show_a_halving_sooner(found):
    table = found.table
    middle = table.groupby("watch")["weeks_to_see_half"].median()
    assert middle["activity"] < middle["pipeline_creation"] < 40
    seen = table["weeks_to_see_half"].dropna()
    assert seen.between(1, 52).all()


def test_nothing_to_watch_is_no_error(quiet):
    no_deals = replace(quiet, deals=quiet.deals.iloc[:0], stages=quiet.stages.iloc[:0], weeks=quiet.weeks.iloc[:0])
    nothing = watch(no_deals)
    assert nothing.table.empty and nothing.path.empty and nothing.table["signalled"].dtype == bool
    nobody = replace(quiet, reps=quiet.reps.assign(start_on=pd.Timestamp(quiet.as_of)))
    assert watch(nobody).table.empty
    short, _ = simulate_evidence(1, reps=5, quarters=1)
    assert watch(short).table.empty


def test_somebody_new_is_not_watched(quiet):
    reps = quiet.reps.copy()
    reps.loc[reps["rep_id"] == "r002", "start_on"] = pd.Timestamp(quiet.as_of) - pd.Timedelta(weeks=20)
    assert "r002" not in set(watch(replace(quiet, reps=reps)).table["rep_id"])
