"""The past loses its worth only where later rows say so, and never by labels that were not known yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from spm_models.win_probability.classifier.recency import choose_half_life, recency_weights


def rates(y):
    def predict(learn, weights, later):
        p = np.clip(np.average(y[learn], weights=weights), 1e-3, 1 - 1e-3)
        return np.full(len(later), np.log(p / (1 - p)))

    return predict


def test_steady_streams_keep_all_of_their_past():
    kept = 0
    for seed in range(30):
        y = (np.random.default_rng(seed).random(800) < 0.3).astype(float)
        kept += np.isinf(choose_half_life(rates(y), y, np.arange(800)).value)
    assert kept >= 20


def test_moving_streams_forget():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = (rng.random(3000) < np.linspace(0.05, 0.6, 3000)).astype(float)
        chosen = choose_half_life(rates(y), y, np.arange(3000))
        assert chosen.value < 1500
        assert chosen.table["log_loss"].iloc[0] > chosen.table["log_loss"].min()


def test_folds_learn_only_from_what_was_known():
    y = (np.random.default_rng(1).random(600) < 0.4).astype(float)
    time, matured = np.arange(600), np.arange(600) + 90
    asked = []

    def predict(learn, weights, later):
        asked.append((matured[learn].max(), time[later].min()))
        assert weights[-1] == pytest.approx(1.0)
        return np.zeros(len(later))

    choose_half_life(predict, y, time, matured=matured)
    assert len(asked) == 4 * 4
    assert all(known <= seen for known, seen in asked)


def test_a_moving_level_alone_is_no_reason_to_forget_what_columns_mean():
    rng = np.random.default_rng(2)
    x, time = rng.normal(size=3000), np.arange(3000)
    y = (rng.random(3000) < 1 / (1 + np.exp(2 - x - time / 1000))).astype(float)
    changed = (rng.random(3000) < 1 / (1 + np.exp(np.where(time < 1500, -x, x)))).astype(float)

    def line(labels):
        def predict(learn, weights, later):
            model = LogisticRegression().fit(x[learn][:, None], labels[learn], sample_weight=weights)
            return model.decision_function(x[later][:, None])

        return predict

    assert np.isinf(choose_half_life(line(y), y, time, own_level=True).value)
    assert choose_half_life(line(changed), changed, time, own_level=True).value < 3000


def test_weights_halve_by_days():
    days = pd.to_datetime(["2026-01-01", "2026-01-31", "2026-03-02"])
    assert recency_weights(days, 30).tolist() == pytest.approx([0.25, 0.5, 1.0])
    assert recency_weights(days, np.inf).tolist() == [1.0, 1.0, 1.0]


def test_too_few_rows_keep_everything():
    chosen = choose_half_life(rates(np.array([0.0, 1.0])), [0, 1], [0, 1])
    assert np.isinf(chosen.value)
    assert chosen.table.empty
