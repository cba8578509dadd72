"""The one way to write into the journal, and to read it within a scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

import pandas as pd
from pydantic import BaseModel
from sqlalchemy import Connection, Engine, Row, Select, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal.coaching_bodies import CONFIDENTIAL
from spm_models.journal.database import ENTRIES, open_database
from spm_models.journal.entry import LEVELS, Entry, checked
from spm_models.journal.people import session_rows
from spm_models.workspace import Workspace


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """A company's journal as one person may read and write it.

    Parameters
    ----------
    workspace : Workspace
        The journal lies where ``journal_url`` says: in ``people_db`` (SQLite), or in a database that is named there.
    scope : Scope
        Entries about anyone or anything else are neither shown nor taken.
    url : str, optional
        SQLAlchemy URL of another database, such as ``postgresql+psycopg://…``.
    clock : callable
        Gives the present instant with its time zone.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from spm_models.settings import Settings
    >>> folder = tempfile.TemporaryDirectory()
    >>> journal = Journal(Workspace(Path(folder.name), Settings()), Scope.of_rep("r1"))
    >>> entry = journal.write("reply", "r1", ("finding", "win_rate"), {"text": "Two big tenders."}, rep_id="r1")
    >>> [e.body["text"] for e in journal.entries(kind="reply")]
    ['Two big tenders.']
    >>> journal.close(); folder.cleanup()
    """

    def __init__(
        self, workspace: Workspace, scope: Scope, *, url: str | None = None, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self.scope, self.clock = scope, clock
        self.url = url or workspace.journal_url

    def write(
        self, kind: str, author: str, about: tuple[str, str], body: dict[str, Any] | BaseModel, *,
        rep_id: str | None = None, supersedes: int | None = None, request_id: str | None = None, dry_run: bool = False,
    ) -> Entry:  # fmt: skip
        """Write one entry; all of it or nothing.

        Parameters
        ----------
        kind : str
            One of :data:`BODIES`, which says what ``body`` holds.
        author : str
            Id of the signed-in person.
        about : (str, str)
            What it is about, one of :data:`ABOUT`, and its id.
        rep_id : str, optional
            The rep whom it concerns; needed unless it is about a rep or a unit.
        supersedes : int, optional
            Id of the author's own earlier entry on the same thing that this one replaces.
        request_id : str, optional
            The same request sent twice is written once.
        dry_run : bool
            Check everything and write nothing; the entry has the number 0.

        Raises
        ------
        JournalError
            When something is not as it should be, or another entry was faster.
        AccessDeniedError
            When the scope does not reach what it is about. Who gives an answer in confidence need not see the person:
            whoever calls checks that he was asked.
        """
        row = checked(kind, author, about, body, rep_id, supersedes, request_id or uuid4().hex)
        if kind not in CONFIDENTIAL and not self._reaches(row["about_kind"], row["about_id"], row["rep_id"]):
            raise AccessDeniedError("The viewer may not write about this", where=":".join(about), found=author)
        try:
            with self._engine.begin() as connection:
                return self._add(connection, row, dry_run)
        except IntegrityError as error:  # another process wrote between our look and our insert (PostgreSQL)
            with self._reading() as connection:
                earlier = self._same_request(connection, row)
            if earlier is None:
                raise _superseded(row) from error
            return earlier
        except SQLAlchemyError as error:
            raise JournalError(
                "The journal cannot be written", where=self._engine.url.render_as_string(), found=str(error)[:200],
                remedy="Check that the database can be reached and its folder written to.",
            ) from error  # fmt: skip

    def entries(
        self, *, kind: str | None = None, author: str | None = None, about: tuple[str, str] | None = None,
        rep_id: str | None = None, before: datetime | None = None,
    ) -> list[Entry]:  # fmt: skip
        """Entries in the order in which they were written, superseded ones among them.

        ``before`` (naive UTC) shows the journal as it was at that instant: give ``workspace.cutoff(as_of)``. Answers
        that were given in confidence are not among them, whoever asks.
        """
        return [entry for entry in self._read(kind, author, about, rep_id, before) if self._shows(entry)]

    def own_answers(self, author: str) -> list[Entry]:
        """What the signed-in person himself answered in confidence, superseded answers among them."""
        return [entry for entry in self._read(None, author, None, None, None) if entry.kind in CONFIDENTIAL]

    def answers(self, before: datetime | None = None) -> list[Entry]:
        """All that was answered in confidence: for the weekly run alone, which publishes groups and no author.

        Raises
        ------
        AccessDeniedError
            When the scope is not that of the job itself.
        """
        if self.scope != Scope.of_company():
            raise AccessDeniedError("Answers were given in confidence", where="journal", found=self.scope.level)
        return [entry for entry in self._read(None, None, None, None, before) if entry.kind in CONFIDENTIAL]

    def _read(
        self, kind: str | None, author: str | None, about: tuple[str, str] | None, rep_id: str | None,
        before: datetime | None,
    ) -> list[Entry]:  # fmt: skip
        chosen = {"kind": kind, "author": author, "rep_id": rep_id}
        if about is not None:
            chosen |= {"about_kind": about[0], "about_id": about[1]}
        query: Select[Any] = select(ENTRIES).order_by(ENTRIES.c.id)
        for name, value in chosen.items():
            if value is not None:
                query = query.where(ENTRIES.c[name] == value)
        if before is not None:
            query = query.where(ENTRIES.c.written_at < before)
        with self._reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _shows(self, entry: Entry) -> bool:
        reached = self._reaches(entry.about_kind, entry.about_id, entry.rep_id)
        return entry.kind not in CONFIDENTIAL and reached

    def current(self, **chosen: Any) -> list[Entry]:
        """The same without those that a later entry supersedes."""
        entries = self.entries(**chosen)
        replaced = {entry.supersedes for entry in entries}
        return [entry for entry in entries if entry.id not in replaced]

    def coaching_sessions(self, before: datetime | None = None) -> pd.DataFrame:
        """Agreements as rows of the table ``coaching_sessions``, to be joined to those of the source."""
        return session_rows(self.current(kind="agreement", before=before))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        try:
            return open_database(self.url)
        except (SQLAlchemyError, ImportError) as error:  # the message of a wrong address may hold its password
            what = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
            raise JournalError(
                "The journal cannot be opened", where=_place(self.url), found=what[:200],
                remedy="Check SPM_JOURNAL_URL (sqlite:/// or postgresql+psycopg://; the latter needs psycopg), and "
                "that the database can be reached.",
            ) from error  # fmt: skip

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(reads=True)

    def _reaches(self, about_kind: str, about_id: str, rep_id: str | None) -> bool:
        if rep_id is not None:
            return self.scope.allows("rep", rep_id)
        return about_kind in LEVELS and self.scope.allows(about_kind, about_id)

    def _add(self, connection: Connection, row: dict[str, Any], dry_run: bool) -> Entry:
        earlier = self._same_request(connection, row)
        if earlier is not None:
            return earlier
        if row["supersedes"] is not None:
            _check_superseded(connection, row)
        now = self.clock()
        if now.tzinfo is None:
            raise JournalError("The clock has no time zone", found=now, remedy="Give datetime.now(UTC).")
        written = row | {"written_at": now.astimezone(UTC).replace(tzinfo=None)}
        if dry_run:
            return Entry(id=0, **written)
        added = connection.execute(insert(ENTRIES).values(written)).inserted_primary_key
        assert added is not None
        return Entry(id=added[0], **written)

    def _same_request(self, connection: Connection, row: dict[str, Any]) -> Entry | None:
        found = connection.execute(select(ENTRIES).where(ENTRIES.c.request_id == row["request_id"])).one_or_none()
        if found is None:
            return None
        if any(getattr(found, name) != value for name, value in row.items()):
            raise JournalError(
                "This request was already used for another entry", where="request_id", found=row["request_id"],
                remedy="Send each entry with a request id of its own.",
            )  # fmt: skip
        return _entry(found)


def _place(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "SPM_JOURNAL_URL"


def _check_superseded(connection: Connection, row: dict[str, Any]) -> None:
    old = connection.execute(select(ENTRIES).where(ENTRIES.c.id == row["supersedes"])).one_or_none()
    same = ("author", "about_kind", "about_id", "rep_id", "kind")
    if old is None or any(getattr(old, name) != row[name] for name in same):
        raise JournalError(
            "Only an own entry of the same kind about the same thing can be superseded", where="supersedes",
            found=row["supersedes"], remedy="Write a new entry instead.",
        )  # fmt: skip
    if connection.execute(select(ENTRIES.c.id).where(ENTRIES.c.supersedes == row["supersedes"])).first():
        raise _superseded(row)


def _superseded(row: dict[str, Any]) -> JournalError:
    return JournalError(
        "This entry has been superseded already", where="supersedes", found=row["supersedes"],
        remedy="Read the newest entry and supersede that one.",
    )  # fmt: skip


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
