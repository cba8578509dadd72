"""Deals to talk about."""

from __future__ import annotations

from spm_models.coaching import CoachingReview, examples
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform


def test_each_topic_has_the_reps_own_deals(company):
    planted = {"win_rate": {"r001": 0.4}, "cycle": {"r002": 0.4}, "activity": {"r003": 0.4}}
    evidence, _ = company(11, deals=400, spread=0.0, factors=planted)
    findings = CoachingReview().fit(evidence).predict(evidence)
    found = examples(findings, evidence)
    conform(found, TABLES["coaching_examples"])
    deals = evidence.deals.set_index("opportunity_id").loc[found["opportunity_id"]]
    assert (deals["rep_id"].to_numpy() == found["rep_id"].to_numpy()).all()
    assert not found.duplicated(["rep_id", "opportunity_id"]).any()

    won = evidence.deals[evidence.deals["won"]]
    slow = found[(found["rep_id"] == "r002") & (found["kind"] == "counter_example")]
    assert slow["value"].tolist() == won.loc[won["rep_id"] == "r002", "days"].nlargest(3).tolist()
    lost = found[(found["rep_id"] == "r001") & (found["kind"] == "counter_example")]
    assert not deals.loc[lost["opportunity_id"], "won"].any() and len(lost) == 3
    idle = found[(found["rep_id"] == "r003") & (found["kind"] == "counter_example")]
    assert idle["value"].is_monotonic_increasing and idle["signal"].eq("activity").all()


def test_without_a_topic_there_are_no_examples(company):
    evidence, _ = company(12, spread=0.0)
    findings = CoachingReview().fit(evidence).predict(evidence)
    assert findings.verdicts["topic"].isna().all()
    assert examples(findings, evidence).empty
