"""Causes against what was planted: named in order, with weights that add up, and never told surer than they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from spm_models.coaching import CoachingReview, causes, with_causes
from spm_models.coaching.why import CAUSES, PATTERNS
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

PLANTED = {"r002": "knowledge", "r009": "motivation", "r016": "direction", "r023": "coasting", "r030": "knowledge",
           "r035": "motivation", "r038": "direction"}  # fmt: skip
TRUE = {"coasting": "motivation"}


@pytest.fixture(scope="module")
def reviewed():
    from spm_models.coaching import simulate_evidence

    found = []
    for seed in (41, 42, 43):
        evidence, truth = simulate_evidence(seed, causes=PLANTED, deals=130, spread=0.12)
        found.append((CoachingReview().fit(evidence).predict(evidence), truth))
    return found


def test_the_planted_cause_comes_first(reviewed):
    right = of = 0
    for findings, truth in reviewed:
        first = causes(findings).table.query("place == 1").set_index("rep_id")
        for rep in sorted(set(truth.planted) & set(first.index)):
            right += first.loc[rep, "cause"] == TRUE.get(truth.cause[rep], truth.cause[rep])
            of += 1
    assert of >= 15 and right / of >= 0.75


def test_weights_add_up_to_the_probability(reviewed):
    found = causes(reviewed[0][0])
    behaviours = [name for name in found.scores if name not in ("rep_id", "cause", "score")]
    assert set(behaviours) == {"prior", "stage_conversion", *PATTERNS}
    np.testing.assert_allclose(found.scores[behaviours].sum(axis=1), found.scores["score"])
    scores = found.scores.pivot(index="rep_id", columns="cause", values="score")[list(CAUSES)]
    said = found.table.pivot(index="rep_id", columns="cause", values="probability")[list(CAUSES)]
    np.testing.assert_allclose(special.softmax(scores, axis=1), said)
    told = found.evidence.merge(found.scores, on=["rep_id", "cause"])
    own = [row[row["signal"]] for row in told.to_dict("records")]
    np.testing.assert_allclose(told["weight"], own)


def test_what_speaks_for_and_against_is_told_with_its_figures(reviewed):
    findings, truth = reviewed[0]
    told = causes(findings).evidence
    assert (told["weight"] > 0).eq(told["stance"] == "for").all()
    assert told.groupby(["rep_id", "cause"])["rank"].max().max() <= 4
    lazy = [
        rep for rep in truth.planted if truth.cause[rep] in ("motivation", "coasting") and rep in set(told["rep_id"])
    ]
    for rep in lazy:
        activity = told[(told["rep_id"] == rep) & (told["cause"] == "motivation") & (told["signal"] == "activity")]
        assert activity[["stance", "reading"]].values.tolist() == [["for", "low"]]
        assert (activity["value"] < 0.9 * activity["beside"]).all()
    assert lazy


def test_what_a_manager_found_in_the_talk_goes_before_the_figures(reviewed):
    findings, _ = reviewed[0]
    plain = causes(findings).table
    rep = plain.loc[plain["stated"], "rep_id"].iloc[0]
    first, second = plain.loc[plain["rep_id"] == rep].sort_values("place")["cause"].head(2)
    said = pd.DataFrame({"rep_id": [rep, rep], "cause": [first, second], "confirmed": ["no", "yes"]})
    table = causes(findings, confirmed=said).table
    own = table[table["rep_id"] == rep].sort_values("place")
    assert own["cause"].iloc[0] == second and own["stated"].iloc[0]
    assert own["cause"].iloc[-1] == first and not own["stated"].iloc[-1]
    assert own["probability"].sum() == pytest.approx(1)  # what the figures say stays what it was
    verdicts = with_causes(findings.verdicts, table).set_index("rep_id")
    assert verdicts.loc[rep, "cause"] == second


def test_only_who_has_a_suggestion_has_causes_and_missing_behaviours_are_left_out(reviewed):
    findings, _ = reviewed[0]
    table = causes(findings).table
    assert set(table["rep_id"]) == set(findings.verdicts.dropna(subset=["topic"])["rep_id"])
    conform(table, TABLES["coaching_causes"])
    bare = {key: one for key, one in findings.posteriors.items() if key[0] in ("win_rate", "pipeline_creation")}
    less = causes(replace(findings, posteriors=bare))
    assert set(less.scores) == {"rep_id", "cause", "prior", "pipeline_creation", "score"}
    nobody = findings.verdicts.assign(topic=None)
    assert causes(replace(findings, verdicts=nobody)).table.empty
