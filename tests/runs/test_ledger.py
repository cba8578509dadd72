"""The ledger keeps what ran, through failures and a second start."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from spm_models.errors import RunError
from spm_models.runs.ledger import Ledger, Report


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def report(about: str, status: str = "done") -> Report:
    return Report(
        run_id="r1", report="coaching_report", about=about, status=status, html=f"{about}.html", pdf=None, sha256="0",
        seconds=1.0, error=None,
    )  # fmt: skip


def test_nothing_ran_yet(ledger: Ledger) -> None:
    assert ledger.last() is None and ledger.done_runs() == []


def test_a_run_that_was_killed_stays_running_and_is_not_taken_for_done(ledger: Ledger) -> None:
    ledger.begin("r1", "weekly", "k")
    reopened = Ledger(ledger.path)
    assert reopened.last(key="k").status == "running"
    assert reopened.last(key="k", status="done") is None


def test_a_failed_run_keeps_its_reason_and_can_be_done_again(ledger: Ledger) -> None:
    ledger.begin("r1", "weekly", "k")
    ledger.fail("r1", "disk full")
    assert (ledger.last().status, ledger.last().error) == ("failed", "disk full")
    ledger.begin("r1", "weekly", "k")
    ledger.finish("r1", {"deals": 3})
    assert (ledger.last().status, ledger.last().error, ledger.done_runs()) == ("done", None, ["r1"])


def test_reports_come_failures_first_and_are_replaced_not_doubled(ledger: Ledger) -> None:
    ledger.begin("r1", "weekly", "k")
    for row in (report("a"), report("b", "failed"), report("a")):
        ledger.report(row)
    assert [(row.about, row.status) for row in ledger.reports("r1")] == [("b", "failed"), ("a", "done")]


def test_a_new_start_of_the_same_run_forgets_its_old_reports(ledger: Ledger) -> None:
    ledger.begin("r1", "weekly", "k")
    ledger.report(report("a"))
    ledger.begin("r1", "weekly", "k")
    assert ledger.reports("r1") == []


def test_a_damaged_ledger_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(RunError, match="move it away"):
        Ledger(tmp_path / "ledger.db")


def test_a_full_disk_is_told_as_an_error_of_ours(tmp_path: Path) -> None:
    code = f"""
        import resource, pathlib
        from spm_models.runs.ledger import Ledger
        ledger = Ledger(pathlib.Path({str(tmp_path / "ledger.db")!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        ledger.begin("r1", "weekly", "k")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert "RunError: The record of runs cannot be read or written" in done.stderr, done.stderr
