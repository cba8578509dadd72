"""Stored models: numbered versions with a manifest each, one of them current; skops, never pickle.

``models/<question>/<version>/`` holds ``model.skops`` and ``manifest.json``; ``models/<question>/current.json`` names
the version in use. What is stored is a *state*: dicts, lists, numbers, text, NumPy arrays, or estimators of
scikit-learn. Loading refuses every type that is not pinned in :data:`TRUSTED`, and a file whose hash differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spm_models.errors import ModelError
from spm_models.published.manifest import Manifest
from spm_models.published.reader import read_manifest
from spm_models.published.writer import MANIFEST, POINTER
from spm_models.workspace import Workspace

MODEL = "model.skops"
#: Types beyond those that skops itself trusts (NumPy arrays, scikit-learn estimators, plain Python).
TRUSTED: tuple[str, ...] = ()
_ATTEMPTS = 100


@dataclass(frozen=True)
class Version:
    """One stored version of a model."""

    question: str
    number: int
    current: bool
    manifest: Manifest


def save(workspace: Workspace, question: str, state: Any, manifest: Manifest) -> int:
    """Store a state as the next version and make it current.

    Parameters
    ----------
    workspace : Workspace
    question : str
        ``win_probability``, ``revenue_forecast`` …
    state : object
        What the model needs to predict: dicts, lists, numbers, text, NumPy arrays, scikit-learn estimators.
    manifest : Manifest
        What it was learned from (data hash, code version, parameters with the seed, package versions).

    Returns
    -------
    int
        The version, counted from 1.

    Raises
    ------
    ModelError
        When the state holds a type that could not be loaded again.
    """
    import skops.io

    content: bytes = skops.io.dumps(state)
    _refuse_unknown_types(content, f"the state of {question}")
    folder = _folder(workspace, question)
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f".building.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        facts = {MODEL: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
        _write(building / MODEL, content)
        _write(building / MANIFEST, replace(manifest, tables=facts).to_json().encode())
        number = _claim(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    rollback(workspace, question, number)
    return number


def load(workspace: Workspace, question: str, version: int | None = None) -> Any:
    """The state of the current version, or of a named one.

    Raises
    ------
    ModelError
        When there is none, the file was changed after it was stored, or it holds types that are not trusted.
    """
    import skops.io

    number = _current(workspace, question) if version is None else version
    folder = _folder(workspace, question) / _name(number or 0)
    if number is None or not (folder / MODEL).is_file():
        raise ModelError(
            f"There is no stored model for {question}", where=str(_folder(workspace, question)), found=number,
            remedy="`spm run weekly` makes one.",
        )  # fmt: skip
    content = (folder / MODEL).read_bytes()
    expected = read_manifest(folder).tables.get(MODEL, {}).get("sha256")
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(
            "A stored model was changed after it was stored", where=str(folder / MODEL),
            remedy="Go back to an older version, or run `spm run weekly` again.",
        )  # fmt: skip
    _refuse_unknown_types(content, str(folder / MODEL))
    return skops.io.loads(content, trusted=list(TRUSTED))


def versions(workspace: Workspace, question: str) -> list[Version]:
    """All stored versions, oldest first."""
    folder, current = _folder(workspace, question), _current(workspace, question)
    numbers = sorted(int(path.name) for path in folder.glob("[0-9]*") if (path / MANIFEST).is_file())
    return [
        Version(question, number, number == current, read_manifest(folder / _name(number))) for number in numbers
    ]  # fmt: skip


def rollback(workspace: Workspace, question: str, version: int) -> None:
    """Make a stored version the current one; later versions stay.

    Raises
    ------
    ModelError
        When that version does not exist.
    """
    folder = _folder(workspace, question)
    if not (folder / _name(version) / MODEL).is_file():
        found = [stored.number for stored in versions(workspace, question)]
        raise ModelError(
            f"There is no version {version} of {question}", where=str(folder), found=found,
            remedy="Choose one of these.",
        )  # fmt: skip
    fresh = folder / f".{POINTER}.{os.getpid()}"
    _write(fresh, (json.dumps({"version": version}) + "\n").encode())
    fresh.replace(folder / POINTER)


def _current(workspace: Workspace, question: str) -> int | None:
    pointer = _folder(workspace, question) / POINTER
    if not pointer.is_file():
        return None
    try:
        return int(json.loads(pointer.read_text(encoding="utf-8"))["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "The pointer to the current model is damaged", where=str(pointer), found=pointer.read_text()[:80],
            remedy="Choose a version again (rollback), or run `spm run weekly` again.",
        ) from error  # fmt: skip


def _claim(building: Path, folder: Path) -> int:
    """Give a finished folder the next free number; two runs at once get two numbers."""
    for _ in range(_ATTEMPTS):
        taken = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit()]
        number = max(taken, default=0) + 1
        try:
            building.rename(folder / _name(number))
        except OSError:
            if not (folder / _name(number)).exists():
                raise
        else:
            return number
    raise ModelError("No free version number", where=str(folder), remedy="Try again when no other run is storing.")


def _refuse_unknown_types(content: bytes, where: str) -> None:
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    if unknown:
        raise ModelError(
            "A model holds types that are not trusted", where=where, found=unknown,
            remedy="Store plain values, arrays and scikit-learn estimators only.",
        )  # fmt: skip


def _folder(workspace: Workspace, question: str) -> Path:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", question):
        raise ModelError("This is not the name of a model", found=question, remedy="Small letters, digits and _ only.")
    return workspace.models_dir / question


def _name(version: int) -> str:
    return f"{version:04d}"


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
