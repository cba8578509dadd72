"""What is kept of old runs: the newest of each schedule, and the last good report of everybody."""

from __future__ import annotations

import shutil
from pathlib import Path

from spm_models.published import current_run
from spm_models.published.writer import remove_old as remove_results
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.order import FORECAST_ACCURACY, KPI_SCORECARD, MODEL_CARD
from spm_models.runs.outbox import HELD, UNSENT, Mail, Outbox
from spm_models.workspace import Workspace


def clear_old(workspace: Workspace, ledger: Ledger) -> None:
    """Delete the results and reports of all but the newest runs of each schedule.

    Parameters
    ----------
    workspace : Workspace
    ledger : Ledger

    Notes
    -----
    Daily runs do not push out weekly ones. What readers see now stays, and so does the last report of each kind about
    each person that was written well, whatever became of the later ones, and what a mail that was not sent yet needs: a
    folder that holds such a file loses only the rest.
    """
    kinds = {run.kind for run in ledger.runs(status="done")}
    most = workspace.settings.reports.keep_runs
    keep = {run_id for kind in kinds for run_id in ledger.done_runs(kind)[:most]}
    if current := current_run(workspace):
        keep.add(current)
    remove_results(workspace, sorted(keep))
    needed: list[Report | Mail] = [*ledger.last_good(), *Outbox(ledger).rows(states=(HELD, *UNSENT))]
    last_good = {Path(path) for row in needed for path in (row.html, row.pdf) if path}
    remove_reports(workspace, keep, last_good)


def remove_reports(workspace: Workspace, keep: set[str], last_good: set[Path]) -> list[str]:
    """Delete the reports of runs that are not in ``keep``, but for the files in ``last_good``; return the runs' names.

    Model cards and scorecards belong to no run.
    """
    kept = {*keep, MODEL_CARD, FORECAST_ACCURACY, KPI_SCORECARD}
    gone = [folder for folder in sorted(workspace.reports_dir.glob("[!.]*")) if folder.is_dir()]
    gone = [folder for folder in gone if folder.name not in kept]
    for folder in gone:
        own = {path for path in last_good if path.is_relative_to(folder)}
        if not own:
            shutil.rmtree(folder)
            continue
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in own:
                path.unlink()
    return [folder.name for folder in gone]
