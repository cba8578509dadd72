"""A small company as CSV text, and a workspace around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spm_models import crm
from spm_models.workspace import Workspace

REPS = "rep_id,name\nr1,Ada\nr2,Bob\n"
HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount\n"
DEALS = HEADER + (
    "o1,r1,2026-01-05,2026-02-01,won,1000.50\n"
    "o2,r1,2026-01-06,,open,200\n"
    "o3,r2,2026-01-07,2026-03-01,lost,0\n"
    "o4,r2,2026-01-08,,open,\n"
)  # fmt: skip

Make = Callable[..., Workspace]


@pytest.fixture
def company(tmp_path: Path) -> Make:
    """Write files (name to text or bytes) and settings; a workspace. A table without an ending is a CSV file."""

    def make(settings: str = "", **files: str | bytes) -> Workspace:
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in ({"reps": REPS, "opportunities": DEALS} | files).items():
            data = content.encode() if isinstance(content, str) else content
            (folder / f"{name}.csv").write_bytes(data)
        (tmp_path / "spm.toml").write_text(settings, encoding="utf-8")
        return Workspace.open(tmp_path)

    return make


class Result:
    """What one load gave, in plain values."""

    def __init__(self, loaded: crm.Loaded) -> None:
        self.loaded, self.quality, self.tables = loaded, loaded.quality, loaded.tables
        self.con = loaded.tables.backend.con

    def column(self, name: str, table: str = "opportunities") -> list[object]:
        """Values of a column in the order of the file."""
        return [row[0] for row in self.con.execute(f'SELECT "{name}" FROM "{table}" ORDER BY rowid').fetchall()]

    def found(self, table: str = "opportunities") -> set[tuple[str, str, str, int]]:
        """Findings of a table: column, rule, severity, rows."""
        return {(f.column, f.rule, f.severity, f.rows) for f in self.quality.findings if f.table == table}

    def quarantine(self) -> list[tuple[object, ...]]:
        """Table, line, column, rule, severity, found, raw."""
        return self.con.execute(
            'SELECT "table", line, "column", rule, severity, found, raw FROM quarantine ORDER BY ALL'
        ).fetchall()


@pytest.fixture
def load(company: Make) -> Callable[..., Result]:
    """Write a company and load it with an open gate."""

    def run(settings: str = "", **files: str | bytes) -> Result:
        return Result(crm.load(company(settings + "\n[gate]\nmax_rejected_share = 1.0\n", **files), run_id="test"))

    return run
