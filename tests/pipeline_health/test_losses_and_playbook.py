"""Loss reasons, competitors and the playbook, against hand-worked figures and known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.pipeline_health import competitors, loss_reasons, playbook
from spm_models.pipeline_health.practice import _worth


def lost_deals(facts, now: dict[str | None, int], before: dict[str | None, int]):
    rows = [(reason, 30, n) for reason, n in now.items()] + [(reason, 250, n) for reason, n in before.items()]
    reasons = [reason for reason, _, n in rows for _ in range(n)]
    days = [ago for _, ago, n in rows for _ in range(n)]
    closed = pd.Timestamp(facts.as_of) - pd.to_timedelta(days, unit="D")
    deals = facts.deals.head(len(reasons)).assign(
        status="lost", closed_on=closed, loss_reason=pd.Series(reasons, dtype="str"), amount=10.0, team="t", region="r"
    )
    return replace(facts, deals=deals)


def test_shares_and_changes_by_hand(simulated):
    facts = lost_deals(simulated(1), {"price": 30, "no need": 60, None: 10}, {"price": 10, "no need": 80, None: 10})
    table = loss_reasons(facts)
    company = table[table["level"] == "company"].set_index("reason")
    price = company.loc["price"]
    assert (price["share"], price["share_before"], price["amount"]) == (0.3, 0.1, 300.0)
    assert price["change"] == pytest.approx(0.2) and price["verdict"] == "more_often"
    assert company.loc["", "share"] == 0.1 and company.loc["", "verdict"] == "steady"
    assert company.loc["no need", "verdict"] == "less_often"
    assert company["share"].sum() == pytest.approx(1.0) and set(table["level"]) == {"company", "region", "team"}


def test_the_interval_of_a_change_is_newcombes_published_one(simulated):
    """Newcombe (1998), table II, example a: 56/70 against 48/80, method 10: 0.0524 to 0.3339 at 95 %."""
    from spm_models.pipeline_health import losses

    facts = lost_deals(simulated(1), {"a": 56, "b": 14}, {"a": 48, "b": 32})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(losses, "LEVEL", 0.95)
        row = loss_reasons(facts).set_index(["level", "reason"]).loc[("company", "a")]
    assert (round(row["change_low"], 4), round(row["change_high"], 4)) == (0.0524, 0.3339)


def test_reasons_that_only_chance_moves_are_steady(simulated):
    rng = np.random.default_rng(2)
    facts = simulated(1, deals=900)
    found = 0
    for _ in range(40):
        now, before = (dict(zip("abcd", rng.multinomial(120, [0.4, 0.3, 0.2, 0.1]), strict=True)) for _ in range(2))
        found += (loss_reasons(lost_deals(facts, now, before))["verdict"] != "steady").any()
    assert found <= stats.binom.ppf(0.99, 40, 0.1)


def test_no_reason_stated_says_nothing(simulated):
    assert loss_reasons(lost_deals(simulated(1), {None: 40}, {None: 40})).empty
    assert competitors(simulated(1)).empty


def test_a_competitor_who_wins_more_is_named_and_one_met_seldom_is_not(simulated):
    facts = simulated(1)
    rows = [("Rival", 20, 100), ("Other", 50, 100), ("Third", 52, 100), ("Fourth", 49, 100), ("Seldom", 0, 6),
            (None, 60, 100)]  # fmt: skip
    named = [name for name, _, n in rows for _ in range(n)]
    status = [s for _, won, n in rows for s in ["won"] * won + ["lost"] * (n - won)]
    deals = facts.deals.head(len(named)).assign(
        competitor=pd.Series(named, dtype="str"), status=status, closed_on=pd.Timestamp(facts.as_of), amount=2.0
    )
    table = competitors(replace(facts, deals=deals)).set_index("competitor")
    assert table.loc["Rival", "verdict"] == "wins_less" and table.loc["Rival", "probability_below"] > 0.99
    assert table.loc["Rival", "win_rate"] < table.loc["Rival", "pooled"] < 0.3
    assert table.loc["Seldom", "pooled"] > 0.05 and table.loc["Seldom", "verdict"] == "not_enough_data"
    assert np.isnan(table.loc["", "pooled"]) and table.loc["", "win_rate"] == 0.6
    assert table.loc["Rival", ["won_amount", "lost_amount"]].tolist() == [40.0, 160.0]


def selling(simulated, seed: int, *, contacts_of_the_best: float = 1.5, skill: float = 0.25):
    """20 reps; the five best win more, and they alone bring in more contacts early."""
    rng = np.random.default_rng(seed)
    facts = simulated(seed, deals=1600)
    deals = facts.deals.sort_values("opportunity_id", ignore_index=True)
    number = deals["rep_id"].str[1:].astype(int)
    best = number < 5
    created = pd.Timestamp(facts.as_of) - pd.to_timedelta(rng.integers(31, 380, len(deals)), unit="D")
    life = rng.integers(31, 120, len(deals))
    won = rng.random(len(deals)) < np.where(best, 0.3 + skill, 0.3)
    closed = created + pd.to_timedelta(life, unit="D")
    open_ = closed > pd.Timestamp(facts.as_of)
    deals = deals.assign(
        created_on=created, closed_on=pd.Series(closed).mask(open_), amount=rng.lognormal(3, 0.4, len(deals)),
        status=np.where(open_, "open", np.where(won, "won", "lost")), segment=rng.choice(["a", "b"], len(deals)),
    )  # fmt: skip
    people = rng.poisson(np.where(best, contacts_of_the_best, 1.0))
    which = np.repeat(np.arange(len(deals)), people)
    contacts = pd.DataFrame(
        {"opportunity_id": deals["opportunity_id"].to_numpy()[which], "role": "user", "added_on": created[which]}
    )
    touches = np.repeat(np.arange(len(deals)), rng.poisson(3, len(deals)))
    at = created[touches] + pd.to_timedelta(rng.uniform(0, 30, touches.size), unit="D")
    calls = {"opportunity_id": deals["opportunity_id"].to_numpy()[touches], "kind": "call", "at": at}
    return replace(facts, deals=deals, contacts=contacts, touches=pd.DataFrame(calls), visits=facts.visits.iloc[:0])


def test_what_the_best_do_differently_stands_in_the_playbook_with_examples(simulated):
    facts = selling(simulated, 1, contacts_of_the_best=2.0, skill=0.5)
    found = playbook(facts)
    table = found.table.set_index("behaviour")
    row = table.loc["contacts_early"]
    assert row["verdict"] == "in_playbook" and row["low"] - 0.2 < 1.0 < row["high"] + 0.2
    assert (row["top_reps"], row["other_reps"]) == (5, 15)
    shown = found.examples.merge(facts.deals, on="opportunity_id")
    assert set(shown["status"]) == {"won"} and len(shown) >= 3 and shown["rep_id_x"].str[1:].astype(int).max() < 5


def test_a_habit_with_leads_enters_the_playbook_without_deals_as_examples(simulated):
    facts = selling(simulated, 1, skill=0.5)
    rng, reps = np.random.default_rng(4), np.repeat(facts.deals["rep_id"].unique(), 40)
    created = pd.Timestamp(facts.as_of) - pd.to_timedelta(rng.integers(1, 300, len(reps)), unit="D")
    hours = rng.exponential(np.where(pd.Series(reps).str[1:].astype(int) < 5, 4.0, 30.0))
    leads = pd.DataFrame({
        "lead_id": np.arange(len(reps)).astype(str), "rep_id": reps, "source": "web", "created_at": created,
        "first_response_at": created + pd.to_timedelta(hours, unit="h"),
    })  # fmt: skip
    found = playbook(replace(facts, leads=leads))
    table = found.table.set_index("behaviour")
    assert table.loc["hours_to_first_response", "verdict"] == "in_playbook"
    assert "hours_to_first_response" not in set(found.examples["behaviour"])


def test_the_top_are_those_whose_deals_bring_more(simulated):
    worth = _worth(selling(simulated, 3), 365).sort_values("pooled", ascending=False)
    assert worth["rep_id"].head(5).str[1:].astype(int).lt(5).sum() >= 4


def test_where_all_do_the_same_the_playbook_is_empty_but_by_chance(simulated):
    found = 0
    for seed in range(12):
        table = playbook(selling(simulated, seed, contacts_of_the_best=1.0)).table
        assert {"contacts_early", "touches_early", "days_to_first_touch"} <= set(table["behaviour"])
        found += (table["verdict"] == "in_playbook").any()
    assert found <= stats.binom.ppf(0.99, 12, 0.1)


def test_few_reps_have_no_playbook(simulated):
    facts = selling(simulated, 1)
    few = facts.deals.assign(rep_id=np.where(facts.deals["rep_id"] < "r10", "r1", "r2"))
    assert playbook(replace(facts, deals=few)).table.empty
