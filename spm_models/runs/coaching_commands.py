"""``spm coaching``: what coaching brought, whose turn it is, and what people write about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

coaching_app = typer.Typer(no_args_is_help=True, help="Coaching: did it help, who comes first, what was said.")

Folder = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]
Person = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Who speaks: rep_id or e-mail; else the viewer in spm.toml.")
]


@coaching_app.callback()
def coaching() -> None:
    """Coaching: did it help, who comes first, what was said."""
