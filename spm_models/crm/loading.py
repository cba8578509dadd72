"""Builds a warehouse from source files: stage, type, check, keep what is good and quarantine the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from spm_models.crm import parsing
from spm_models.crm.conversion import Rule, convert
from spm_models.crm.mapping import MappedColumn, columns_of
from spm_models.crm.parsing import name as q
from spm_models.crm.parsing import text
from spm_models.crm.quality import Finding, QualityReport, TableQuality
from spm_models.crm.readers import Staged, stage
from spm_models.crm.rules import derived_texts, row_rules, special_values
from spm_models.crm.schemas import REQUIRED, TABLES
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError
from spm_models.settings import Settings

#: Told about work: (what, done, total).
Progress = Callable[[str, int, int], None]
#: Rows of one warning that are kept as examples; all of them are counted, and their rows are in the tables.
KEPT_WARNINGS = 1000
#: Warnings whose rows are nevertheless not kept, because nothing is lost with them.
LEFT_OUT = ("repeated_row", "field_not_used")
QUARANTINE = (
    'CREATE OR REPLACE TABLE quarantine (run_id VARCHAR, "table" VARCHAR, source_file VARCHAR, file_hash VARCHAR, '
    'line BIGINT, raw VARCHAR, "column" VARCHAR, rule VARCHAR, severity VARCHAR, found VARCHAR)'
)


@dataclass(frozen=True)
class Typed:
    """One table after typing, before its good rows are chosen."""

    file: SourceFile
    staged: Staged
    columns: tuple[MappedColumn, ...]
    rows: int

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.file.table

    @property
    def relation(self) -> str:
        """Staging table with ``_line``, the typed columns and the flags."""
        return f"stage.{q('typed_' + self.name)}"

    def column(self, name: str) -> MappedColumn | None:
        """One of its columns."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass
class Loading:
    """The state of one load.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        The new warehouse, with an empty database attached as ``stage``.
    settings : Settings
        Of the workspace.
    run_id : str
        Written into the quarantine.
    hashes : Mapping[str, str]
        SHA-256 of each table's file.
    """

    con: Any
    settings: Settings
    run_id: str
    hashes: Mapping[str, str]
    typed: dict[str, Typed] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.con.execute(QUARANTINE)
        self.con.execute(
            "CREATE TABLE stage.broken (tbl VARCHAR, line BIGINT, raw VARCHAR, rule VARCHAR, found VARCHAR)"
        )
        self.con.execute("CREATE TABLE stage.rejected (tbl VARCHAR, _line BIGINT)")
        self.con.execute("CREATE TABLE stage.left_out (tbl VARCHAR, _line BIGINT, rule VARCHAR)")

    def read(self, file: SourceFile, deals: SourceFile | None) -> None:
        """Stage and type one file, and apply the rules of single rows."""
        staged = stage(self.con, file)
        derived = ("status",) if file.table == "opportunities" else ()
        if not staged.header:
            self.findings.append(Finding(file.table, "", "no_rows", "warning", 0, 0, file.path.name))
            return
        columns = columns_of(file, staged, derived=derived)
        texts = derived_texts(file.table, columns, self.settings)
        conversion = convert(
            columns, staged.relation, staged.formats, row_rules(file.table, columns, self.settings), texts,
            special_values(file, columns, deals),
        )  # fmt: skip
        typed = Typed(file, staged, tuple(columns), 0)
        self.con.execute(f"CREATE TABLE {typed.relation} AS {conversion.sql}")
        rows: int = self.con.execute(f"SELECT count(*) FROM {typed.relation}").fetchone()[0]
        typed = Typed(file, staged, tuple(columns), rows + staged.broken)
        self.typed[file.table] = typed
        if typed.rows == 0:
            self.findings.append(Finding(file.table, "", "no_rows", "warning", 0, 0, file.path.name))
        self._quarantine_broken(typed)
        counts = self._flag_counts(typed, len(conversion.rules))
        for i, (rule, count) in enumerate(zip(conversion.rules, counts, strict=True)):
            if count:
                self.apply(typed, rule, f"f{i}", count)
        self._tell_mapped(typed)

    def require_rows(self, files: Mapping[str, SourceFile]) -> None:
        """Refuse a source in which a required table is empty."""
        for name in REQUIRED:
            if name not in self.typed or self.typed[name].rows == 0:
                raise SourceError(
                    f"The table {name} has no rows, and nothing works without it", where=str(files[name].path),
                    found="a header and nothing else" if name in self.typed else "an empty file",
                    remedy="Export it again.",
                )  # fmt: skip

    def _flag_counts(self, typed: Typed, flags: int) -> Sequence[int]:
        counts = ", ".join(f"count(*) FILTER (WHERE f{i})" for i in range(flags))
        found: Sequence[int] = self.con.execute(f"SELECT {counts} FROM {typed.relation}").fetchone()
        return found

    def apply(self, typed: Typed, rule: Rule, condition: str, count: int | None = None) -> int:
        """Quarantine (or note) the rows of a typed table that meet a condition; their number."""
        if count is None:
            count = int(self.con.execute(f"SELECT count(*) FROM {typed.relation} WHERE {condition}").fetchone()[0])
        if count == 0:
            return 0
        column = typed.column(rule.column)
        cell = f"r.{column.cell}" if column is not None and column.cell else f"t.{q(rule.column)}"
        limit = "" if rule.severity == "error" else f"LIMIT {KEPT_WARNINGS}"
        hits = f"SELECT * FROM {typed.relation} WHERE {condition} ORDER BY _line {limit}"
        facts = ", ".join(text(v) for v in (self.run_id, typed.name, typed.file.path.name, self.hashes[typed.name]))
        self.con.execute(
            f"INSERT INTO quarantine SELECT {facts}, t._line, {raw_text(typed)}, {text(rule.column)}, "
            f"{text(rule.name)}, {text(rule.severity)}, CAST({cell} AS VARCHAR) FROM ({hits}) t "
            f"JOIN {typed.staged.relation} r ON r._line = t._line ORDER BY t._line"
        )
        if rule.severity == "error":
            self.con.execute(
                f"INSERT INTO stage.rejected SELECT {text(typed.name)}, _line FROM {typed.relation} WHERE {condition}"
            )
        if rule.name in LEFT_OUT:
            self.con.execute(
                f"INSERT INTO stage.left_out SELECT {text(typed.name)}, _line, {text(rule.name)} "
                f"FROM {typed.relation} WHERE {condition}"
            )
        self._note(typed, rule.column, rule.name, rule.severity, count)
        return count

    def _note(self, typed: Typed, column: str, rule: str, severity: str, count: int) -> None:
        line, found = self.con.execute(
            'SELECT line, found FROM quarantine WHERE "table" = ? AND "column" = ? AND rule = ? ORDER BY line LIMIT 1',
            [typed.name, column, rule],
        ).fetchone()
        place = "row" if typed.file.kind == "parquet" else "line"
        example = f"{typed.file.path.name} {place} {line}: {shown(found)}"
        self.findings.append(Finding(typed.name, column, rule, severity, count, typed.rows, example))

    def _quarantine_broken(self, typed: Typed) -> None:
        facts = ", ".join(text(v) for v in (self.run_id, typed.name, typed.file.path.name, self.hashes[typed.name]))
        self.con.execute(
            f"INSERT INTO quarantine SELECT {facts}, line, raw, '', rule, 'error', found FROM stage.broken "
            f"WHERE tbl = {text(typed.name)} ORDER BY line"
        )
        counts = self.con.execute(
            "SELECT rule, count(*) FROM stage.broken WHERE tbl = ? GROUP BY rule ORDER BY rule", [typed.name]
        ).fetchall()
        for rule, count in counts:
            self._note(typed, "", rule, "error", count)

    def _tell_mapped(self, typed: Typed) -> None:
        """Say how many rows each entry of the value mapping has changed."""
        for column in typed.columns:
            if not column.values or column.cell is None or column.source_type != "VARCHAR":
                continue
            said = ", ".join(text(value) for value in column.values)
            counts = self.con.execute(
                f"SELECT v, count(*) FROM (SELECT {parsing.clean(column.cell)} AS v FROM {typed.staged.relation}) "
                f"WHERE v IN ({said}) GROUP BY v ORDER BY v"
            ).fetchall()
            for value, count in counts:
                example = f"{shown(value)} read as {shown(column.values[value])}"
                self.findings.append(
                    Finding(typed.name, column.name, "value_mapped", "notice", count, typed.rows, example)
                )

    def drop_duplicates(self, typed: Typed) -> None:
        """Keep one row a key: an equal earlier row is left out, a different one is quarantined."""
        keys = ", ".join(q(key) for key in TABLES[typed.name].key)
        alive = self.good(typed)
        several = f"SELECT {keys} FROM ({alive}) GROUP BY {keys} HAVING count(*) > 1"
        if self.con.execute(f"SELECT count(*) FROM ({several})").fetchone()[0] == 0:
            return
        row = "row(" + ", ".join(q(column.name) for column in typed.columns) + ")"
        window = f"OVER (PARTITION BY {keys} ORDER BY _line DESC)"
        self.con.execute(
            f"CREATE OR REPLACE TABLE stage.twice AS SELECT _line, row_number() {window} = 1 AS kept, "
            f"{row} IS NOT DISTINCT FROM first_value({row}) {window} AS same "
            f"FROM ({alive}) SEMI JOIN ({several}) USING ({keys})"
        )
        key = TABLES[typed.name].key[0]
        same, other = (
            "_line IN (SELECT _line FROM stage.twice WHERE NOT kept AND " + s + "same)" for s in ("", "NOT ")
        )
        self.apply(typed, Rule("repeated_row", key, "warning", ""), same)
        self.apply(typed, Rule("conflicting_rows", key, "error", ""), other)

    def rejected(self, table: str) -> str:
        """Query for the lines of a table that were rejected."""
        return f"SELECT _line FROM stage.rejected WHERE tbl = {text(table)}"

    def left_out(self, table: str) -> str:
        """Query for the lines of a table that are not kept: rejected, repeated or not used."""
        return f"{self.rejected(table)} UNION ALL SELECT _line FROM stage.left_out WHERE tbl = {text(table)}"

    def good(self, typed: Typed) -> str:
        """Query for the rows of a table that are kept."""
        return f"SELECT * FROM {typed.relation} WHERE _line NOT IN ({self.left_out(typed.name)})"

    def report(self) -> QualityReport:
        """What became of every row."""
        tables = []
        for name, typed in self.typed.items():
            rejected = typed.staged.broken + self._count(f"SELECT DISTINCT _line FROM ({self.rejected(name)})")
            repeated, unused = (
                self._count(
                    f"SELECT _line FROM stage.left_out WHERE tbl = {text(name)} AND rule = {text(rule)} "
                    f"AND _line NOT IN ({self.rejected(name)})"
                )
                for rule in LEFT_OUT
            )
            loaded = self._count(f"SELECT 1 FROM {q(name)}")
            tables.append(
                TableQuality(
                    name, typed.file.path.name, self.hashes[name], typed.rows, loaded, rejected, repeated, unused
                )
            )  # fmt: skip
        return QualityReport(tuple(tables), tuple(self.findings))

    def _count(self, query: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM ({query})").fetchone()[0])


def raw_text(typed: Typed) -> str:
    """SQL of a row's cells, joined and quoted as the file would have them."""
    separator = typed.file.separator if typed.file.kind == "csv" else ","
    special = rf"[\x{{{ord(separator):04X}}}" "\r\n]".replace('""', '"')
    cells = []
    for i in range(len(typed.staged.header)):
        cell = f"CAST(r.c{i} AS VARCHAR)"
        quoted = f"""'"' || replace({cell}, '"', '""') || '"'"""
        cells.append(f"CASE WHEN regexp_matches({cell}, {text(special)}) THEN {quoted} ELSE coalesce({cell}, '') END")
    return f"array_to_string([{', '.join(cells)}], {text(separator)})"


def shown(value: object) -> str:
    """A value as a message shows it: quoted, short, and visibly empty.

    Examples
    --------
    >>> shown("GTXPro"), shown(None)
    ("'GTXPro'", 'empty')
    """
    if value is None or value == "":
        return "empty"
    return repr(value if len(str(value)) <= 60 else f"{str(value)[:57]}…")


def latest_day(days: Sequence[tuple[date, int]]) -> date | None:
    """The last day on which anything happened, without a few rows dated years later by mistake.

    Parameters
    ----------
    days : sequence of (date, int)
        Days and rows on them, the latest first.

    Examples
    --------
    >>> from datetime import date
    >>> latest_day([(date(2071, 3, 1), 1), (date(2017, 3, 2), 120), (date(2017, 3, 1), 80)])
    datetime.date(2017, 3, 2)
    """
    total, above = sum(rows for _, rows in days), 0
    for (day, rows), following in zip(days, [*days[1:], None], strict=False):
        above += rows
        alone = following is not None and (day - following[0]).days > 366 and above * 100 < total
        if not alone:
            return day
    return None
