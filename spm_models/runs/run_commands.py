"""``spm runs``: what ran, what came of it, and writing failed reports once more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

runs_app = typer.Typer(no_args_is_help=True, help="What ran and how it ended; write failed reports once more.")

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml; else $SPM_WORKSPACE, …")
]
RunArgument = Annotated[
    str | None, typer.Argument(metavar="RUN", help="Its name, or how it begins; without it the one that readers see.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]


@runs_app.command("list")
def list_runs(
    workspace: WorkspaceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, from the newest on.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the runs, newest first."""
    from spm_models.runs import console_runs
    from spm_models.runs.status import runs_of
    from spm_models.workspace import Workspace

    console_runs.show_runs(runs_of(Workspace.open(workspace), limit), as_json=as_json)


@runs_app.command("show")
def show_run(run: RunArgument = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say how a run went, report by report, failures first."""
    from spm_models.runs import console_runs
    from spm_models.runs.status import details
    from spm_models.workspace import Workspace

    console_runs.show_run(details(Workspace.open(workspace), run), as_json=as_json)


@runs_app.command("retry")
def retry_run(
    run: RunArgument = None,
    report: Annotated[str, typer.Option(metavar="KIND", help="Only this kind, such as coaching_report.")] = "",
    about: Annotated[str, typer.Option(metavar="ID", help="Only those about this person.")] = "",
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786.")] = "",
    wait: Annotated[float, typer.Option(metavar="MINUTES", min=0, help="Wait for another run to end.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the reports of a run that failed or are gone once more, or those that --report and --about name.

    The others stay as they are, byte for byte. Nothing is computed anew.
    """
    from spm_models.runs import console
    from spm_models.runs.retry import retry
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace)
    with console.progress() as told:
        done = retry(opened, run, report=report, about=about, scheduler=scheduler, wait=wait, progress=told)
    console.show_summary(done)
    if done.reports_failed:
        raise typer.Exit(1)
