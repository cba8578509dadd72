"""Writing reports of an earlier run once more: those that failed, or those that are asked for."""

from __future__ import annotations

import json
from dataclasses import replace

from spm_models.errors import RunError
from spm_models.published import Manifest, code_hash
from spm_models.published.reader import read_manifest
from spm_models.runs import results
from spm_models.runs.console import Report as Progress
from spm_models.runs.ledger import Run
from spm_models.runs.lock import beating, one_at_a_time, reclaim
from spm_models.runs.order import MONTHLY, WEEKLY, Order, Wanted, orders_of
from spm_models.runs.reporting import write_reports
from spm_models.runs.status import find_run, ledger_of, published_is_whole
from spm_models.runs.summary import Summary
from spm_models.workspace import Workspace


def retry(
    workspace: Workspace, run_id: str | None = None, *, report: str = "", about: str = "", scheduler: str = "",
    wait: float = 0, progress: Progress | None = None,
) -> Summary:  # fmt: skip
    """Write reports of a run once more; the others stay as they are.

    Parameters
    ----------
    workspace : Workspace
    run_id : str, optional
        Name of the run, or its beginning; without it the one that readers see.
    report, about : str
        Kind of report, and whom it is about; with neither, those that failed or are gone.
    scheduler : str
        Of a Dask cluster; empty: this machine.
    wait : float
        Minutes to wait for another run to end.
    progress : callable, optional

    Raises
    ------
    RunError
        When the run, or such a report in it, is not there; when its results are gone; or when the code is another one
        than then, so that its reports would not be what they say.
    """
    tell: Progress = progress or (lambda what, done, total: None)
    with one_at_a_time(workspace, wait_minutes=wait):
        ledger = ledger_of(workspace)
        reclaim(ledger)
        run = find_run(ledger, workspace, run_id)
        manifest = _manifest(workspace, run)
        kinds = frozenset(row.report for row in ledger.reports(run.run_id)) | ({report} if report else frozenset())
        orders = orders_of(workspace, run.run_id, kinds or WEEKLY | MONTHLY)
        anew = _asked(orders, report, about)
        summary = Summary(**json.loads(run.published or run.summary or "{}"))
        ledger.begin(run.run_id, run.kind, run.key, as_of=run.as_of, resume=True)
        ledger.step(run.run_id, "reports")
        try:
            with beating(ledger, run.run_id):
                written = write_reports(workspace, manifest, ledger, orders, tell, scheduler=scheduler, anew=anew)
        except BaseException as error:
            ledger.fail(run.run_id, str(error) or type(error).__name__)
            raise
        base = replace(summary, notes=[note for note in summary.notes if note not in written.notes], unchanged=False)
        done = results.with_reports(base, written)
        ledger.finish(run.run_id, done.to_dict())
    return done


def _manifest(workspace: Workspace, run: Run) -> Manifest:
    folder = workspace.published_dir / "runs" / run.run_id
    again = f"Make them again: spm run weekly --as-of {run.run_id[:10]} --force"
    if not published_is_whole(folder):
        raise RunError("The results of this run are gone or damaged", where=str(folder), remedy=again)
    manifest = read_manifest(folder)
    if manifest.code_hash != code_hash():
        raise RunError(
            "This run was made by another version of the code", where=run.run_id, found=manifest.code_hash[:12],
            remedy=again,
        )  # fmt: skip
    return manifest


def _asked(orders: list[Order], report: str, about: str) -> frozenset[Wanted]:
    if not (report or about):
        return frozenset()
    asked = frozenset(o.wanted for o in orders if report in ("", o.report) and about in ("", o.about))
    if not asked:
        kinds = sorted({order.report for order in orders})
        raise RunError("The run has no such report", where="spm runs retry", found=f"{report} {about}".strip(),
                       remedy=f"Kinds are {', '.join(kinds)}; people are named by their id.")  # fmt: skip
    return asked
