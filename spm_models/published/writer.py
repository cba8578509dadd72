"""Publish the results of one run: checked, sorted, rounded, and seen by readers all at once or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spm_models.errors import PublishedError
from spm_models.published.manifest import Manifest
from spm_models.published.schemas import TABLES, PublishedTable
from spm_models.workspace import Workspace

POINTER = "current.json"
MANIFEST = "manifest.json"


def publish(workspace: Workspace, tables: dict[str, pd.DataFrame], manifest: Manifest) -> Path:
    """Write all tables of a run into a folder of its own and point readers to it.

    Parameters
    ----------
    workspace : Workspace
    tables : dict of str to DataFrame
        Names and columns as in :data:`spm_models.published.schemas.TABLES`. Tables that are left out are
        published empty: readers always find all of them.
    manifest : Manifest
        Its ``run_id`` names the folder; rows and hashes of the tables are filled in here.

    Returns
    -------
    Path
        The folder of the run.

    Raises
    ------
    PublishedError
        When a table does not fit its schema. Nothing is published then.

    Notes
    -----
    Files are written to a temporary folder beside, synced, renamed, and then the pointer is replaced
    (``rename`` is atomic on POSIX): a reader sees the old run or the new one, also after a power cut.
    """
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise PublishedError(
            "Unknown table", where="publish", found=unknown, remedy="Declare it in published/schemas.py."
        )
    runs = workspace.published_dir / "runs"
    final, building = runs / manifest.run_id, runs / f".{manifest.run_id}.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        facts = {}
        for name, schema in TABLES.items():
            path = building / f"{name}.parquet"
            frame = conform(tables.get(name, empty(schema)), schema)
            _write(frame, path)
            facts[name] = {"rows": len(frame), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        _write_text(building / MANIFEST, replace(manifest, tables=facts).to_json())
        if final.exists():
            shutil.rmtree(final)
        building.rename(final)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    _sync_folder(runs)
    point_to(workspace, manifest.run_id)
    return final


def point_to(workspace: Workspace, run_id: str) -> None:
    """Make a run that was published the current one."""
    pointer = workspace.published_dir / POINTER
    fresh = pointer.with_suffix(f".{os.getpid()}")
    _write_text(fresh, json.dumps({"run_id": run_id}) + "\n")
    fresh.replace(pointer)
    _sync_folder(pointer.parent)


def remove_old(workspace: Workspace, keep: list[str]) -> list[str]:
    """Delete the published runs that are not in ``keep``, never the current one; return their names."""
    pointer = workspace.published_dir / POINTER
    current = json.loads(pointer.read_text())["run_id"] if pointer.exists() else None
    runs = workspace.published_dir / "runs"
    gone = [folder.name for folder in sorted(runs.glob("*")) if folder.is_dir() and folder.name not in {*keep, current}]
    for name in gone:
        shutil.rmtree(runs / name)
    return gone


def empty(schema: PublishedTable) -> pd.DataFrame:
    """A frame without rows that fits the schema."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in schema.columns.items()})


def conform(frame: pd.DataFrame, schema: PublishedTable) -> pd.DataFrame:
    """Check a frame against its schema; cast, round and sort it.

    Raises
    ------
    PublishedError
        When columns are missing or unknown, a value cannot be cast, or a key occurs twice.

    Examples
    --------
    >>> frame = pd.DataFrame({"question": ["win"], "published": ["m"], "baseline": ["b"], "reason": [""]})
    >>> conform(frame, TABLES["model_verdicts"]).shape
    (1, 4)
    """
    missing, unknown = sorted(set(schema.columns) - set(frame)), sorted(map(str, set(frame) - set(schema.columns)))
    if missing or unknown:
        raise PublishedError(
            f"Table {schema.name} does not fit its schema", where=f"published/schemas.py {schema.name}",
            found={"missing": missing, "unknown": unknown}, remedy="Publish exactly the declared columns.",
        )  # fmt: skip
    try:
        cast = frame[list(schema.columns)].astype(schema.columns)
        cast.attrs = {}  # would be written into the file
    except (TypeError, ValueError) as error:
        raise PublishedError(
            f"A value of table {schema.name} has the wrong type", found=str(error), remedy="Cast it before publishing."
        ) from error
    if cast.duplicated(list(schema.key)).any():
        twice = cast.loc[cast.duplicated(list(schema.key)), list(schema.key)].iloc[0].to_dict()
        raise PublishedError(
            f"A key of table {schema.name} occurs twice", found=twice, remedy=f"One row is one {schema.grain}."
        )
    floats = [name for name, kind in schema.columns.items() if kind == "float64"]
    if floats and np.isinf(cast[floats].to_numpy()).any():
        raise PublishedError(f"Table {schema.name} holds infinite numbers", remedy="Publish them as empty.")
    cast[floats] = cast[floats].round(schema.decimals) + 0.0  # no negative zero
    return cast.sort_values(list(schema.key), ignore_index=True, na_position="first")


def _write(frame: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with path.open("wb") as sink:
        pq.write_table(table, sink, compression="zstd")
        sink.flush()
        os.fsync(sink.fileno())


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
