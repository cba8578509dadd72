"""``spm runs``: what ran, failures first, and which line writes them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.errors import RunError
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.retry import retry
from spm_models.runs.status import details, find_run, runs_of
from spm_models.workspace import Workspace


@pytest.fixture
def acme(tmp_path: Path) -> Workspace:
    (tmp_path / "spm.toml").write_text('[company]\nname = "Acme"\n', encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    ledger = Ledger(workspace.ledger_url)
    for run_id, end in (("2026-06-22-aaaaaaaaaaaa", "done"), ("2026-06-29-bbbbbbbbbbbb", "failed")):
        ledger.begin(run_id, "weekly", run_id, as_of=run_id[:10])
        ledger.step(run_id, "reports")
        for about, status in (("r1", "done"), ("r2", end)):
            good = status == "done"
            ledger.report(Report(
                run_id=run_id, report="coaching_report", about=about, name=about.upper(), status=status, seconds=1.0,
                attempts=2, html=f"{about}.html" if good else None, error=None if good else "[b]the kernel[/b] died",
            ))  # fmt: skip
        ledger.finish(run_id, {}) if end == "done" else ledger.fail(run_id, "Stopped by SIGTERM.")
    return workspace


def said(acme: Workspace, *words: str) -> str:
    found = CliRunner().invoke(app, ["runs", *words, "-w", str(acme.root)])
    assert found.exit_code == 0, found.output
    return found.output


def test_runs_are_listed_newest_first_with_their_whole_names(acme: Workspace) -> None:
    lines = said(acme, "list").splitlines()
    assert "2026-06-29-bbbbbbbbbbbb" in lines[1] and "1, 1 failed" in " ".join(lines[1:3])
    assert any("2026-06-22-aaaaaaaaaaaa" in line for line in lines[2:])
    assert [run["run_id"] for run in json.loads(said(acme, "list", "--json", "--limit", "1"))] == [
        "2026-06-29-bbbbbbbbbbbb"
    ]


def test_a_run_shows_its_failures_first_and_what_to_do(acme: Workspace) -> None:
    text = said(acme, "show", "2026-06-29")
    assert text.index("R2") < text.index("R1") and "[b]the kernel[/b] died" in text
    assert "spm runs retry 2026-06-29-bbbbbbbbbbbb" in text and "Stopped by SIGTERM." in text and "2 tries" in text
    assert json.loads(said(acme, "show", "2026-06-29", "--json"))["reports_failed"] == 1


def test_no_run_yet(tmp_path: Path) -> None:
    (tmp_path / "spm.toml").write_text("", encoding="utf-8")
    assert runs_of(Workspace.open(tmp_path)) == []
    assert "No run yet" in said(Workspace.open(tmp_path), "list")


@pytest.mark.parametrize(("name", "told"), [("2026", "Several runs"), ("nosuch", "no such run")])
def test_a_name_that_is_not_one_run_is_refused(acme: Workspace, name: str, told: str) -> None:
    with pytest.raises(RunError, match=told):
        find_run(Ledger(acme.ledger_url), acme, name)
    assert details(acme)["run_id"] == "2026-06-29-bbbbbbbbbbbb"


def test_a_run_whose_results_are_gone_is_not_written_again(acme: Workspace) -> None:
    with pytest.raises(RunError, match="results of this run are gone") as told:
        retry(acme, "2026-06-22")
    assert "spm run weekly --as-of 2026-06-22" in str(told.value)
