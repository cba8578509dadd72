"""The part of a run that ends with published results: read what there is, compute, publish."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from spm_models import crm
from spm_models.crm import Loaded, Tables
from spm_models.errors import RunError
from spm_models.journal import Entry
from spm_models.journal import people as journal_people
from spm_models.journal import submissions as journal_submissions
from spm_models.journal import targets as journal_targets
from spm_models.journal.overrides import fingerprint
from spm_models.published import Manifest, code_hash, publish, run_key, versions
from spm_models.published.freshness import NOTE, Stale
from spm_models.published.reader import past_runs
from spm_models.runs import (
    coaching_orders,
    people_joined,
    people_results,
    results,
    stored_models,
)
from spm_models.runs.console import Report as Progress
from spm_models.runs.forecast_results import submission_tables
from spm_models.runs.freshness import check_freshness
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.summary import Summary
from spm_models.runs.targets import review_targets
from spm_models.workspace import Workspace
from spm_models.writing import submissions
from spm_models.writing import targets as target_entries
from spm_models.writing.overrides import known_before, overrides, published_table


@dataclass(frozen=True)
class Inputs:
    """Everything that decides the results of a run: data, what people wrote, settings; and the name that follows."""

    as_of: date
    loaded: Loaded
    until: datetime | None
    said: list[Entry]
    submitted: list[Entry]
    on_targets: list[Entry]
    on_people: list[Entry]
    parameters: dict[str, Any]
    stale: Stale | None
    key: str

    @property
    def run_id(self) -> str:
        """Snapshot day and the beginning of the key."""
        return f"{self.as_of.isoformat()}-{self.key[:12]}"


def read_inputs(workspace: Workspace, request: WeeklyRequest, tell: Progress) -> Inputs:
    """The data check: import, validate, and read what people wrote.

    Raises
    ------
    QualityGateError
        When too many source rows were rejected.
    RunError
        When the snapshot day is not covered by the data.
    """
    loaded = crm.load(workspace, run_id=request.schedule, progress=tell)
    as_of = _snapshot_day(request, loaded.tables)
    stale = None if request.as_of else check_freshness(workspace, loaded.tables.extracted_on)  # replays are meant
    pinned, said = stored_models.pins(workspace), overrides(workspace)
    submitted = submissions.all_submissions(workspace)
    on_targets = target_entries.target_entries(workspace)
    on_people = people_joined.people_entries(workspace)
    until = known_before(workspace, as_of, loaded.tables.extracted_on)
    parameters = {
        "settings": workspace.settings.model_dump(mode="json", exclude=_DECIDE_NOTHING), "reports": request.reports,
        "monthly": request.monthly,
        "models": pinned, "overrides": fingerprint(said, until),
        "submissions": journal_submissions.fingerprint(submitted, until),
        "targets": journal_targets.fingerprint(on_targets, until),
        "people": journal_people.fingerprint(e for e in on_people if until is None or e.written_at < until),
        "topics_from": past_runs(workspace, before=as_of)[-1:],
        "stale": stale.note() if stale else None,
        "orders": [entry.id for entry in coaching_orders.orders(workspace, until)],
    }  # fmt: skip
    key = run_key(as_of, loaded.tables.data_hash, parameters)
    return Inputs(as_of, loaded, until, said, submitted, on_targets, on_people, parameters, stale, key)


#: Settings that change no published figure and no report: when a run starts, and who is sent what.
_DECIDE_NOTHING = {"mail", "schedule"}


def publish_results(workspace: Workspace, inputs: Inputs, tell: Progress) -> Summary:
    """Compute everything, publish it all at once, and say what came of it."""
    loaded, until = inputs.loaded, inputs.until
    joined = people_joined.with_people(loaded.tables, inputs.on_people, until)
    planned = replace(loaded, tables=target_entries.with_revisions(joined, inputs.on_targets, until))
    computed = results.compute(
        workspace, planned, inputs.as_of, tell, (inputs.submitted, until), (inputs.on_people, until)
    )
    targets = review_targets(computed.known, computed.tables, inputs.on_targets, until)
    people = people_results.people_results(computed.known, inputs.on_people, until)
    stale = {NOTE: inputs.stale.note()} if inputs.stale else {}
    manifest = Manifest(
        run_id=inputs.run_id, as_of=inputs.as_of, data_hash=loaded.tables.data_hash, code_hash=code_hash(),
        parameters=inputs.parameters, versions=versions(), notes=computed.notes | {"targets": targets.notes} | stale,
    )  # fmt: skip
    tables = computed.tables  # what people say stands beside the scores; nothing above has seen it
    tables["deal_overrides"] = published_table(inputs.said, tables["deal_scores"], tables["reps"], until)
    tables |= submission_tables(computed.known, inputs.submitted, until, computed.known.replayed) | targets.tables
    tables |= people.tables
    people_results.keep(workspace, people)  # before anybody can see it
    publish(workspace, tables, manifest)
    used = stored_models.store(workspace, computed.win_model, manifest)
    summary = results.summarise(workspace, manifest, tables, loaded, {stored_models.WIN: used})
    return replace(summary, notes=[*summary.notes, *stored_models.damage(workspace)])


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
