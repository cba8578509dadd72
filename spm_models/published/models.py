"""Stored models: numbered versions with a manifest each, one of them current; skops, never pickle.

``models/<question>/<version>/`` holds ``model.skops`` and ``manifest.json``; ``models/<question>/current.json`` names
the version in use, and whether it is pinned: then new versions are stored, and the pinned one stays in use until it is
released. What is stored is a *state*: dicts, lists, numbers, text, NumPy arrays, or estimators of scikit-learn. Loading
refuses every type that is not pinned in :data:`TRUSTED`, and a file whose hash differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spm_models.errors import ModelError
from spm_models.published.manifest import Manifest
from spm_models.published.writer import MANIFEST, POINTER
from spm_models.workspace import Workspace

MODEL = "model.skops"
#: Types beyond those that skops itself trusts (NumPy arrays, scikit-learn estimators, plain Python).
TRUSTED: tuple[str, ...] = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # arrays and flags of one boosted tree
)
_ATTEMPTS = 100


@dataclass(frozen=True)
class Version:
    """One stored version of a model."""

    question: str
    number: int
    current: bool
    manifest: Manifest
    pinned: bool = False

    @property
    def sha256(self) -> str:
        """Hash of the stored file."""
        return str(self.manifest.tables.get(MODEL, {}).get("sha256"))


def save(workspace: Workspace, question: str, state: Any, manifest: Manifest) -> int:
    """Store a state as the next version and make it current, unless another one is pinned.

    A version that was learned from the same data by the same code with the same parameters is not stored twice: it
    becomes current again.

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
        The version, counted from 1, whether it became current or not.

    Raises
    ------
    ModelError
        When the state holds a type that could not be loaded again.
    """
    folder = _folder(workspace, question)
    number = next((old.number for old in versions(workspace, question) if _same(old, manifest, folder)), None)
    if number is None:
        number = _store(folder, state, manifest)
    if pinned(workspace, question) is None:
        _point(folder, number, pin=False)
    return number


def _store(folder: Path, state: Any, manifest: Manifest) -> int:
    import skops.io

    content: bytes = skops.io.dumps(state)
    _refuse_unknown_types(content, f"the state of {folder.name}")
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f".building.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        facts = {MODEL: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
        _write(building / MODEL, content)
        _write(building / MANIFEST, replace(manifest, tables=facts).to_json().encode())
        return _claim(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _same(old: Version, manifest: Manifest, folder: Path) -> bool:
    """Whether a version was made from the same things, and is still there unaltered."""
    made_from = [replace(one, run_id="", tables={}, notes={}).to_json() for one in (old.manifest, manifest)]
    return made_from[0] == made_from[1] and _hash(folder / _name(old.number) / MODEL) == old.sha256


def load(workspace: Workspace, question: str, version: int | None = None) -> Any:
    """The state of the current version, or of a named one.

    Raises
    ------
    ModelError
        When there is none, the file was changed after it was stored, or it holds types that are not trusted.
    """
    import skops.io

    number = _pointer(workspace, question)[0] if version is None else version
    folder = _folder(workspace, question) / _name(number or 0)
    if number is None or not (folder / MODEL).is_file():
        raise ModelError(
            f"There is no stored model for {question}", where=str(_folder(workspace, question)), found=number,
            remedy="`spm run weekly` makes one.",
        )  # fmt: skip
    content = _content(folder)
    _refuse_unknown_types(content, str(folder / MODEL))
    return skops.io.loads(content, trusted=list(TRUSTED))


def versions(workspace: Workspace, question: str) -> list[Version]:
    """All stored versions whose manifest can be read, oldest first; :func:`damaged` tells of the others."""
    folder, (current, pin) = _folder(workspace, question), _pointer(workspace, question)
    found = []
    for number in _numbers(folder):
        with suppress(ModelError):
            manifest = _manifest(folder / _name(number))
            found.append(Version(question, number, number == current, manifest, number == current and pin))
    return found


def damaged(workspace: Workspace, question: str) -> dict[int, ModelError]:
    """Stored versions that cannot be used as they lie on the disk, with what is wrong with each and what to do.

    Reads every stored file, and compares its hash with that in the manifest.
    """
    folder, found = _folder(workspace, question), {}
    for number in _numbers(folder):
        try:
            _content(folder / _name(number))
        except ModelError as error:
            found[number] = error
    return found


def get(workspace: Workspace, question: str, version: int | None = None) -> Version:
    """One stored version; the current one without a number.

    Raises
    ------
    ModelError
        When there is none, or not this one, or its manifest is damaged.
    """
    stored = versions(workspace, question)
    found = [one for one in stored if (one.current if version is None else one.number == version)]
    asked = _pointer(workspace, question)[0] if version is None else version
    if not found and asked in _numbers(_folder(workspace, question)):
        _manifest(_folder(workspace, question) / _name(asked))  # says how it is damaged
    if not found:
        raise ModelError(
            f"There is no {'stored model for' if version is None else f'version {version} of'} {question}",
            where=str(_folder(workspace, question)), found=[one.number for one in stored] or None,
            remedy="Choose one of these." if stored else "`spm run weekly` makes one.",
        )  # fmt: skip
    return found[0]


def pinned(workspace: Workspace, question: str) -> int | None:
    """The version that stays in use whatever is learned later; None where the newest is used."""
    number, pin = _pointer(workspace, question)
    return number if pin else None


def rollback(workspace: Workspace, question: str, version: int) -> None:
    """Pin a stored version: it stays the current one, whatever is stored later, until :func:`release`.

    Raises
    ------
    ModelError
        When that version does not exist.
    """
    get(workspace, question, version)
    _point(_folder(workspace, question), version, pin=True)


def use(workspace: Workspace, question: str, version: int) -> None:
    """Make a stored version current again without pinning it; nothing happens while one is pinned, or if it is gone."""
    here = version in [one.number for one in versions(workspace, question)]
    if here and pinned(workspace, question) is None:
        _point(_folder(workspace, question), version, pin=False)


def release(workspace: Workspace, question: str) -> int | None:
    """Undo :func:`rollback`: the newest readable version is current again, and each newer one will be.

    Returns
    -------
    int or None
        The version that is current now; None where a damaged version was pinned and there is no other.

    Raises
    ------
    ModelError
        When nothing is stored and nothing was pinned.
    """
    stored = versions(workspace, question)
    if stored:
        _point(_folder(workspace, question), stored[-1].number, pin=False)
        return stored[-1].number
    if pinned(workspace, question) is None:
        get(workspace, question)  # says what is missing or damaged
    (_folder(workspace, question) / POINTER).unlink(missing_ok=True)
    return None


def remove_old(workspace: Workspace, question: str, keep: int) -> list[int]:
    """Delete all versions but the newest ``keep``, never the current one; return their numbers."""
    stored = versions(workspace, question)
    gone = [one.number for one in stored[: max(len(stored) - keep, 0)] if not one.current]
    for number in gone:
        shutil.rmtree(_folder(workspace, question) / _name(number))
    return gone


def _point(folder: Path, number: int, *, pin: bool) -> None:
    fresh = folder / f".{POINTER}.{os.getpid()}"
    _write(fresh, (json.dumps({"version": number, "pinned": pin}) + "\n").encode())
    fresh.replace(folder / POINTER)


def _pointer(workspace: Workspace, question: str) -> tuple[int | None, bool]:
    """The current version, and whether it is pinned."""
    pointer = _folder(workspace, question) / POINTER
    if not pointer.is_file():
        return None, False
    try:
        read = json.loads(pointer.read_text(encoding="utf-8"))
        return int(read["version"]), bool(read.get("pinned", False))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "The pointer to the current model is damaged", where=str(pointer), found=pointer.read_text()[:80],
            remedy="Delete it: the next `spm run weekly` learns anew.",
        ) from error  # fmt: skip


def _manifest(folder: Path) -> Manifest:
    """What a version was learned from; those of earlier formats are read as well."""
    try:
        return Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"The manifest of a stored model, version {int(folder.name)}, is damaged", where=str(folder / MANIFEST),
            found=f"{type(error).__name__}: {error}",
            remedy=f"Bring the file back, or delete the folder {folder.name}. If it is pinned, release it with "
            "`spm models rollback --latest`.",
        ) from error  # fmt: skip


def _content(folder: Path) -> bytes:
    """What a version holds, after a look whether it is what was stored."""
    expected = _manifest(folder).tables.get(MODEL, {}).get("sha256")
    content = (folder / MODEL).read_bytes() if (folder / MODEL).is_file() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(
            "A stored model was changed after it was stored", where=str(folder / MODEL),
            remedy="Go back to another version (`spm models list`), or release a pinned one with "
            "`spm models rollback --latest`, and run `spm run weekly` again.",
        )  # fmt: skip
    return content


def _numbers(folder: Path) -> list[int]:
    """Numbers of all versions that there are, readable or not."""
    return sorted(int(path.name) for path in folder.glob("[0-9]*") if path.name.isdecimal() and path.is_dir())


def _hash(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _claim(building: Path, folder: Path) -> int:
    """Give a finished folder the next free number; two runs at once get two numbers."""
    for _ in range(_ATTEMPTS):
        number = max(_numbers(folder), default=0) + 1
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
