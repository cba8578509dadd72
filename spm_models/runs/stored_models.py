"""Which win model a run scores with: the one it learns now, or an older version that somebody pinned."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pandas as pd

from spm_models.errors import ModelError, SpmError
from spm_models.published import Manifest, code_hash, models
from spm_models.runs.known import Known
from spm_models.win_probability import WinProbability
from spm_models.workspace import Workspace

WIN = "win_probability"
QUESTIONS = (WIN,)
#: What the test behind a model tells: tables of the run that are stored with it.
TOLD = ("model_scores", "model_verdicts", "reliability")
_NO_INFLUENCE = ("pages", "reports", "gate")
_RELEASE = "Choose another version (`spm models list`, `spm models rollback VERSION`), or release it with "
_RELEASE += "`spm models rollback --latest`."

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class WinModel:
    """A win model with what its test told, and where it comes from.

    Parameters
    ----------
    model : WinProbability
    told : dict of str to DataFrame
        Those of :data:`TOLD` that there are.
    columns : tuple of str
        Columns of the snapshot that held anything when it was learned.
    pinned : models.Version, optional
        The version that somebody went back to, where it comes from there.
    number : int, optional
        The version it was read from; None for one that was learned just now.
    notes : tuple of str
        What readers should know.
    """

    model: WinProbability
    told: Frames
    columns: tuple[str, ...] = ()
    pinned: models.Version | None = None
    number: int | None = None
    notes: tuple[str, ...] = field(default=())


def pins(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Pinned versions by question: an input of the run, like data and settings."""
    found = {}
    for question in QUESTIONS:
        number = models.pinned(workspace, question)
        if number is not None:
            version = models.get(workspace, question, number)
            found[question] = {
                "version": number, "sha256": version.sha256, "as_of": version.manifest.as_of.isoformat()
            }  # fmt: skip
    return found


def win_model(known: Known) -> WinModel:
    """The model to score with: learned from what is known, unless a version is pinned.

    Raises
    ------
    ModelError
        When the pinned version cannot be used: it was altered, the code cannot read it, it learned from later days
        than the run looks at, or the data lack columns that it needs. Nothing is scored by another model instead:
        that would be the very model that somebody put aside.
    """
    number = models.pinned(known.workspace, WIN)
    if number is None:
        return _learned(known)
    version = models.get(known.workspace, WIN, number)
    _check(version, known)
    facts = version.manifest.notes
    told = {name: pd.DataFrame(facts[name]) for name in TOLD if facts.get(name)}
    note = (
        f"Win probabilities come from version {number}, learned from data up to {version.manifest.as_of}: it was "
        "pinned by `spm models rollback`, and nothing newer is used until `spm models rollback --latest`."
    )
    return WinModel(restored(known.workspace, version), told, tuple(facts.get("columns", ())), version, number, (note,))


def published_model(known: Known) -> WinModel:
    """The stored model in use, where it was learned from these very data by this very code; else what a run would take.

    So a notebook shows the numbers that were published, and need not learn again.
    """
    current = [one for one in models.versions(known.workspace, WIN) if one.current and not one.pinned]
    for version in current:
        manifest = version.manifest
        made_from = (manifest.as_of, manifest.data_hash, manifest.code_hash, manifest.parameters.get("seed"))
        if made_from == (known.as_of, known.tables.data_hash, code_hash(), known.seed):
            return WinModel(restored(known.workspace, version), {}, number=version.number)
    return win_model(known)


def store(workspace: Workspace, chosen: WinModel, manifest: Manifest) -> dict[str, Any]:
    """Keep the model that a run has scored with, remove versions that are too old, and say which one it is.

    Parameters
    ----------
    workspace : Workspace
    chosen : WinModel
    manifest : Manifest
        Of the run.

    Returns
    -------
    dict
        ``version``, ``pinned`` and ``as_of`` of the version in use.
    """
    if chosen.pinned is not None:
        version, as_of = chosen.pinned.number, chosen.pinned.manifest.as_of
    else:
        as_of = manifest.as_of
        version = models.save(workspace, WIN, chosen.model.state(), _manifest(chosen, manifest))
    models.remove_old(workspace, WIN, workspace.settings.models.keep_versions)
    return {"version": version, "pinned": chosen.pinned is not None, "as_of": as_of.isoformat()}


def damage(workspace: Workspace) -> list[str]:
    """What readers of a run should know of stored versions that cannot be used any more: which file, and what to do."""
    return [
        f"Stored model, version {number}, was skipped. {error}"
        for question in QUESTIONS
        for number, error in models.damaged(workspace, question).items()
    ]


def _learned(known: Known) -> WinModel:
    model = WinProbability(known.seed).fit(known.moments, known.outcomes, known.as_of, known.calendar)
    told: Frames = {}
    if model.evaluation_ is not None:
        told["model_scores"] = model.evaluation_.scores
        told["reliability"] = model.evaluation_.reliability
        told["model_verdicts"] = model.evaluation_.verdict
    else:
        verdict = {"question": WIN, "published": model.method_, "baseline": "", "reason": "too_few_deals"}
        told["model_verdicts"] = pd.DataFrame([verdict])
    return WinModel(model, told, _filled(known.snapshots))


def _manifest(chosen: WinModel, run: Manifest) -> Manifest:
    """What the model was learned from; settings that cannot change it are left out, so that they make no version."""
    settings = {part: facts for part, facts in run.parameters["settings"].items() if part not in _NO_INFLUENCE}
    settings["models"] = {name: value for name, value in settings["models"].items() if name != "keep_versions"}
    notes: dict[str, Any] = {name: _records(table) for name, table in chosen.told.items()}
    notes |= {"columns": list(chosen.columns), "deals": chosen.model.deals_, "method": chosen.model.method_}
    parameters = {"seed": chosen.model.seed, "method": chosen.model.method, "settings": settings}
    return replace(run, parameters=parameters, notes=notes, tables={})


def _check(version: models.Version, known: Known) -> None:
    if version.manifest.as_of > known.as_of:
        raise ModelError(
            f"Version {version.number} is pinned, and learned from later days than this run looks at",
            where=f"win model, version {version.number}", found=version.manifest.as_of.isoformat(),
            remedy=f"Run for that day or a later one. {_RELEASE}",
        )  # fmt: skip
    here = set(_filled(known.snapshots))
    lacking = [name for name in version.manifest.notes.get("columns", ()) if name not in here]
    if lacking:
        raise ModelError(
            f"Version {version.number} is pinned, and needs columns that the data no longer fill",
            where=f"win model, version {version.number}", found=lacking,
            remedy=f"Bring them back into the export. {_RELEASE}",
        )  # fmt: skip


def restored(workspace: Workspace, version: models.Version) -> WinProbability:
    """The model that a stored version holds.

    Raises
    ------
    ModelError
        When the file was altered, or this code cannot read what it holds.
    """
    try:
        return WinProbability.from_state(models.load(workspace, WIN, version.number))
    except SpmError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"Version {version.number} was stored by another version of the workbench and cannot be read",
            where=f"win model, version {version.number}", found=f"{type(error).__name__}: {error}", remedy=_RELEASE,
        ) from error  # fmt: skip


def _filled(snapshots: pd.DataFrame) -> tuple[str, ...]:
    """Columns in which any deal has a value."""
    return tuple(sorted(map(str, snapshots.columns[snapshots.notna().any()])))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON holds them: days as text, empty values as null."""
    plain = table.astype(dict.fromkeys(table.select_dtypes("datetime"), "str")).astype(object)
    rows = plain.where(table.notna(), None).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value.isoformat() if isinstance(value, date) else value
