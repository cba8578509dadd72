"""``spm kpis``: what each KPI is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

kpis_app = typer.Typer(no_args_is_help=True, help="KPIs: what each one is, and their values.")

_Locale = Annotated[str, typer.Option("--locale", help="Language: tr, en or ar; without it the workspace's.")]


@kpis_app.command("list")
def kpis_list(
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", metavar="DIR", help="List what this company chose, in its order, with its "
                     "bands and targets. Without it every KPI."),
    ] = None,
    locale: _Locale = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")] = False,
) -> None:  # fmt: skip
    """List every KPI: its number, name, title, exact definition and healthy band.

    --json adds unit, dimensions, periods, numerator and denominator, tables, interval and minimum.
    """
    from spm_models.runs import console_kpis
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace) if workspace else None
    console_kpis.show_definitions(console_kpis.definitions(opened, locale), as_json=as_json)
