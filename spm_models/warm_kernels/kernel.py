"""The kernel that a fork becomes: ipykernel's own, without what would copy the parent's memory for nothing.

To look at a Python object is to write its reference count, and so to copy the page on which it lies. A kernel that
starts makes two lists of all loaded modules: they were half of the pages that a fork copied while it ran a report.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import zmq
from ipykernel import ipkernel
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core import shellapp
from traitlets import Type
from traitlets.config import Config

#: What an ipykernel imports late: when it starts, shows something, or is debugged.
LATE = (
    "ipykernel.debugger", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger",
    "IPython.core.oinspect", "IPython.extensions.storemagic", "IPython.utils.wildcard", "pdb", "sqlite3",
    "tornado.locks", "tornado.platform.asyncio", "tornado.queues", "xml.dom.expatbuilder", "xml.dom.minidom",
    "encodings.ascii", "encodings.idna", "encodings.latin_1",
)  # fmt: skip

_files: list[str] = []
_names: set[str] = set()


def get_ready() -> None:
    """Note what is loaded, once for all kernels, when the parent has done its imports."""
    loaded = sys.modules.copy()
    _files[:] = [file for module in loaded.values() if (file := getattr(module, "__file__", None))]
    _names.update(loaded)
    for kind in (*zmq.Socket.__mro__, *zmq.Context.__mro__):
        getattr(
            kind, "__annotations__", None
        )  # made at the first look, which walks through all classes derived from it


class WarmKernel(IPythonKernel):
    """A kernel that knows which modules its debugger may step over without looking at each of them."""

    def __init__(self, **kwargs: Any) -> None:
        with _no_modules(ipkernel):
            super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._kernel_modules = _files
        if (debugger := getattr(self, "debugger", None)) is not None:
            debugger.kernel_modules = _files


class WarmKernelApp(IPKernelApp):
    """The application of a kernel; it reads the one usual argument without making a parser for all that there are."""

    kernel_class = Type(WarmKernel, klass="ipykernel.kernelbase.Kernel").tag(config=True)  # type: ignore[assignment]

    def parse_command_line(self, argv: Any = None) -> None:
        """Take ``-f FILE`` as it is; leave all else to the parser."""
        if not argv or len(argv) != 2 or argv[0] != "-f":
            super().parse_command_line(argv)
            return
        self.argv, self.extra_args = list(argv), []
        self.cli_config = Config({"IPKernelApp": {"connection_file": argv[1]}})
        self.update_config(self.cli_config)

    def init_code(self) -> None:
        """Run start-up files; what ``%reset -f aggressive`` leaves alone is what the parent has loaded."""
        with _no_modules(shellapp):
            super().init_code()  # type: ignore[no-untyped-call]
        if self.shell is not None:
            self.shell._sys_modules_keys = _names


class _System:
    """``sys`` without its modules."""

    modules: dict[str, Any] = {}  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(sys, name, value)


@contextmanager
def _no_modules(module: ModuleType) -> Iterator[None]:
    """What a module sees as ``sys`` has no modules for a while, for it alone."""
    module.sys = _System()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.sys = sys  # type: ignore[attr-defined]
