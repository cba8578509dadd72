"""What ``spm runs`` shows."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_out = Console(highlight=False)
_COLOURS = {"done": "green", "failed": "red", "interrupted": "red", "running": "yellow"}


def show_runs(runs: list[dict[str, Any]], *, as_json: bool) -> None:
    """Runs, newest first."""
    if as_json:
        print(json.dumps(runs, indent=2, ensure_ascii=False, default=str))  # noqa: T201
        return
    if not runs:
        _out.print("No run yet. Start one with [bold]spm run weekly[/].")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for head, side in (("run", "left"), ("schedule", "left"), ("began (UTC)", "left"), ("took", "right"),
                       ("ended", "left"), ("reports", "right")):  # fmt: skip
        table.add_column(head, justify=side, no_wrap=head != "ended")  # type: ignore[arg-type]
    for run in runs:
        failed = f", [red]{run['reports_failed']} failed[/]" if run["reports_failed"] else ""
        began = datetime.fromisoformat(run["started_at"])
        table.add_row(
            escape(run["run_id"]), run["kind"], f"{began:%d %b %H:%M}", _took(run["seconds"]), _state(run),
            f"{run['reports']:,}{failed}",
        )  # fmt: skip
    _out.print(table)


def show_run(run: dict[str, Any], *, as_json: bool) -> None:
    """One run, report by report."""
    if as_json:
        print(json.dumps(run, indent=2, ensure_ascii=False, default=str))  # noqa: T201
        return
    _out.print(f"[bold]{escape(run['run_id'])}[/], {run['kind']}, began {run['started_at'][:19]} UTC: {_state(run)}")
    if run["error"]:
        _out.print(f"[red]{escape(run['error'])}[/]", soft_wrap=True)
    good = [row for row in run["rows"] if row["status"] == "done"]
    for row in run["rows"]:
        if row["status"] != "done":
            _out.print(f"[red]failed[/]  {escape(_title(row))}: {escape(row['error'] or '')}", soft_wrap=True)
    if len(good) < len(run["rows"]):
        _out.print(f"  [dim]do[/]  spm runs retry {escape(run['run_id'])}", soft_wrap=True)
    for row in good:
        gone = "" if Path(row["html"]).is_file() else " [red](gone)[/]"
        tries = f", {row['attempts']} tries" if (row["attempts"] or 1) > 1 else ""
        _out.print(f"[green]done[/]    {escape(_title(row))}: {row['seconds'] or 0:.1f} s{tries}  "
                   f"[dim]{escape(row['html'])}[/]{gone}", soft_wrap=True)  # fmt: skip


def _title(row: dict[str, Any]) -> str:
    period = f", {row['period']}" if row["period"] else ""
    return f"{row['report'].replace('_', ' ')} of {row['name'] or row['about']} ({row['about']}){period}"


def _state(run: dict[str, Any]) -> str:
    at = f" at {run['step']}" if run["status"] in ("running", "interrupted", "failed") and run["step"] else ""
    return f"[{_COLOURS.get(run['status'], 'default')}]{run['status']}{at}[/]"


def _took(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
