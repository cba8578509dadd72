"""One run at a time in a workspace, on one machine or on several that share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from spm_models.errors import RunError
from spm_models.runs.ledger import HOLDER, Ledger, Run
from spm_models.workspace import Workspace

BEAT_SECONDS = 5.0
_BEATS_MISSED = 4  #: so many without a beat, and the holder of a run is taken for gone


def lock_of(workspace: Workspace) -> Path:
    """The file whose lock a run holds while it is at work."""
    return workspace.state / "run.lock"


@contextmanager
def one_at_a_time(workspace: Workspace, *, wait_minutes: float = 0) -> Iterator[None]:
    """Hold the workspace; the lock falls with its holder, however that ends.

    Parameters
    ----------
    workspace : Workspace
    wait_minutes : float
        How long to wait for another run to end.

    Raises
    ------
    RunError
        When another run is at work.
    """
    workspace.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_of(workspace))
    try:
        lock.acquire(timeout=wait_minutes * 60)
    except Timeout as error:
        raise RunError(
            "Another run is at work in this workspace", where=str(workspace.root),
            remedy="Wait until it is done; `spm status` shows how it goes. --wait MINUTES waits by itself.",
        ) from error  # fmt: skip
    try:
        yield
    finally:
        lock.release()


def at_work(workspace: Workspace) -> bool:
    """Whether a process of this machine runs in this workspace at this moment."""
    lock = FileLock(lock_of(workspace))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # nothing can be written here, so nobody is at work
        return False
    lock.release()
    return False


def reclaim(ledger: Ledger, *, beat_seconds: float = BEAT_SECONDS) -> list[str]:
    """Take the runs of holders that are gone off them: they are recorded as interrupted.

    Parameters
    ----------
    ledger : Ledger
    beat_seconds : float
        Seconds between two beats of a run.

    Returns
    -------
    list of str
        Their names.

    Raises
    ------
    RunError
        When one of them is alive on another machine.

    Notes
    -----
    Whoever asks holds the lock of this machine, so a run of this machine that is still on record is dead. A run of
    another machine is alive when its beat grows while we watch: no two clocks are compared.
    """
    open_runs = ledger.runs(status="running")
    elsewhere = [run for run in open_runs if not of_this_machine(run)]
    ends = time.monotonic() + _BEATS_MISSED * beat_seconds
    while elsewhere and time.monotonic() < ends:
        time.sleep(beat_seconds / 2)
        for run in elsewhere:
            now = ledger.get(run.run_id)
            if now is not None and now.status == "running" and now.beat != run.beat:
                raise RunError(
                    "Another run is at work in this workspace, on another machine", where=run.holder,
                    found=run.run_id, remedy="Wait until it is done; `spm status` shows how it goes.",
                )  # fmt: skip
    for run in open_runs:
        ledger.fail(run.run_id, "Interrupted: it was killed before it could say why.")
    return [run.run_id for run in open_runs]


def of_this_machine(run: Run) -> bool:
    """Whether the holder of a run is, or was, a process of this machine."""
    return run.holder is None or run.holder.rpartition(":")[0] == HOLDER.rpartition(":")[0]


@contextmanager
def beating(ledger: Ledger, run_id: str, *, beat_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Tell the ledger again and again that this run lives."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(beat_seconds):
            with suppress(RunError):  # the run itself meets the same trouble, and tells it
                ledger.beat(run_id)

    thread = threading.Thread(target=beat, name="beats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
