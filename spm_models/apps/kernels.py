"""Kernels of the pages: who asks reaches the kernel from the server, in an environment that names little else."""

from __future__ import annotations

import os
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import Dict, Unicode, default

#: What a kernel may know of the server's environment; everything else (database addresses, keys) stays behind.
ALLOWED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")


class NativeKernels(KernelSpecManager):
    """Offers this Python and no kernel that happens to be installed elsewhere on the machine."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        return []


class ViewerKernels(AsyncMappingKernelManager):
    """Starts a kernel for the viewer of the current request and remembers whose it is.

    The viewer comes from the authenticated request alone; whatever environment the caller hands over is
    replaced by the allow-list, the workspace and the viewer.
    """

    workspace_env = Dict(value_trait=Unicode(), key_trait=Unicode(), config=True, help="Where the results lie.")
    viewers = Dict(value_trait=Unicode(), key_trait=Unicode(), config=True, help="SPM_VIEWER of each known viewer.")
    owners: dict[str, str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.owners = {}

    async def start_kernel(self, *, env: dict[str, str] | None = None, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel that knows its viewer."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        user = getattr(handler, "current_user", None)
        if user is None or user.username not in self.viewers:
            raise web.HTTPError(403)
        kernel_id: str = kwargs.setdefault("kernel_id", self.new_kernel_id())
        self.owners[kernel_id] = user.username
        try:
            started: str = await super().start_kernel(env=self.environment(user.username), **kwargs)
        except BaseException:
            self.owners.pop(kernel_id, None)
            raise
        return started

    def environment(self, viewer: str) -> dict[str, str]:
        """Everything that a kernel's environment holds."""
        known = {name: os.environ[name] for name in ALLOWED if name in os.environ}
        return {**known, "PYTHONNOUSERSITE": "1", **self.workspace_env, "SPM_VIEWER": self.viewers[viewer]}

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel and its owner."""
        self.owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)
