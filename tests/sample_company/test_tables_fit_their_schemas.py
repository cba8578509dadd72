from __future__ import annotations

from pathlib import Path

import pytest

from spm_models.crm import load
from spm_models.crm.schemas import TABLES
from spm_models.sample_company import Company, workspace_file, write
from spm_models.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_has_rows_that_fit_its_schema(company: Company, name: str) -> None:
    frame = company.tables[name]
    assert len(frame) > 0
    TABLES[name].frame.validate(frame)


@pytest.mark.parametrize("name", list(TABLES))
def test_references_lead_somewhere(company: Company, name: str) -> None:
    for column in set(TABLES[name].columns) & set(company.tables[name].columns):
        target = TABLES[name].facts(column)["refers_to"]
        if target:
            table, key = target.split(".")
            values = company.tables[name][column].dropna()
            assert values.isin(company.tables[table][key]).all(), f"{name}.{column}"


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_written_tables_load_without_a_rejected_row(tmp_path: Path, format: str) -> None:  # noqa: A002
    write(tmp_path, size="tiny", seed=5, format=format, truth_draws=0)  # type: ignore[arg-type]
    workspace_file(tmp_path)
    quality = load(Workspace.open(tmp_path), run_id="test").quality
    assert {table.table for table in quality.tables} == set(TABLES)
    assert [(table.table, table.rejected) for table in quality.tables if table.rejected or table.repeated] == []
    assert quality.findings == ()


def test_the_committed_sample_is_small_and_loads(tmp_path: Path) -> None:
    sample = ROOT / "data" / "sample"
    files = [path for folder in ("tables", "truth") for path in (sample / folder).iterdir()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    (tmp_path / "spm.toml").write_bytes((sample / "spm.toml").read_bytes())
    quality = load(Workspace.open(tmp_path, source=sample / "tables"), run_id="test").quality
    assert {table.table for table in quality.tables} == set(TABLES)
    assert sum(table.rejected for table in quality.tables) == 0


def test_truth_stands_beside_the_tables_and_never_among_them(tmp_path: Path) -> None:
    write(tmp_path, size="tiny", months=6, truth_draws=0)
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == set(TABLES)
    hidden = {"cause", "effort", "need", "conviction", "gain", "p_win"}
    for path in (tmp_path / "tables").iterdir():
        header = path.read_text(encoding="utf-8").split("\n", 1)[0].replace('"', "").split(",")
        assert not hidden & set(header), path.name
