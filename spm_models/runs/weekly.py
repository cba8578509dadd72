"""The weekly run: source files in; results published, reports written, everything recorded."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from spm_models import crm
from spm_models.crm import Tables
from spm_models.errors import RunError, SpmError
from spm_models.journal import people as journal_people
from spm_models.journal import submissions as journal_submissions
from spm_models.journal import targets as journal_targets
from spm_models.journal.overrides import fingerprint
from spm_models.published import Manifest, code_hash, models, publish, run_key, versions
from spm_models.published.reader import past_runs
from spm_models.published.writer import point_to, remove_old
from spm_models.reports.render import lacking
from spm_models.runs import (
    coaching_orders,
    people_joined,
    people_results,
    quota_entries,
    reporting,
    results,
    stored_models,
    submissions,
)
from spm_models.runs.console import Report as Progress
from spm_models.runs.forecast_results import submission_tables
from spm_models.runs.ledger import Ledger
from spm_models.runs.overrides import known_before, overrides, published_table
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.status import has_hash, ledger_of, lock_of, published_is_whole
from spm_models.runs.summary import Summary
from spm_models.runs.targets import review_targets
from spm_models.workspace import Workspace


def weekly(workspace: Workspace, request: WeeklyRequest | None = None, *, progress: Progress | None = None) -> Summary:
    """Import, score, forecast, review, publish and report; do nothing if nothing changed.

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
    """
    request, tell = request or WeeklyRequest(), progress or _quiet
    workspace.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_of(workspace))
    try:
        with lock.acquire(timeout=0):
            return _locked(workspace, request, tell)
    except Timeout as error:
        raise RunError(
            "Another run is at work in this workspace", where=str(workspace.root),
            remedy="Wait until it is done; `spm status` shows how it goes.",
        ) from error  # fmt: skip


def _locked(workspace: Workspace, request: WeeklyRequest, tell: Progress) -> Summary:
    ledger = ledger_of(workspace)
    try:
        loaded = crm.load(workspace, run_id="weekly", progress=tell)
        as_of = _snapshot_day(request, loaded.tables)
        pinned, said = stored_models.pins(workspace), overrides(workspace)
        submitted = submissions.all_submissions(workspace)
        on_targets = quota_entries.target_entries(workspace)
        on_people = people_joined.people_entries(workspace)
    except SpmError as error:
        ledger.refuse("weekly", str(error))
        raise
    until = known_before(workspace, as_of, loaded.tables.extracted_on)
    parameters = {
        "settings": workspace.settings.model_dump(mode="json"), "reports": request.reports,
        "monthly": request.monthly,
        "models": pinned, "overrides": fingerprint(said, until),
        "submissions": journal_submissions.fingerprint(submitted, until),
        "targets": journal_targets.fingerprint(on_targets, until),
        "people": journal_people.fingerprint(e for e in on_people if until is None or e.written_at < until),
        "topics_from": past_runs(workspace, before=as_of)[-1:],
        "orders": [entry.id for entry in coaching_orders.orders(workspace, until)],
    }  # fmt: skip
    key = run_key(as_of, loaded.tables.data_hash, parameters)
    run_id = f"{as_of.isoformat()}-{key[:12]}"
    if not request.force and (before := _done_before(workspace, ledger, key)):
        return before
    ledger.begin(run_id, "weekly", key)
    try:
        joined = people_joined.with_people(loaded.tables, on_people, until)
        planned = replace(loaded, tables=quota_entries.with_revisions(joined, on_targets, until))
        computed = results.compute(workspace, planned, as_of, tell, (submitted, until), (on_people, until))
        targets = review_targets(computed.known, computed.tables, on_targets, until)
        people = people_results.people_results(computed.known, on_people, until)
        manifest = Manifest(
            run_id=run_id, as_of=as_of, data_hash=loaded.tables.data_hash, code_hash=code_hash(),
            parameters=parameters, versions=versions(),
            notes=computed.notes | {"targets": targets.notes},
        )  # fmt: skip
        tables = computed.tables  # what people say stands beside the scores; nothing above has seen it
        tables["deal_overrides"] = published_table(said, tables["deal_scores"], tables["reps"], until)
        tables |= submission_tables(computed.known, submitted, until, computed.known.replayed) | targets.tables
        tables |= people.tables
        people_results.keep(workspace, people)  # before anybody can see it
        publish(workspace, tables, manifest)
        used = stored_models.store(workspace, computed.win_model, manifest)
        written = reporting.Written()
        if request.reports:
            written = reporting.write_reports(workspace, manifest, ledger, tell, monthly=request.monthly)
        summary = results.summarise(workspace, manifest, tables, loaded, written, {stored_models.WIN: used})
        summary = replace(summary, notes=[*summary.notes, *stored_models.damage(workspace)])
    except BaseException as error:
        with suppress(RunError):  # a full disk takes no record either; what is told is what came first
            ledger.fail(run_id, _reason(error))
        raise
    ledger.finish(run_id, summary.to_dict())
    _clear_old(workspace, ledger)
    return summary


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Stopped by Ctrl+C."
    return str(error) if isinstance(error, SpmError) else f"{type(error).__name__}: {error}"


def _snapshot_day(request: WeeklyRequest, tables: Tables) -> date:
    last, created = tables.extracted_on, tables["opportunities"].created_on.min().execute()
    first = last if pd.isna(created) else pd.Timestamp(created).date()
    if request.as_of and request.as_of > last:
        raise RunError(
            "The snapshot day lies after the last day of the data", where="--as-of", found=request.as_of.isoformat(),
            remedy=f"Give {last.isoformat()} or an earlier day, or put newer files into the source.",
        )  # fmt: skip
    if request.as_of and request.as_of < first:
        raise RunError(
            "The snapshot day lies before the first deal, so nothing was known then", where="--as-of",
            found=request.as_of.isoformat(), remedy=f"Give a day from {first.isoformat()} to {last.isoformat()}.",
        )  # fmt: skip
    return request.as_of or last


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


def _clear_old(workspace: Workspace, ledger: Ledger) -> None:
    keep = ledger.done_runs()[: workspace.settings.reports.keep_runs]
    remove_old(workspace, keep)
    reporting.remove_old(workspace, keep)


def _quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
