"""What ``spm status`` and ``spm runs`` tell: runs, how they ended, and whether their results still lie there."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from spm_models.errors import RunError
from spm_models.published import current_run
from spm_models.runs.ledger import Ledger, Report, Run
from spm_models.runs.lock import at_work, of_this_machine
from spm_models.workspace import Workspace


def ledger_of(workspace: Workspace) -> Ledger:
    """The record of runs of a workspace."""
    return Ledger(workspace.ledger_url)


def status(workspace: Workspace) -> dict[str, Any]:
    """Facts about the last run and about the results that readers see now.

    Parameters
    ----------
    workspace : Workspace

    Returns
    -------
    dict
        ``workspace``, ``last_run`` (None before the first; its ``status`` is running, done, failed, or interrupted:
        it was killed before it could say so), ``published_run`` (the run that pages and reports read),
        ``published_whole`` (whether its tables are there, unaltered), ``published`` (its summary; None without one,
        or when it was published and then did not end well), ``failed_reports`` of the last run.
    """
    ledger = ledger_of(workspace)
    last, current = ledger.last(), current_run(workspace)
    shown = ledger.get(current) if current else None
    failed = [row for row in (ledger.reports(last.run_id) if last else []) if row.status == "failed"]
    return {
        "workspace": str(workspace.root),
        "last_run": _run(last, workspace) if last else None,
        "published_run": current,
        "published_whole": current is not None and published_is_whole(workspace.published_dir / "runs" / current),
        "published": json.loads(shown.summary) if shown and shown.summary else None,
        "failed_reports": [_report(row) for row in failed],
    }


def runs_of(workspace: Workspace, limit: int | None = None) -> list[dict[str, Any]]:
    """Facts about runs, newest first: those of :func:`status`, ``seconds``, ``reports``, ``reports_failed``."""
    ledger = ledger_of(workspace)
    return [_with_counts(_run(run, workspace), ledger.reports(run.run_id)) for run in ledger.runs(limit=limit)]


def details(workspace: Workspace, run_id: str | None = None) -> dict[str, Any]:
    """The same about one run, and its reports as ``rows``, failures first.

    Raises
    ------
    RunError
        When there is no such run.
    """
    ledger = ledger_of(workspace)
    run = find_run(ledger, workspace, run_id)
    rows = ledger.reports(run.run_id)
    columns = [column.name for column in Report.__table__.columns if column.name != "run_id"]
    told = [{name: getattr(row, name) for name in columns} for row in rows]
    return _with_counts(_run(run, workspace), rows) | {"rows": told}


def find_run(ledger: Ledger, workspace: Workspace, run_id: str | None) -> Run:
    """The run of that name, or of the only one that begins so; without a name the one that readers see, else the last.

    Raises
    ------
    RunError
        When there is none, or there are several.
    """
    name = run_id or current_run(workspace)
    runs = ledger.runs()
    found = [run for run in runs if run.run_id == name] or [run for run in runs if name and run.run_id.startswith(name)]
    if not run_id and not found:
        found = runs[:1]
    if len(found) != 1:
        raise RunError(
            "There is no such run" if not found else "Several runs begin with this name", where="spm runs",
            found=run_id or "no run at all", remedy="`spm runs list` names them.",
        )  # fmt: skip
    return found[0]


def _with_counts(facts: dict[str, Any], rows: list[Report]) -> dict[str, Any]:
    began, ended = facts["started_at"], facts["finished_at"]
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds() if ended else None
    failed = sum(row.status == "failed" for row in rows)
    return facts | {"seconds": seconds, "reports": len(rows) - failed, "reports_failed": failed}


def published_is_whole(folder: Path) -> bool:
    """Whether every table of a published run is there as its manifest says, byte for byte."""
    try:
        tables = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["tables"]
    except (OSError, ValueError, KeyError):  # gone or damaged
        return False
    return all(has_hash(folder / f"{name}.parquet", facts["sha256"]) for name, facts in tables.items())


def has_hash(path: Path, sha256: str | None) -> bool:
    """Whether a file is there with the bytes that it had."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _run(run: Run, workspace: Workspace) -> dict[str, Any]:
    facts = {
        name: getattr(run, name) for name in ("run_id", "kind", "status", "started_at", "finished_at", "error", "step")
    }
    if run.status == "running" and of_this_machine(run) and not at_work(workspace):
        facts["status"] = "interrupted"
    return facts


def _report(row: Report) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("report", "about", "error", "html")}
