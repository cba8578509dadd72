"""The record of what ran, when, and how it ended: one row a run, one row a report. SQLite, or a server's database."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, ForeignKey, create_engine, delete, event, func, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
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
    number: Mapped[int | None]  # counts begun runs: the order that no clock can turn round
    as_of: Mapped[str | None]
    step: Mapped[str | None]  # where it is, or was when it ended
    holder: Mapped[str | None]  # machine and process
    beat: Mapped[int | None]  # grows while the holder lives
    published: Mapped[str | None]  # JSON: the summary once its results are published, before its reports


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
    key: Mapped[str | None]  # of what it was made from
    period: Mapped[str | None]
    name: Mapped[str | None]
    attempts: Mapped[int | None]


class Ledger:
    """Runs and reports of one workspace.

    Parameters
    ----------
    place : Path or str
        The SQLite file, made on first use; or the SQLAlchemy address of a database that belongs to this workspace.

    Raises
    ------
    RunError
        When it cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> ledger = Ledger(pathlib.Path(tempfile.mkdtemp()) / "ledger.db")
    >>> ledger.begin("r1", "weekly", "key")
    >>> ledger.finish("r1", {"scored": 3})
    >>> ledger.last().status
    'done'
    """

    def __init__(self, place: Path | str) -> None:
        self.where, self.engine = _opened(place)
        try:
            try:
                _make_tables(self.engine)
            except DatabaseError:  # two processes made them at the same moment, or it is really damaged
                _make_tables(self.engine)
        except DatabaseError as error:
            raise RunError(
                "The record of runs cannot be read", where=self.where, found=str(error.orig),
                remedy="Make its folder writable, or its server answer. If a file is damaged, move it away: reports "
                "and results stay, and a new record is begun.",
            ) from error  # fmt: skip

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction; whatever the database refuses is told as an error of a run."""
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DatabaseError as error:
            raise RunError(
                "The record of runs cannot be read or written", where=self.where, found=str(error.orig),
                remedy="Free space there, or make it writable; results and reports that were published stay.",
            ) from error  # fmt: skip

    def begin(self, run_id: str, kind: str, key: str, *, as_of: str | None = None, resume: bool = False) -> None:
        """Note that a run starts; an earlier record of the same run is replaced, its reports are kept to be resumed."""
        with self.session() as session:
            before = session.get(Run, run_id) if resume else None
            if before is None:
                session.execute(delete(Report).where(Report.run_id == run_id))
            number = (session.scalar(select(func.max(Run.number))) or 0) + 1
            session.merge(
                Run(run_id=run_id, kind=kind, key=key, status="running", started_at=_now(), finished_at=None,
                    summary=None, error=None, number=number, as_of=as_of, step=None, holder=HOLDER, beat=0,
                    published=before.published if before else None)
            )  # fmt: skip

    def step(self, run_id: str, name: str) -> None:
        """Note where a run is."""
        with self.session() as session:
            session.execute(update(Run).where(Run.run_id == run_id).values(step=name))

    def published(self, run_id: str, summary: dict[str, Any]) -> None:
        """Note that a run's results are published: whoever resumes it need not compute them again."""
        told = json.dumps(summary, default=str, ensure_ascii=False)
        with self.session() as session:
            session.execute(update(Run).where(Run.run_id == run_id).values(published=told, step="published"))

    def beat(self, run_id: str) -> None:
        """Note that the holder of a run lives."""
        with self.session() as session:
            session.execute(update(Run).where(Run.run_id == run_id).values(beat=Run.beat + 1))

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
        with self.session() as session:
            run = session.get_one(Run, run_id)
            run.status, run.finished_at, run.summary, run.error = status, _now(), summary, error

    def report(self, row: Report) -> None:
        """Note one report."""
        with self.session() as session:
            session.merge(row)

    def reports(self, run_id: str) -> list[Report]:
        """All reports of a run, failures first."""
        with self.session() as session:
            query = select(Report).where(Report.run_id == run_id).order_by(Report.status.desc(), Report.about)
            return list(session.scalars(query))

    def get(self, run_id: str) -> Run | None:
        """One run; None if it is not on record."""
        with self.session() as session:
            return session.get(Run, run_id)

    def last(self, *, status: str | None = None, key: str | None = None) -> Run | None:
        """The newest run, or the newest with this status or key."""
        query = select(Run).order_by(*_NEWEST)
        if status:
            query = query.where(Run.status == status)
        if key:
            query = query.where(Run.key == key)
        with self.session() as session:
            return session.scalars(query.limit(1)).first()

    def runs(self, *, kind: str | None = None, status: str | None = None, limit: int | None = None) -> list[Run]:
        """Runs, newest first; all, or those of one kind or status."""
        query = select(Run).order_by(*_NEWEST).limit(limit)
        query = query.where(Run.kind == kind) if kind else query
        query = query.where(Run.status == status) if status else query
        with self.session() as session:
            return list(session.scalars(query))

    def done_runs(self, kind: str | None = None) -> list[str]:
        """Names of the runs that ended well, newest first."""
        return [run.run_id for run in self.runs(kind=kind, status="done")]

    def written_before(self, as_of: date) -> dict[str, frozenset[str]]:
        """For each kind of report the periods that runs of earlier snapshot days have written."""
        query = select(Run.run_id, Report.report, Report.period).join(Run, Run.run_id == Report.run_id)
        query = query.where(Run.status == "done", Report.status == "done", Report.period.is_not(None)).distinct()
        found: dict[str, set[str]] = {}
        with self.session() as session:
            for run_id, kind, period in session.execute(query):
                if date.fromisoformat(run_id[:10]) < as_of:
                    found.setdefault(kind, set()).add(str(period))
        return {kind: frozenset(periods) for kind, periods in found.items()}

    def last_good(self) -> list[Report]:
        """Of each kind of report about each person the newest that was written; one a kind and person."""
        query = select(Report).join(Run, Run.run_id == Report.run_id).where(Report.status == "done").order_by(*_NEWEST)
        found: dict[tuple[str, str], Report] = {}
        with self.session() as session:
            for row in session.scalars(query):
                found.setdefault((row.report, row.about), row)
        return list(found.values())


HOLDER = f"{socket.gethostname()}:{os.getpid()}"
#: By the count of runs, which no clock turns round; older records have none.
_NEWEST = (func.coalesce(Run.number, 0).desc(), Run.started_at.desc(), Run.run_id.desc())


def _opened(place: Path | str) -> tuple[str, Engine]:
    """What to call the database in messages, without its password, and the way into it."""
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        where, address = str(place), f"sqlite:///{place}"
    else:
        where = address = place
    try:
        url = make_url(address)
        where = url.render_as_string(hide_password=True) if isinstance(place, str) else where
        local = url.get_backend_name() == "sqlite"
        engine = create_engine(url, connect_args={"timeout": 30} if local else {}, pool_pre_ping=not local)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise RunError(
            "The address of the record of runs cannot be used", where="SPM_LEDGER_URL", found=type(error).__name__,
            remedy="Give one such as postgresql+psycopg://user:password@host/database, with its driver installed.",
        ) from error  # fmt: skip
    if local:
        event.listen(engine, "connect", _durable)
    return where, engine


def _make_tables(engine: Engine) -> None:
    """Make what is missing, also columns of a record that an older version began: they are empty in its rows."""
    Base.metadata.create_all(engine)
    known = inspect(engine)
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            there = {column["name"] for column in known.get_columns(table.name)}
            for column in table.columns:
                if column.name not in there:
                    kind = column.type.compile(engine.dialect)
                    connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _durable(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("pragma foreign_keys=on")
    cursor.close()
