"""Recalibration by late labels: additive, without look-ahead, the same however the labels are handed over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from spm_models.errors import StatisticsError
from spm_models.win_probability.classifier.dynamic import DynamicLogistic
from spm_models.win_probability.classifier.online import OnlineCalibration


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


@pytest.fixture
def stream():
    """1,000 rows learned from, then 1,000 whose level is 1.2 higher."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 4))
    said = -1 + X @ [0.8, 0.0, -0.4, 0.2]
    y = (rng.random(2000) < sigmoid(said + np.repeat([0, 1.2], 1000))).astype(float)
    return X, said, y


def started(stream, columns=True):
    X, said, y = stream
    return OnlineCalibration.start(said[:1000], y[:1000], X[:1000] if columns else None)


def test_before_the_first_late_label_nothing_changes(stream):
    X, said, _ = stream
    online = started(stream)
    assert online.log_odds(said, X).tobytes() == said.tobytes()
    assert (online.shift, online.slope) == (0.0, 1.0)
    assert not online.variance(said, X).any()
    assert not online.additions(X).any()
    assert online.update(said[:0], [], X[:0]).log_odds(said, X).tobytes() == said.tobytes()


def test_the_parts_add_up_exactly(stream):
    X, said, y = stream
    online = started(stream).update(said[1000:], y[1000:], X[1000:])
    parts = online.shift + online.slope * said + online.additions(X).sum(axis=1)
    assert np.abs(parts - online.log_odds(said, X)).max() < 1e-12
    assert np.abs(online.log_odds(said, X) - said).mean() > 0.5


def test_labels_not_yet_known_change_nothing(stream):
    X, said, y = stream
    time, matured = np.arange(1000), np.arange(1000) + 150
    flipped = y[1000:].copy()
    flipped[600:] = 1 - flipped[600:]
    told = []
    for labels in (y[1000:], flipped):
        known = matured <= 749  # rows 0 to 599
        online = started(stream).update(
            said[1000:][known], labels[known], X[1000:][known], time=time[known], matured=matured[known]
        )
        told.append(online.log_odds(said, X))
    assert told[0].tobytes() == told[1].tobytes()


def test_experts_are_judged_by_what_they_could_have_said():
    """Wins come in runs of 400 rows; with labels 400 rows late the last rate is always the wrong one."""
    y = np.tile(np.repeat([0.0, 1.0], 400), 4)
    said, time = np.zeros(3200), np.arange(3200)
    late = OnlineCalibration.start(said, y).update(said, y, time=time, matured=time + 400).experts
    at_once = OnlineCalibration.start(said, y).update(said, y, time=time, matured=time).experts
    loss = [table.set_index(["expert", "pace"])["log_loss"] for table in (late, at_once)]
    quick = ("last rate", 2e-3)
    assert loss[0][quick] > np.log(2) > loss[1][quick]
    assert late.iloc[0]["weight"] > 0.3  # staying put is best


def test_one_call_or_many_make_no_difference(stream):
    X, said, y = stream
    time, matured = np.arange(1000.0), np.arange(1000.0) + 80
    once = started(stream).update(said[1000:], y[1000:], X[1000:], time=time, matured=matured)
    often = started(stream)
    for part in np.split(np.arange(1000), 20):
        often.update(said[1000:][part], y[1000:][part], X[1000:][part], time=time[part], matured=matured[part])
    assert np.allclose(once.log_odds(said, X), often.log_odds(said, X), atol=1e-12)
    dates = pd.Timestamp("2026-01-01") + pd.to_timedelta(time, unit="D")
    dated = started(stream).update(said[1000:], y[1000:], X[1000:], time=dates, matured=dates + pd.Timedelta("80D"))
    assert np.allclose(once.log_odds(said, X), dated.log_odds(said, X), atol=1e-12)


def test_what_is_stored_predicts_and_learns_the_same(stream):
    X, said, y = stream
    online = started(stream).update(said[1000:1400], y[1000:1400], X[1000:1400], time=np.arange(400))
    again = OnlineCalibration.from_state(online.state())
    assert again.log_odds(said, X).tobytes() == online.log_odds(said, X).tobytes()
    for each in (online, again):
        each.update(said[1400:], y[1400:], X[1400:], time=np.arange(400, 1000))
    assert again.log_odds(said, X).tobytes() == online.log_odds(said, X).tobytes()


def test_weights_tell_which_expert_is_believed(stream):
    _, said, y = stream
    online = started(stream, columns=False)
    before = online.experts
    assert before["weight"].sum() == pytest.approx(1)
    assert before.loc[0, ["expert", "weight"]].tolist() == ["as fitted", 0.5]
    after = online.update(said[1000:], y[1000:]).experts
    assert after["weight"].sum() == pytest.approx(1)
    assert (after["weight"] > 0).all()
    assert after.loc[0, "weight"] < 0.1
    assert after.groupby("expert")["weight"].sum().idxmax() in ("level", "level and slope")
    assert after["log_loss"].idxmax() == 0
    assert online.shift == pytest.approx(1.2, abs=0.35)


def test_the_latest_labels_make_no_one_sure(stream):
    X, said, y = stream
    few = started(stream).update(said[1000:1050], y[1000:1050], X[1000:1050])
    late = started(stream).update(said[1000:], y[1000:], X[1000:], time=np.arange(1000), matured=np.arange(1000) + 500)
    soon = started(stream).update(said[1000:], y[1000:], X[1000:], time=np.arange(1000), matured=np.arange(1000))
    assert (few.variance(said, X) > 0).all()
    assert late.lag > 300 > 60 > soon.lag
    assert late.variance(said, X).mean() > soon.variance(said, X).mean()


def test_one_kind_of_label_and_constant_columns_do_no_harm():
    said = np.full(300, -1.0)
    design = np.column_stack([np.zeros(300), np.ones(300)])
    online = OnlineCalibration.start(said, np.zeros(300), design).update(said, np.zeros(300), design)
    assert np.isfinite(online.log_odds(said, design)).all()
    assert online.log_odds(said, design)[0] < -1
    assert not online.additions(design).any()


def test_what_does_not_fit_together_is_refused(stream):
    X, said, y = stream
    online = started(stream)
    with pytest.raises(StatisticsError, match="columns to correct are missing"):
        online.update(said, y)
    with pytest.raises(StatisticsError, match="differ in number"):
        online.update(said, y[:5], X)
    with pytest.raises(StatisticsError, match="0 or 1"):
        online.update(said[:2], [0, 3], X[:2])


def test_a_filter_that_stands_still_is_a_penalised_regression():
    rng = np.random.default_rng(5)
    F = np.column_stack([np.ones(400), rng.normal(size=(400, 2))])
    y = (rng.random(400) < sigmoid(F @ [-0.5, 1.0, 0.0])).astype(float)
    each = DynamicLogistic.start("all", [0, 1, 2], [0, 0, 0], [1.0, 0.5, 0.5], [[0.0, 0.0, 0.0]])
    for part in np.split(np.arange(400), 8):
        each.learn(F[part], y[part], np.ones(50))

    def objective(b):
        eta = F @ b
        return np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * b**2 @ [1, 2, 2]

    best = optimize.minimize(objective, np.zeros(3)).x
    assert each.mean[0] == pytest.approx(best, abs=0.05)
    assert each.coefficients(np.eye(3), 0.0)[0] == pytest.approx(
        each.mean[0] / np.sqrt(1 + np.pi / 8 * np.trace(each.covariance[0]))
    )


def test_a_wandering_level_lies_in_the_filters_interval():
    inside, pace = 0, 1e-3
    for seed in range(60):
        rng = np.random.default_rng(seed)
        level = -0.5 + np.cumsum(rng.normal(0, pace**0.5, 600))
        y = (rng.random(600) < sigmoid(level)).astype(float)
        each = DynamicLogistic.start("level", [0], [-0.5], [0.01], [[pace]])
        for part in np.split(np.arange(600), 60):
            each.learn(np.ones((10, 1)), y[part], np.ones(10))
        inside += abs(each.mean[0, 0] - level[-1]) < 1.2816 * each.covariance[0, 0, 0] ** 0.5
    assert stats.binom.ppf(0.001, 60, 0.8) <= inside <= stats.binom.ppf(0.999, 60, 0.8)


def test_a_row_of_weight_two_is_two_rows():
    F, y = np.ones((6, 1)), np.array([1.0, 0, 0, 1, 1, 1])
    one, two = (DynamicLogistic.start("level", [0], [0.0], [1.0], [[1e-3]]) for _ in range(2))
    one.learn(F, y, np.full(6, 2.0))
    two.learn(np.vstack([F, F]), np.append(y, y), np.ones(12))
    assert one.mean[0] == pytest.approx(two.mean[0])
    assert one.covariance[0] == pytest.approx(two.covariance[0])
