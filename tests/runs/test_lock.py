"""One run at a time: on one machine by a lock that falls with its holder, on several by beats that stop."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from spm_models.errors import RunError
from spm_models.runs import ledger as ledger_module
from spm_models.runs.ledger import Ledger
from spm_models.runs.lock import at_work, beating, one_at_a_time, reclaim
from spm_models.settings import Settings
from spm_models.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, Settings())


def begun_elsewhere(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setattr(ledger_module, "HOLDER", "another-machine:17")
        ledger.begin("r1", "weekly", "k")


def test_a_second_run_is_refused_or_waits(workspace: Workspace) -> None:
    with one_at_a_time(workspace):
        assert at_work(workspace)
        with pytest.raises(RunError, match="--wait"), one_at_a_time(workspace):
            pytest.fail("two at once")
    assert not at_work(workspace)
    held = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import time
            from pathlib import Path
            from spm_models.runs.lock import one_at_a_time
            from spm_models.settings import Settings
            from spm_models.workspace import Workspace
            with one_at_a_time(Workspace(Path({str(workspace.root)!r}), Settings())):
                print("held", flush=True)
                time.sleep(2)
        """)], stdout=subprocess.PIPE,
    )  # fmt: skip
    assert held.stdout is not None and held.stdout.readline() == b"held\n"
    began = time.monotonic()
    with one_at_a_time(workspace, wait_minutes=0.5):
        assert time.monotonic() - began > 0.5
    held.wait()


def test_a_lock_falls_with_its_holder_however_it_ends(workspace: Workspace) -> None:
    code = f"""
        import os
        from pathlib import Path
        from spm_models.runs.lock import one_at_a_time
        from spm_models.settings import Settings
        from spm_models.workspace import Workspace
        with one_at_a_time(Workspace(Path({str(workspace.root)!r}), Settings())):
            os.kill(os.getpid(), 9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False).returncode == -9
    with one_at_a_time(workspace):
        pass


def test_a_run_of_this_machine_that_nobody_holds_is_taken_over_at_once(workspace: Workspace) -> None:
    ledger = Ledger(workspace.state / "ledger.db")
    ledger.begin("r1", "weekly", "k")
    began = time.monotonic()
    assert reclaim(ledger) == ["r1"] and time.monotonic() - began < 2
    assert ledger.get("r1").status == "failed" and "Interrupted" in ledger.get("r1").error


def test_a_run_of_another_machine_is_left_alone_while_it_beats(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(workspace.state / "ledger.db")
    begun_elsewhere(ledger, monkeypatch)
    with beating(ledger, "r1", beat_seconds=0.1), pytest.raises(RunError, match="on another machine"):
        reclaim(ledger, beat_seconds=0.2)
    assert ledger.get("r1").status == "running"


def test_a_run_of_another_machine_is_taken_over_once_its_beat_stops(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(workspace.state / "ledger.db")
    begun_elsewhere(ledger, monkeypatch)
    assert reclaim(ledger, beat_seconds=0.05) == ["r1"]


def test_a_beat_does_not_stop_a_run_whose_ledger_cannot_be_written(workspace: Workspace) -> None:
    ledger = Ledger(workspace.state / "ledger.db")
    ledger.begin("r1", "weekly", "k")
    ledger.engine.dispose()
    (workspace.state / "ledger.db").write_bytes(b"")
    before = threading.active_count()
    with beating(ledger, "r1", beat_seconds=0.02):
        time.sleep(0.2)
    assert threading.active_count() == before
