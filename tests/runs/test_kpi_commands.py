"""``spm kpis show``: the scorecard that a company chose, on the terminal and as a file."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.errors import SpmError
from spm_models.kpis.leads import idle_leads
from spm_models.kpis.packs import of_company
from spm_models.runs import console_scorecard
from spm_models.runs.known import Known
from spm_models.runs.scorecard import published_scorecards, scorecards
from spm_models.translations import Translator

SCORES = pd.DataFrame({"opportunity_id": pd.Series(dtype="str"), "win_probability": pd.Series(dtype="float64")})
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
[kpis]
choose = ["win_rate", "revenue", "sales_cycle"]
bands = { win_rate = [0.01, 0.02] }
periods = { quarter = 2, month = 2 }
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "c"
    shutil.copytree(ROOT / "data/sample", folder, ignore=shutil.ignore_patterns("state"))
    settings = (folder / "spm.toml").read_text(encoding="utf-8")
    (folder / "spm.toml").write_text(re.sub(r"\[kpis\]\npack = .*\n", SETTINGS, settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(company: Path) -> dict[str, pd.DataFrame]:
    """What the weekly run would publish."""
    known = Known.of(company)
    return published_scorecards(known, of_company(known.workspace.settings.kpis), SCORES)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which no cell is broken, whatever was there when the module was first loaded."""
    monkeypatch.setattr(console_scorecard, "_out", Console(width=220, highlight=False))


def _show(company: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["kpis", "show", "-w", str(company), *words], env={"COLUMNS": "220"})
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_the_choice_of_the_company_is_shown_with_its_bands_in_its_language(company: Path) -> None:
    said = _show(company, "--by", "team")
    assert "KPI karnesi · 2026 2. çeyrek" in said and "Kazanma oranı" in said and "Sağlıklı bandın üstünde" in said
    assert "Aktiviteler" not in said, "not chosen"
    said = _show(company, "--kpi", "activities", "--locale", "en", "--grain", "month", "--last", "2")
    assert "Activities" in said and "May 2026" in said and "Win rate" not in said


def test_the_file_holds_what_is_published(company: Path, found: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    file = tmp_path / "kpis.csv"
    assert "kpis.csv" in _show(company, "--by", "rep", "--period", "2026-Q1", "--locale", "en", "--out", str(file))
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    names = Known.of(company).people.set_index("rep_id")["name"]
    kept = found["kpi_periods"].query("level == 'rep' and period == '2026-Q1' and kpi == 'revenue'")
    wanted = {(names[key], round(value, 6)) for key, value in zip(kept["key"], kept["value"], strict=True)}
    assert {(row["Rep"], float(row["Value"])) for row in rows if row["KPI"] == "Revenue"} == wanted


def test_the_choice_limits_the_periods_and_switches_nothing_off(found: dict[str, pd.DataFrame]) -> None:
    assert set(found["kpi_periods"]["kpi"]) == {"win_rate", "revenue", "sales_cycle"}
    periods = found["kpi_periods"].drop_duplicates(["grain", "period"])[["grain", "period"]]
    assert sorted(map(tuple, periods.to_numpy())) == [
        ("month", "2026-05"), ("month", "2026-06"), ("quarter", "2026-Q1"), ("quarter", "2026-Q2"),
    ]  # fmt: skip
    assert {"activities", "open_pipeline", "quota_attainment"} <= set(found["kpis"]["kpi"])
    assert set(found["kpis"]["period"]) == {"2026-Q2"}
    rate = found["kpis"].query("kpi == 'win_rate' and level == 'company'")
    assert rate["verdict"].tolist() == ["above"], "by the company's band"


def test_what_does_not_go_together_is_said(company: Path) -> None:
    known = Known.of(company)
    for asked in ({"by": "tribe"}, {"by": "stage", "names": ["win_rate"]}, {"names": ["winrate"]}, {"grain": "hour"}):
        with pytest.raises(SpmError) as caught:
            scorecards(known, **asked)
        assert caught.value.remedy


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_leads_are_counted_and_the_idle_ones_listed(company: Path, locale: str) -> None:
    words = ["kpis", "leads", "-w", str(company), "--days", "60", "--most", "999", "--locale", locale]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.exception
    known = Known.of(company)
    idle = idle_leads(known.tables, known.as_of, days=60)
    assert len(idle) and all(name in result.stdout for name in idle["lead_id"])
    t = Translator(locale, currency="TRY", time_zone="UTC")
    assert t("scorecard.leads.title") in result.stdout and t.period("2026-Q2") in result.stdout
