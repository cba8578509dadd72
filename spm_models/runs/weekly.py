"""A scheduled run: source files in; results published, reports written and delivered, everything recorded."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spm_models.credentials import redact
from spm_models.errors import RunError, SpmError
from spm_models.published import models
from spm_models.published.reader import read_manifest
from spm_models.published.writer import point_to
from spm_models.reports.render import lacking
from spm_models.runs import results
from spm_models.runs.console import Report as Progress
from spm_models.runs.delivery import deliver, send_due
from spm_models.runs.ledger import Ledger
from spm_models.runs.lock import beating, one_at_a_time, reclaim
from spm_models.runs.order import due_in, orders_of
from spm_models.runs.publishing import Inputs, publish_results, read_inputs
from spm_models.runs.reporting import write_reports
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.retention import clear_old
from spm_models.runs.status import has_hash, ledger_of, published_is_whole
from spm_models.runs.summary import Summary
from spm_models.workspace import Workspace


def weekly(workspace: Workspace, request: WeeklyRequest | None = None, *, progress: Progress | None = None) -> Summary:
    """Import, score, forecast, review, publish, report and deliver; do nothing if nothing changed.

    Parameters
    ----------
    workspace : Workspace
    request : WeeklyRequest, optional
        Snapshot day and what to do.
    progress : callable, optional
        Told ``(what, done, total)`` as work proceeds.

    Returns
    -------
    Summary
        What was scored, forecast, flagged and written, and where it lies.

    Raises
    ------
    RunError
        When another run is at work in this workspace, or the snapshot day is not covered by the data.
    QualityGateError
        When too many source rows were rejected.

    Notes
    -----
    Steps, each after the one before: data check, publish, reports, index, delivery. A run that was killed, or in which
    something failed, goes on at its first step that is not done; :class:`WeeklyRequest` says how to begin anew.
    """
    request, tell = request or WeeklyRequest(), progress or _quiet
    with one_at_a_time(workspace, wait_minutes=request.wait):
        ledger = ledger_of(workspace)
        reclaim(ledger)
        return _Run(workspace, request, ledger, tell).go()


@dataclass
class _Run:
    """One run: what it was asked, and what it has found so far."""

    workspace: Workspace
    request: WeeklyRequest
    ledger: Ledger
    tell: Progress

    def go(self) -> Summary:
        """All steps, in their order."""
        ledger, request = self.ledger, self.request
        try:
            inputs = read_inputs(self.workspace, request, self.tell)
        except SpmError as error:
            ledger.refuse(request.schedule, redact(str(error)))
            raise
        run_id = inputs.run_id
        if not request.force and (before := _done_before(self.workspace, ledger, inputs.key)):
            return self._delivered(before)
        resumed = self._resumed(run_id)
        day = inputs.as_of.isoformat()
        ledger.begin(run_id, request.schedule, inputs.key, as_of=day, resume=resumed is not None)
        try:
            with beating(ledger, run_id):
                summary = self._steps(inputs, resumed)
        except BaseException as error:
            with suppress(RunError):  # a full disk takes no record either; what is told is what came first
                ledger.fail(run_id, redact(_reason(error)))
            raise
        ledger.finish(run_id, summary.to_dict())
        clear_old(self.workspace, ledger)
        return summary

    def _steps(self, inputs: Inputs, resumed: Summary | None) -> Summary:
        ledger, run_id = self.ledger, inputs.run_id
        if resumed is None:
            ledger.step(run_id, "publish")
            summary = publish_results(self.workspace, inputs, self.tell)
            summary = replace(summary, schedule=self.request.schedule)
            ledger.published(run_id, summary.to_dict())
        else:
            summary = resumed
            point_to(self.workspace, run_id)
        manifest = read_manifest(self.workspace.published_dir / "runs" / run_id)
        if self.request.reports:
            ledger.step(run_id, "reports")
            due = due_in(self.workspace, ledger, manifest, monthly=self.request.monthly)
            orders = orders_of(self.workspace, run_id, due)
            written = write_reports(
                self.workspace, manifest, ledger, orders, self.tell, scheduler=self.request.scheduler
            )
            summary = results.with_reports(summary, written)
        ledger.step(run_id, "delivery")
        return self._delivered(summary)

    def _resumed(self, run_id: str) -> Summary | None:
        """What this run had published before it was killed or failed, if that is still there."""
        before = self.ledger.get(run_id)
        if not self.request.resume or self.request.force or before is None or before.published is None:
            return None
        if not published_is_whole(self.workspace.published_dir / "runs" / run_id):
            return None
        return Summary(**json.loads(before.published))

    def _delivered(self, summary: Summary) -> Summary:
        """Send what is due; a mail that cannot be sent is told, and stops nothing."""
        workspace, ledger = self.workspace, self.ledger
        if self.request.as_of is not None or not workspace.settings.mail.enabled:  # nobody is mailed a replay
            return summary
        if self.request.reports:
            manifest = read_manifest(workspace.published_dir / "runs" / summary.run_id)
            done = deliver(workspace, ledger, manifest, ledger.reports(summary.run_id), self.tell)
        else:
            done = send_due(workspace, ledger, self.tell)
        counts = {name: getattr(done, name) for name in ("sent", "waiting", "held", "failed", "no_address")}
        return replace(summary, mails=counts, notes=[*summary.notes, *done.notes])


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "Stopped by Ctrl+C."
    return str(error) if isinstance(error, SpmError) else f"{type(error).__name__}: {error}"


def _done_before(workspace: Workspace, ledger: Ledger, key: str) -> Summary | None:
    """The summary of an earlier run with the same key whose every file is still there, unaltered."""
    run = ledger.last(status="done", key=key)
    if run is None or run.summary is None:
        return None
    summary: dict[str, Any] = json.loads(run.summary)
    if not published_is_whole(workspace.published_dir / "runs" / run.run_id):
        return None
    rows = ledger.reports(run.run_id)
    if any(row.status != "done" or row.html is None or not has_hash(Path(row.html), row.sha256) for row in rows):
        return None
    if workspace.settings.reports.pdf and any(row.pdf is None for row in rows) and not lacking():
        return None  # PDFs could not be made then, and can be now
    point_to(workspace, run.run_id)
    for question, used in summary.get("models", {}).items():
        models.use(workspace, question, used["version"])
    return Summary(**{**summary, "unchanged": True})


def _quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
