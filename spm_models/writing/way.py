"""How something about coaching is written: by whom, instead of what, or only tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from spm_models.access import Viewer
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry, Journal
from spm_models.workspace import Workspace
from spm_models.writing.speaker import Speaker

Body = dict[str, Any]


@dataclass(frozen=True)
class Writing:
    """How something is to be written.

    ``person`` speaks (empty: the viewer in ``spm.toml``); ``instead_of`` is an own earlier entry that this one
    replaces; a ``request_id`` sent twice is written once; ``dry_run`` checks everything and writes nothing; ``clock``
    gives the present instant with its time zone.
    """

    person: str | Viewer = ""
    instead_of: int | None = None
    request_id: str | None = None
    dry_run: bool = False
    clock: Callable[[], datetime] | None = None


USUAL = Writing()


def opened(workspace: Workspace, by: Speaker, how: Writing) -> Journal:
    """The journal as this person may read and write it."""
    journal = Journal(workspace, by.allowed)
    journal.clock = how.clock or journal.clock
    return journal


def write(
    workspace: Workspace, by: Speaker, how: Writing, kind: str, about: tuple[str, str], body: Body,
    rep_id: str | None = None,
) -> Entry:  # fmt: skip
    """Write one entry; fields without a value are left out."""
    given = {name: value for name, value in body.items() if value is not None}
    with closing(opened(workspace, by, how)) as journal:
        return journal.write(
            kind, by.author, about, given, rep_id=rep_id, supersedes=how.instead_of, request_id=how.request_id,
            dry_run=how.dry_run,
        )  # fmt: skip


def must_lead(by: Speaker, whom: str, what: str) -> None:
    """Refuse whoever does not lead a person; ``what`` says what only those may do."""
    if not by.leads(whom):
        raise AccessDeniedError(
            f"Those who lead a person {what}", where=whom, found=by.author,
            remedy="Managers write about their people, executives about all; nobody about himself.",
        )  # fmt: skip


def today_of(workspace: Workspace, how: Writing) -> date:
    """The day it is in the company's time zone."""
    zone = ZoneInfo(workspace.settings.company.time_zone)
    return (how.clock() if how.clock else datetime.now(UTC)).astimezone(zone).date()


def past_day(workspace: Workspace, on: str, how: Writing) -> date:
    """A day that has come; without one today."""
    today = today_of(workspace, how)
    day = day_of(on, "--on") if on.strip() else today
    if day > today:
        raise JournalError("This day has not come yet", where="--on", found=on, remedy=f"Today is {today}.")
    return day


def day_of(text: str, where: str) -> date:
    """A day as people write it."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise JournalError("This is not a day", where=where, found=text, remedy="Write it like 2026-07-15.") from error
