"""Kernels of the pages: who asks reaches the kernel from the server, in an environment that names little else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import Dict, Unicode

from spm_models.access import Viewer
from spm_models.apps.identity import PageUser, SignedIn
from spm_models.reports.kernels import WARM, kernel_environment

MOST = 8  #: kernels of one person: of the pages that he left open, the oldest go to sleep


class ViewerKernels(AsyncMappingKernelManager):
    """Starts a kernel for the viewer of the current request and remembers whose it is.

    The viewer comes from the authenticated request alone; whatever environment the caller hands over is
    replaced by the allow-list, the workspace and the viewer.
    """

    workspace_env = Dict(value_trait=Unicode(), key_trait=Unicode(), config=True, help="Where the results lie.")
    owners: dict[str, PageUser]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.owners = {}

    async def start_kernel(self, *, env: dict[str, str] | None = None, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel that knows its viewer."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        user = getattr(handler, "current_user", None)
        if not isinstance(user, PageUser):
            raise web.HTTPError(403)
        await self._make_room(user)
        kernel_id: str = kwargs.setdefault("kernel_id", self.new_kernel_id())
        self.owners[kernel_id] = user
        kwargs["kernel_name"] = WARM  # whatever the notebook names
        try:
            environment = self.environment(user.viewer) | getattr(handler, "wishes", {})
            started: str = await super().start_kernel(env=environment, **kwargs)
        except BaseException:
            self.owners.pop(kernel_id, None)
            raise
        return started

    async def _make_room(self, user: PageUser) -> None:
        """End the oldest kernels of somebody who has as many as he may; each holds memory and open files."""
        own = [kernel_id for kernel_id, owner in self.owners.items() if owner.username == user.username]
        for kernel_id in own[: max(0, len(own) - MOST + 1)]:
            if kernel_id in self:
                await self.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]

    def environment(self, viewer: Viewer) -> dict[str, str]:
        """Everything that a kernel's environment holds."""
        return kernel_environment({**self.workspace_env, "SPM_VIEWER": viewer.to_environment()})

    async def end_where(self, ended: Callable[[SignedIn], bool]) -> None:
        """End the kernels of those who were let in by something that has ended; their open sockets close with them."""
        gone = [kernel_id for kernel_id, owner in self.owners.items() if ended(owner.signed_in)]
        for kernel_id in gone:
            if kernel_id in self:
                await self.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel and its owner."""
        self.owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)
