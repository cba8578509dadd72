"""The record of what ran, when, and how it ended: one row a run, one row a report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, create_engine, delete, event, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from spm_models.errors import RunError


class Base(DeclarativeBase):
    """Tables of the ledger."""


class Run(Base):
    """One run: its key says what it was made from, its summary what came of it."""

    __tablename__ = "runs"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]  # running | done | failed
    started_at: Mapped[str]
    finished_at: Mapped[str | None]
    summary: Mapped[str | None]  # JSON
    error: Mapped[str | None]


class Report(Base):
    """One report of one run, for one rep or team."""

    __tablename__ = "reports"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    report: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]  # done | failed
    html: Mapped[str | None]
    pdf: Mapped[str | None]
    sha256: Mapped[str | None]
    seconds: Mapped[float | None]
    error: Mapped[str | None]


class Ledger:
    """Runs and reports of one workspace, in SQLite.

    Parameters
    ----------
    path : Path
        The database file; made on first use.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> ledger = Ledger(pathlib.Path(tempfile.mkdtemp()) / "ledger.db")
    >>> ledger.begin("r1", "weekly", "key")
    >>> ledger.finish("r1", {"scored": 3})
    >>> ledger.last().status
    'done'
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(self._engine, "connect", _durable)
        try:
            Base.metadata.create_all(self._engine)
        except DatabaseError as error:
            raise RunError(
                "The record of runs cannot be read", where=str(path), found=str(error.orig),
                remedy="Make its folder writable. If the file is damaged, move it away: reports and results stay, and "
                "a new record is begun.",
            ) from error  # fmt: skip

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DatabaseError as error:
            raise RunError(
                "The record of runs cannot be read or written", where=str(self.path), found=str(error.orig),
                remedy="Free space there, or make it writable; results and reports that were published stay.",
            ) from error  # fmt: skip

    def begin(self, run_id: str, kind: str, key: str) -> None:
        """Note that a run starts; an earlier record of the same run is replaced."""
        with self._session() as session:
            session.execute(delete(Report).where(Report.run_id == run_id))
            session.merge(
                Run(run_id=run_id, kind=kind, key=key, status="running", started_at=_now(), finished_at=None,
                    summary=None, error=None)
            )  # fmt: skip

    def finish(self, run_id: str, summary: dict[str, Any]) -> None:
        """Note that a run ended well."""
        self._end(run_id, "done", summary=json.dumps(summary, default=str, ensure_ascii=False))

    def fail(self, run_id: str, error: str) -> None:
        """Note that a run failed, and why."""
        self._end(run_id, "failed", error=error)

    def refuse(self, kind: str, error: str) -> None:
        """Note a run that failed before it had a name: its source could not be loaded."""
        run_id = f"not-loaded-{_now()}"
        self.begin(run_id, kind, "")
        self.fail(run_id, error)

    def _end(self, run_id: str, status: str, *, summary: str | None = None, error: str | None = None) -> None:
        with self._session() as session:
            run = session.get_one(Run, run_id)
            run.status, run.finished_at, run.summary, run.error = status, _now(), summary, error

    def report(self, row: Report) -> None:
        """Note one report."""
        with self._session() as session:
            session.merge(row)

    def reports(self, run_id: str) -> list[Report]:
        """All reports of a run, failures first."""
        with self._session() as session:
            query = select(Report).where(Report.run_id == run_id).order_by(Report.status.desc(), Report.about)
            return list(session.scalars(query))

    def get(self, run_id: str) -> Run | None:
        """One run; None if it is not on record."""
        with self._session() as session:
            return session.get(Run, run_id)

    def last(self, *, status: str | None = None, key: str | None = None) -> Run | None:
        """The newest run, or the newest with this status or key."""
        query = select(Run).order_by(Run.started_at.desc(), Run.run_id.desc())
        if status:
            query = query.where(Run.status == status)
        if key:
            query = query.where(Run.key == key)
        with self._session() as session:
            return session.scalars(query.limit(1)).first()

    def done_runs(self) -> list[str]:
        """Names of the runs that ended well, newest first."""
        with self._session() as session:
            query = select(Run.run_id).where(Run.status == "done").order_by(Run.started_at.desc())
            return list(session.scalars(query))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _durable(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma foreign_keys=on")
    cursor.close()
