"""Flags against simulated truth: silence where nobody differs, few false ones where many do, planted causes found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching import CoachingReview, ThresholdRules
from spm_models.coaching.signals import RESULTS
from spm_models.errors import ModelError
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

WHERE = {
    "pipeline_creation": "", "activity": "", "win_rate": "", "deal_size": "", "price_kept": "", "cycle": "",
    "follow_up": "", "focus": "", "trend": "", "stage_conversion": "proposal",
}  # fmt: skip


def _review(evidence, **settings):
    return CoachingReview(**settings).fit(evidence).predict(evidence)


def _flags(findings):
    flagged = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    return set(zip(flagged["rep_id"], flagged["signal"], flagged["part"], strict=True))


def test_companies_in_which_nobody_differs_stay_quiet(company):
    noisy = [bool(_flags(_review(company(seed, spread=0.0)[0]))) for seed in range(8)]
    assert sum(noisy) <= stats.binom.ppf(0.99, 8, 0.05)
    rules = [ThresholdRules().flags(company(seed, spread=0.0)[0])["flagged"].any() for seed in range(5)]
    assert all(rules)  # the plain rules would have called somebody out in each of these companies


def test_the_share_of_wrong_flags_is_what_was_asked_for(company):
    flagged = false = true = reps = false_reps = 0
    for seed in range(8):
        evidence, truth = company(seed, spread=0.22)
        short = truth.short()
        flags = _flags(_review(evidence))
        flagged, false, true = flagged + len(flags), false + len(flags - short), true + len(short)
        about = {rep for rep, *_ in flags}
        reps, false_reps = reps + len(about), false_reps + len(about - {rep for rep, *_ in flags & short})
    assert false <= stats.binom.ppf(0.999, flagged, 0.1)
    assert false_reps <= stats.binom.ppf(0.999, reps, 0.1)
    assert (flagged - false) / true > 0.25


def test_planted_shortfalls_of_every_behaviour_are_found_and_named(company):
    depth = {"price_kept": 0.82, "focus": 0.6}
    found = dict.fromkeys(WHERE, 0)
    flagged = wrong = 0
    for seed in range(3):
        names = {signal: f"r{number:03d}" for number, signal in enumerate(WHERE, 3 * seed)}
        factors = {
            f"{signal}/{WHERE[signal]}" if WHERE[signal] else signal: {rep: depth.get(signal, 0.5)}
            for signal, rep in names.items()
        }
        evidence, truth = company(seed, deals=250, spread=0.05, factors=factors)
        flags = _flags(_review(evidence))
        for signal, rep in names.items():
            found[signal] += (rep, signal, WHERE[signal]) in flags
        flagged, wrong = flagged + len(flags), wrong + len(flags - truth.short())
    assert min(found.values()) >= 2 and sum(found.values()) >= 27  # of 3 each, of 30
    assert wrong <= stats.binom.ppf(0.99, flagged, 0.1)


def test_a_poor_territory_is_not_a_poor_rep_and_a_rich_one_hides_nobody(company):
    poor = rich = ruled = 0
    for seed in range(4):
        planted = {"r003": "territory", "r011": "territory", "r019": "coasting", "r023": "coasting"}
        evidence, _ = company(seed, causes=planted)
        about = {rep for rep, *_ in _flags(_review(evidence))}
        poor += len(about & {"r003", "r011"})
        rich += len(about & {"r019", "r023"})
        rules = ThresholdRules().flags(evidence)
        ruled += rules.loc[rules["flagged"] & rules["rep_id"].isin(["r003", "r011"]), "rep_id"].nunique()
    assert poor <= 1 and rich >= 6 and ruled >= 4  # of 8 each


def test_one_rep_per_territory_is_said_to_be_inseparable(company):
    evidence, _ = company(2)
    alone = {name: rows.assign(territory=rows["rep_id"]) for name, rows in evidence.work.items()}
    stages = evidence.stages.assign(territory=evidence.stages["rep_id"])
    deals = evidence.deals.assign(territory=evidence.deals["rep_id"])
    findings = _review(replace(evidence, deals=deals, work=alone, stages=stages))
    assert findings.inseparable == ("territory",)
    assert _review(evidence).inseparable == ()


def test_the_fewer_colleagues_tell_a_place_from_a_rep_the_less_is_claimed(company):
    evidence, _ = company(2)
    few = _review(evidence).posteriors["pipeline_creation", ""].doubt
    together = {name: rows.assign(territory="everybody") for name, rows in evidence.work.items()}
    many = _review(replace(evidence, work=together)).posteriors["pipeline_creation", ""].doubt
    assert np.median(few) > 1.3 * np.median(many)


def test_little_data_is_a_verdict_of_its_own(company):
    evidence, _ = company(3, deals=20)
    table = _review(evidence).table
    win = table[table["signal"] == "win_rate"]
    assert (win.loc[win["n"] < 20, "verdict"] == "not_enough_data").all()
    assert win.loc[win["n"] < 20, "money_at_stake"].isna().all()


def test_new_hires_and_leavers_are_not_judged(company):
    evidence, _ = company(4, spread=0.0, factors={"activity": {"r001": 0.4, "r002": 0.4, "r003": 0.4}})
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
    bare = replace(
        evidence, work={"pipeline_creation": evidence.work["pipeline_creation"]}, stages=None,
        weeks=evidence.weeks.iloc[:0], results=evidence.results.iloc[:0],
        deals=evidence.deals.assign(activities=np.nan, longest_silence=np.nan, price_kept=np.nan),
    )  # fmt: skip
    findings = _review(bare)
    assert set(findings.table["signal"]) == {"win_rate", "cycle", "pipeline_creation", "deal_size"}
    verdicts = _review(replace(bare, deals=bare.deals.iloc[:0], work={})).verdicts
    assert len(verdicts) == 40 and (verdicts["verdict"] == "not_enough_data").all()


def test_one_topic_each_and_it_is_the_one_with_most_money(company):
    evidence, _ = company(6, spread=0.3, deals=200)
    findings = _review(evidence)
    flagged = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    best = flagged.sort_values("money_at_stake").drop_duplicates("rep_id", keep="last").set_index("rep_id")
    topics = findings.verdicts.dropna(subset=["topic"]).set_index("rep_id")
    assert len(topics) == flagged["rep_id"].nunique() > 5
    assert (topics["money_at_stake"] == best["money_at_stake"].reindex(topics.index)).all()
    assert (flagged["money_at_stake"] > 0).all()


def test_a_result_is_told_and_never_coached(company):
    evidence, _ = company(8, spread=0.4, deals=250)
    table = _review(evidence).table
    results = table[table["signal"].isin(RESULTS)]
    assert set(results["signal"]) == set(RESULTS) and (results["probability_below"] > 0.5).any()
    assert set(results["verdict"]) <= {"watch", "fine", "not_enough_data"}
    assert (results["money_at_stake"].fillna(0) == 0).all()


def test_how_long_a_shortfall_has_lasted_is_counted_in_quarters(company):
    evidence, _ = company(9, spread=0.0, causes={"r005": "motivation"}, factors={"activity": {"r009": 0.4}})
    table = _review(evidence).table.set_index(["rep_id", "signal", "part"])["quarters_below"]
    assert table["r009", "activity", ""] == 4 and table["r005", "activity", ""] >= 2
    assert table[:, "activity", ""].drop(["r005", "r009"]).eq(0).mean() > 0.3


def test_results_fit_the_published_schemas_and_do_not_depend_on_row_order(company):
    evidence, _ = company(7)
    findings = _review(evidence)
    mixed = {
        name: getattr(evidence, name).sample(frac=1, random_state=1) for name in ("deals", "reps", "stages", "weeks")
    }
    work = {name: rows.sample(frac=1, random_state=1) for name, rows in evidence.work.items()}
    again = _review(replace(evidence, work=work, **mixed))
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


def test_who_gets_poor_deals_is_compared_with_others_who_do(company):
    """Win rates follow the chances that deals had when they were new, and one rep was given the poor ones."""
    random = np.random.default_rng(3)
    evidence, _ = company(10, spread=0.0, context=0.0)
    deals = evidence.deals
    chance = random.beta(4, 6, len(deals)).round(3)
    poor = (deals["rep_id"] == "r004").to_numpy()
    chance[poor] *= 0.35
    given = deals.assign(chance=chance, won=random.random(len(deals)) < chance)
    findings = [_review(replace(evidence, deals=one)) for one in (given, given.drop(columns="chance"))]
    told, untold = (one.posteriors["win_rate", ""].relative()["mean"]["r004"] for one in findings)
    assert untold < 0.6 and told > 0.85
