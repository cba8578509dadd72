"""Scores against scikit-learn and known truth."""

import numpy as np
import pytest
from sklearn import metrics

from spm_models.errors import NotEnoughDataError
from spm_models.evaluation import auc, brier, calibration_error, log_loss, reliability


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    p = rng.beta(2, 3, 5000).round(2)
    return rng.random(5000) < p, p, rng.uniform(0.1, 2, 5000)


def test_scores_equal_those_of_scikit_learn(rows):
    y, p, w = rows
    assert log_loss(y, p, w) == pytest.approx(metrics.log_loss(y, np.clip(p, 1e-12, 1), sample_weight=w))
    assert brier(y, p, w) == pytest.approx(metrics.brier_score_loss(y, p, sample_weight=w))
    assert auc(y, p, w) == pytest.approx(metrics.roc_auc_score(y, p, sample_weight=w))


def test_honest_probabilities_are_calibrated_and_shifted_ones_are_not(rows):
    y, p, _ = rows
    table = reliability(y, p, level=0.999)
    assert len(table) == 10 and table["n"].sum() == 5000
    assert ((table["low"] <= table["predicted"]) & (table["predicted"] <= table["high"])).all()
    assert calibration_error(y, p) < 0.03
    assert calibration_error(y, np.clip(p + 0.2, 0, 1)) == pytest.approx(0.2, abs=0.03)


def test_a_constant_has_one_bin_and_no_ranking():
    y = [True, False, True, True]
    assert auc(y, [0.75] * 4) == 0.5
    table = reliability(y, [0.75] * 4)
    assert table[["predicted", "observed", "n"]].values.tolist() == [[0.75, 0.75, 4]]
    assert np.isnan(auc([True, True], [0.1, 0.2]))


def test_weights_act_like_repeated_rows():
    y, p = [True, False, False], [0.7, 0.6, 0.2]
    twice = [0, 0, 1, 2]
    for score in (log_loss, brier, auc, calibration_error):
        assert score(y, p, [2, 1, 1]) == pytest.approx(score(np.array(y)[twice], np.array(p)[twice]))


def test_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="within 0 and 1"):
        log_loss([True], [1.2])
    with pytest.raises(ValueError, match="never be empty"):
        brier([True], [np.nan])
    with pytest.raises(NotEnoughDataError):
        auc([], [])
