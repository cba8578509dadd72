"""What people wrote about coaching, joined to the tables of the source before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from spm_models.access import Scope
from spm_models.crm import Tables
from spm_models.journal import Entry, Journal
from spm_models.journal.people import KINDS, feedback_rows, session_rows, standing
from spm_models.workspace import Workspace


def people_entries(workspace: Workspace) -> list[Entry]:
    """Everything that was ever written about coaching, answers in confidence among it: for the weekly run alone."""
    if not workspace.has_journal:
        return []
    with closing(Journal(workspace, Scope.of_company())) as journal:
        found = [entry for entry in [*journal.entries(), *journal.answers()] if entry.kind in KINDS]
    return sorted(found, key=lambda entry: entry.id)


def with_people(tables: Tables, entries: Sequence[Entry], before: datetime | None) -> Tables:
    """The tables of a source with the sessions and 360° answers that people wrote, after those of the source."""
    known = written_before(entries, before)
    agreed = [entry for entry in standing(known) if entry.kind == "agreement"]
    joined = tables.with_rows("coaching_sessions", session_rows(agreed))
    return joined.with_rows("feedback_360", feedback_rows(known, tables.time_zone))


def written_before(entries: Sequence[Entry], before: datetime | None) -> list[Entry]:
    """Entries as the journal was at an instant."""
    return [entry for entry in entries if before is None or entry.written_at < before]
