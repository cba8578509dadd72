"""What loading found: per table what became of its rows, per rule how many met it, and the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from spm_models.crm.rules import REMEDIES
from spm_models.crm.schemas import REQUIRED
from spm_models.errors import QualityGateError
from spm_models.settings import Gate


@dataclass(frozen=True)
class Finding:
    """One rule met by some rows of one column.

    Parameters
    ----------
    table, column, rule : str
        Where, and which rule (``crm.rules.REMEDIES`` says what each means).
    severity : {"error", "warning", "notice"}
        Quarantined, kept, or merely told.
    rows, of_rows : int
        Rows that met it, of all rows read.
    example : str
        What the first of them said, and where.
    """

    table: str
    column: str
    rule: str
    severity: str
    rows: int
    of_rows: int
    example: str


@dataclass(frozen=True)
class TableQuality:
    """What became of the rows of one table: read = loaded + rejected + repeated + unused.

    Parameters
    ----------
    table, source_file, file_hash : str
        Which file, and SHA-256 of its bytes.
    read, loaded, rejected, repeated, unused : int
        Rows. A repeated row equals a later one of the same key, an unused one is the history of a field that
        nothing looks at; both were left out.
    """

    table: str
    source_file: str
    file_hash: str
    read: int
    loaded: int
    rejected: int
    repeated: int
    unused: int = 0


@dataclass(frozen=True)
class QualityReport:
    """All findings of one load."""

    tables: tuple[TableQuality, ...]
    findings: tuple[Finding, ...]

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(table.read for table in self.tables)

    @property
    def rejected(self) -> int:
        """Rows in quarantine."""
        return sum(table.rejected for table in self.tables)

    @property
    def warnings(self) -> int:
        """Warnings; one row may have several."""
        return sum(finding.rows for finding in self.findings if finding.severity == "warning")

    def frame(self) -> pd.DataFrame:
        """One row per table and rule, as published in ``data_quality``: table, rule, severity, rows, of_rows, example.

        Where a rule was met in several columns, the example says which is the most frequent.
        """
        columns = ["table", "rule", "severity", "rows", "of_rows", "example"]
        rows = pd.DataFrame([vars(finding) for finding in self.findings], columns=["column", *columns])
        rows = rows.sort_values(["table", "rule", "rows", "column"], ascending=[True, True, False, True])
        grouped = rows.groupby(["table", "rule", "severity"], as_index=False, sort=True)
        return grouped.agg(rows=("rows", "sum"), of_rows=("of_rows", "first"), example=("example", "first"))[columns]

    def check(self, gate: Gate) -> None:
        """Stop when too much was rejected.

        Raises
        ------
        QualityGateError
            When the share of rejected rows of a table exceeds ``gate.max_rejected_share`` (tables below
            ``gate.min_rows`` are spared), or a required table has no good row.
        """
        for table in self.tables:
            share = table.rejected / table.read if table.read else 0.0
            empty = table.table in REQUIRED and table.loaded == 0
            if empty or (table.read >= gate.min_rows and share > gate.max_rejected_share):
                raise self._stop(table, share, gate)

    def _stop(self, table: TableQuality, share: float, gate: Gate) -> QualityGateError:
        errors = [f for f in self.findings if f.table == table.table and f.severity == "error"]
        worst = sorted(errors, key=lambda f: (-f.rows, f.rule, f.column))[:3]
        reasons = "; ".join(f"{f.column or 'row'} {f.rule} {f.rows:,} times, for example {f.example}" for f in worst)
        advice = REMEDIES.get(worst[0].rule, "") if worst else REMEDIES["no_rows"]
        return QualityGateError(
            f"{table.rejected:,} of {table.read:,} rows of {table.table} ({share:.1%}) were rejected, "
            f"more than the {gate.max_rejected_share:.1%} allowed"
            if table.loaded or table.rejected
            else f"The table {table.table} has no rows",
            where=table.source_file,
            found=reasons or "no rows",
            remedy=f"{advice} Then load again; `spm doctor` lists every rule, and the rejected rows are kept. "
            "To allow more, set [gate] max_rejected_share.".strip(),
            table=table.table, share=share, rules=[f.rule for f in worst],
        )  # fmt: skip


def store(con: Any, report: QualityReport) -> None:
    """Keep a report in a warehouse."""
    con.execute("CREATE OR REPLACE TABLE loaded_tables (tbl VARCHAR, source_file VARCHAR, file_hash VARCHAR, "
                "rows_read BIGINT, loaded BIGINT, rejected BIGINT, repeated BIGINT, unused BIGINT)")  # fmt: skip
    con.execute('CREATE OR REPLACE TABLE quality (tbl VARCHAR, "column" VARCHAR, rule VARCHAR, severity VARCHAR, '
                '"rows" BIGINT, of_rows BIGINT, example VARCHAR)')  # fmt: skip
    if report.tables:
        con.executemany(
            "INSERT INTO loaded_tables VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [[*vars(t).values()] for t in report.tables]
        )
    if report.findings:
        con.executemany(
            "INSERT INTO quality VALUES (?, ?, ?, ?, ?, ?, ?)", [[*vars(f).values()] for f in report.findings]
        )


def stored(con: Any) -> QualityReport:
    """The report kept in a warehouse."""
    tables = con.execute("SELECT * FROM loaded_tables ORDER BY rowid").fetchall()
    findings = con.execute("SELECT * FROM quality ORDER BY rowid").fetchall()
    return QualityReport(tuple(TableQuality(*row) for row in tables), tuple(Finding(*row) for row in findings))
