"""WinClassifier beside scikit-learn's own checks of estimators, and among its tools."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from spm_models.win_probability import WinClassifier

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "folds are made of rows: a row twice may lie in other folds",
}


@parametrize_with_checks([WinClassifier()], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_weights_scale_like_repeated_rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2))
    y = rng.random(400) < 1 / (1 + np.exp(-x[:, 0]))
    weight = rng.integers(1, 4, 400)
    weighted = WinClassifier().fit(x, y, sample_weight=weight).predict_proba(x)[:, 1]
    plain = WinClassifier().fit(x, y).predict_proba(x)[:, 1]
    of_no_weight = WinClassifier().fit(np.vstack([x, x + 9]), np.r_[y, ~y], sample_weight=np.repeat([1.0, 0.0], 400))
    assert np.abs(weighted - plain).mean() < 0.05
    assert of_no_weight.predict_proba(x)[:, 1] == pytest.approx(plain, abs=1e-12)


def test_among_tools_of_scikit_learn():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"a": rng.normal(size=200), "word": rng.choice(["x", "y"], 200)})
    y = np.where(X["a"] + rng.normal(size=200) > 0, "won", "lost")
    copy = clone(WinClassifier(level=0.5, random_state=4))
    assert (copy.level, copy.random_state) == (0.5, 4)
    assert cross_val_score(copy, X, y, cv=2, scoring="roc_auc").mean() > 0.7
    fitted = copy.fit(X, y)
    assert fitted.classes_.tolist() == ["lost", "won"]
    assert set(fitted.predict(X)) == {"lost", "won"}
