"""Local accounts of a small team: passwords as argon2 hashes, sessions kept here, so that signing out ends them.

Everything lies in one SQLite file of the workspace's state that this user alone may read. Guesses are slowed down for
an account and for an address, also over a restart. A session is a random number of which only a hash is stored.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import (
    Column,
    Engine,
    Float,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    insert,
    select,
    update,
)

from spm_models.access import same_login
from spm_models.errors import AccessDeniedError

SESSION_SECONDS = 10 * 3600
SHORTEST, LONGEST = 10, 1000  #: signs of a password
WINDOW_SECONDS, LONGEST_WAIT = 15 * 60, 15 * 60
#: Wrong guesses before one has to wait: of an account, and of an address (behind which many people may sit).
FREE_GUESSES = {"login": 5, "address": 30}

_META = MetaData()
_USERS = Table(
    "users", _META,
    Column("login", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("disabled_at", Float),
)  # fmt: skip
_SESSIONS = Table(
    "sessions", _META,
    Column("digest", String, primary_key=True),
    Column("login", String),  # none: opened on this machine's terminal
    Column("person", String, nullable=False),
    Column("ends_at", Float, nullable=False),
)  # fmt: skip
_GUESSES = Table("guesses", _META, Column("what", String, nullable=False), Column("at", Float, nullable=False))


@dataclass(frozen=True)
class Account:
    """An account, and whether it is usable."""

    login: str
    person: str
    usable: bool


@dataclass(frozen=True)
class OpenSession:
    """A session that has not ended: its name (the hash of its number), whose it is, and until when."""

    name: str
    person: str
    ends_at: float


class TooManyAttemptsError(AccessDeniedError):
    """Somebody guesses, or has forgotten: wait before the next attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many attempts", found=f"{seconds:.0f} seconds to wait")
        self.seconds = seconds


class Accounts:
    """The accounts and sessions of one workspace.

    Parameters
    ----------
    file : Path
        SQLite file; made with the first account or session.
    clock : callable
        Seconds since 1970.

    Examples
    --------
    >>> import tempfile
    >>> accounts = Accounts(Path(tempfile.mkdtemp()) / "accounts.db")
    >>> accounts.add("elif", "correct horse battery", person="m1")
    >>> session = accounts.sign_in("Elif", "correct horse battery", "127.0.0.1")
    >>> accounts.session(session).person, accounts.session("guessed")
    ('m1', None)
    >>> accounts.close(session); accounts.session(session) is None
    True
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.file, self.clock = file, clock
        self._hasher = PasswordHasher()

    def add(self, login: str, password: str, *, person: str) -> None:
        """Make an account for a person.

        Raises
        ------
        AccessDeniedError
            When the login is taken or empty, or the password too short.
        """
        if not _plain(login):
            raise AccessDeniedError("A login must not be empty", remedy="Give an e-mail address or an id.")
        if any(same_login(login, known.login) for known in self.listed()):
            raise AccessDeniedError(
                "This login is taken", found=login, remedy="Choose another, or `spm users password`."
            )
        row = {"login": _plain(login), "person": person, "hash": self._hash(password), "disabled_at": None}
        with self._engine.begin() as connection:
            connection.execute(insert(_USERS).values(row))

    def set_password(self, login: str, password: str) -> None:
        """Give a new password; open sessions end, and the account is usable (again)."""
        known, hashed = self._known(login), self._hash(password)
        with self._engine.begin() as connection:
            connection.execute(update(_USERS).where(_USERS.c.login == known).values(hash=hashed, disabled_at=None))
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.login == known))
            connection.execute(delete(_GUESSES).where(_GUESSES.c.what == f"login {known}"))

    def disable(self, login: str) -> None:
        """Let nobody sign in any more; open sessions end at once."""
        known = self._known(login)
        with self._engine.begin() as connection:
            connection.execute(update(_USERS).where(_USERS.c.login == known).values(disabled_at=self.clock()))
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.login == known))

    def listed(self) -> list[Account]:
        """Every account, by login."""
        if not self.file.is_file():
            return []
        with self._engine.connect() as connection:
            rows = connection.execute(select(_USERS).order_by(_USERS.c.login))
            return [Account(row.login, row.person, row.disabled_at is None) for row in rows]

    def sign_in(self, login: str, password: str, address: str) -> str | None:
        """A new session; None when login and password do not belong together. Both take equally long.

        Raises
        ------
        TooManyAttemptsError
            When too many guesses were made.
        """
        if wait := self.wait(login, address):
            raise TooManyAttemptsError(wait)
        known = next((one.login for one in self.listed() if one.usable and same_login(login, one.login)), None)
        right = self._right(self._hash_of(known) if known else self._dummy, password)
        if not right or known is None:
            self._guessed(login, address)
            return None
        with self._engine.begin() as connection:
            connection.execute(delete(_GUESSES).where(_GUESSES.c.what == f"login {known}"))
            person = connection.execute(select(_USERS.c.person).where(_USERS.c.login == known)).scalar_one()
        return self.open_session(str(person), login=known)

    def open_session(self, person: str, *, login: str | None = None) -> str:
        """Open a session for a person whom the caller knows to be there; returns its number."""
        number, now = secrets.token_urlsafe(32), self.clock()
        row = {"digest": _digest(number), "login": login, "person": person, "ends_at": now + SESSION_SECONDS}
        with self._engine.begin() as connection:
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.ends_at <= now))
            connection.execute(insert(_SESSIONS).values(row))
        return number

    def session(self, number: str) -> OpenSession | None:
        """An open session by its number; None when it is unknown, ended, or its account disabled."""
        return self.named(_digest(number))

    def named(self, name: str) -> OpenSession | None:
        """An open session by its name."""
        if not self.file.is_file():
            return None
        query = (
            select(_SESSIONS.c.person, _SESSIONS.c.ends_at)
            .outerjoin(_USERS, _USERS.c.login == _SESSIONS.c.login)
            .where(_SESSIONS.c.digest == name, _SESSIONS.c.ends_at > self.clock())
            .where(_SESSIONS.c.login.is_(None) | (_USERS.c.login.is_not(None) & _USERS.c.disabled_at.is_(None)))
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else OpenSession(name, str(found.person), float(found.ends_at))

    def close(self, number: str) -> None:
        """End a session."""
        with self._engine.begin() as connection:
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.digest == _digest(number)))

    def wait(self, login: str, address: str) -> float:
        """Seconds until the next attempt; it doubles with each wrong one after the first few."""
        if not self.file.is_file():
            return 0.0
        now, longest = self.clock(), 0.0
        with self._engine.connect() as connection:
            for kind, value in (("login", self._counted(login)), ("address", address)):
                query = select(func.count(), func.max(_GUESSES.c.at)).where(
                    _GUESSES.c.what == f"{kind} {value}", _GUESSES.c.at > now - WINDOW_SECONDS
                )
                number, last = connection.execute(query).one()
                if (over := number - FREE_GUESSES[kind]) >= 0:
                    longest = max(longest, last + min(2.0**over, LONGEST_WAIT) - now)
        return longest

    def _counted(self, login: str) -> str:
        """The name under which guesses are counted: however an account's login is spelled, it is one."""
        known = (one.login for one in self.listed() if same_login(login, one.login))
        return next(known, _plain(login).casefold())

    def _guessed(self, login: str, address: str) -> None:
        now = self.clock()
        with self._engine.begin() as connection:
            connection.execute(delete(_GUESSES).where(_GUESSES.c.at < now - WINDOW_SECONDS))
            rows = [{"what": f"login {self._counted(login)}", "at": now}, {"what": f"address {address}", "at": now}]
            connection.execute(insert(_GUESSES), rows)

    def _right(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password[:LONGEST])
        except Argon2Error:
            return False

    @cached_property
    def _dummy(self) -> str:
        """What an unknown login is checked against, so that its answer takes as long."""
        return self._hasher.hash(secrets.token_urlsafe(16))

    def _hash(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise AccessDeniedError("The password is too short or too long", found=f"{len(password)} signs",
                                    remedy=f"Use {SHORTEST} to {LONGEST} signs.")  # fmt: skip
        return self._hasher.hash(password)

    def _hash_of(self, login: str) -> str:
        with self._engine.connect() as connection:
            return str(connection.execute(select(_USERS.c.hash).where(_USERS.c.login == login)).scalar_one())

    def _known(self, login: str) -> str:
        for known in self.listed():
            if same_login(login, known.login):
                return known.login
        raise AccessDeniedError("There is no such account", found=login, remedy="`spm users list` shows them.")

    @cached_property
    def _engine(self) -> Engine:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        self.file.chmod(0o600)
        engine = create_engine(f"sqlite:///{self.file}", connect_args={"timeout": 30})
        _META.create_all(engine)
        return engine


def _digest(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()


def _plain(login: str) -> str:
    return unicodedata.normalize("NFKC", login.strip())[:200]
