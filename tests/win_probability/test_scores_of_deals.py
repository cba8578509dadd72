"""What the model says of open deals, against a known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import binomtest

from spm_models.errors import ModelError
from spm_models.published.schemas import TABLES
from spm_models.win_probability import WinProbability, evaluate, learning_set
from spm_models.win_probability.result import REASONS, TABLE

LAST = pd.Timestamp("2026-06-30")


@pytest.fixture(scope="module")
def fitted(company):
    snapshots, closed = company(2500, seed=11)
    return snapshots, closed, WinProbability(seed=1, method="model").fit(snapshots, closed)


def test_probabilities_follow_the_truth_and_are_calibrated_on_open_deals(fitted):
    snapshots, _, model = fitted
    latest = snapshots[snapshots["as_of"] == LAST]
    told = model.predict(latest).table["win_probability"].to_numpy()  # both are sorted by deal
    assert np.corrcoef(logit(told), logit(latest["p_win"]))[0, 1] > 0.85
    error = np.sqrt((latest["p_win"] * (1 - latest["p_win"])).sum()) / len(latest)
    assert abs(told.mean() - latest["p_win"].mean()) < 2 * error


def test_reasons_add_up_to_the_log_odds_of_every_deal(fitted):
    snapshots, _, model = fitted
    scores = model.predict(snapshots[snapshots["as_of"] == LAST])
    total = scores.reasons.groupby("opportunity_id")["contribution"].sum()
    told = logit(scores.table.set_index("opportunity_id")["win_probability"])
    assert np.abs(total - told).max() < 1e-9
    assert not scores.reasons.duplicated(["opportunity_id", "rank"]).any()
    first = scores.reasons[scores.reasons["rank"] == 0]
    assert set(first["feature"]) == {"typical_deal"} and first["contribution"].nunique() == 1
    shown = set(scores.reasons["feature"])
    assert {"stage", "source", "amount", "rep_history"} <= shown
    lead = scores.reasons.query("feature == 'stage' and value == 'Lead'")["contribution"]
    offer = scores.reasons.query("feature == 'stage' and value == 'Offer'")["contribution"]
    assert lead.max() < 0 < offer.min()


def test_tables_have_the_published_columns(fitted):
    snapshots, _, model = fitted
    scores = model.predict(snapshots[snapshots["as_of"] == LAST])
    published = set(TABLES["deal_scores"].columns) - {"account_name"}  # the snapshot knows no names
    assert set(scores.table) == published == set(TABLE) and set(scores.reasons) == set(REASONS)
    assert (scores.table["low"] < scores.table["win_probability"]).all()
    assert (scores.table["win_probability"] < scores.table["high"]).all()
    assert "model" in scores._repr_html_() and len(scores.summary()) == 1


def test_intervals_hold_the_true_probability_about_as_often_as_they_say(company):
    inside = deals = 0
    for seed in range(4):
        snapshots, closed = company(700, seed=100 + seed)
        latest = snapshots[snapshots["as_of"] == LAST]
        table = WinProbability(seed, method="model").fit(snapshots, closed).predict(latest).table
        truth = latest.set_index("opportunity_id").loc[table["opportunity_id"], "p_win"].to_numpy()
        inside += int(((table["low"] <= truth) & (truth <= table["high"])).sum())
        deals += len(table)
    assert 0.6 < inside / deals < 0.95  # deals of a company share one fit: few independent trials


def test_the_same_seed_gives_the_same_bytes_and_a_stored_state_predicts_the_same(fitted, tmp_path):
    snapshots, closed, model = fitted
    latest = snapshots[snapshots["as_of"] == LAST]
    again = WinProbability(seed=1, method="model").fit(snapshots, closed)
    stored = WinProbability.from_state(model.state())
    expected = model.predict(latest).table.to_csv()
    assert again.predict(latest.sample(frac=1, random_state=2)).table.to_csv() == expected
    assert stored.predict(latest).table.to_csv() == expected


def test_falls_back_by_name_when_there_is_little_to_learn_from(company):
    snapshots, closed = company(400, seed=5)
    latest = snapshots[snapshots["as_of"] == LAST]
    few = WinProbability().fit(snapshots, closed.sort_values("closed_on").head(30))
    assert few.method_ in ("base_rate", "stage_rate")
    table = few.predict(latest).table
    assert table["win_probability"].between(0.05, 0.95).all() and (table["high"] - table["low"]).min() > 0.05
    none = WinProbability().fit(snapshots, closed.head(2))
    told = none.predict(latest)
    assert set(told.table["scored_by"]) == {"not_enough_data"}
    assert told.table["win_probability"].isna().all() and told.reasons.empty
    assert WinProbability(method="model").fit(snapshots, closed.head(30)).method_ == "stage_rate"
    empty = few.predict(latest.head(0))
    assert empty.table.empty and empty.reasons.empty


def test_a_stage_that_was_never_seen_gets_the_base_rate_and_says_so(company):
    snapshots, closed = company(400, seed=6)
    model = WinProbability(method="stage_rate").fit(snapshots, closed)
    odd = snapshots[snapshots["as_of"] == LAST].head(2).assign(stage=["Offer", "Signing"])
    assert model.predict(odd).table["scored_by"].tolist() == ["stage_rate", "base_rate"]
    reasons = model.predict(odd).reasons
    total = reasons.groupby("opportunity_id")["contribution"].sum().to_numpy()
    np.testing.assert_allclose(total, logit(model.predict(odd).table["win_probability"]), atol=1e-9)


def test_asks_to_be_fitted_and_refuses_unknown_methods(company):
    with pytest.raises(ModelError, match="not fitted"):
        WinProbability().predict(company(50, seed=1)[0])
    with pytest.raises(ModelError, match="no such method"):
        WinProbability(method="magic")


def test_the_model_is_published_where_there_is_signal(company):
    snapshots, closed = company(1500, seed=21)
    found = evaluate(snapshots, closed, "2026-01-01", seed=1)
    assert found.published == "model" and found.verdict["reason"].item() == "better_than_baseline"
    wide = found.scores.pivot(index="model", columns="measure", values="value")
    assert wide.loc["model", "log_loss"] < wide.loc["stage_rate", "log_loss"] < wide.loc["base_rate", "log_loss"]
    assert wide.loc["model", "log_loss_gain_low"] > 0
    for name, table in {"model_scores": found.scores, "reliability": found.reliability}.items():
        assert set(table) == set(TABLES[name].columns)
        assert not table.duplicated(list(TABLES[name].key)).any()


def test_outcomes_dealt_at_random_publish_the_model_no_more_often_than_chance(company):
    published = []
    for seed in range(12):
        snapshots, closed = company(900, seed=40 + seed)
        shuffled = closed.assign(won=np.random.default_rng(seed).permutation(closed["won"]))
        published.append(evaluate(snapshots, shuffled, "2026-01-01", seed=seed).published)
    assert binomtest(published.count("model"), 12, 0.05, alternative="greater").pvalue > 0.001, published


def test_nothing_is_learned_from_outcomes_after_the_day_of_learning(company):
    snapshots, closed = company(600, seed=8)
    day = pd.Timestamp("2025-09-30")
    later = closed["closed_on"] > day
    other = closed.assign(won=closed["won"] ^ later)
    fits = [WinProbability(1, "model").fit(snapshots, outcomes, day.date()) for outcomes in (closed, other)]
    latest = snapshots[snapshots["as_of"] == day]
    told = [fit.predict(latest).table.to_csv() for fit in fits]
    assert told[0] == told[1]
    rows = learning_set(snapshots, closed, day.date())
    assert (rows["as_of"] < rows["closed_on"]).all() and rows["closed_on"].max() <= day
