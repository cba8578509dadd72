"""Flags against simulated truth: silence where nobody differs, few false ones where many do, planted causes found."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching import CoachingReview, ThresholdRules
from spm_models.coaching.simulation import truly_short
from spm_models.errors import ModelError
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform


def _review(evidence, **settings):
    return CoachingReview(**settings).fit(evidence).predict(evidence)


def _flags(findings):
    flagged = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    return set(zip(flagged["rep_id"], flagged["signal"], strict=True))


def test_companies_in_which_nobody_differs_stay_quiet(company):
    noisy = [bool(_flags(_review(company(seed)[0]))) for seed in range(15)]
    assert sum(noisy) <= stats.binom.ppf(0.99, 15, 0.05)
    rules = [ThresholdRules().flags(company(seed)[0])["flagged"].any() for seed in range(15)]
    assert all(rules)  # the plain rules would have called somebody out in each of these companies


def test_the_share_of_wrong_flags_is_what_was_asked_for(company):
    flagged = false = true = reps = false_reps = 0
    for seed in range(14):
        evidence, truth = company(seed, spread=0.25)
        short = truly_short(truth)
        flags = _flags(_review(evidence))
        flagged, false, true = flagged + len(flags), false + len(flags - short), true + len(short)
        about = {rep for rep, _ in flags}
        reps, false_reps = reps + len(about), false_reps + len(about - {rep for rep, _ in flags & short})
    assert false <= stats.binom.ppf(0.999, flagged, 0.1)
    assert false_reps <= stats.binom.ppf(0.999, reps, 0.1)
    assert (flagged - false) / true > 0.5


@pytest.mark.parametrize("signal", ["win_rate", "cycle", "pipeline_creation", "activity"])
def test_planted_shortfalls_are_found_and_named(company, signal):
    planted = ["r003", "r017", "r029"]
    found = flagged = wrong = 0
    for seed in range(5):
        evidence, truth = company(seed, deals=300, spread=0.05, factors={signal: dict.fromkeys(planted, 0.5)})
        flags = _flags(_review(evidence))
        found += len(flags & {(rep, signal) for rep in planted})
        flagged, wrong = flagged + len(flags), wrong + len(flags - truly_short(truth))
    assert found >= (11 if signal == "win_rate" else 14)  # of 15; win rates are the noisiest
    assert wrong <= stats.binom.ppf(0.99, flagged, 0.1)


def test_a_poor_territory_is_not_a_poor_rep(company):
    evidence, _ = company(1, deals=300)
    findings = _review(evidence)
    south = evidence.reps.loc[evidence.reps["region"] == "south", "rep_id"]  # everything is at 60 % there
    assert not {rep for rep, _ in _flags(findings)} & set(south)
    rules = ThresholdRules().flags(evidence)
    assert rules[rules["rep_id"].isin(south)].groupby("rep_id")["flagged"].any().mean() > 0.9


def test_one_rep_per_territory_is_said_to_be_inseparable(company):
    evidence, _ = company(2)
    alone = {name: rows.assign(territory=rows["rep_id"]) for name, rows in evidence.work.items()}
    findings = _review(replace(evidence, deals=evidence.deals.assign(territory=evidence.deals["rep_id"]), work=alone))
    assert findings.inseparable == ("territory",)
    assert _review(evidence).inseparable == ()


def test_little_data_is_a_verdict_of_its_own(company):
    evidence, _ = company(3, deals=20)
    table = _review(evidence).table
    win = table[table["signal"] == "win_rate"]
    assert (win.loc[win["n"] < 20, "verdict"] == "not_enough_data").all()
    assert win.loc[win["n"] < 20, "money_at_stake"].isna().all()


def test_new_hires_and_leavers_are_not_judged(company):
    evidence, _ = company(4, factors={"activity": {"r001": 0.4, "r002": 0.4, "r003": 0.4}})
    reps = evidence.reps.set_index("rep_id")
    reps.loc["r001", "start_on"] = pd.Timestamp("2026-05-01")
    reps.loc["r002", "left_on"] = pd.Timestamp("2026-06-01")
    findings = _review(replace(evidence, reps=reps.reset_index()))
    verdicts = findings.verdicts.set_index("rep_id")["verdict"]
    assert verdicts["r001"] == "not_enough_data"
    assert "r002" not in verdicts
    assert verdicts["r003"] == "coaching_suggestion"


def test_missing_tables_take_their_signals_away(company):
    evidence, _ = company(5)
    work = {"pipeline_creation": evidence.work["pipeline_creation"]}
    findings = _review(replace(evidence, work=work))
    assert set(findings.table["signal"]) == {"win_rate", "cycle", "pipeline_creation"}
    nothing = replace(evidence, deals=evidence.deals.iloc[:0], work={})
    verdicts = _review(nothing).verdicts
    assert len(verdicts) == 40 and (verdicts["verdict"] == "not_enough_data").all()


def test_one_topic_each_and_it_is_the_one_with_most_money(company):
    evidence, _ = company(6, spread=0.3, deals=300)
    findings = _review(evidence)
    flagged = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    best = flagged.sort_values("money_at_stake").drop_duplicates("rep_id", keep="last").set_index("rep_id")
    topics = findings.verdicts.dropna(subset=["topic"]).set_index("rep_id")
    assert len(topics) == flagged["rep_id"].nunique() > 5
    assert (topics["topic"] == best["signal"].reindex(topics.index)).all()
    assert (topics["money_at_stake"] == best["money_at_stake"].reindex(topics.index)).all()
    assert (flagged["money_at_stake"] > 0).all()


def test_results_fit_the_published_schemas_and_do_not_depend_on_row_order(company):
    evidence, _ = company(7, spread=0.2)
    findings = _review(evidence)
    shuffled = replace(
        evidence,
        deals=evidence.deals.sample(frac=1, random_state=1),
        reps=evidence.reps.sample(frac=1, random_state=1),
        work={name: rows.sample(frac=1, random_state=1) for name, rows in evidence.work.items()},
    )
    again = _review(shuffled)
    for name, table, other in (
        ("coaching_findings", findings.table, again.table),
        ("coaching_verdicts", findings.verdicts, again.verdicts),
    ):
        pd.testing.assert_frame_equal(conform(table, TABLES[name]), conform(other, TABLES[name]))
    summary = findings.summary().set_index("signal")
    assert summary.loc["rep", "coaching_suggestion"] == findings.verdicts["topic"].notna().sum()


def test_predict_before_fit_says_so(company):
    with pytest.raises(ModelError, match="not fitted"):
        CoachingReview().predict(company(8, reps=3)[0])
