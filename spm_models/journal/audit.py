"""Who looked at what: one row for each page opened, each form sent, each door that stayed shut. Append-only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property

import pandas as pd
from sqlalchemy import Engine, Select, insert, select
from sqlalchemy.exc import SQLAlchemyError

from spm_models.errors import JournalError
from spm_models.journal.database import AUDIT, open_database
from spm_models.workspace import Workspace

#: What is recorded.
ACTIONS = ("opened", "wrote", "refused", "signed in", "not signed in", "signed out", "looks as", "looks himself")
_COLUMNS = ("at", "person", "looks_as", "action", "what", "rep_id")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """The record of one workspace; it lies beside the journal.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from spm_models.settings import Settings
    >>> folder = tempfile.TemporaryDirectory()
    >>> log = AuditLog(Workspace(Path(folder.name), Settings()))
    >>> log.add("opened", "m1", "coaching", rep_id="r1")
    >>> log.entries(rep_id="r1")[["person", "action", "what"]].values.tolist()
    [['m1', 'opened', 'coaching']]
    >>> log.close(); folder.cleanup()
    """

    def __init__(self, workspace: Workspace, clock: Callable[[], datetime] = _utc_now) -> None:
        self._workspace, self.clock = workspace, clock

    def add(self, action: str, person: str, what: str = "", *, looks_as: str = "", rep_id: str | None = None) -> None:
        """Record one thing that happened.

        Parameters
        ----------
        action : str
            One of :data:`ACTIONS`.
        person : str
            Who did it, as the sign-in named him.
        what : str
            The page, the kind of form, or the address a guess came from.
        looks_as : str
            Whose eyes an administrator had.
        rep_id : str, optional
            The one rep whom it was about.

        Raises
        ------
        JournalError
            When it cannot be written.
        ValueError
            When there is no such action.
        """
        if action not in ACTIONS:
            raise ValueError(f"no such action: {action}")
        row = {
            "at": self.clock().astimezone(UTC).replace(tzinfo=None), "person": person[:200], "looks_as": looks_as[:200],
            "action": action, "what": what[:200], "rep_id": rep_id,
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(AUDIT).values(row))
        except SQLAlchemyError as error:
            raise JournalError(
                "It cannot be recorded who looked", where=self._workspace.journal_url.split("@")[-1],
                found=str(error)[:200], remedy="Check the database and its folder.",
            ) from error  # fmt: skip

    def entries(
        self, *, person: str | None = None, rep_id: str | None = None, since: datetime | None = None, most: int = 10_000
    ) -> pd.DataFrame:
        """What was recorded, newest first.

        Returns
        -------
        DataFrame
            ``at`` (naive UTC), ``person, looks_as, action, what, rep_id``; at most ``most`` rows.
        """
        query: Select[tuple[object, ...]] = select(*(AUDIT.c[name] for name in _COLUMNS)).order_by(AUDIT.c.id.desc())
        if person is not None:
            query = query.where(AUDIT.c.person == person)
        if rep_id is not None:
            query = query.where(AUDIT.c.rep_id == rep_id)
        if since is not None:
            query = query.where(AUDIT.c.at >= since)
        if not self._workspace.has_journal:
            return pd.DataFrame(columns=list(_COLUMNS))
        with self._engine.connect().execution_options(reads=True) as connection:
            rows = connection.execute(query.limit(most)).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=list(_COLUMNS))

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        return open_database(self._workspace.journal_url)


def who_looked(workspace: Workspace, rep_id: str) -> pd.DataFrame:
    """Who opened a page about one rep, other than himself.

    Returns
    -------
    DataFrame
        ``person, last_on`` (ISO day, UTC) and ``times``, newest first.
    """
    log = AuditLog(workspace)
    try:
        seen = log.entries(rep_id=rep_id)
    finally:
        log.close()
    others = seen[(seen["action"] == "opened") & (seen["person"] != rep_id)]
    times = Counter(others["person"])
    last = {person: f"{at:%Y-%m-%d}" for person, at in zip(others["person"][::-1], others["at"][::-1], strict=True)}
    newest_first = dict.fromkeys(others["person"])
    return pd.DataFrame(
        [(person, last[person], times[person]) for person in newest_first], columns=["person", "last_on", "times"]
    )
