"""What a terminal shows: progress while it lasts, then figures; errors in one piece."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from spm_models.credentials import redact
from spm_models.errors import SpmError
from spm_models.runs.summary import Summary

#: Told about work: (what, done, total).
Report = Callable[[str, int, int], None]

_QUIET_SECONDS = 60.0  #: a log hears of a long step so often
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@contextmanager
def progress() -> Iterator[Report]:
    """Show one bar on a terminal, for the step at work; in a log one line a finished step, and some in a long one."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=_err, disable=not _err.is_terminal,
    )  # fmt: skip
    task: TaskID | None = None
    step, told = "", 0.0

    def report(what: str, done: int, total: int) -> None:
        nonlocal task, step, told
        if what != step:
            step, told = what, time.monotonic()
            if task is not None:
                bar.remove_task(task)
            task = bar.add_task(escape(what), total=total)
        assert task is not None
        bar.update(task, completed=done, total=total)
        if not _err.is_terminal and (done >= total or time.monotonic() - told > _QUIET_SECONDS):
            told = time.monotonic()
            _err.print(f"{what}: {done} of {total}", markup=False)

    with bar:
        yield report


def show_error(error: SpmError) -> None:
    """Say what went wrong, where, what was found, and what to do."""
    _err.print(f"[bold red]{escape(redact(error.what))}[/]", soft_wrap=True)
    for label, value in (("where", error.where), ("found", error.found), ("do", error.remedy)):
        if value is not None:
            _err.print(f"  [dim]{label:>5}[/]  {escape(redact(str(value)))}", soft_wrap=True)


def say_initialised(file: Path) -> None:
    """After ``spm init``: what to do next."""
    _out.print(
        f"[bold]{escape(str(file))}[/] is ready.\n"
        f"  1. Put CRM exports into {escape(str(file.parent / 'tables'))} (opportunities and reps at least).\n"
        "  2. Say in spm.toml how their columns are called.\n"
        f"  3. spm doctor --workspace {escape(str(file.parent))}"
    )


def say_sample(folder: Path, written: bool) -> None:
    """After ``spm sample``."""
    _out.print(f"Sample company {'written to' if written else 'is there already:'} {escape(str(folder))}")


def show_summary(summary: Summary) -> None:
    """The end of a weekly run."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right")
    table.add_column()
    for label, value in _summary_rows(summary):
        table.add_row(label, value)
    state = "nothing to do, these data were worked through" if summary.unchanged else f"{summary.schedule} run done"
    for failure in summary.failures:  # first what somebody has to look at
        what = f"{failure['report'].replace('_', ' ')} of {failure['name']}"
        _out.print(f"[bold red]failed[/] {escape(what)}: {escape(failure['error'])}", soft_wrap=True)
    if summary.failures:
        _out.print(f"    [dim]do[/]  spm runs retry {escape(summary.run_id)}", soft_wrap=True)
    _out.print(Panel(table, title=escape(f"{summary.company}, {summary.as_of}: {state}"), title_align="left"))
    for name, place in summary.places.items():  # outside of the frame, in one piece, to be copied
        _out.print(f"[dim]{name:>9}[/]  {escape(place)}", soft_wrap=True)


def _summary_rows(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "data", f"{summary.rows:,} rows read, {summary.rejected:,} quarantined, {summary.warnings:,} warnings"
    yield "scored", _scored(summary)
    for question, facts in summary.models.items():
        yield _words(question.split("_")[0]) + " model", _model(facts)
    for row in summary.forecast:
        yield (
            "forecast",
            f"{row['period']}: {row['mean']:,.0f} {row['currency']} "
            f"(80 % range {row['p10']:,.0f} to {row['p90']:,.0f}; "
            f"{row['closed']:,.0f} closed), by {_words(row['by'])}",
        )
    if not summary.forecast:
        yield "forecast", "none: not enough data"
    yield (
        "coaching",
        f"{_several(summary.judged, 'rep')} looked at: {_several(summary.flagged, 'coaching suggestion')}, "
        f"{summary.doing_well} doing well, "
        f"{summary.not_enough_data} not enough data",
    )
    failed = f", [bold red]{summary.reports_failed} failed[/]" if summary.reports_failed else ""
    yield "reports", f"{summary.reports:,} written{failed}"
    if summary.mails:
        names = ("failed", "held", "no_address", "waiting")
        still = [f"{summary.mails[name]:,} {name.replace('_', ' ')}" for name in names if summary.mails[name]]
        yield "mails", ", ".join([f"{summary.mails['sent']:,} sent", *still])
    for note in summary.notes:
        yield "note", escape(note)


def _words(code: str) -> str:
    return escape(code.replace("_", " "))


def _several(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _scored(summary: Summary) -> str:
    parts = [f"{_several(summary.deals, 'open deal')}, by {_words(summary.scored_by)}"] if summary.deals else []
    parts += [f"{_several(summary.unscored, 'open deal')} not scored: not enough data"] if summary.unscored else []
    return "; ".join(parts) or "no open deals"


def _model(facts: dict[str, Any]) -> str:
    if facts["pinned"]:
        return f"version {facts['version']} of {facts['as_of']}, [bold]pinned[/]: nothing newer is used"
    return f"version {facts['version']}, learned from data up to {facts['as_of']}"


def show_health(health: Any) -> None:
    """What ``spm doctor`` found, section by section."""
    for title, lines in health.sections():
        _out.print(f"\n[bold]{escape(title)}[/]", soft_wrap=True)
        for line in lines:
            _out.print(f"  {escape(line)}", soft_wrap=not _out.is_terminal)


def show_status(found: dict[str, Any], *, as_json: bool) -> None:
    """What ``spm status`` found."""
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False, default=str))  # noqa: T201
        return
    if found["last_run"] is None:
        _out.print("No run yet. Start one with [bold]spm run weekly[/].")
        return
    run = found["last_run"]
    _out.print(f"Last run {escape(run['run_id'])}: {run['status']}, began {run['started_at'][:19]} UTC")
    if run["error"]:
        _out.print(f"[red]{escape(run['error'])}[/]", soft_wrap=True)
    for row in found["failed_reports"]:
        _out.print(f"[red]{escape(row['report'])} of {escape(row['about'])}: {escape(row['error'])}[/]", soft_wrap=True)
    if found["published_run"] and not found["published_whole"]:
        _out.print("[red]The published results are missing or damaged; `spm run weekly` makes them anew.[/]")
    elif found["published_run"] and not found["published"]:
        _out.print(f"Published: {escape(found['published_run'])}, whose run did not end well.")
    if found["published"]:
        show_summary(Summary(**found["published"]))
