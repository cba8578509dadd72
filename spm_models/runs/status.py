"""What ``spm status`` tells: the last run, the last good one, and whether their results still lie there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spm_models.published import current_run
from spm_models.runs.ledger import Ledger, Report, Run
from spm_models.workspace import Workspace


def ledger_of(workspace: Workspace) -> Ledger:
    """The record of runs of a workspace."""
    return Ledger(workspace.ledger_url)


def lock_of(workspace: Workspace) -> Path:
    """The file whose lock a run holds while it is at work."""
    return workspace.state / "run.lock"


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
    facts = {name: getattr(run, name) for name in ("run_id", "kind", "status", "started_at", "finished_at", "error")}
    if run.status == "running" and not at_work(workspace):
        facts["status"] = "interrupted"
    return facts


def at_work(workspace: Workspace) -> bool:
    """Whether a process runs in this workspace at this moment: the lock falls with its holder, however it ends."""
    lock = FileLock(lock_of(workspace))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # nothing can be written here, so nobody is at work
        return False
    lock.release()
    return False


def _report(row: Report) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("report", "about", "error", "html")}
