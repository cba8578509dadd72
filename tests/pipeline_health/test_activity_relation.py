"""Activities and winning: true relations are found, long deals do not seem worked more, failed fits are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from spm_models.pipeline_health import activity_relation
from spm_models.pipeline_health.relation import CONFOUNDERS, _logistic
from spm_models.translations import Translator

KINDS = ("call", "demo", "email", "meeting")


def company(simulated, seed: int, effect: float = 0.0, deals: int = 1500, by_amount: float = 0.0):
    """Deals that get touches at a steady pace for as long as they live; winning depends on early meetings and size."""
    rng = np.random.default_rng(seed)
    facts = simulated(seed, deals=deals)
    size = rng.normal(0, 1, deals)
    counts = {
        kind: rng.poisson(np.exp(0.2 + (0.5 * size if by_amount and kind == "meeting" else 0 * size))) for kind in KINDS
    }
    won = rng.random(deals) < special.expit(-0.9 + effect * counts["meeting"] + by_amount * size)
    life = np.where(won, rng.integers(45, 130, deals), rng.integers(5, 90, deals))
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 620, deals), unit="D")
    frame = facts.deals.assign(
        created_on=created, closed_on=created + pd.to_timedelta(life, unit="D"), amount=np.exp(10 + size),
        status=np.where(won, "won", "lost"),
    )  # fmt: skip
    parts = []
    for kind, number in counts.items():
        total = rng.poisson(number * life / 30)  # in a longer life more of the same
        which = np.repeat(np.arange(deals), np.where(life > 30, number, 0) + np.maximum(total - number, 0))
        place = np.concatenate([np.arange(n) for n in np.bincount(which, minlength=deals)])
        early = place < number[which]
        day = np.where(early, rng.uniform(0, 30, which.size), rng.uniform(30, np.maximum(life, 31)[which]))
        parts.append(pd.DataFrame({"opportunity_id": frame["opportunity_id"].to_numpy()[which], "kind": kind,
                                   "at": created[which] + pd.to_timedelta(day, unit="D")}))  # fmt: skip
    return replace(facts, deals=frame, touches=pd.concat(parts).astype({"at": "datetime64[us]"}))


def test_a_true_relation_is_found_with_its_size(simulated):
    table = activity_relation(company(simulated, 1, effect=0.4)).set_index("kind")
    assert table.loc["meeting", "verdict"] == "wins_more"
    assert table.loc["meeting", "low"] - 0.15 < np.exp(0.4) < table.loc["meeting", "high"] + 0.15
    assert set(table.loc[["call", "demo", "email"], "verdict"]) == {"no_clear_relation"}
    assert table.loc["meeting", "difference"] == pytest.approx(0.4 * 0.24, abs=0.03)
    assert (table["adjusted_by"] == "logistic").all()


def test_living_longer_does_not_look_like_being_worked_more(simulated):
    """Won deals live longer and gather more touches in all; the early counts say nothing, and nothing is said."""
    findings = 0
    for seed in range(10):
        facts = company(simulated, seed)
        if seed == 0:
            totals = facts.touches.groupby("opportunity_id").size().reindex(facts.deals["opportunity_id"]).fillna(0)
            won = (facts.deals["status"] == "won").to_numpy()
            assert totals[won].mean() > 1.3 * totals[~won].mean(), "a plain count would mislead"
        findings += activity_relation(facts)["verdict"].isin(["wins_more", "wins_less"]).any()
    assert findings <= stats.binom.ppf(0.99, 10, 0.1)


def test_size_is_adjusted_for(simulated):
    """Large deals get more meetings and are won more often: the raw relation is not the adjusted one."""
    row = activity_relation(company(simulated, 3, by_amount=0.8, deals=2500)).set_index("kind").loc["meeting"]
    assert row["raw_low"] > 1.15 and row["low"] < 1.05


def test_deals_that_cannot_be_followed_or_were_decided_early_are_left_out(simulated):
    facts = company(simulated, 1, effect=0.4)
    table = activity_relation(facts)
    life = (facts.deals["closed_on"] - facts.deals["created_on"]).dt.days
    horizon = table["horizon_days"].iloc[0]
    last = pd.Timestamp(facts.as_of) - pd.Timedelta(days=30 + int(horizon))
    since = facts.touches["at"].min().normalize()
    kept = (life > 30) & (facts.deals["created_on"] <= last) & (facts.deals["created_on"] >= since)
    assert table["deals"].iloc[0] == kept.sum() < len(facts.deals)


def test_few_deals_are_not_judged(simulated):
    table = activity_relation(company(simulated, 1, deals=60))
    assert set(table["verdict"]) == {"not_enough_data"} and table["odds_ratio"].isna().all()


def test_what_does_not_converge_is_no_result():
    x = np.repeat([0.0, 1.0], 40)
    assert _logistic(x, x[:, None], np.arange(80)) is None, "perfect separation"
    twice = np.column_stack([x + np.tile([0.0, 1.0], 40), x + np.tile([0.0, 1.0], 40)])
    assert _logistic(np.tile([1.0, 0.0, 0.0, 1.0], 20), twice, np.arange(80)) is None, "the same column twice"


def test_where_the_regression_fails_strata_stand_in(simulated, monkeypatch):
    from spm_models.pipeline_health import relation

    monkeypatch.setattr(relation, "_logistic", lambda *_: None)
    row = activity_relation(company(simulated, 1, effect=0.6)).set_index("kind").loc["meeting"]
    assert row["adjusted_by"] == "stratified" and row["low"] > 1 and np.isnan(row["raw_odds_ratio"])


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_the_confounders_are_named(locale):
    t = Translator(locale)
    assert len({t(f"relation.confounders.{name}") for name in CONFOUNDERS}) == len(CONFOUNDERS)
    assert t("relation.association")
