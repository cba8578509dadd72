"""Stored models: versions, the one in use, which are kept, and what loading refuses."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.linear_model import LogisticRegression

from spm_models.errors import ModelError
from spm_models.published import models
from spm_models.published.manifest import Manifest
from spm_models.settings import Settings
from spm_models.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path, Settings())


def manifest(seed=1):
    return Manifest("2026-06-30-abc", date(2026, 6, 30), "d", "c", parameters={"seed": seed})


class Stranger:
    """A type that nobody pinned."""


def test_a_state_comes_back_as_it_was(workspace):
    state = {"x": np.arange(3.0), "rates": {"r1": [0.5, 0.1]}, "name": "ridge", "none": None}
    assert models.save(workspace, "win_probability", state, manifest()) == 1
    back = models.load(workspace, "win_probability")
    assert np.array_equal(back.pop("x"), state.pop("x")) and back == state


def test_versions_count_up_and_the_newest_is_current(workspace):
    for number in (1, 2, 3):
        assert models.save(workspace, "win_probability", {"n": number}, manifest(number)) == number
    assert models.load(workspace, "win_probability") == {"n": 3}
    assert models.load(workspace, "win_probability", version=1) == {"n": 1}
    stored = models.versions(workspace, "win_probability")
    assert [(one.number, one.current, one.pinned, one.manifest.parameters["seed"]) for one in stored] == [
        (1, False, False, 1), (2, False, False, 2), (3, True, False, 3),
    ]  # fmt: skip
    assert models.get(workspace, "win_probability") == stored[-1]
    with pytest.raises(ModelError, match="no version 9") as caught:
        models.get(workspace, "win_probability", 9)
    assert caught.value.found == [1, 2, 3]


def test_a_rolled_back_version_stays_current_until_it_is_released(workspace):
    for number in (1, 2, 3):
        models.save(workspace, "win_probability", {"n": number}, manifest(number))
    assert models.pinned(workspace, "win_probability") is None
    models.rollback(workspace, "win_probability", 2)
    assert models.pinned(workspace, "win_probability") == 2
    assert models.save(workspace, "win_probability", {"n": 4}, manifest(4)) == 4
    assert models.load(workspace, "win_probability") == {"n": 2}
    assert [one.number for one in models.versions(workspace, "win_probability") if one.pinned] == [2]
    models.use(workspace, "win_probability", 3)
    assert models.load(workspace, "win_probability") == {"n": 2}
    assert models.release(workspace, "win_probability") == 4
    assert models.load(workspace, "win_probability") == {"n": 4}
    for number, used in ((1, 1), (9, 1), (4, 4)):
        models.use(workspace, "win_probability", number)
        assert models.get(workspace, "win_probability").number == used
    assert models.pinned(workspace, "win_probability") is None
    with pytest.raises(ModelError, match="no version 0"):
        models.rollback(workspace, "win_probability", 0)
    with pytest.raises(ModelError, match="no version 9"):
        models.rollback(workspace, "win_probability", 9)
    with pytest.raises(ModelError, match="no stored model"):
        models.release(workspace, "revenue_forecast")


def test_what_was_learned_from_the_same_things_is_no_new_version(workspace):
    first = manifest(1)
    assert models.save(workspace, "win_probability", {"n": 1}, first) == 1
    assert models.save(workspace, "win_probability", {"n": 2}, manifest(2)) == 2
    assert models.save(workspace, "win_probability", {"n": 1}, replace(first, run_id="another", notes={"a": 1})) == 1
    assert [one.current for one in models.versions(workspace, "win_probability")] == [True, False]
    path = workspace.models_dir / "win_probability" / "0001" / models.MODEL
    path.write_bytes(b"spoiled")
    assert models.save(workspace, "win_probability", {"n": 1}, first) == 3, "a spoiled file is no version to keep"


def test_old_versions_go_and_the_current_one_never(workspace):
    for number in range(1, 6):
        models.save(workspace, "win_probability", {"n": number}, manifest(number))
    models.rollback(workspace, "win_probability", 1)
    assert models.remove_old(workspace, "win_probability", keep=2) == [2, 3]
    assert [one.number for one in models.versions(workspace, "win_probability")] == [1, 4, 5]
    assert models.save(workspace, "win_probability", {"n": 6}, manifest(6)) == 6, "numbers are not given twice"
    assert models.load(workspace, "win_probability") == {"n": 1}


def test_estimators_of_scikit_learn_come_back_as_they_were(workspace):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    won = x[:, 0] + rng.normal(size=200) > 0
    members = {
        "boosting": HistGradientBoostingClassifier(max_iter=5).fit(x, won),
        "logistic": LogisticRegression().fit(x, won),
    }
    models.save(workspace, "win_probability", members, manifest())
    for name, back in models.load(workspace, "win_probability").items():
        assert np.array_equal(back.predict_proba(x), members[name].predict_proba(x)), name
    with pytest.raises(ModelError, match="not trusted") as caught:
        models.save(workspace, "win_probability", IsolationForest(n_estimators=2).fit(x), manifest(2))
    assert caught.value.found, "what no model of ours holds is not trusted"


def test_an_unknown_type_is_neither_stored_nor_loaded(workspace):
    with pytest.raises(ModelError, match="not trusted"):
        models.save(workspace, "win_probability", {"x": Stranger()}, manifest())
    assert models.versions(workspace, "win_probability") == []
    assert not workspace.models_dir.exists()


def test_a_changed_file_is_refused(workspace):
    models.save(workspace, "win_probability", {"n": 1}, manifest())
    path = workspace.models_dir / "win_probability" / "0001" / models.MODEL
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="changed after"):
        models.load(workspace, "win_probability")


def test_says_what_is_missing_or_damaged(workspace):
    with pytest.raises(ModelError, match="no stored model"):
        models.load(workspace, "win_probability")
    with pytest.raises(ModelError, match="not the name"):
        models.load(workspace, "../secrets")
    models.save(workspace, "win_probability", {"n": 1}, manifest())
    (workspace.models_dir / "win_probability" / "current.json").write_text("{")
    with pytest.raises(ModelError, match="pointer"):
        models.load(workspace, "win_probability")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"as_of": "soon"}', None])
def test_an_old_version_with_a_damaged_manifest_is_passed_over_and_told(workspace, content):
    for number in (1, 2):
        models.save(workspace, "win_probability", {"n": number}, manifest(number))
    file = workspace.models_dir / "win_probability" / "0001" / "manifest.json"
    file.unlink() if content is None else file.write_bytes(content)
    assert [one.number for one in models.versions(workspace, "win_probability")] == [2]
    told = models.damaged(workspace, "win_probability")
    assert list(told) == [1] and str(file) in str(told[1]) and "delete the folder 0001" in str(told[1])
    assert models.load(workspace, "win_probability") == {"n": 2}
    assert models.save(workspace, "win_probability", {"n": 3}, manifest(3)) == 3
    assert models.remove_old(workspace, "win_probability", keep=1) == [2] and file.parent.is_dir()
    with pytest.raises(ModelError, match="version 1, is damaged"):
        models.rollback(workspace, "win_probability", 1)


def test_a_pinned_version_that_is_damaged_is_told_and_can_be_released(workspace):
    models.save(workspace, "win_probability", {"n": 1}, manifest())
    models.rollback(workspace, "win_probability", 1)
    (workspace.models_dir / "win_probability" / "0001" / "manifest.json").write_text("{")
    with pytest.raises(ModelError, match="rollback --latest"):
        models.get(workspace, "win_probability", models.pinned(workspace, "win_probability"))
    assert models.release(workspace, "win_probability") is None
    assert models.pinned(workspace, "win_probability") is None
    assert models.save(workspace, "win_probability", {"n": 2}, manifest(2)) == 2
