"""``spm pages``: open the pages in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pages(
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml. Without it: $SPM_WORKSPACE, else "
                     "this folder or the next one above that has one."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port on this machine; without it the one in spm.toml.")] = None,
    viewer: Annotated[
        str | None, typer.Option(help="Open one session for this person, by an address that works once."),
    ] = None,
) -> None:  # fmt: skip
    """Open the pages on this machine.

    Where people have accounts (`spm users`), or a proxy signs them in ([pages.proxy]), they come in that way. Else an
    address that works once opens them for --viewer, or for the viewer in spm.toml.
    """
    from spm_models.apps.server import serve
    from spm_models.workspace import Workspace

    serve(Workspace.open(workspace), port=port, viewer=viewer)
