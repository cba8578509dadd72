"""``spm schedule``: let runs begin by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

schedule_app = typer.Typer(no_args_is_help=True, help="Let runs begin by themselves: systemd timers or cron.")

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml; else $SPM_WORKSPACE, …")
]
SystemOption = Annotated[
    bool, typer.Option("--system", help="As services of the machine, as root, instead of this user's.")
]


@schedule_app.command("show")
def show(
    workspace: WorkspaceOption = None,
    text: Annotated[
        bool, typer.Option("--text", help="Also the units and the crontab, to be installed by hand.")
    ] = False,
) -> None:
    """Say what begins when, who gets which report how often, and whether it is installed."""
    from spm_models.runs import console_schedule
    from spm_models.workspace import Workspace

    console_schedule.show_schedule(Workspace.open(workspace), text=text)


@schedule_app.command("install")
def install(
    workspace: WorkspaceOption = None,
    cron: Annotated[bool, typer.Option("--cron", help="In this user's crontab instead of systemd.")] = False,
    system: SystemOption = False,
) -> None:
    """Install the timers of spm.toml [schedule]; those of this workspace that were there are replaced."""
    from spm_models.runs import console_schedule
    from spm_models.runs.schedule import install as write
    from spm_models.workspace import Workspace

    console_schedule.say(write(Workspace.open(workspace), cron=cron, system=system))


@schedule_app.command("remove")
def remove(workspace: WorkspaceOption = None, system: SystemOption = False) -> None:
    """Take away what install wrote for this workspace, and nothing else."""
    from spm_models.runs import console_schedule
    from spm_models.runs.schedule import remove as take_away
    from spm_models.workspace import Workspace

    console_schedule.say(take_away(Workspace.open(workspace), system=system))
