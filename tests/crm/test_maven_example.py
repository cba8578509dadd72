"""The Maven example: loaded with its mapping only, against figures computed straight from the CSV."""

from __future__ import annotations

import csv
import shutil
from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from spm_models import crm
from spm_models.workspace import Workspace

ROOT = Path(__file__).parents[2]
SOURCE = ROOT.parent / "shared" / "data" / "maven_crm"

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason=f"the Maven export is not beside the project ({SOURCE})")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maven")
    shutil.copy(ROOT / "data" / "examples" / "maven" / "spm.toml", folder)
    return Workspace.open(folder, source=SOURCE)


@pytest.fixture(scope="module")
def loaded(workspace):
    return crm.load(workspace, run_id="maven")


@pytest.fixture(scope="module")
def deals():
    with (SOURCE / "sales_pipeline.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_every_row_is_loaded(loaded, deals):
    con = loaded.tables.backend.con
    assert loaded.quality.rejected == 0
    assert con.execute("SELECT count(*) FROM opportunities").fetchone()[0] == len(deals) == 8800
    for table, file in (("reps", "sales_teams"), ("accounts", "accounts"), ("products", "products")):
        rows = len((SOURCE / f"{file}.csv").read_text().splitlines()) - 1
        assert con.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == rows


def test_totals_by_rep_and_status_are_those_of_the_file(loaded, deals):
    meaning = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}
    counts = Counter((deal["sales_agent"], meaning[deal["deal_stage"]]) for deal in deals)
    revenue = defaultdict(Decimal)
    for deal in deals:
        if deal["deal_stage"] == "Won":
            closed = datetime.strptime(deal["close_date"], "%d-%m-%y").date()
            revenue[deal["sales_agent"], (closed.year, (closed.month + 2) // 3)] += Decimal(deal["close_value"])
    con = loaded.tables.backend.con
    assert counts == {
        (rep, status): n
        for rep, status, n in con.execute("SELECT rep_id, status, count(*) FROM opportunities GROUP BY ALL").fetchall()
    }
    assert revenue == {
        (rep, (year, quarter)): total
        for rep, year, quarter, total in con.execute(
            "SELECT rep_id, year(closed_on), quarter(closed_on), sum(amount_company) FROM opportunities "
            "WHERE status = 'won' GROUP BY ALL"
        ).fetchall()
    }


def test_days_and_products_row_by_row(loaded, deals):
    def day(text):
        return datetime.strptime(text, "%d-%m-%y").date() if text else None

    rows = loaded.tables.backend.con.execute(
        "SELECT opportunity_id, product_id, created_on, closed_on, account_id FROM opportunities ORDER BY rowid"
    ).fetchall()
    assert rows == [
        (d["opportunity_id"], "GTX Pro" if d["product"] == "GTXPro" else d["product"], day(d["engage_date"]),
         day(d["close_date"]), d["account"] or None)
        for d in deals
    ]  # fmt: skip


def test_what_is_known_about_the_source(loaded):
    tables = loaded.tables
    assert (tables.extracted_on, tables.currency, tables.has_history) == (date(2017, 12, 31), "USD", False)
    assert tables.stages == ("Prospecting", "Engaging")
    assert tables.known_at_creation == {"opportunity_id", "created_on", "rep_id", "product_id"}


def test_the_doctor_tells_the_misspelling_the_missing_days_and_the_cost_of_no_history(workspace, loaded, deals):
    lines = "\n".join(crm.check(workspace, today=date(2018, 1, 2)).lines())
    undated = sum(deal["deal_stage"] in ("Engaging", "Prospecting") and not deal["engage_date"] for deal in deals)
    misspelt = sum(deal["product"] == "GTXPro" for deal in deals)
    assert f"{misspelt:,} rows said 'GTXPro' read as 'GTX Pro'" in lines
    assert f"{undated} open deals have no creation date" in lines
    assert "no history: the pipeline cannot be seen as it was" in lines
    assert "account_id is empty on 68% of open and 0% of closed deals" in lines
    assert "as of 2017-12-31, 2 days old" in lines


def test_without_the_value_mapping_the_doctor_asks_what_was_meant(workspace, tmp_path):
    text = (workspace.root / "spm.toml").read_text()
    (tmp_path / "spm.toml").write_text(text.replace('GTXPro = "GTX Pro"', ""))
    findings = crm.check(Workspace.open(tmp_path, source=SOURCE)).findings
    [unknown] = [finding for finding in findings if finding.rule == "unknown_reference"]
    assert unknown.rows == 1480 and "did you mean 'GTX Pro'?" in unknown.example
