"""Simulated truths: what is there is found, what is not there is not made up."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spm_models.win_probability import WinClassifier


def loss(truth, told):
    """Expected log loss of what was told, given the true probabilities."""
    return -np.mean(truth * np.log(told) + (1 - truth) * np.log(1 - told))


def deals(n, seed, log_odds):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    X["stage"] = rng.choice(["new", "demo", "offer"], n)
    truth = expit(log_odds(X))
    return X, (rng.random(n) < truth).astype(int), truth


def test_nothing_to_learn_gives_the_base_rate():
    flat, lost, made_up = 0, [], []
    for seed in range(8):
        X, y, truth = deals(400, seed, lambda X: np.full(len(X), -1.0))
        model, rate = WinClassifier().fit(X, y), np.full(400, (y.sum() + 0.5) / 401)
        p = model.predict_proba(X)[:, 1]
        if not model.learned_:
            assert p == pytest.approx(rate)
        flat += not model.learned_
        lost.append(loss(truth, p) - loss(truth, rate))
        D = pd.get_dummies(X)
        made_up.append(loss(truth, LogisticRegression().fit(D, y).predict_proba(D)[:, 1]) - loss(truth, rate))
    assert flat >= 4  # chance alone lets the blend look better at times; then it is believed by half
    assert np.mean(lost) < 0.0025
    assert np.mean(lost) < 0.4 * np.mean(made_up)


def test_straight_lines():
    X, y, truth = deals(3000, 1, lambda X: -0.8 + 0.8 * X["a"] - 0.5 * X["b"] + (X["stage"] == "offer"))
    told = WinClassifier().fit(X[:1000], y[:1000]).predict_proba(X[1000:])[:, 1]
    assert loss(truth[1000:], told) < loss(truth[1000:], truth[1000:]) + 0.012


def test_pairs_of_columns():
    X, y, truth = deals(4000, 2, lambda X: -0.5 + 1.3 * np.sign(X["a"] * X["b"]))
    model = WinClassifier().fit(X[:2000], y[:2000])
    told = model.predict_proba(X[2000:])[:, 1]
    rate = np.full(2000, y[:2000].mean())
    best = loss(truth[2000:], truth[2000:])
    assert loss(truth[2000:], told) - best < 0.3 * (loss(truth[2000:], rate) - best)
    weights = model.members_.set_index("member")["weight"]
    assert weights[["boosting of pairs", "boosting"]].sum() > 0.4


def test_many_reps_are_shrunk():
    rng = np.random.default_rng(7)
    rep, skill = rng.integers(0, 60, 6000), rng.normal(0, 0.8, 60)
    truth = expit(-0.5 + skill[rep])
    y = rng.random(6000) < truth
    X = pd.DataFrame({"rep": np.char.add("r", rep.astype(str)), "id": np.arange(6000).astype(str)})
    X["id"] = "deal " + X["id"]
    told = WinClassifier().fit(X[:2000], y[:2000]).predict_proba(X[2000:])[:, 1]
    counts = pd.DataFrame({"rep": rep[:2000], "y": y[:2000]}).groupby("rep")["y"].agg(["sum", "size"])
    raw = ((counts["sum"] + 0.5) / (counts["size"] + 1)).reindex(rep[2000:]).to_numpy()
    assert loss(truth[2000:], told) < loss(truth[2000:], raw)


def test_few_rows():
    X, y, _ = deals(5, 3, lambda X: np.zeros(len(X)))
    y[:2], y[2:] = 1, 0
    model = WinClassifier().fit(X, y)
    assert not model.learned_
    assert model.predict_proba(X)[:, 1] == pytest.approx(np.full(5, 2.5 / 6))
    low, high = model.interval(X).T
    assert (low < 0.25).all() and (high > 0.6).all()


def test_intervals_hold_the_truth():
    held = []
    for seed in range(5):
        X, y, truth = deals(600, 50 + seed, lambda X: -0.8 + 0.6 * X["a"] + 0.5 * (X["stage"] == "offer"))
        low, high = WinClassifier().fit(X[:300], y[:300]).interval(X[300:]).T
        held.append(((low <= truth[300:]) & (truth[300:] <= high)).mean())
    assert 0.6 < np.mean(held) <= 0.97
