"""The kernel provisioner that jupyter_client loads for kernelspec ``spm``: a forked kernel, or an ordinary one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Float, List, Unicode

from spm_models.warm_kernels.client import IDLE_SECONDS, ForkedKernel, ForkUnavailableError, fork_kernel

_LAUNCHER = ["-m", "ipykernel_launcher"]


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from a parent that has the imports done.

    Where no kernel can be forked (another platform, an unusual command, a parent that does not start) an ordinary one
    is started, with a warning.
    """

    modules = List(Unicode(), help="What the parent imports before it forks.").tag(config=True)
    idle_seconds = Float(IDLE_SECONDS, help="After so long without a kernel the parent ends.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel for this command."""
        try:
            kernel = await asyncio.to_thread(self._forked, cmd, kwargs)
        except ForkUnavailableError as error:
            self.log.warning("No warm kernel (%s): an ordinary one is started.", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.process: Any = kernel
        self.pid = self.pgid = kernel.pid  # a session of its own
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    def _forked(self, cmd: list[str], kwargs: dict[str, Any]) -> ForkedKernel:
        if cmd[1:3] != _LAUNCHER or Path(cmd[0]).resolve() != Path(sys.executable).resolve():
            raise ForkUnavailableError(f"the command is another Python's or launcher's: {' '.join(cmd[:3])}")
        environment = dict(kwargs.get("env") or os.environ)
        environment.pop("JPY_PARENT_PID", None)  # the kernel's parent is the warm one; it watches its client itself
        opened: list[int] = []
        try:
            outputs = tuple(
                _descriptor(kwargs.get(name), number, opened) for name, number in (("stdout", 1), ("stderr", 2))
            )
            return fork_kernel(
                cmd[3:], environment, str(kwargs.get("cwd") or Path.cwd()), outputs=(outputs[0], outputs[1]),
                modules=self.modules, tied=not kwargs.get("independent", False), idle_seconds=self.idle_seconds,
            )  # fmt: skip
        finally:
            for descriptor in opened:
                os.close(descriptor)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the kernel."""
        if isinstance(self.process, ForkedKernel) and self.process.poll() is not None:
            self.process.close()
        await super().cleanup(restart)


def _descriptor(given: Any, usual: int, opened: list[int]) -> int:
    """The file descriptor of a ``subprocess`` argument."""
    if given is None:
        return usual
    if given == subprocess.DEVNULL:
        opened.append(os.open(os.devnull, os.O_WRONLY))
        return opened[-1]
    if given == subprocess.PIPE:
        raise ForkUnavailableError("its output is wanted in a pipe")
    if given == subprocess.STDOUT:
        return 1
    return given if isinstance(given, int) else int(given.fileno())
