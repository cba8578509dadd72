"""What people wrote about coaching, in the weekly run: joined to the source, put together, published."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from spm_models.coaching.people.actions import agreed_actions
from spm_models.coaching.people.calls import calls_to_review
from spm_models.coaching.people.feedback import feedback_360, manager_skills
from spm_models.coaching.people.observed import observations
from spm_models.coaching.people.releases import Releases
from spm_models.coaching.people.rhythm import cadence
from spm_models.coaching.people.yesterday import prompts
from spm_models.crm import Tables
from spm_models.crm.schemas import TABLES as CRM_TABLES
from spm_models.database import frame
from spm_models.errors import RunError
from spm_models.journal import Entry
from spm_models.journal.people import form_rows
from spm_models.runs.known import Known
from spm_models.runs.people_joined import written_before
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class PeopleResults:
    """Tables to publish, and what has been released of answers given in confidence."""

    tables: dict[str, pd.DataFrame]
    answers: Releases
    forms: Releases


def people_results(known: Known, entries: Sequence[Entry], before: datetime | None) -> PeopleResults:
    """Feedback, observations, cadence, actions, prompts and calls to review, as of a day.

    Parameters
    ----------
    known : Known
        Its tables hold what people wrote (:func:`spm_models.runs.people_joined.with_people`).
    entries : sequence of Entry
        Of :func:`spm_models.runs.people_joined.people_entries`.
    before : datetime or None
        Until when the run looks into the journal.
    """
    said, as_of, tables = written_before(entries, before), known.as_of, known.tables
    kept = _kept(known.workspace)
    people = known.people
    absences = frame(tables["absences"]) if "absences" in tables else None
    answers = feedback_360(
        _rows(tables, "feedback_360"), people[people["left_on"].isna()], as_of, before=kept["answers"], seed=known.seed
    )
    forms, released = manager_skills(
        form_rows(said, tables.time_zone), sorted(set(people["manager_id"].dropna())), as_of, before=kept["forms"]
    )
    sessions = _rows(tables, "coaching_sessions")
    actions = agreed_actions(sessions, said, as_of)
    found = {
        "feedback_360": answers.table, "feedback_360_comments": answers.comments, "manager_skills": forms,
        "observations": observations(said, as_of), "agreed_actions": actions,
        "coaching_cadence": cadence(
            sessions, actions, people, as_of, absences=absences,
            every_days=known.workspace.settings.coaching.one_to_one_every_days,
        ),
        "prompts": prompts(
            known.pipeline, known.outcomes, as_of, accounts=_accounts(known), absences=absences, calendar=known.calendar
        ),
        "calls_to_review": calls_to_review(tables, known.pipeline, known.outcomes, as_of),
    }  # fmt: skip
    return PeopleResults(found, answers.releases, released)


def keep(workspace: Workspace, results: PeopleResults) -> None:
    """Remember what was released, so that no later run can tell single answers by difference."""
    place = _place(workspace)
    place.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"answers": results.answers.to_json(), "forms": results.forms.to_json()}, ensure_ascii=False)
    new = place.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(place)


def _kept(workspace: Workspace) -> dict[str, Releases]:
    place = _place(workspace)
    if not place.is_file():
        return {"answers": Releases(), "forms": Releases()}
    try:
        raw = json.loads(place.read_text(encoding="utf-8"))
        return {name: Releases.from_json(raw[name]) for name in ("answers", "forms")}
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            "What has been released of 360° feedback cannot be read", where=str(place), found=str(error)[:120],
            remedy="Put the file back from a backup: without it, late answers could be told by difference.",
        ) from error  # fmt: skip


def _place(workspace: Workspace) -> Path:
    return workspace.state / "released_answers.json"


def _rows(tables: Tables, name: str) -> pd.DataFrame:
    """The table as pandas; empty, with its columns, where the source has none."""
    schema = CRM_TABLES[name]
    rows = frame(tables[name]) if name in tables else pd.DataFrame(columns=list(schema.columns), dtype=object)
    days = {column: "datetime64[s]" for column in schema.columns if schema.facts(column)["kind"] == "date"}
    return rows.astype(days)


def _accounts(known: Known) -> pd.Series:
    deals = frame(known.tables["opportunities"].select("opportunity_id", "account_id"))
    return deals.set_index("opportunity_id")["account_id"].map(known.names("accounts", "account_id"))
