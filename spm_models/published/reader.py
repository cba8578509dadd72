"""Read published results, always within the scope of whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from spm_models.access import Scope
from spm_models.errors import PublishedError
from spm_models.published.manifest import Manifest
from spm_models.published.schemas import TABLES, VERSION
from spm_models.published.writer import MANIFEST, POINTER
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Results(Mapping[str, pd.DataFrame]):
    """The published tables of one run, filtered to a scope.

    Examples
    --------
    ``Results.open(workspace, scope=scope)["deal_scores"]`` holds the open deals of the scope's reps only.
    """

    folder: Path
    scope: Scope
    manifest: Manifest

    @classmethod
    def open(cls, workspace: Workspace, *, scope: Scope, run_id: str | None = None) -> Results:
        """Open the current run, or the named one.

        Raises
        ------
        PublishedError
            When nothing was published yet, the run is gone, or its format is of another version.
        """
        run_id = run_id or current_run(workspace)
        folder = workspace.published_dir / "runs" / (run_id or "")
        if run_id is None or not (folder / MANIFEST).is_file():
            raise PublishedError(
                "There are no published results", where=str(workspace.published_dir), found=run_id,
                remedy=f"Make them with `spm run weekly --workspace {workspace.root}`.",
            )  # fmt: skip
        manifest = read_manifest(folder)
        return cls(folder, scope, manifest)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise PublishedError("Unknown published table", found=name, remedy=f"One of: {', '.join(TABLES)}.")
        frame = pd.read_parquet(self.folder / f"{name}.parquet").astype(TABLES[name].columns)
        return self.scope.filter(frame, TABLES[name].scoped_by)

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


def current_run(workspace: Workspace) -> str | None:
    """Name of the run that readers are pointed to; None before the first one."""
    pointer = workspace.published_dir / POINTER
    if not pointer.is_file():
        return None
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8"))["run_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise PublishedError(
            "The pointer to the published results is damaged", where=str(pointer), found=pointer.read_text()[:80],
            remedy="Delete it and run `spm run weekly` again.",
        ) from error  # fmt: skip


def past_runs(workspace: Workspace, *, before: date) -> list[str]:
    """Names of the kept runs of this version whose day lies before a day, oldest first."""
    folder = workspace.published_dir / "runs"
    found = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        with suppress(PublishedError, OSError):
            manifest = read_manifest(place)
            if manifest.as_of < before:
                found.append((manifest.as_of, place.name))
    return [name for _, name in sorted(found)]


def read_manifest(folder: Path) -> Manifest:
    """Read a run's manifest and refuse formats of another version."""
    try:
        manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise PublishedError(
            "A manifest is damaged", where=str(folder / MANIFEST), found=str(error),
            remedy="Delete that run's folder and run `spm run weekly` again.",
        ) from error  # fmt: skip
    if manifest.schema_version != VERSION:
        raise PublishedError(
            "These results were published by another version", where=str(folder), found=manifest.schema_version,
            remedy=f"This version reads {VERSION}; run `spm run weekly` again.",
        )  # fmt: skip
    return manifest
