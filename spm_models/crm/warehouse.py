"""Loading a workspace's source into its warehouse, and opening what was loaded."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from spm_models.crm import quality as quality_
from spm_models.crm.currency import company_column, find_rates
from spm_models.crm.facts import extracted_on, facts_of, late_rules
from spm_models.crm.loading import Loading, Progress, Typed
from spm_models.crm.parsing import name as q
from spm_models.crm.parsing import text
from spm_models.crm.quality import QualityReport
from spm_models.crm.references import mend_references, warn_of_unknown
from spm_models.crm.schemas import TABLES
from spm_models.crm.sources import SourceFile, data_hash, file_hash, find
from spm_models.crm.tables import Tables
from spm_models.database import connect
from spm_models.errors import MissingTableError, QualityGateError, SourceError, WorkspaceError
from spm_models.periods import FiscalCalendar
from spm_models.workspace import Workspace

#: Sources below this many bytes are staged in memory, larger ones in a file that is removed afterwards.
IN_MEMORY = 100 << 20


@dataclass(frozen=True)
class Loaded:
    """What a load gives.

    Parameters
    ----------
    tables : Tables
        Good rows, read-only.
    quality : QualityReport
        What was found on the way.
    unchanged : bool
        True when the warehouse held the same data already and nothing was read.
    lost : tuple of str
        Tables that the load before had and this one has not.
    """

    tables: Tables
    quality: QualityReport
    unchanged: bool = False
    lost: tuple[str, ...] = ()


def load(workspace: Workspace, *, run_id: str, progress: Progress | None = None) -> Loaded:
    """Read, check and store a workspace's source.

    The new warehouse is built beside the old one and takes its place only when it is whole and the gate lets it
    pass; who has the old one open keeps reading it. When source, mapping and schemas are the same as those of the
    warehouse, nothing is read.

    Parameters
    ----------
    workspace : Workspace
        Settings and places.
    run_id : str
        Written into the quarantine.
    progress : callable, optional
        Told ``(what, done, total)``.

    Returns
    -------
    Loaded
        Tables and quality report.

    Raises
    ------
    SourceError
        When a file or a column is missing or cannot be read at all, or changes while it is read.
    QualityGateError
        When too many rows were rejected (settings ``[gate]``). The rejected rows are kept in
        ``state/rejected.duckdb``, and the previous warehouse stays as it was.
    WorkspaceError
        When the warehouse cannot be written: no space, no right. The previous one stays as it was.
    """
    files = find(workspace)
    workspace.state.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace.state / "warehouse.lock"):
        hashes = {name: file_hash(file.path) for name, file in files.items()}
        wanted = data_hash(workspace, hashes)
        if stored_hash(workspace.warehouse) == wanted:
            report = stored_quality(workspace.warehouse)
            report.check(workspace.settings.gate)
            return Loaded(open_tables(workspace), report, unchanged=True)
        for left in workspace.state.glob("loading-*"):  # by a load that was killed
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="loading-", dir=workspace.state))
        try:
            built = folder / "warehouse.duckdb"
            lost = lost_tables(workspace, files)
            report = build(workspace, files, hashes, built, run_id=run_id, progress=progress)
            _require_same(files, hashes)
            try:
                report.check(workspace.settings.gate)
            except QualityGateError:
                built.replace(rejected_path(workspace))
                raise
            built.replace(workspace.warehouse)
            rejected_path(workspace).unlink(missing_ok=True)
        except (OSError, duckdb.OperationalError, duckdb.FatalException) as error:
            raise WorkspaceError(
                "The source could not be loaded", where=str(workspace.state), found=str(error).splitlines()[0],
                remedy="Free space there, or make it writable; what was loaded before is unchanged.",
            ) from error  # fmt: skip
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return Loaded(open_tables(workspace), report, lost=lost)


def _require_same(files: Mapping[str, SourceFile], hashes: Mapping[str, str]) -> None:
    """Refuse what was read while somebody replaced it: it may be half of one export and half of another."""
    for name, file in files.items():
        if file_hash(file.path) != hashes[name]:
            raise SourceError(
                "A source file changed while it was read", where=str(file.path),
                remedy="Load again when the export is complete; what was loaded before is unchanged.",
            )  # fmt: skip


def rejected_path(workspace: Workspace) -> Path:
    """Where the rows of a load that the gate stopped are kept."""
    return workspace.state / "rejected.duckdb"


def build(
    workspace: Workspace,
    files: Mapping[str, SourceFile],
    hashes: Mapping[str, str],
    path: Path,
    *,
    run_id: str,
    progress: Progress | None = None,
) -> QualityReport:
    """Build a warehouse file from source files, whatever their quality."""
    settings, tell = workspace.settings, progress or (lambda what, done, total: None)
    steps = 2 * len(files) + 1
    backend = connect(path)
    try:
        con = backend.con
        small = sum(file.path.stat().st_size for file in files.values()) < IN_MEMORY
        con.execute(f"ATTACH {text(':memory:' if small else path.parent / 'stage.duckdb')} AS stage")
        loading = Loading(con, settings, run_id, hashes)
        for done, file in enumerate(files.values()):
            tell("Read the source", done, steps)
            loading.read(file, files.get("opportunities"))
        loading.require_rows(files)
        until = extracted_on(loading)
        for typed, rule in late_rules(loading, until):
            loading.apply(typed, rule, rule.condition)
        mend_references(loading)
        for typed in loading.typed.values():
            loading.drop_duplicates(typed)
        find_rates(loading, until)
        warn_of_unknown(loading)
        for done, typed in enumerate(loading.typed.values(), start=len(files)):
            tell("Read the source", done, steps)
            _store(loading, typed)
        report = loading.report()
        quality_.store(con, report)
        _store_facts(con, facts_of(loading, until, data_hash(workspace, hashes), run_id))
        con.execute("DETACH stage")
        con.execute("CHECKPOINT")  # closing would do it too, but says nothing when the disk is full
        tell("Read the source", steps, steps)
    finally:
        backend.disconnect()
    return report


def _store(loading: Loading, typed: Typed) -> None:
    """Write the good rows of one table, in the order of the file."""
    columns = [f"t.{q(column.name)}" for column in typed.columns]
    if typed.name == "opportunities":
        columns[columns.index('t."closed_on"')] = "CASE WHEN t.status <> 'open' THEN t.closed_on END AS closed_on"
    source = f"({loading.good(typed)}) t"
    amount = company_column(loading, typed)
    if amount is not None:
        columns.append(amount)
        source += f" LEFT JOIN (SELECT * FROM stage.rates WHERE tbl = {text(typed.name)}) r ON r._line = t._line"
    loading.con.execute(f"CREATE TABLE {q(typed.name)} AS SELECT {', '.join(columns)} FROM {source} ORDER BY t._line")


def _store_facts(con: Any, facts: Mapping[str, object]) -> None:
    con.execute("CREATE TABLE facts (fact VARCHAR, content VARCHAR)")
    con.executemany("INSERT INTO facts VALUES (?, ?)", [[k, json.dumps(v, default=str)] for k, v in facts.items()])


def lost_tables(workspace: Workspace, files: Mapping[str, SourceFile]) -> tuple[str, ...]:
    """Tables that the last load had and that these files have not."""
    return tuple(sorted(set(stored_facts(workspace.warehouse).get("present", ())) - set(files)))


def _open(path: Path) -> Any:
    """A connection of its own on a warehouse; a file that replaces it later does not disturb it."""
    backend = connect()
    backend.raw_sql(f"ATTACH {text(path)} AS warehouse (READ_ONLY)")
    backend.raw_sql("USE warehouse")
    return backend


def stored_facts(path: Path) -> dict[str, Any]:
    """Facts of a warehouse; empty if there is none or another version wrote it."""
    if not path.is_file():
        return {}
    backend = _open(path)
    try:
        if "facts" not in backend.list_tables():
            return {}
        return {fact: json.loads(content) for fact, content in backend.con.execute("FROM facts").fetchall()}
    finally:
        backend.disconnect()


def stored_hash(path: Path) -> str | None:
    """Data hash of a warehouse."""
    return stored_facts(path).get("data_hash")


def stored_quality(path: Path) -> QualityReport:
    """Quality report of the load that made a warehouse."""
    backend = _open(path)
    try:
        return quality_.stored(backend.con)
    finally:
        backend.disconnect()


def open_tables(workspace: Workspace) -> Tables:
    """Open what the last load left in the warehouse, read-only.

    Raises
    ------
    MissingTableError
        When nothing was loaded yet.
    """
    settings = workspace.settings
    return replace(tables_at(workspace.warehouse), calendar=FiscalCalendar.of(settings.calendar), kpis=settings.kpis)


def tables_at(path: Path) -> Tables:
    """Open the tables of one warehouse file."""
    facts = stored_facts(path)
    if not facts:
        raise MissingTableError(
            "Nothing has been loaded yet", where=str(path), remedy="Run `spm run weekly`, which loads the source first."
        )
    return Tables(
        backend=_open(path),
        present=frozenset(facts["present"]) & TABLES.keys(),
        data_hash=facts["data_hash"],
        extracted_on=date.fromisoformat(facts["extracted_on"]),
        currency=facts["currency"],
        time_zone=facts["time_zone"],
        stages=tuple(facts["stages"]),
        known_at_creation=frozenset(facts["known_at_creation"]),
        custom_fields=facts["custom_fields"],
    )
