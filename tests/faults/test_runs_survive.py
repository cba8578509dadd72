"""Whatever ends a weekly run: done once more, it gives the same reports, byte for byte, and no mail twice."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from spm_models.runs.ledger import Ledger
from spm_models.runs.status import status
from spm_models.workspace import Workspace

from .conftest import KILL, Job, Post, Undisturbed, hooked, wait_until

#: One worker for all of them: they begin with the same runs.
pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("faults")]


def goes_on(job: Job, post: Post, undisturbed: Undisturbed, *, doubtful: int = 0) -> str:
    """Start it again: all reports, the same bytes, every mail once; those in doubt are held."""
    code, said = job.run("--resume")
    assert code == 0, said
    assert job.reports() == undisturbed.reports
    assert set(post.got.values()) == {1} and set(post.got) <= undisturbed.mails
    if not doubtful:
        assert set(post.got) == undisturbed.mails
    assert status(Workspace.open(job.root))["last_run"]["status"] == "done"
    return said


def test_killed_at_every_step_up_to_the_reports(
    empty: Path, runtime: Path, tmp_path: Path, post: Post, undisturbed: Undisturbed
) -> None:
    shutil.copytree(empty, tmp_path / "company")
    job = Job(tmp_path / "company", runtime)
    job.mail_to(post)
    job.killed("spm_models.crm", "load", after=True)
    job.killed("spm_models.runs.results", "compute")
    job.killed("spm_models.published.writer", "_write", at=7)
    assert not (job.root / "state" / "published" / "current.json").exists()
    job.killed("spm_models.runs.ledger:Ledger", "published")
    goes_on(job, post, undisturbed)


@pytest.mark.parametrize(
    ("where", "name", "at", "after"),
    [
        ("spm_models.runs.weekly", "orders_of", 1, True),
        ("spm_models.runs.reporting", "_note", 1, False),
        ("spm_models.runs.reporting", "_note", 3, True),
        ("spm_models.runs.reporting", "write_index", 1, False),
        ("spm_models.runs.reporting", "_sync", 1, True),
        ("spm_models.runs.weekly", "write_reports", 1, True),
        ("spm_models.runs.weekly", "deliver", 1, False),
        ("spm_models.runs.weekly", "deliver", 1, True),
        ("spm_models.runs.weekly", "clear_old", 1, False),
    ],
)
def test_killed_from_the_reports_on(
    job: Job, post: Post, undisturbed: Undisturbed, where: str, name: str, at: int, after: bool
) -> None:
    job.killed(where, name, at=at, after=after)
    goes_on(job, post, undisturbed)


def test_killed_between_the_old_reports_and_the_new_ones(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    goes_on(job, post, undisturbed)
    run_id = status(Workspace.open(job.root))["last_run"]["run_id"]
    row = next(iter(sorted((job.root / "state" / "reports" / run_id).glob("coaching_report/*.html"))))
    row.write_text("damaged")
    job.killed("spm_models.runs.reporting", "_sync", at=1, after=True)
    goes_on(job, post, undisturbed)
    fault = f"""
import pathlib
real = pathlib.Path.rename
def rename(path, target):
    if path.name.endswith(".building"):
        {KILL}
    return real(path, target)
pathlib.Path.rename = rename
"""
    row.write_text("damaged once more")
    assert job.run(fault=fault)[0] == -signal.SIGKILL
    assert not row.exists()
    goes_on(job, post, undisturbed)


def test_killed_while_the_mail_server_takes_a_mail(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    process = job.start()

    def kill(_: object) -> None:
        post.on_data = None
        os.kill(process.pid, signal.SIGKILL)

    post.on_data = kill
    process.communicate(timeout=600)
    assert process.returncode == -signal.SIGKILL and len(post.got) == 1
    said = goes_on(job, post, undisturbed, doubtful=1)
    assert "1 held" in said and len(post.got) >= 1


def test_a_mail_server_that_hangs_up_after_the_text(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    def hang_up(server: object) -> None:
        post.on_data = None
        server.transport.abort()  # type: ignore[attr-defined]

    post.on_data = hang_up
    code, said = job.run()
    assert code == 0 and "1 held" in said
    goes_on(job, post, undisturbed, doubtful=1)


def test_stopped_by_the_service_manager(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    code, said = job.run(fault=hooked("spm_models.runs.reporting", "_note", "os.kill(os.getpid(), signal.SIGTERM)"))
    assert code not in (0, -signal.SIGTERM), said
    last = status(Workspace.open(job.root))["last_run"]
    assert (last["status"], last["error"], last["step"]) == ("failed", "Stopped by SIGTERM.", "reports")
    goes_on(job, post, undisturbed)


def test_a_killed_kernel_costs_its_report_only(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    harm = "__import__('threading').Timer(0.4, os.kill, (args[1], signal.SIGKILL)).start()"
    code, said = job.run(fault=hooked("spm_models.reports.limits:Guard", "started", harm, at=2, after=True))
    assert code == 1 and "failed" in said and "spm runs retry" in said
    assert len(job.reports()) == len(undisturbed.reports) - 1
    goes_on(job, post, undisturbed)


def test_a_killed_warm_parent_costs_nothing_that_is_not_done_again(
    job: Job, post: Post, undisturbed: Undisturbed, runtime: Path
) -> None:
    harm = (
        "[p.kill() for p in __import__('psutil').process_iter(['cmdline']) "
        f"if {str(runtime)!r} in ' '.join(p.info['cmdline'] or []) and 'warm_kernels.parent' in p.info['cmdline']]"
    )
    job.run(fault=hooked("spm_models.reports.limits:Guard", "started", harm, at=3, after=True))
    goes_on(job, post, undisturbed)


def test_a_cell_that_hangs_and_one_that_eats_memory(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    settings = job.root / "spm.toml"
    usual = settings.read_text(encoding="utf-8")
    harm = """
import nbformat, pathlib, shutil, tempfile
from spm_models.runs import one_report
real = one_report.shipped
def shipped(path):
    given, copy = real(path), pathlib.Path(tempfile.mkdtemp()) / "report.ipynb"
    book = nbformat.read(given, as_version=4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    cells[1].source = HARM + cells[1].source
    nbformat.write(book, copy)
    return copy
one_report.shipped = shipped
from spm_models.reports.limits import Limits
one_report.Limits = lambda *most: Limits(seconds=12, cell_seconds=4, memory_mb=600)
"""
    hang = harm.replace("HARM", repr("import time; time.sleep(600)\n"))
    code, said = job.run(fault=hang)
    assert code == 1 and "CellTimeoutError" in said and not job.reports()
    code, said = job.run(fault=harm.replace("HARM", repr("eaten = b'x' * 3_000_000_000\n")))
    assert code == 1 and "MemoryError" in said and not job.reports()
    assert settings.read_text(encoding="utf-8") == usual and not post.got
    goes_on(job, post, undisturbed)


@pytest.mark.skipif(os.getuid() != 0, reason="Only root can mount a small disk")
def test_a_full_disk(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    reports = job.root / "state" / "reports"
    reports.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k", "none", str(reports)], check=False)
    if mounted.returncode:
        pytest.skip("This machine lets nobody mount a small disk")
    try:
        code, said = job.run()
        assert code != 0 and "No space left" in said, said
        assert not post.got or set(post.got.values()) == {1}
    finally:
        subprocess.run(["umount", str(reports)], check=True)
    goes_on(job, post, undisturbed)


def test_two_schedulers_at_once(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    slow = "__import__('time').sleep(20)"  # so that the second comes while the first is at work
    first = job.start(fault=hooked("spm_models.runs.weekly", "write_reports", slow))
    ledger = Ledger(Workspace.open(job.root).ledger_url)
    wait_until(lambda: ledger.last().holder.endswith(f":{first.pid}") and ledger.last().step == "reports")
    code, said = job.run()
    assert code == 1 and "Another run is at work" in said
    code, said = job.run("--wait", "5")
    assert code == 0 and "nothing to do" in said
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 0, said.decode()
    goes_on(job, post, undisturbed)


def test_a_clock_that_goes_back(job: Job, post: Post, undisturbed: Undisturbed) -> None:
    goes_on(job, post, undisturbed)
    earlier = """
from datetime import date, datetime, timedelta
from spm_models.runs import delivery, ledger
ledger._now = lambda: (datetime.now(ledger.UTC) - timedelta(days=40)).isoformat(timespec="microseconds")
delivery.company_day = lambda workspace: date.today() - timedelta(days=40)
"""
    code, said = job.run("--force", fault=earlier)
    assert code == 0, said
    goes_on(job, post, undisturbed)


def test_nothing_that_a_run_has_started_outlives_it(job: Job) -> None:
    process = job.start()
    ledger = Ledger(Workspace.open(job.root).ledger_url)
    wait_until(lambda: len(ledger.reports(ledger.last().run_id)) >= 1)
    children = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "spm_models.warm_kernels.parent" not in child.cmdline()
    ]  # it serves the next run as well
    process.kill()
    process.communicate()
    wait_until(lambda: not [child for child in children if child.is_running() and child.status() != "zombie"], 15)
    wait_until(lambda: not _kernels(job.root), 15)


def _kernels(root: Path) -> list[int]:
    """Kernels that write into this workspace; this process has its ledger open."""
    others = (process for process in psutil.process_iter() if process.pid != os.getpid())
    return [process.pid for process in others if any(str(root) in file.path for file in _open_files(process))]


def _open_files(process: psutil.Process) -> list:
    try:
        return process.open_files()
    except psutil.Error:
        return []


def test_the_command_in_a_reports_head_makes_it_again_byte_for_byte(
    job: Job, post: Post, undisturbed: Undisturbed
) -> None:
    goes_on(job, post, undisturbed)
    run_id = status(Workspace.open(job.root))["last_run"]["run_id"]
    pages = sorted((job.root / "state" / "reports" / run_id).glob("*/*.html"))
    pages = [page for page in pages if page.parent.name != "managers"]
    page = pages[0]
    before = {path: path.read_bytes() for path in pages}
    head = page.read_text(encoding="utf-8")
    again = html.unescape(re.search(r'<meta content="([^"]*)" name="spm.again"', head)[1])
    page.write_text("damaged")
    words = shlex.split(again)
    assert words[0] == "spm"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("spm")), *words[1:], "--workspace", str(job.root)], env=job.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.read_bytes() for path in pages} == before
    for name in ("as_of", "run_id", "data", "code", "seed", "parameters"):
        assert f'name="spm.{name}"' in head
