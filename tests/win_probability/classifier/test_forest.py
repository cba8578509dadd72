"""The forest tells mean rates and takes them apart exactly; levels that are off later draw scores towards even."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from spm_models.win_probability import WinClassifier
from spm_models.win_probability.classifier.folds import deal_out
from spm_models.win_probability.classifier.forest import plant
from spm_models.win_probability.classifier.roles import Roles
from spm_models.win_probability.classifier.stacking import Judged, level_variance


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    n = 600
    X = pd.DataFrame({
        "amount": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(sigma=3, size=n)), "quiet": rng.normal(size=n),
        "source": rng.choice(["web", "fair", None], n),
    })  # fmt: skip
    truth = expit(-0.5 + 1.2 * (X["quiet"] > 0) - (X["source"] == "web"))
    y = (rng.random(n) < truth).astype(float)
    roles = Roles.learn(X)
    table, sizes = roles.table(X), [len(roles.levels["source"]) + 1]
    forest = plant(table, y, np.ones(n), sizes, deal_out(y, None, 0), 0)
    return forest, table, y, truth.to_numpy()


def test_the_forest_has_learned_and_keeps_the_level(planted):
    forest, table, y, truth = planted
    p = expit(forest.log_odds(table))
    assert p.min() > 0
    assert p.max() < 1
    assert abs(p.mean() - y.mean()) < 0.02
    assert np.sqrt(np.mean((p - truth) ** 2)) < 0.6 * truth.std()


def test_what_columns_add_sums_up(planted):
    forest, table, _, _ = planted
    start, values = forest.contributions(table, np.array([0, 1, 2]), 3)
    assert np.abs(start + values.sum(axis=1) - forest.log_odds(table)).max() < 1e-9
    assert abs(expit(start) - expit(forest.log_odds(table)).mean()) < 0.02
    assert np.abs(values[:, 1]).mean() > 3 * np.abs(values[:, 0]).mean()
    together, grouped = forest.contributions(table, np.array([0, 0, 1]), 2)
    assert together == pytest.approx(start)
    assert np.abs(together + grouped.sum(axis=1) - forest.log_odds(table)).max() < 1e-9


def test_a_small_company_has_a_forest_and_no_boosting():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    y = rng.random(120) < expit(X["a"] * 2 - 1)
    model = WinClassifier().fit(X, y, time=np.arange(120))
    members = model.members_["member"].tolist()
    assert "forest" in members
    assert "boosting" not in members
    again = WinClassifier.from_state(model.state())
    assert (again.decision_function(X) == model.decision_function(X)).all()


def test_how_far_later_levels_are_off_is_found_and_chance_is_not():
    found = {0.0: [], 0.6: []}
    for spread in found:
        for seed in range(20):
            rng = np.random.default_rng(seed)
            fold = np.repeat(np.arange(6), 200)
            y = (rng.random(1200) < expit(-1 + rng.normal(0, spread, 6))[fold]).astype(float)
            judged = Judged(np.zeros((1200, 1)), np.full(1200, -1.0), y, np.ones(1200), fold, np.arange(1200), fold,
                            np.zeros(1))  # fmt: skip
            found[spread].append(level_variance(judged, np.zeros(1)))
    assert np.mean(found[0.0]) < 0.02
    assert 0.6**2 * 0.6 < np.mean(found[0.6]) < 0.6**2 * 1.4


def test_scores_are_drawn_towards_even_where_the_level_jumps_to_and_fro():
    rng = np.random.default_rng(5)
    period = np.repeat(np.arange(12), 60)
    level = -1.5 + np.where(np.arange(12) % 2, 0.9, -0.9)
    y = rng.random(720) < expit(level[period])
    model = WinClassifier().fit(pd.DataFrame({"a": rng.normal(size=720)}), y, time=period.astype(float))
    told = model.decision_function(pd.DataFrame({"a": [0.0]}))[0]
    assert logit(y.mean()) < told < 0


def test_a_model_stored_before_there_were_forests_is_read():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    model = WinClassifier().fit(X, rng.random(120) < expit(X["a"] * 2 - 1), time=np.arange(120))
    model.blend_.trees.clear()
    state = model.state()
    assert state["blend"].pop("forests") == []
    assert (WinClassifier.from_state(state).decision_function(X) == model.decision_function(X)).all()
