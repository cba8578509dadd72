"""What boosting and the forest take from scikit-learn's private trees is still there and still does what we rely on.

These are no promises of scikit-learn: when one of these tests fails after an upgrade, ``classifier/boosting.py``,
``classifier/forest.py`` and ``classifier/contributions.py`` must follow before anything is scored with it.
"""

import inspect

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.ensemble import HistGradientBoostingClassifier

from spm_models.win_probability.classifier import boosting, forest
from spm_models.win_probability.classifier.folds import deal_out
from spm_models.win_probability.classifier.roles import Roles
from spm_models.win_probability.classifier.won_before import features

FOLLOW = "scikit-learn has moved what boosting.py and forest.py rely on; let them follow before upgrading: "


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    n = 500
    X = pd.DataFrame({
        "amount": np.where(rng.random(n) < 0.1, np.nan, 1e4 + 1e3 * rng.lognormal(sigma=2, size=n)),
        "quiet": 500 + 100 * rng.normal(size=n), "source": rng.choice(["web", "fair", None], n),
    })  # fmt: skip
    y = ((X["quiet"] > 500) ^ (X["amount"] > 1.1e4) ^ (rng.random(n) < 0.2)).to_numpy(dtype=float)
    roles = Roles.learn(X)
    return roles.table(X), y, [len(roles.levels["source"]) + 1], deal_out(y, None, 0)


def walked(nodes, seen):
    """The value of the leaf that each row comes to, read from the nodes alone."""
    found = np.empty(len(seen))
    for row, x in enumerate(seen):
        node = nodes[0]
        while not node["is_leaf"]:
            value = x[node["feature_idx"]]
            left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
            node = nodes[node["left" if left else "right"]]
        found[row] = node["value"]
    return found


def test_nodes_and_predictors_have_the_parts_that_we_use():
    lacking = {
        "value", "count", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf"
    } - set(forest.PREDICTOR_RECORD_DTYPE.names)  # fmt: skip
    assert not lacking, FOLLOW + f"nodes without {sorted(lacking)}"
    made = list(inspect.signature(forest.TreePredictor.__init__).parameters)[1:]
    assert made == ["nodes", "binned_left_cat_bitsets", "raw_left_cat_bitsets"], FOLLOW + f"TreePredictor({made})"
    asked = list(inspect.signature(forest.TreePredictor.predict).parameters)[1:]
    assert asked == ["X", "known_cat_bitsets", "f_idx_map", "n_threads"], FOLLOW + f"TreePredictor.predict({asked})"
    learned = HistGradientBoostingClassifier(max_iter=2).fit(np.arange(80.0)[:, None], np.arange(80) > 40)
    for name in ("_predictors", "_baseline_prediction"):
        assert hasattr(learned, name), FOLLOW + f"no {name} of HistGradientBoostingClassifier"


def test_boosting_scores_by_the_thresholds_that_we_put_into_its_nodes(rows):
    table, y, sizes, fold = rows
    boosted = boosting.boost("boosting", table, y, np.ones(len(y)), sizes, fold, 8, 0)
    seen = features(table, boosted.encodings)
    nodes = [stage[0].nodes for stage in boosted.trees._predictors]
    inner = np.concatenate([tree[(tree["is_leaf"] == 0) & np.isfinite(tree["num_threshold"])] for tree in nodes])
    numbers = inner["feature_idx"] < table.numbers.shape[1]
    assert numbers.any()
    least = inner["num_threshold"][numbers].min()
    assert least > 100, FOLLOW + f"thresholds are still numbers of bins ({least}): nodes are a copy now"
    total = float(np.ravel(boosted.trees._baseline_prediction)[0]) + sum(walked(tree, seen) for tree in nodes)
    apart = float(np.abs(boosted.log_odds(table) - total).max())
    assert apart < 1e-9, FOLLOW + f"scores are {apart:.3g} off what the nodes say"


def test_the_forest_scores_by_the_nodes_that_we_make(rows):
    table, y, sizes, fold = rows
    planted = forest.plant(table, y, np.ones(len(y)), sizes, fold, 0)
    seen = features(table, planted.encodings)
    mean = np.mean([walked(tree.nodes, seen) for tree in planted.trees], axis=0)
    apart = float(np.abs(planted.log_odds(table) - logit(mean)).max())
    assert apart < 1e-9, FOLLOW + f"scores are {apart:.3g} off what the nodes say"
