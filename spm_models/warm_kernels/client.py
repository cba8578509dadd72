"""Finds the warm parent, or starts it, and asks it for a kernel.

There is one parent for each user, Python, version of the code, set of imports and start environment. A change of any of
them makes another address, hence another parent; the old one ends when nobody has asked for a while.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spm_models.warm_kernels import wire

IDLE_SECONDS = 900.0
START_SECONDS = 90.0
UNKNOWN = 255  #: exit code of a kernel whose parent is gone, so that nobody knows it
_PROTOCOL = 1
_FAILED_SECONDS = 300.0
_LONGEST = 60  #: a socket's path holds 107 bytes at most, our file names take up to 40
#: What only counts when a process starts, or must be the same in parent and kernel; the child takes over all else.
_AT_START = ("PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONUTF8",
             "LD_LIBRARY_PATH", "LD_PRELOAD", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "MPLCONFIGDIR")  # fmt: skip
#: A process with threads cannot be forked safely, and these libraries would make some when they are loaded.
_NO_THREADS = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}  # fmt: skip


class ForkUnavailableError(RuntimeError):
    """No kernel can be forked here; an ordinary one must do."""


class ForkedKernel:
    """A kernel that the parent forked, seen like a ``subprocess.Popen``; closing it ends the kernel.

    Parameters
    ----------
    connection : socket.socket
        To the parent, which tells the exit code on it.
    pid, pidfd : int
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int, pidfd: int) -> None:
        self.connection, self.pid, self._pidfd = connection, pid, pidfd
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Exit code; None as long as it runs."""
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self.returncode = self._told()
            self.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises
        ------
        subprocess.TimeoutExpired
            When it has not ended by then.
        """
        if self.returncode is None and not select.select([self._pidfd], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def _told(self) -> int:
        self.connection.settimeout(5.0)
        try:
            told, _ = wire.receive(self.connection)
            return int(told["exit"])
        except (OSError, EOFError, KeyError):
            return UNKNOWN

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel itself, whoever may have its number by now."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1


def fork_kernel(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, *, outputs: tuple[int, int],
    modules: Sequence[str] = (), tied: bool = True, idle_seconds: float = IDLE_SECONDS,
) -> ForkedKernel:  # fmt: skip
    """A kernel forked from the warm parent; the parent is started where there is none.

    Parameters
    ----------
    arguments : sequence of str
        Of ``ipykernel_launcher``.
    environment : mapping
        The whole environment of the kernel.
    folder : str
        Where it works.
    outputs : tuple of int
        File descriptors for what it says on standard output and error.
    modules : sequence of str
        What the parent has imported.
    tied : bool
        The kernel ends when this process ends or lets go of it.
    idle_seconds : float
        Of a parent that is started now.

    Raises
    ------
    ForkUnavailableError
        Where the platform cannot, or the parent refuses or does not start.
    """
    if not (hasattr(os, "pidfd_open") and hasattr(socket, "SO_PEERCRED")):
        raise ForkUnavailableError("this platform has no pidfd")
    connection = _connected(modules, environment, idle_seconds)
    job = {"arguments": list(arguments), "env": dict(environment), "cwd": folder, "tied": tied}
    try:
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 a descriptor is wanted
            wire.send(connection, job, [nothing.fileno(), *outputs])
        told, descriptors = wire.receive(connection)
    except (OSError, EOFError) as error:
        connection.close()
        raise ForkUnavailableError(f"the parent went away: {error}") from error
    if "error" in told:
        connection.close()
        raise ForkUnavailableError(str(told["error"]))
    return ForkedKernel(connection, int(told["pid"]), descriptors[0])


def parent_of(modules: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Process id and number of kernels of the parent that serves these; None where none runs."""
    try:
        connection = _dial(address_of(modules, environment))
    except OSError:
        return None
    with connection:
        wire.send(connection, {"what": "hello"})
        return wire.receive(connection)[0]


def address_of(modules: Sequence[str], environment: Mapping[str, str]) -> Path:
    """Where the parent for these listens: a socket in a folder of this user alone."""
    start = {name: environment[name] for name in _AT_START if name in environment}
    facts = [_PROTOCOL, sys.executable, sys.version, list(modules), start, _code()]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]
    return _folder() / f"{key}.sock"


def _folder() -> Path:
    """A folder that nobody else can look into.

    Raises
    ------
    ForkUnavailableError
        When somebody else has put something at its place.
    """
    # the first is named on although it goes with the last login of its user: a job at night finds it gone
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    bases = (named if named and Path(named).is_dir() else tempfile.gettempdir(), "/tmp")
    name = f"spm-warm-kernels-{os.getuid()}"
    folder = next((place for base in bases if len(str(place := Path(base) / name)) <= _LONGEST), Path("/tmp") / name)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ForkUnavailableError(f"{folder} is not a folder of this user alone")
    return folder


def _code() -> str:
    """Changes with the code of this package and with what is installed beside it."""
    package = Path(__file__).parents[1]
    facts = [(str(path), (info := path.stat()).st_mtime_ns, info.st_size) for path in sorted(package.rglob("*.py"))]
    facts += [(path, Path(path).stat().st_mtime_ns, 0) for path in sys.path if path.endswith("site-packages")]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _connected(modules: Sequence[str], environment: Mapping[str, str], idle_seconds: float) -> socket.socket:
    address = address_of(modules, environment)
    with contextlib.suppress(OSError):
        return _dial(address)
    try:
        with FileLock(f"{address}.lock", timeout=START_SECONDS):
            with contextlib.suppress(OSError):
                return _dial(address)  # somebody else started it meanwhile
            _start(address, modules, environment, idle_seconds)
            return _dial(address)
    except (Timeout, OSError) as error:
        raise ForkUnavailableError(f"the parent does not start: {error}") from error


def _dial(address: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(20.0)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def _start(address: Path, modules: Sequence[str], environment: Mapping[str, str], idle_seconds: float) -> None:
    """Start the parent with next to nothing in its environment, which its children's ``/proc`` shows for ever."""
    log, failed = address.with_suffix(".log"), address.with_suffix(".failed")
    with contextlib.suppress(FileNotFoundError):
        if time.time() - failed.stat().st_mtime < _FAILED_SECONDS:
            raise ForkUnavailableError(f"the parent failed a short while ago: see {log}")
    address.unlink(missing_ok=True)
    given = {name: environment[name] for name in _AT_START if name in environment} | _NO_THREADS
    command = [sys.executable, "-P", "-m", "spm_models.warm_kernels.parent", str(address), str(idle_seconds), *modules]
    with log.open("wb") as said:
        parent = subprocess.Popen(
            command, env=given, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    ends = time.monotonic() + START_SECONDS
    while not address.exists():
        if parent.poll() is not None or time.monotonic() > ends:
            parent.kill()
            failed.touch()
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise ForkUnavailableError(f"the parent does not start: {''.join(last) or 'it says nothing'} (see {log})")
        time.sleep(0.02)
    failed.unlink(missing_ok=True)
