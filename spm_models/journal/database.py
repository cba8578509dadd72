"""The journal's table: append-only by triggers, on SQLite by default and on PostgreSQL where a company has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

METADATA = MetaData()
ENTRIES = Table(
    "entries", METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("written_at", DateTime, nullable=False),
    Column("author", String(200), nullable=False),
    Column("about_kind", String(40), nullable=False),
    Column("about_id", String(200), nullable=False),
    Column("rep_id", String(200)),
    Column("kind", String(40), nullable=False),
    Column("body", JSON, nullable=False),
    Column("supersedes", ForeignKey("entries.id"), unique=True),  # of two who replace the same entry, one is first
    Column("request_id", String(200), nullable=False, unique=True),
    Index("entries_about", "about_kind", "about_id"),
    Index("entries_rep", "rep_id", "kind"),
    sqlite_autoincrement=True,
)  # fmt: skip

#: Who looked at what: of its own, so that what people write is not searched for among a million pages opened.
AUDIT = Table(
    "audit", METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    Column("person", String(200), nullable=False),
    Column("looks_as", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("what", String(200), nullable=False),
    Column("rep_id", String(200)),
    Index("audit_rep", "rep_id", "at"),
    Index("audit_person", "person", "at"),
    sqlite_autoincrement=True,
)  # fmt: skip

_REFUSE = "the journal is append-only"
_ABORT = f"BEGIN SELECT RAISE(ABORT, '{_REFUSE}'); END"
_SQLITE = (
    f"CREATE TRIGGER IF NOT EXISTS entries_no_update BEFORE UPDATE ON entries {_ABORT}",
    f"CREATE TRIGGER IF NOT EXISTS entries_no_delete BEFORE DELETE ON entries {_ABORT}",
    # INSERT OR REPLACE deletes without asking the trigger above
    "CREATE TRIGGER IF NOT EXISTS entries_no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries "
    "WHERE id = NEW.id OR request_id = NEW.request_id OR supersedes = NEW.supersedes) " + _ABORT,
    f"CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit {_ABORT}",
    f"CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit {_ABORT}",
    "CREATE TRIGGER IF NOT EXISTS audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit "
    "WHERE id = NEW.id) " + _ABORT,
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSE}'; END $$",
    "CREATE OR REPLACE TRIGGER entries_no_change BEFORE UPDATE OR DELETE ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_refuse()",
    "CREATE OR REPLACE TRIGGER entries_no_truncate BEFORE TRUNCATE ON entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION entries_refuse()",
    "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION entries_refuse()",
    "CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION entries_refuse()",
)
TRIGGERS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
_LOCK = 7_301_001  # of PostgreSQL's advisory locks, while the table is made


def open_database(url: str) -> Engine:
    """Connect, and make the tables and their triggers where they are not there yet (safe for several at once)."""
    engine = create_engine(url)
    if engine.dialect.name not in TRIGGERS:
        raise ArgumentError(f"The journal cannot be kept append-only on {engine.dialect.name}")
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            _make(connection)
        return engine
    path = make_url(url).database or ""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    with FileLock(f"{path}.lock"):  # switching to WAL does not wait for others
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL")
        with engine.begin() as connection:
            _make(connection)
    return engine


def _make(connection: Connection) -> None:
    METADATA.create_all(connection)
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def _configure(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for setting in ("busy_timeout=60000", "foreign_keys=ON", "synchronous=FULL", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    # a writer takes its lock at once: a reader that becomes a writer would fail instead of waiting
    writes = connection.get_execution_options().get("reads") is not True
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
