"""The list of KPIs is that of the registry, on the page and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.kpis import KPIS
from spm_models.kpis.listing import allowed, listing, page
from spm_models.translations import LOCALES, catalogue

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


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kpi_has_a_title_in_every_language(locale):
    assert [name for name in KPIS if f"kpi.{name}" not in catalogue(locale)] == []
    titles = [row["title"] for row in listing(locale=locale)]
    assert sorted(title for title in titles if titles.count(title) > 1) == [], "two KPIs of one title"


def test_every_definition_is_a_sentence_and_belongs_to_the_inventory():
    assert [kpi.name for kpi in KPIS.values() if not kpi.definition.endswith(".") or "  " in kpi.definition] == []
    assert [kpi.name for kpi in KPIS.values() if not (kpi.id[0] == "K" and 1 <= int(kpi.id[1:]) <= 36)] == []


def test_programs_learn_how_each_kpi_is_computed_and_by_what_it_can_be_asked():
    rows = {row["name"]: row for row in listing(locale="ar")}
    assert rows["win_rate"]["title"] == rows["win_rate"]["titles"]["ar"] != rows["win_rate"]["titles"]["en"]
    assert rows["loss_rate"]["numerator"] == "(~_.won).sum()", "the sum of the negation, not the negation of the sum"
    assert rows["sales_cycle_of_won"]["statistic"] == "median" and rows["sales_cycle_of_won"]["of"] == "_.days"
    assert "segment" in rows["win_rate"]["by"] and "stage" not in rows["win_rate"]["by"]
    assert rows["quota_attainment"]["by"] == ["company", "region", "team", "manager", "rep"]
    assert rows["win_rate"]["periods"] == ["day", "week", "month", "quarter", "year"]
    assert rows["win_rate"]["minimum"] == 5 and rows["revenue"]["minimum"] is None
    for kpi in KPIS.values():
        for part in kpi.parts:
            assert set(allowed(kpi)) <= set(allowed(KPIS[part]))


def test_a_language_without_a_catalogue_is_refused():
    result = CliRunner().invoke(app, ["kpis", "list", "--locale", "de"])
    assert result.exit_code == 1 and "no catalogue" in str(result.exception)
