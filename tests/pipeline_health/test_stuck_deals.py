"""Stuck deals: limits are what won deals show, reasons carry numbers, the order is what is at stake."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError, StatisticsError
from spm_models.pipeline_health import StuckDeals
from spm_models.translations import Translator


def with_touches(facts, every: float = 5.0):
    """A touch each fifth day of every deal's life."""
    end = facts.deals["closed_on"].fillna(pd.Timestamp(facts.as_of))
    count = ((end - facts.deals["created_on"]).dt.days // every).astype(int).to_numpy()
    which = np.repeat(np.arange(len(count)), count)
    nth = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count) + 1
    at = facts.deals["created_on"].iloc[which].reset_index(drop=True) + pd.to_timedelta(nth * every, unit="D")
    rows = {"opportunity_id": facts.deals["opportunity_id"].iloc[which].to_numpy(), "kind": "call", "at": at}
    pushes = pd.Series(1.0, facts.deals["opportunity_id"])
    now = facts.open_deals.assign(days_since_activity=2.0, age_days=50.0, decision_makers=1.0, objections=0.0,
                                  next_steps=0.0)  # fmt: skip
    return replace(facts, touches=pd.DataFrame(rows), pushes=pushes, open_deals=now)


@pytest.fixture
def facts(simulated):
    return with_touches(simulated(5, deals=1200))


def test_a_limit_is_what_nine_of_ten_won_deals_stayed_within(facts):
    model = StuckDeals().fit(facts)
    won = facts.visits["opportunity_id"].isin(facts.deals.loc[facts.deals["status"] == "won", "opportunity_id"])
    stays = facts.visits[won & (facts.visits["stage"] == "Meeting")]
    limits = model.limits_[(model.limits_["reason"] == "dwell") & (model.limits_["stage"] == "Meeting")]
    limits = limits.set_index("segment")
    assert limits.loc["", "limit"] == stays["days"].quantile(0.9)
    assert limits.loc["", "won_deals"] == stays["opportunity_id"].nunique()
    for segment, days in stays.groupby("segment")["days"]:
        assert (days <= limits.loc[segment, "limit"]).mean() == pytest.approx(0.9, abs=0.05)
    assert limits.loc["large", "limit"] > limits.loc["small", "limit"], "large deals are slower here, and may be"


def test_a_segment_with_few_won_deals_borrows(facts):
    few = facts.visits["opportunity_id"].isin(facts.deals.loc[facts.deals["status"] == "won", "opportunity_id"].head(3))
    visits = facts.visits.assign(
        segment=facts.visits["segment"].mask(few, "rare"), days=facts.visits["days"].mask(few, 100.0)
    )
    limits = StuckDeals().fit(replace(facts, visits=visits)).limits_
    limits = limits[(limits["stage"] == "Meeting")].set_index("segment")["limit"]
    assert limits["small"] < limits["rare"] < 150, (
        "three deals of 100 days make no rule: alone they would make one of 300"
    )


def test_reasons_numbers_and_next_steps_by_hand(facts):
    one, two, three, four = facts.open_deals["opportunity_id"].iloc[:4]
    name = facts.open_deals["opportunity_id"]
    quiet = facts.open_deals.assign(days_in_stage=1.0, amount=100.0)
    quiet["days_in_stage"] = quiet["days_in_stage"].mask(name.isin([one, four]), 500.0)
    quiet["amount"] = quiet["amount"].mask(name == two, 9000.0)
    quiet["push_count"] = quiet["push_count"].mask(name.isin([two, four]), 4.0)
    quiet["days_since_activity"] = quiet["days_since_activity"].mask(name.isin([three, four]), 90.0)
    quiet["decision_makers"] = quiet["decision_makers"].mask(name == one, 0.0)
    seen = replace(facts, open_deals=quiet)
    scores = pd.DataFrame({"opportunity_id": [one, two, three, four], "win_probability": [0.4, 0.1, 0.6, 0.2]})
    deals, reasons = StuckDeals().fit(seen).predict(seen, scores)
    assert deals["opportunity_id"].tolist() == [two, three, one, four]
    assert deals["at_stake"].tolist() == pytest.approx([900.0, 60.0, 40.0, 20.0])
    assert deals["next_step"].tolist() == [
        "confirm_close_date", "reach_out", "find_decision_maker", "decide_go_or_no_go",
    ]  # fmt: skip
    assert reasons.set_index(["opportunity_id", "reason"])["value"].to_dict() == {
        (one, "dwell"): 500.0, (two, "pushed"): 4.0, (three, "silent"): 90.0, (four, "dwell"): 500.0,
        (four, "pushed"): 4.0, (four, "silent"): 90.0,
    }  # fmt: skip
    assert (reasons["value"] > reasons["limit"]).all() and (reasons["won_deals"] >= 20).all()


def test_one_push_is_not_pushed_again(facts):
    never = replace(facts, pushes=facts.pushes * 0, open_deals=facts.open_deals.assign(push_count=1.0))
    _, reasons = StuckDeals().fit(never).predict(never)
    assert "pushed" not in set(reasons["reason"])


def test_with_few_won_deals_nothing_is_typical(simulated):
    few = with_touches(simulated(5, deals=40))
    deals, reasons = StuckDeals().fit(few).predict(few)
    assert deals.empty and reasons.empty


def test_without_scores_the_share_won_from_the_stage_stands_in(facts):
    model = StuckDeals().fit(facts)
    deals, _ = model.predict(facts)
    small = model.rates_.xs("small", level="segment")
    assert small["Lead"] < small["Meeting"] < small["Offer"] == pytest.approx(0.75, abs=0.06)  # as simulated
    first = deals.iloc[0]
    assert first["win_probability"] == pytest.approx(model.rates_[first["stage"], first["segment"]])
    assert first["at_stake"] == pytest.approx(first["amount"] * first["win_probability"])


def test_refusals():
    with pytest.raises(StatisticsError, match="between a half and one"):
        StuckDeals(share=1.2)
    with pytest.raises(ModelError, match="learned nothing"):
        StuckDeals().predict(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_every_reason_and_step_has_words(locale):
    t = Translator(locale)
    steps = ("decide_go_or_no_go", "reach_out", "confirm_close_date", "find_decision_maker", "answer_objection",
             "agree_next_step")  # fmt: skip
    assert len({t(f"stuck.next_steps.{step}") for step in steps}) == len(steps)
    said = t("stuck.reasons.dwell", value=83, limit=29, won=t("common.won_deals", n=1736))
    assert "83" in said and "29" in said
    for reason in ("silent", "age"):
        assert "90" in t(f"stuck.reasons.{reason}", value=90, limit=27, won=t("common.won_deals", n=20))
    assert "4" in t("stuck.reasons.pushed", value=4, limit=3, won=t("common.won_deals", n=20))
