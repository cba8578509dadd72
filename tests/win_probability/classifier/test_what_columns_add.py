"""Contributions add up to the log-odds, whatever the members, and tell the truth where it is known."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from spm_models.published import models
from spm_models.win_probability import WinClassifier
from spm_models.win_probability.classifier.contributions import tree_contributions


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    n = 1500
    X = pd.DataFrame({
        "amount": rng.lognormal(size=n), "a": rng.normal(size=n), "b": np.where(rng.random(n) < 0.3, np.nan, 1.0),
        "source": rng.choice(["web", "fair", None], n), "flag": rng.random(n) < 0.5,
        "made": pd.Timestamp("2026-01-01") - pd.to_timedelta(rng.integers(0, 90, n), unit="D"),
        "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // 5, unit="D"),
    })  # fmt: skip
    y = rng.random(n) < expit(X["a"] + np.sign(X["a"]) * X["flag"] + (X["source"] == "fair") - 0.5)
    return WinClassifier().fit(X, y, time="day"), X, y.to_numpy()


def test_sums_to_the_log_odds(fitted):
    model, X, _ = fitted
    assert model.members_.set_index("member")["weight"].fillna(0)[["boosting of pairs", "boosting"]].sum() > 0
    told = model.contributions(X)
    assert "day" not in told.values.columns
    assert told.values.index.equals(X.index)
    assert np.abs(told.start + told.values.sum(axis=1) - model.decision_function(X)).max() < 1e-9


def test_groups_sum_too_and_absent_columns_add_nothing(fitted):
    model, X, _ = fitted
    told = model.contributions(X.head(50), groups={"a": "who", "flag": "who"})
    assert set(told.values) == {"amount", "who", "b", "source", "made"}
    assert np.abs(told.start + told.values.sum(axis=1) - model.decision_function(X.head(50))).max() < 1e-9
    strongest = told.values.abs().mean().idxmax()
    assert strongest == "who"


def test_after_an_update_too(fitted):
    model, X, y = fitted
    online = WinClassifier.from_state(model.state()).update(X.head(400), ~y[:400])
    assert np.abs(online.decision_function(X) - model.decision_function(X)).max() > 0.01
    told = online.contributions(X)
    assert np.abs(told.start + told.values.sum(axis=1) - online.decision_function(X)).max() < 1e-9


def test_state_comes_back(fitted, tmp_path):
    import skops.io

    model, X, _ = fitted
    stored = skops.io.dumps(model.state())
    again = WinClassifier.from_state(skops.io.loads(stored, trusted=list(models.TRUSTED)))
    odd = X.head(20).assign(source="never seen", amount=np.inf)
    for rows in (X, odd):
        assert (again.decision_function(rows) == model.decision_function(rows)).all()
        assert (again.interval(rows) == model.interval(rows)).all()
        assert again.contributions(rows).values.equals(model.contributions(rows).values)


def test_trees_by_the_definition_of_shapley():
    """Against all orders of the columns, with expectations by the shares of rows that go each way."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 3))
    x[rng.random((300, 3)) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + rng.normal(size=300) > 0).astype(int)
    trees = HistGradientBoostingClassifier(max_depth=3, max_iter=6, early_stopping=False).fit(x, y)

    def expected(row, known):
        total = float(np.ravel(trees._baseline_prediction)[0])
        for stage in trees._predictors:
            nodes = stage[0].nodes

            def below(place, nodes=nodes):
                node = nodes[place]
                if node["is_leaf"]:
                    return node["value"]
                left, right = int(node["left"]), int(node["right"])
                if node["feature_idx"] in known:
                    value = row[node["feature_idx"]]
                    goes_left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
                    return below(left if goes_left else right)
                shares = nodes[left]["count"], nodes[right]["count"]
                return (shares[0] * below(left) + shares[1] * below(right)) / sum(shares)

            total += below(0)
        return total

    start, values = tree_contributions([stage[0].nodes for stage in trees._predictors], x[:5], np.arange(3), 3)
    base = float(np.ravel(trees._baseline_prediction)[0])
    assert base + start == pytest.approx(expected(x[0], ()))
    for row, found in zip(x[:5], values, strict=True):
        for j in range(3):
            others = [k for k in range(3) if k != j]
            right = sum(
                factorial(len(known)) * factorial(2 - len(known)) / 6
                * (expected(row, (*known, j)) - expected(row, known))
                for size in range(3) for known in combinations(others, size)
            )  # fmt: skip
            assert found[j] == pytest.approx(right, abs=1e-9)
