"""Stored models: versions, rollback, and what loading refuses."""

from datetime import date

import numpy as np
import pytest

from spm_models.errors import ModelError
from spm_models.published import models
from spm_models.published.manifest import Manifest
from spm_models.workspace import Settings, Workspace


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


def test_versions_count_up_and_rollback_chooses_one(workspace):
    for number in (1, 2, 3):
        assert models.save(workspace, "win_probability", {"n": number}, manifest(number)) == number
    models.rollback(workspace, "win_probability", 2)
    assert models.load(workspace, "win_probability") == {"n": 2}
    assert models.load(workspace, "win_probability", version=3) == {"n": 3}
    stored = models.versions(workspace, "win_probability")
    assert [(one.number, one.current, one.manifest.parameters["seed"]) for one in stored] == [
        (1, False, 1), (2, True, 2), (3, False, 3),
    ]  # fmt: skip
    assert models.save(workspace, "win_probability", {"n": 4}, manifest()) == 4
    assert models.load(workspace, "win_probability") == {"n": 4}
    with pytest.raises(ModelError, match="no version 9"):
        models.rollback(workspace, "win_probability", 9)


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
