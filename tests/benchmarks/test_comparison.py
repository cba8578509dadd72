from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import win_probability
from win import compare, peers, scoring
from win.frequencies import FrequencyScore, Rate
from win.split import Table

FAST = ["base_rate", "segment_rate", "logistic", "win_classifier"]


def test_a_constant_difference_has_no_error() -> None:
    mean, error = compare.paired(np.full(6, 0.2), np.ones(6), np.array([0, 0, 1, 1, 2, 2]))
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(0, abs=1e-12)


def test_the_error_is_that_of_clusters_and_not_of_rows() -> None:
    rng = np.random.default_rng(0)
    by_cluster = rng.normal(0.1, 1.0, 100)
    rows = np.repeat(by_cluster, 9)
    mean, error = compare.paired(rows, np.ones(900), np.repeat(np.arange(100), 9))
    assert mean == pytest.approx(by_cluster.mean())
    assert error == pytest.approx(by_cluster.std() / 10, rel=0.08)
    assert compare.paired(rows, np.ones(900), np.arange(900))[1] < 0.5 * error


def test_weights_count() -> None:
    mean, _ = compare.paired(np.array([1.0, 0.0]), np.array([3.0, 1.0]), np.array([0, 1]))
    assert mean == pytest.approx(0.75)


def test_regret_is_the_share_of_the_best_peers_log_loss(small_table: Table) -> None:
    measures = pd.DataFrame(
        {"log_loss": [0.50, 0.51, 0.60], "calibration_error": [0.05, 0.03, 0.01],
         "calibration_limit": [0.02, 0.04, 0.02]},
        index=["logistic", "win_classifier", "base_rate"],
    )  # fmt: skip
    said = {"win_classifier": np.zeros(1)}
    one = compare.Compared(small_table, measures, {}, "logistic", 0.01, 0.02, said)
    other = replace(small_table, name="bank_calls")
    better = compare.Compared(other, measures, {}, "logistic", -0.02, 0.01, said)
    assert one.regret == pytest.approx(0.02)
    assert one.calibrated  # not the lowest, but within noise
    found = compare.summary([one, better])
    assert found["mean_regret"] == pytest.approx(-0.01)
    assert (found["tables_better"], found["tables_within_one_error"]) == (1.0, 2.0)


def test_everybody_is_measured_on_all_splits_and_what_peers_said_is_kept(small_table: Table, tmp_path: Path) -> None:
    found = compare.compare(small_table, only=FAST, kept=tmp_path)
    assert sorted(found.measures.index) == sorted(FAST)
    assert found.best == "logistic"
    assert found.measures.loc["logistic", "log_loss"] < found.measures.loc["base_rate", "log_loss"] - 0.05
    assert len(found.said["logistic"]) == 200
    assert len(list(tmp_path.glob("*.logistic.*.npz"))) == 2
    assert not list(tmp_path.glob("*win_classifier*"))
    again = compare.compare(small_table, only=["logistic"], kept=tmp_path)
    assert again.measures.loc["logistic", "log_loss"] == found.measures.loc["logistic", "log_loss"]
    keys = compare.flat(found)
    assert {"log_loss.maven_deals.win_classifier", "auc.maven_deals.logistic", "brier.maven_deals.base_rate",
            "calibration_error.maven_deals.win_classifier", "ceiling.maven_deals"} <= set(keys)  # fmt: skip


def test_a_peer_that_is_not_installed_is_named(small_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "catboost", None)
    found = compare.compare(small_table, only=["base_rate", "catboost"])
    assert "catboost is not installed" in found.absent["catboost"]
    assert "catboost" not in found.measures.index


def test_the_command_prints_flat_keys(
    small_table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(win_probability, "table", lambda name, quick: small_table)
    monkeypatch.setattr(win_probability, "STREAMED", ("maven_deals",))
    monkeypatch.setattr(win_probability.show, "ORDER", FAST)
    monkeypatch.setattr("spm_models.evaluation.stream.BLOCKS", 5)
    monkeypatch.setattr(sys, "argv", ["x", "--quick", "--json", "--only", "maven_deals", "streams"])
    win_probability.main()
    found = json.loads(capsys.readouterr().out)
    told = {"log_loss.maven_deals.logistic", "regret.maven_deals", "mean_regret", "tables_better", "seconds"}
    assert told <= set(found)
    assert {"prequential.maven_deals.last_known_rate", "prequential.maven_deals.win_classifier"} <= set(found)
    assert all(isinstance(value, int | float) for value in found.values())


def test_rates_of_segments_and_of_unknown_ones() -> None:
    X = pd.DataFrame({"segment": ["a"] * 8 + ["b"] * 2})
    y = np.array([1.0] * 7 + [0.0] + [0.0] * 2)
    rate = Rate("segment").fit(X, y, np.ones(10))
    said = rate.predict_proba(pd.DataFrame({"segment": ["a", "b", "new"]}))[:, 1]
    assert said.tolist() == pytest.approx([8 / 10, 1 / 4, 8 / 12])


def test_the_frequency_score_is_bayes_rule_on_counts_of_the_team() -> None:
    X = pd.DataFrame({"team": ["x"] * 4 + ["y"] * 2, "source": ["web", "web", "fair", "fair", "web", "web"]})
    y = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    score = FrequencyScore("team").fit(X, y, np.ones(6))
    asked = pd.DataFrame({"team": ["x", "x", "y"], "source": ["web", "never seen", "web"]})
    said = score.predict_proba(asked)[:, 1]
    won, lost = 3.1, 1.1
    odds = won / lost * (2.1 / won) / (0.1 / lost)
    assert said[0] == pytest.approx(odds / (1 + odds), abs=1e-4)
    assert said[1] == pytest.approx(won / (won + lost), abs=1e-4)
    everybody = 5.1 / 1.1 * (4.1 / 5.1) / (0.1 / 1.1)  # team y has no loss
    assert said[2] == pytest.approx(everybody / (1 + everybody), abs=1e-4)


def test_scoring_tells_seconds_memory_and_the_ratio(small_table: Table) -> None:
    found = scoring.scoring(small_table.splits[0], rows=2_000, rounds=1)
    assert found["scoring_rows"] == 2_000
    assert found["scoring_cpu.win_classifier"] > 0
    assert found["scoring_ratio"] == pytest.approx(
        found["scoring_cpu.win_classifier"] / found["scoring_cpu.hist_boosting"]
    )


def test_peers_take_gaps_new_words_and_columns_of_many_words() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"n": np.where(rng.random(400) < 0.2, np.nan, rng.normal(size=400)),
                      "w": pd.array(rng.choice(["a", "b", None], 400), dtype="str"),
                      "many": [f"v{i}" for i in range(400)]})  # fmt: skip
    y = (rng.random(400) < 0.4).astype(float)
    asked = X.head(3).assign(w="new")
    for make in (peers.hist_boosting, lambda: peers.OneHot(peers.LogisticRegression())):
        said = make().fit(X, y, np.ones(400)).predict_proba(asked)[:, 1]
        assert ((said > 0) & (said < 1)).all()
