"""What a notebook may take: time, memory, and nothing that outlives it."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil

TOKEN = "SPM_KERNEL"  #: in the environment of a kernel, hence of all programs that it starts
_LOOK_SECONDS = 0.5
_MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What one notebook may take.

    Parameters
    ----------
    seconds : float
        From its kernel's start to its end.
    cell_seconds : int
        For one cell.
    memory_mb : int
        For its kernel and everything that it has started, in millions of bytes.
    """

    seconds: float = 900
    cell_seconds: int = 300
    memory_mb: int = 2048


@dataclass
class Guard:
    """Watches one kernel and all that it has started; closing it ends whatever is left of them.

    Parameters
    ----------
    limits : Limits

    Notes
    -----
    What belongs to a kernel is its session (every kernel leads one of its own) and every process that carries its token
    in its environment: a program that has left the session still does. Memory is what a process holds alone, so that
    pages shared with a warm parent count for nobody. Each process's data are limited by the system as well
    (``RLIMIT_DATA``), because memory can be taken faster than anybody looks; a cell then ends with a MemoryError.
    """

    limits: Limits
    token: str = field(default_factory=lambda: uuid4().hex)
    exceeded: str | None = None
    pid: int | None = None

    def __post_init__(self) -> None:
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._look, name="watches a kernel", daemon=True)

    def started(self, pid: int) -> None:
        """Begin to watch a kernel."""
        self.pid = pid
        with suppress(OSError, AttributeError):  # gone already; not on this platform
            most = _data(pid) + self.limits.memory_mb * _MB
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
        with _lock:
            _running[id(self)] = self
        self._watch.start()

    def close(self) -> None:
        """End the kernel, if it still runs, and all that it has left behind."""
        self._closed.set()
        with _lock:
            _running.pop(id(self), None)
        if self.pid is not None:
            self.kill()

    def kill(self) -> None:
        """End the kernel and all that it has started, at once."""
        for _ in range(3):  # what was being started while we looked
            if not (found := list(self._family())):
                return
            for pid in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _look(self) -> None:
        ends = time.monotonic() + self.limits.seconds
        while not self._closed.wait(min(_LOOK_SECONDS, max(ends - time.monotonic(), 0.01))):
            if time.monotonic() >= ends:
                self.exceeded = f"it took longer than {self.limits.seconds:g} seconds"
            elif (taken := self._memory()) > self.limits.memory_mb * _MB:
                self.exceeded = f"it held {taken / _MB:,.0f} MB of memory, {self.limits.memory_mb:,} are allowed"
            if self.exceeded:
                self.kill()
                return

    def _memory(self) -> int:
        total = 0
        for pid in self._family():
            with suppress(psutil.Error):
                total += psutil.Process(pid).memory_full_info().uss
        return total

    def _family(self) -> Iterator[int]:
        carried = f"{TOKEN}={self.token}".encode()
        for pid in psutil.pids():
            with suppress(OSError):
                if (os.getsid(pid) == self.pid or carried in _environment(pid)) and not _is_dead(pid):
                    yield pid


_lock = threading.Lock()
_running: dict[int, Guard] = {}


def kill_all() -> None:
    """End every notebook that runs in this process, with all that it has started."""
    with _lock:
        running = list(_running.values())
    for guard in running:
        guard.exceeded = guard.exceeded or "the run was stopped"
        guard.kill()


def _data(pid: int) -> int:
    """What a process has reserved so far, in bytes; a forked one begins with all that its parent has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmData")).split()[1])


def _environment(pid: int) -> bytes:
    with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 read for every process, many times
        return file.read()


def _is_dead(pid: int) -> bool:
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True
