"""The warm parent: imports once, then forks a kernel for each request. A process of its own, run by ``client``.

It holds no zmq context, no event loop and no second thread: what is forked must find nothing half done. It ends when no
kernel lives and nobody has asked for a while.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import selectors
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from spm_models.warm_kernels import wire
from spm_models.warm_kernels.pages import use_large_pages

_ANSWER_SECONDS = 10.0  #: for the whole request of a client


@dataclass
class _Kernel:
    """A forked kernel, and the connection of whoever asked for it."""

    pid: int
    pidfd: int
    connection: socket.socket
    tied: bool


class Parent:
    """Serves requests on a listening socket.

    Parameters
    ----------
    listener : socket.socket
        Bound and listening.
    idle_seconds : float
        Without a kernel and a request for so long, it ends.
    """

    def __init__(self, listener: socket.socket, idle_seconds: float) -> None:
        self.listener, self.idle_seconds = listener, idle_seconds
        self.kernels: dict[int, _Kernel] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, "request")

    def serve(self) -> None:
        """Answer requests until nobody needs it any longer."""
        asked = time.monotonic()
        while self.kernels or time.monotonic() - asked < self.idle_seconds:
            for key, _ in self.selector.select(timeout=min(self.idle_seconds, 5.0)):
                asked = time.monotonic()
                if key.data == "request":
                    self._request()
                elif key.fileobj in self.kernels:
                    self._ended(int(key.fileobj))
                else:
                    self._left(key.data)

    def _request(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(_ANSWER_SECONDS)
        descriptors: list[int] = []
        try:
            if _user_of(connection) != os.getuid():
                raise PermissionError("another user's request")
            job, descriptors = wire.receive(connection)
            if job.get("what") == "hello":
                wire.send(connection, {"pid": os.getpid(), "kernels": len(self.kernels)})
                connection.close()
                return
            if threads() > 1:
                raise RuntimeError(f"{threads()} threads run in the parent: forking is not safe")
            self._fork(connection, job, descriptors)
        except Exception as error:  # noqa: BLE001 a bad request must not take the parent along
            with contextlib.suppress(OSError):
                wire.send(connection, {"error": f"{type(error).__name__}: {error}"})
            connection.close()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, connection: socket.socket, job: dict[str, Any], descriptors: list[int]) -> None:
        gc.collect()
        gc.freeze()  # the collector of a child leaves what the parent made alone: pages stay shared
        pid = os.fork()
        if pid == 0:
            _become_kernel(self, connection, job, descriptors)
        pidfd = os.pidfd_open(pid)
        kernel = _Kernel(pid, pidfd, connection, bool(job.get("tied", True)))
        self.kernels[pidfd] = kernel
        self.selector.register(pidfd, selectors.EVENT_READ, kernel)
        try:
            wire.send(connection, {"pid": pid}, [pidfd])
        except OSError:  # whoever asked is gone already
            _kill_group(pid)
            return
        if kernel.tied:
            self.selector.register(connection, selectors.EVENT_READ, kernel)

    def _ended(self, pidfd: int) -> None:
        """A kernel has ended: tell its exit code, and end what it left behind in its process group."""
        kernel = self.kernels.pop(pidfd)
        _, status = os.waitpid(kernel.pid, 0)
        _kill_group(kernel.pid)
        self.selector.unregister(pidfd)
        os.close(pidfd)
        if kernel.connection in self.selector.get_map():
            self.selector.unregister(kernel.connection)
        with contextlib.suppress(OSError):
            wire.send(kernel.connection, {"exit": os.waitstatus_to_exitcode(status)})
        kernel.connection.close()

    def _left(self, kernel: _Kernel) -> None:
        """Whoever asked for a kernel is gone: the kernel goes too, with all that it started."""
        self.selector.unregister(kernel.connection)
        _kill_group(kernel.pid)


def _become_kernel(parent: Parent, connection: socket.socket, job: dict[str, Any], descriptors: list[int]) -> None:
    """In the child: take over environment, folder and output, then be a kernel; never come back."""
    code = 1
    try:
        os.setsid()
        for target, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, target)
        parent.selector.close()
        parent.listener.close()
        for kernel in parent.kernels.values():
            kernel.connection.close()
            os.close(kernel.pidfd)
        for descriptor in descriptors:
            os.close(descriptor)
        for number in (signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGPIPE else signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = _temporary()
        os.environ.clear()
        os.environ.update(job["env"])
        if _temporary() != before:
            tempfile.tempdir = None
        time.tzset()
        os.chdir(job["cwd"])
        random.seed()
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        if job.get("tied", True):
            connection.settimeout(None)
            threading.Thread(target=_go_with, args=(connection,), daemon=True, name="goes with its client").start()
        else:
            connection.close()
        sys.argv = ["ipykernel_launcher", *job["arguments"]]
        from spm_models.warm_kernels.kernel import WarmKernelApp

        WarmKernelApp.launch_instance(argv=list(job["arguments"]))
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except BaseException:  # noqa: BLE001 the log is all that is left to tell it to
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _temporary() -> list[str | None]:
    """What says where temporary files go."""
    return [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]


def _go_with(connection: socket.socket) -> None:
    """End the kernel's whole process group when its client is gone; also where the parent is gone as well."""
    with contextlib.suppress(OSError):
        while connection.recv(1, socket.MSG_PEEK):
            time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _user_of(connection: socket.socket) -> int:
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    user: int = struct.unpack("3i", credentials)[1]
    return user


def threads() -> int:
    """Threads of this process, those of C libraries included."""
    return len(list(Path("/proc/self/task").iterdir()))


def main(address: str, idle_seconds: str, *modules: str) -> None:
    """Import, check, listen, serve.

    Parameters
    ----------
    address : str
        Path of the socket; made here, for this user alone.
    idle_seconds : str
    *modules : str
        What to import before the first fork. A module may have a function ``warm_up()``, which is called: what is
        loaded only on first use (fonts, drawing) is then loaded once for all kernels.
    """
    from spm_models.warm_kernels import kernel

    for name in (*kernel.LATE, *modules):
        module = import_module(name)
        if callable(warm_up := getattr(module, "warm_up", None)):
            warm_up()
    kernel.get_ready()
    tempfile.gettempdir()  # found by writing a file; once for all kernels
    gc.collect()
    use_large_pages()
    if threads() > 1:
        raise SystemExit(f"{threads()} threads run after the imports ({', '.join(modules)}): forking is not safe")
    path, beside = Path(address), Path(f"{address}.{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.umask(0o077)
        listener.bind(str(beside))
        listener.listen(128)
        own = beside.stat().st_ino
        beside.rename(path)  # whoever finds it can connect
        try:
            Parent(listener, float(idle_seconds)).serve()
        finally:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == own:  # another parent may have taken the place
                    path.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
