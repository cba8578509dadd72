"""Nothing that became known later teaches a fold; drift and clocks are seen for what they are."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from spm_models.win_probability import WinClassifier
from spm_models.win_probability.classifier.folds import forward_chain, grouped
from spm_models.win_probability.classifier.members import MEMBERS, Rowset, out_of_fold
from spm_models.win_probability.classifier.roles import Roles


def stream(n=600, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "word": rng.choice(["x", "y"], n)})
    y = (rng.random(n) < expit(X["a"].to_numpy())).astype(float)
    time = np.sort(rng.random(n))
    return X, y, time, time + rng.exponential(0.1, n)


def test_folds_learn_only_what_was_known():
    _, y, time, matured = stream()
    groups = np.arange(600) // 3
    folds = forward_chain(y, time, matured, groups)
    assert len(folds) == 5
    for fold in folds:
        start = time[fold.judge].min()
        assert matured[fold.learn].max() <= start
        assert not set(groups[fold.learn]) & set(groups[fold.judge])
    judged = np.concatenate([fold.judge for fold in folds])
    assert len(judged) == len(set(judged))


def test_labels_that_matured_later_change_nothing():
    X, y, time, matured = stream()
    roles = Roles.learn(X)
    folds = forward_chain(y, time, matured)
    nothing = np.zeros(1, bool)

    def said(labels):
        rows = Rowset(roles.table(X), labels, np.ones(600), np.arange(600), [3])
        return out_of_fold(rows, folds[:1], list(MEMBERS), 0, (nothing, nothing))

    start = time[folds[0].judge].min()
    later = np.where(matured > start, 1 - y, y)
    assert (later != y).sum() > 300
    before, after = said(y), said(later)
    for name in before:
        assert np.array_equal(before[name][folds[0].judge], after[name][folds[0].judge])


def test_folds_without_time_keep_groups_and_rates():
    _, y, _, _ = stream()
    groups = np.arange(600) // 4
    folds = grouped(y, groups, seed=1)
    assert len(folds) == 5
    for fold in folds:
        assert not set(groups[fold.learn]) & set(groups[fold.judge])
        assert y[fold.judge].mean() == pytest.approx(y.mean(), abs=0.06)


def test_order_of_rows_does_not_matter_with_time():
    X, y, time, matured = stream(300)
    mixed = np.random.default_rng(1).permutation(300)
    first = WinClassifier().fit(X, y, time=time, matured=matured)
    second = WinClassifier().fit(X.iloc[mixed], y[mixed], time=time[mixed], matured=matured[mixed])
    assert second.decision_function(X) == pytest.approx(first.decision_function(X), abs=1e-9)


def test_a_clock_is_not_believed():
    """A column that changes with the calendar alone says little about the next stretch."""
    rng = np.random.default_rng(4)
    n = 2000
    when = np.arange(n)
    swings = 0.8 * np.sin(when / 130)
    X = pd.DataFrame({"a": rng.normal(size=n), "month": (when // 170).astype(float)})
    y = rng.random(n) < expit(swings + X["a"])
    model = WinClassifier().fit(X, y, time=when)
    spread = model.contributions(X).values.std()
    assert spread["month"] < 0.4 * spread["a"]


def test_same_answer_every_time_and_for_any_number_of_threads():
    from threadpoolctl import threadpool_limits

    X, y, time, matured = stream(500, seed=3)
    with threadpool_limits(1):
        first = WinClassifier().fit(X, y, time=time, matured=matured).decision_function(X)
    with threadpool_limits(2):
        second = WinClassifier().fit(X, y, time=time, matured=matured).decision_function(X)
    assert np.array_equal(first, second)
