"""What ``spm schedule`` shows."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.runs.schedule import cron_block, installed, jobs, next_times, units
from spm_models.workspace import Workspace

_out = Console(highlight=False)
_DOES = {
    "weekly": "everything, with the reports that are due",
    "daily": "pages, prompts, mails that are due; no reports",
}


def show_schedule(workspace: Workspace, *, text: bool = False) -> None:
    """What begins when, and who gets what how often."""
    chosen, zone = workspace.settings.schedule, workspace.settings.company.time_zone
    if not jobs(workspace):
        _out.print("Nothing is scheduled: \\[schedule] daily and weekly are empty in spm.toml.")
    table = Table(box=None, pad_edge=False)
    for head in ("run", f"begins next ({zone})", "then", "what it does"):
        table.add_column(head)
    for job in jobs(workspace):
        first, *later = [f"{moment:%a %d %b %H:%M}" for moment in next_times(workspace, job)]
        table.add_row(job.name, first, ", ".join(later), _DOES[job.name])
    if jobs(workspace):
        _out.print(table)
    _out.print(
        f"\nReps {chosen.reps}, managers {chosen.managers}, teams' longer report {chosen.teams}, "
        f"executives {' and '.join(chosen.executives) or 'never'}."
    )
    if workspace.settings.mail.enabled:
        days = workspace.settings.mail.manager_after_working_days
        wait = f"{days} working day{'' if days == 1 else 's'} after the rep" if days else "right after the rep"
        _out.print(f"Mailed: to the rep first, to his manager {wait}.")
    places = installed(workspace)
    for place in places:
        _out.print(f"[green]installed[/]  {escape(place)}", soft_wrap=True)
    if not places:
        _out.print("Not installed: [bold]spm schedule install[/] does it, --cron where there is no systemd.")
    if text:
        for name, content in units(workspace).items():
            _out.print(f"\n[bold]{escape(name)}[/]\n{escape(content)}", soft_wrap=True)
        _out.print(f"\n[bold]crontab[/]\n{escape(cron_block(workspace))}", soft_wrap=True)


def say(lines: list[str]) -> None:
    """What was done."""
    for line in lines:
        _out.print(escape(line), soft_wrap=True)
