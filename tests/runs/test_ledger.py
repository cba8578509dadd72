"""The ledger keeps what ran, through failures and a second start."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from spm_models.errors import RunError
from spm_models.runs import ledger as ledger_module
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


def test_a_run_that_was_killed_stays_running_and_is_not_taken_for_done(ledger: Ledger, tmp_path: Path) -> None:
    ledger.begin("r1", "weekly", "k")
    reopened = Ledger(tmp_path / "ledger.db")
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


def test_the_newest_run_is_the_one_begun_last_though_the_clock_went_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_now", lambda: "2026-07-06T05:00:00.000000+00:00")
    ledger.begin("first", "weekly", "k1")
    ledger.finish("first", {})
    monkeypatch.setattr(ledger_module, "_now", lambda: "2026-07-06T02:00:00.000000+00:00")
    ledger.begin("second", "weekly", "k2")
    ledger.finish("second", {})
    assert ledger.last().run_id == "second" and ledger.done_runs() == ["second", "first"]


def test_a_record_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as old:
        old.execute(
            "create table runs (run_id text primary key, kind text, key text, status text, started_at text, "
            "finished_at text, summary text, error text)"
        )
        old.execute(
            "insert into runs values ('old', 'weekly', 'k', 'done', '2026-06-01', '2026-06-01', '{\"deals\": 7}', null)"
        )
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.last().summary == '{"deals": 7}'
    ledger.begin("new", "weekly", "k2")
    ledger.finish("new", {})
    assert ledger.done_runs() == ["new", "old"]


def test_a_run_that_is_resumed_keeps_its_reports_and_the_last_good_one_is_known(ledger: Ledger) -> None:
    ledger.begin("r0", "weekly", "k0")
    for row in (report("a"), report("b"), report("c", "failed")):
        row.run_id = "r0"
        ledger.report(row)
    ledger.finish("r0", {})
    ledger.begin("r1", "weekly", "k")
    ledger.report(report("a"))
    ledger.report(report("b", "failed"))
    ledger.begin("r1", "weekly", "k", resume=True)
    assert len(ledger.reports("r1")) == 2
    assert {(row.about, row.run_id) for row in ledger.last_good()} == {("a", "r1"), ("b", "r0")}


@pytest.mark.postgres
def test_a_database_server_keeps_the_same_record(postgres_server: Mapping[str, str]) -> None:
    address = f"postgresql+psycopg://{postgres_server['user']}@/postgres?host={postgres_server['host']}"
    ledger = Ledger(address)
    ledger.begin("r1", "weekly", "k", as_of="2026-06-30")
    ledger.step("r1", "publish")
    ledger.beat("r1")
    ledger.report(report("a"))
    ledger.finish("r1", {"deals": 3})
    again = Ledger(address).last(key="k")
    assert (again.status, again.step, again.beat, again.as_of) == ("done", "publish", 1, "2026-06-30")
    assert [row.about for row in Ledger(address).reports("r1")] == ["a"]


def test_an_address_that_cannot_be_used_is_told_without_its_password() -> None:
    with pytest.raises(RunError) as told:
        Ledger("nosuch://me:secret@host/db")
    assert "SPM_LEDGER_URL" in str(told.value) and "secret" not in str(told.value)
    with pytest.raises(RunError) as told:
        Ledger("postgresql+psycopg://me:secret@127.0.0.1:1/db?connect_timeout=2")
    assert "cannot be read" in str(told.value) and "secret" not in str(told.value)
