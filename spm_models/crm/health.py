"""What `spm doctor` says: what is there, what is missing and what that costs, how fresh, what was rejected."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.crm.facts import HAPPENED
from spm_models.crm.leaks import leaks
from spm_models.crm.organisation import organisation
from spm_models.crm.parsing import name as q
from spm_models.crm.quality import Finding, QualityReport
from spm_models.crm.rules import REMEDIES
from spm_models.crm.schemas import TABLES
from spm_models.crm.sources import SourceFile, data_hash, file_hash, find, unused
from spm_models.crm.warehouse import build, lost_tables, stored_facts, stored_quality, tables_at
from spm_models.errors import QualityGateError, SpmError
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class TableHealth:
    """One table that the source has.

    Parameters
    ----------
    name, source_file : str
        Which table, from which file.
    rows, rejected, repeated, unused : int
        Good rows, rows in quarantine, rows that occurred more than once, rows that nothing uses.
    first, last : datetime.date, optional
        Days between which its rows are dated, if they are.
    """

    name: str
    source_file: str
    rows: int
    rejected: int
    repeated: int
    unused: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Health:
    """State of a workspace's data.

    Parameters
    ----------
    company : str
        Name of the company.
    problem : str, optional
        Why nothing could be read; everything else is empty then.
    gate : str, optional
        Why a run would stop: too many rejected rows.
    loaded : bool
        Whether the warehouse holds these very data; otherwise they were read into a temporary place.
    extracted_on : datetime.date, optional
        Day of the export.
    age_days : int, optional
        Days from the export to the day asked for.
    tables : tuple of TableHealth
        What is there.
    missing : dict of str
        Table and what its absence switches off.
    findings : tuple of Finding
        Rules met, errors first.
    facts : tuple of str
        Other things worth knowing, in words.
    """

    company: str
    problem: str | None = None
    gate: str | None = None
    loaded: bool = False
    extracted_on: date | None = None
    age_days: int | None = None
    tables: tuple[TableHealth, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether a run could start."""
        return self.problem is None and self.gate is None

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Titles and lines, ready to print."""
        if self.problem:
            yield f"{self.company}: the source cannot be read", [self.problem]
            return
        yield f"{self.company}: data", self._freshness()
        yield "Tables", [_table_line(table) for table in self.tables]
        if self.missing:
            yield "Missing tables, and what each switches off", [f"{name}: {cost}" for name, cost in self.missing]
        for severity, title in _TITLES.items():
            lines = [line for f in self.findings if f.severity == severity for line in _finding_lines(f)]
            if lines:
                yield title, lines
        if self.facts:
            yield "Worth knowing", list(self.facts)
        yield "Next", [self._next()]

    def lines(self) -> list[str]:
        """Everything as plain lines."""
        return [line for title, lines in self.sections() for line in (title, *("  " + text for text in lines))]

    def _repr_html_(self) -> str:
        """Sections as lists, for notebooks; text from the data is escaped."""
        parts = []
        for title, lines in self.sections():
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            parts.append(f"<p><b>{escape(title)}</b></p><ul>{items}</ul>")
        return "".join(parts)

    def _freshness(self) -> list[str]:
        lines = [f"as of {self.extracted_on}"]
        if self.age_days is not None:
            lines[0] += (
                f", {self.age_days:,} days old"
                if self.age_days >= 0
                else f", {-self.age_days:,} days after today: are there wrong dates in the data?"
            )
        if not self.loaded:
            lines.append("not loaded yet; read into a temporary place for this check")
        return lines

    def _next(self) -> str:
        return f"A run would stop: {self.gate}" if self.gate else "`spm run weekly` can start."


_TITLES = {"error": "Rejected rows (quarantine)", "warning": "Warnings (rows kept)", "notice": "Read as spm.toml says"}


def check(workspace: Workspace, *, today: date | None = None) -> Health:
    """Examine a workspace's source without changing its warehouse.

    Parameters
    ----------
    workspace : Workspace
        Loaded before or not; unless its warehouse holds the same data, they are read into a temporary place.
    today : datetime.date, optional
        Day to which the age of the data is counted; no age without it.

    Returns
    -------
    Health
        Bad data are reported, never raised.
    """
    name = workspace.settings.company.name
    try:
        files = find(workspace)
        hashes = {table: file_hash(file.path) for table, file in files.items()}
        if stored_facts(workspace.warehouse).get("data_hash") == data_hash(workspace, hashes):
            return _examine(workspace, workspace.warehouse, files, loaded=True, today=today)
        with tempfile.TemporaryDirectory(prefix="spm-doctor-") as folder:
            path = Path(folder) / "warehouse.duckdb"
            build(workspace, files, hashes, path, run_id="doctor")
            return _examine(workspace, path, files, loaded=False, today=today)
    except (SpmError, OSError) as error:
        return Health(company=name, problem=str(error))


def _examine(
    workspace: Workspace, path: Path, files: Mapping[str, SourceFile], *, loaded: bool, today: date | None
) -> Health:
    report, facts = stored_quality(path), stored_facts(path)
    tables = tables_at(path)
    try:
        con = tables.backend.con
        extracted = tables.extracted_on
        health = tuple(_table_health(con, report, name) for name in tables)
        words = (
            *_files(workspace, files),
            *_facts(con, workspace, facts, has_history=tables.has_history),
            *_reporting(organisation(tables, extracted)),
        )
    finally:
        tables.backend.disconnect()
    return Health(
        company=workspace.settings.company.name,
        gate=_gate(report, workspace),
        loaded=loaded,
        extracted_on=extracted,
        age_days=(today - extracted).days if today else None,
        tables=health,
        missing=tuple((name, schema.without) for name, schema in TABLES.items() if name not in tables),
        findings=tuple(sorted(report.findings, key=lambda f: (f.severity, f.table, -f.rows, f.rule, f.column))),
        facts=words,
    )


def _gate(report: QualityReport, workspace: Workspace) -> str | None:
    try:
        report.check(workspace.settings.gate)
    except QualityGateError as error:
        return str(error)
    return None


def _table_health(con: Any, report: QualityReport, name: str) -> TableHealth:
    quality = next(table for table in report.tables if table.table == name)
    columns = HAPPENED.get(name) or ((TABLES[name].dated_by,) if TABLES[name].dated_by else ())
    first = last = None
    if columns:
        days = " UNION ALL ".join(f"SELECT CAST({q(str(column))} AS DATE) AS day FROM {q(name)}" for column in columns)
        first, last = con.execute(f"SELECT min(day), max(day) FROM ({days})").fetchone()
    left_out = (quality.rejected, quality.repeated, quality.unused)
    return TableHealth(name, quality.source_file, quality.loaded, *left_out, first, last)


def _facts(con: Any, workspace: Workspace, facts: dict[str, Any], *, has_history: bool) -> Iterator[str]:
    total, open_, undated, unpriced = con.execute(
        "SELECT count(*), count(*) FILTER (status = 'open'), count(*) FILTER (status = 'open' AND created_on IS NULL), "
        "count(*) FILTER (status = 'open' AND amount IS NULL) FROM opportunities"
    ).fetchone()
    yield f"{open_:,} of {total:,} deals are open"
    if undated:
        yield f"{undated:,} open deals have no creation date: their age is unknown"
    if unpriced:
        yield f"{unpriced:,} open deals have no amount: list prices stand in where the product has one"
    yield from leaks(con)
    if not has_history:
        yield f"no history: {TABLES['opportunity_history'].without}"
        yield f"used as of earlier days: {', '.join(facts['known_at_creation'])} ([models] known_at_creation)"
    if not facts["extracted_on_declared"]:
        yield "the day of the export is not declared; it is the latest day on which anything happened"
    if not facts["stages_declared"]:
        order = ", ".join(facts["stages"]) or "unknown"
        yield f"the order of stages is not declared ([stages] order); taken as {order}"
    if "reporting_lines" not in facts["present"] and _filled(con, "reps", "manager_id"):
        yield f"no reporting lines: {TABLES['reporting_lines'].without}"
    if workspace.settings.source.time_zone is None and workspace.settings.company.time_zone == "UTC":
        yield "instants without an offset are read as UTC ([source] time_zone, [company] time_zone)"


def _files(workspace: Workspace, files: Mapping[str, SourceFile]) -> Iterator[str]:
    """Files that nobody reads, and tables that went away: a renamed export is both."""
    other, lost = unused(workspace, files), lost_tables(workspace, files)
    if other:
        yield f"in the source folder, but no table: {_some(other)}; name a table's file under [tables.…] file"
    if lost:
        yield f"there at the last load and missing now: {_some(lost)}"


def _reporting(people: pd.DataFrame) -> Iterator[str]:
    """What is odd about who reports to whom; it decides who sees whose figures."""
    for ring in people.attrs["cycles"]:
        yield f"people who report to each other in a ring, so that each sees the others' figures: {_some(ring)}"
    for what, told in (
        ("two_managers", "people with two managers at once, of whom the later holds"),
        ("unknown_managers", "managers whom the table reps does not list"),
    ):
        if people.attrs[what]:
            yield f"{told}: {_some(people.attrs[what])}"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5:,} more" if len(ids) > 5 else "")


def _filled(con: Any, table: str, column: str) -> bool:
    return bool(con.execute(f"SELECT count({column}) FROM {q(table)}").fetchone()[0])


def _table_line(table: TableHealth) -> str:
    line = f"{table.name}: {table.rows:,} rows from {table.source_file}"
    if table.first and table.last:
        line += f", {table.first} to {table.last}"
    if table.rejected:
        line += f", {table.rejected:,} rejected"
    if table.repeated:
        line += f", {table.repeated:,} repeated"
    if table.unused:
        line += f", {table.unused:,} not used"
    return line


def _finding_lines(finding: Finding) -> Iterator[str]:
    place = f"{finding.table}.{finding.column}" if finding.column else finding.table
    if finding.rule == "value_mapped":
        yield f"{place}: {finding.rows:,} rows said {finding.example}"
        return
    yield f"{place}: {finding.rule} in {finding.rows:,} of {finding.of_rows:,} rows, for example {finding.example}"
    yield f"    {REMEDIES[finding.rule]}".replace("<table>", finding.table).replace("<column>", finding.column)
