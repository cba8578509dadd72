"""A notebook that takes too long or too much is ended with all that it has started; so is what it leaves behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from spm_models.errors import KernelStartError, ReportError
from spm_models.reports import execute as execution
from spm_models.reports.execute import execute
from spm_models.reports.limits import Limits, kill_all

pytestmark = pytest.mark.faults
RECORD = "import json, os, pathlib; pathlib.Path(os.environ['SPM_RESULT']).write_text(json.dumps({'ok': True}))"
#: A program that lives on, in a session of its own or not, and tells its process id.
LEAVE = """import subprocess, sys, pathlib
left = subprocess.Popen([sys.executable, "-c", {code!r}], start_new_session={away})
pathlib.Path({told!r}).write_text(str(left.pid))"""


def run(folder: Path, *cells: str, limits: Limits) -> None:
    nbformat.write(new_notebook(cells=list(map(new_code_cell, cells))), folder / "report.ipynb")
    execute(folder / "report.ipynb", folder / "out" / "done.ipynb", {}, {}, limits=limits)


def ended(told: Path) -> bool:
    """Whether the program whose number was told is gone, within a second."""
    pid = int(told.read_text())
    for _ in range(20):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_notebook_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ReportError, match="longer than 3 seconds") as told:
        run(tmp_path, *["import time; time.sleep(2)"] * 20, RECORD, limits=Limits(seconds=3))
    assert time.monotonic() - began < 20 and "[reports]" in str(told.value)


def test_a_cell_that_eats_memory_gets_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="MemoryError"):
        run(tmp_path, "eaten = b'x' * 3_000_000_000", RECORD, limits=Limits(memory_mb=1000))


def test_programs_of_a_cell_that_eat_memory_together_are_ended(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    eat = "import time; eaten = b'x' * 250_000_000; time.sleep(60)"
    cells = [LEAVE.format(code=eat, away=True, told=str(told))] * 3
    with pytest.raises(ReportError, match="MB of memory, 500 are allowed"):
        run(tmp_path, *cells, "import time; time.sleep(60)", RECORD, limits=Limits(memory_mb=500))
    assert ended(told)


@pytest.mark.parametrize("away", [False, True])
def test_what_a_notebook_leaves_behind_is_ended(tmp_path: Path, away: bool) -> None:
    told = tmp_path / "pid"
    run(tmp_path, LEAVE.format(code="import time; time.sleep(600)", away=away, told=str(told)), RECORD, limits=Limits())
    assert ended(told)


def test_a_stopped_run_ends_its_notebooks_at_once(tmp_path: Path) -> None:
    threading.Timer(2.0, kill_all).start()
    with pytest.raises(ReportError, match="the run was stopped"):
        run(tmp_path, "import time; time.sleep(60)", RECORD, limits=Limits())


def test_a_kernel_that_does_not_come_up_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(execution.Guard, "started", lambda guard, pid: os.kill(pid, 9))
    with pytest.raises(KernelStartError, match="before replying"):
        run(tmp_path, RECORD, limits=Limits())
