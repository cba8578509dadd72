"""The list of KPIs is that of the registry, on the page and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.kpis import KPIS
from spm_models.kpis.listing import listing, page

PROJECT = Path(__file__).parents[2]


def test_the_page_is_the_one_that_the_definitions_make():
    assert (PROJECT / "docs/kpis.md").read_text(encoding="utf-8") == page()


def test_the_command_lists_every_kpi_for_programs():
    result = CliRunner().invoke(app, ["kpis", "list", "--json"])
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert rows == listing()
    assert sorted(row["name"] for row in rows) == sorted(KPIS)
    coverage = next(row for row in rows if row["name"] == "pipeline_coverage")
    assert coverage["tables"] == ["reps", "opportunities", "quotas"]
    assert coverage["ahead"] and coverage["healthy"] == [3, 4]


def test_the_command_lists_every_kpi_for_people():
    result = CliRunner().invoke(app, ["kpis", "list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(kpi.id in result.stdout for kpi in KPIS.values())
