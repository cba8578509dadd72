"""WinClassifier after late labels: still additive, storable, and blind to labels that are not known yet."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from spm_models.evaluation import log_loss, prequential
from spm_models.win_probability.classifier.classifier import WinClassifier

DAYS = pd.date_range("2025-01-01", periods=1600, freq="6h")


@pytest.fixture(scope="module")
def deals():
    """1,600 deals in the order seen; from the 901st on, a hundred after the model was fitted, far more are won."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"amount": rng.lognormal(size=1600), "source": rng.choice(["web", "fair", "partner"], 1600)})
    eta = -1.5 + np.log(X["amount"]) - (X["source"] == "web") + 2.0 * (np.arange(1600) >= 900)
    return X, (rng.random(1600) < 1 / (1 + np.exp(-eta))).astype(int)


@pytest.fixture(scope="module")
def fitted(deals):
    X, y = deals
    return WinClassifier().fit(X[:800], y[:800], time=DAYS[:800])


def test_the_new_level_is_learned_and_parts_still_add_up(deals, fitted):
    X, y = deals
    log = prequential(fitted, X[800:], y[800:], DAYS[800:], delay="10D", block=20)
    stay = fitted.predict_proba(X[800:])[:, 1]
    assert log_loss(log["y"], log["probability"]) < log_loss(y[800:], stay) - 0.05
    updated = deepcopy(fitted).update(X[800:1500], y[800:1500], time=DAYS[800:1500])
    later = X[1500:]
    told = updated.contributions(later)
    assert np.abs(told.start + told.values.sum(axis=1) - updated.decision_function(later)).max() < 1e-9
    assert updated.predict_proba(later)[:, 1].mean() > fitted.predict_proba(later)[:, 1].mean() + 0.15
    bounds = updated.interval(later)
    p = updated.predict_proba(later)[:, 1]
    assert ((bounds[:, 0] < p) & (p < bounds[:, 1])).all()


def test_labels_not_known_yet_change_nothing(deals, fitted):
    X, y = deals
    matured = DAYS[800:] + pd.Timedelta("20D")
    day = DAYS[1300]
    other = np.where(matured > day, 1 - y[800:], y[800:])
    told = [prequential(fitted, X[800:], labels, DAYS[800:], matured=matured, block=20) for labels in (y[800:], other)]
    before = told[0]["time"] <= day
    assert before.sum() > 400
    assert told[0].loc[before, "probability"].tolist() == told[1].loc[before, "probability"].tolist()
    assert told[0].loc[~before, "probability"].tolist() != told[1].loc[~before, "probability"].tolist()


def test_an_updated_model_is_stored_whole(deals, fitted):
    X, y = deals
    updated = deepcopy(fitted).update(X[800:1200], y[800:1200], time=DAYS[800:1200])
    again = WinClassifier.from_state(updated.state())
    assert again.decision_function(X).tobytes() == updated.decision_function(X).tobytes()
    for model in (updated, again):
        model.update(X[1200:1400], y[1200:1400], time=DAYS[1200:1400])
    assert again.decision_function(X).tobytes() == updated.decision_function(X).tobytes()


def test_the_table_of_drift_has_the_dates_that_were_given(fitted):
    table = fitted.drift_.table
    assert table["start"].iloc[0] == DAYS[0]
    assert table["end"].iloc[-1] == DAYS[799]
    assert table["n"].sum() == 800
    numbered = WinClassifier().fit(pd.DataFrame({"a": np.arange(60) % 7}), np.arange(60) % 2, time=np.arange(60))
    assert numbered.drift_.table["end"].iloc[-1] == 59
