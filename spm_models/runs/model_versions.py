"""What ``spm models`` tells and does: stored versions, what each was learned from, which one is in use."""

from __future__ import annotations

from typing import Any

import pandas as pd

from spm_models.crm import open_tables
from spm_models.errors import ModelError
from spm_models.published import models
from spm_models.runs.stored_models import WIN, restored
from spm_models.snapshots import outcomes
from spm_models.workspace import Workspace
from spm_models.writing.overrides import judge, overrides

_UNREADABLE: dict[str, Any] = {"in_use": False, "pinned": False} | dict.fromkeys(
    ("as_of", "published", "deals", "log_loss")
)


def listing(workspace: Workspace, question: str = WIN) -> list[dict[str, Any]]:
    """All stored versions, newest first: what one line tells of each; ``damaged`` says what is wrong with its files."""
    broken = models.damaged(workspace, question)
    readable = {version.number: _line(version) for version in models.versions(workspace, question)}
    return [
        readable.get(number, {"question": question, "version": number} | _UNREADABLE)
        | {"damaged": str(broken[number]) if number in broken else None}
        for number in sorted({*readable, *broken}, reverse=True)
    ]


def details(workspace: Workspace, question: str = WIN, version: int | None = None) -> dict[str, Any]:
    """Everything about one version (the one in use without a number).

    Returns
    -------
    dict
        What :func:`listing` tells, and ``seed``, ``method``, ``sha256``, ``data_hash``, ``code_hash``, ``packages``,
        ``settings``, ``columns``, ``scores`` (one row a model and measure), ``verdict``, and ``overrides``: how
        people's own probabilities did beside the scores (None while too few deals are decided).

    Raises
    ------
    ModelError
        When there is no such version.
    """
    found = models.get(workspace, question, version)
    manifest = found.manifest
    return _line(found) | {
        "run": manifest.run_id,
        "seed": manifest.parameters.get("seed"),
        "sha256": found.sha256,
        "data_hash": manifest.data_hash,
        "code_hash": manifest.code_hash,
        "packages": manifest.versions,
        "settings": manifest.parameters.get("settings", {}),
        "columns": manifest.notes.get("columns", []),
        "scores": manifest.notes.get("model_scores", []),
        "verdict": next(iter(manifest.notes.get("model_verdicts", [])), {}),
        "overrides": _people(workspace) if question == WIN else None,
    }


def roll_back(workspace: Workspace, version: int, question: str = WIN) -> dict[str, Any]:
    """Pin a version, after a look whether it can still be read; runs score with it until :func:`release`.

    Raises
    ------
    ModelError
        When there is no such version, or it was altered, or this code cannot read it. Nothing changes then.
    """
    found = models.get(workspace, question, version)
    if question == WIN:
        restored(workspace, found)
    models.rollback(workspace, question, version)
    return _line(models.get(workspace, question, version))


def release(workspace: Workspace, question: str = WIN) -> dict[str, Any]:
    """Let runs use what they learn again.

    Raises
    ------
    ModelError
        When nothing is stored, or nothing is pinned.
    """
    if models.pinned(workspace, question) is None and models.get(workspace, question):
        raise ModelError(
            "No version is pinned: runs use what they learn already", where=question,
            remedy="`spm models rollback VERSION` pins one.",
        )  # fmt: skip
    number = models.release(workspace, question)
    if number is None:
        return {"question": question, "version": None} | _UNREADABLE
    return _line(models.get(workspace, question, number))


def scores_table(scores: list[dict[str, Any]]) -> pd.DataFrame:
    """Test scores with one row a model and one column a measure."""
    if not scores:
        return pd.DataFrame()
    rows = pd.DataFrame(scores).astype({"value": "float64"})
    wide = rows.drop_duplicates(["model", "measure"]).pivot(index="model", columns="measure", values="value")
    return wide.rename_axis(index=None, columns=None)


def _line(version: models.Version) -> dict[str, Any]:
    notes = version.manifest.notes
    return {
        "question": version.question,
        "version": version.number,
        "in_use": version.current,
        "pinned": version.pinned,
        "as_of": version.manifest.as_of.isoformat(),
        "published": notes.get("method"),
        "deals": notes.get("deals"),
        "log_loss": _log_loss(notes),
    }


def _log_loss(notes: dict[str, Any]) -> float | None:
    """Of what is published, on the test that chose it."""
    for row in notes.get("model_scores", []):
        if row["measure"] == "log_loss" and row["model"] == notes.get("method"):
            return float(row["value"])
    return None


def _people(workspace: Workspace) -> dict[str, Any] | None:
    said = overrides(workspace)
    if not said:
        return None
    tables = open_tables(workspace)
    found = judge(workspace, said, outcomes(tables, tables.extracted_on))
    if found is None:
        return None
    return {name: getattr(found, name) for name in ("n", "people", "model", "gain", "low", "high", "better")}
