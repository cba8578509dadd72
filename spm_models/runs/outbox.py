"""The outbox: one row for each mail that somebody is owed, with what became of it.

A mail is claimed (``sending``, committed) before it is given to a server, so that a killed run leaves a trace: what it
leaves in ``sending`` may have arrived and is held for a person. Nothing here sends; nothing is ever sent twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from spm_models.credentials import redact
from spm_models.errors import RunError
from spm_models.runs.ledger import HOLDER, Base, Ledger

WAITING, SENDING, SENT, FAILED, HELD = "waiting", "sending", "sent", "failed", "held"
NO_ADDRESS, DROPPED = "no_address", "dropped"
STATES = (FAILED, HELD, NO_ADDRESS, SENDING, WAITING, SENT, DROPPED)  #: as people want to see them
UNSENT = (WAITING, FAILED, NO_ADDRESS)  #: surely with nobody yet
BACK_OFF = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4), timedelta(hours=12))
TRIES = len(BACK_OFF) + 1
_AWAY = timedelta(hours=2)  #: after which a sender on another machine is taken for dead


class Mail(Base):
    """One report for one reader and period."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("report", "about", "role", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    report: Mapped[str]
    about: Mapped[str]
    role: Mapped[str]  # as what the reader gets it: rep | manager | executive
    period: Mapped[str]
    run_id: Mapped[str]
    as_of: Mapped[str]
    person: Mapped[str]
    reader: Mapped[str]  # name of that person,
    name: Mapped[str]  # and of whom it is about
    address: Mapped[str | None]
    locale: Mapped[str]
    html: Mapped[str | None]
    pdf: Mapped[str | None]
    sha256: Mapped[str | None]
    pdf_sha256: Mapped[str | None]
    message_id: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    after: Mapped[int | None]  # the mail that must have been sent before
    not_before: Mapped[str | None]  # a day; of a mail after another it is set when that one is sent
    attempts: Mapped[int]
    try_after: Mapped[str | None]  # of a failed one; None: only when a person says so
    error: Mapped[str | None]
    decided: Mapped[str | None]  # by whom it was released or dropped, and when
    holder: Mapped[str | None]
    changed_at: Mapped[str]
    sent_on: Mapped[str | None]  # the company's day

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What is unique."""
        return self.report, self.about, self.role, self.period


_COUNTS = select(Mail.state, func.count()).group_by(Mail.state)


class Outbox:
    """All mails of a workspace.

    Parameters
    ----------
    ledger : Ledger
        Whose database holds them.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        try:
            self._make()
        except RunError:  # two processes made it at the same moment, or it is really damaged
            self._make()

    def _make(self) -> None:
        with self.ledger.session() as session:
            Base.metadata.create_all(session.connection())

    def rows(self, *, states: Iterable[str] = STATES, report: str | None = None) -> list[Mail]:
        """Mails in some states: failed and held first, then by number."""
        wanted = list(states)
        query = select(Mail).where(Mail.state.in_(wanted)).order_by(Mail.id)
        query = query.where(Mail.report == report) if report else query
        with self.ledger.session() as session:
            return sorted(session.scalars(query), key=lambda mail: STATES.index(mail.state))

    def get(self, number: int) -> Mail:
        """One mail.

        Raises
        ------
        RunError
            When there is none of this number.
        """
        with self.ledger.session() as session:
            found = session.get(Mail, number)
        if found is None:
            raise RunError("There is no such mail", found=number, remedy="`spm mail show` lists them with their ID.")
        return found

    def counts(self) -> dict[str, int]:
        """How many mails are in each state."""
        with self.ledger.session() as session:
            found = {state: count for state, count in session.execute(_COUNTS)}  # noqa: C416 – rows are no pairs
        return dict.fromkeys(STATES, 0) | found

    def last_day(self) -> date | None:
        """The latest day on which anything was sent: no clock that goes back makes it earlier."""
        with self.ledger.session() as session:
            found = session.scalar(select(func.max(Mail.sent_on)))
        return date.fromisoformat(found) if found else None

    def due(self, today: date, now: datetime) -> list[Mail]:
        """Mails to be sent now: reps' own first, so that nobody is read about before he can read it himself."""
        before = aliased(Mail)
        first_sent = select(before.id).where(before.id == Mail.after, before.state == SENT).exists()
        again = (Mail.state == FAILED) & (Mail.try_after <= _text(now))
        query = (
            select(Mail)
            .where((Mail.state == WAITING) | again)
            .where(or_(Mail.after.is_(None), first_sent & Mail.not_before.is_not(None)))
            .where(or_(Mail.not_before.is_(None), Mail.not_before <= today.isoformat()))
            .order_by(Mail.after.is_not(None), Mail.role != "rep", Mail.id)
        )
        with self.ledger.session() as session:
            return list(session.scalars(query))

    def other_day(self, mail: Mail, others_from: date) -> date | None:
        """Of a mail that others wait for: the day from which they may go, if there are any. Else the other's day."""
        if mail.after is not None:
            first = self.get(mail.after)
            return date.fromisoformat(first.sent_on) if first.sent_on else None
        waiting = select(Mail.id).where(Mail.after == mail.id, Mail.state.in_((WAITING, FAILED))).limit(1)
        with self.ledger.session() as session:
            return others_from if session.scalars(waiting).first() is not None else None

    def claim(self, mail: Mail) -> bool:
        """Take a mail for sending; False when another sender was faster. Committed before anything is sent."""
        with self.ledger.session() as session:
            taken = session.execute(
                update(Mail)
                .where(Mail.id == mail.id, Mail.state.in_((WAITING, FAILED)), Mail.attempts == mail.attempts)
                .values(state=SENDING, attempts=Mail.attempts + 1, holder=HOLDER, error=None, changed_at=now_text())
            )
            return bool(getattr(taken, "rowcount", 0))

    def sent(self, mail: Mail, day: date, others_from: date) -> None:
        """Note that the server took a mail, and from which day on those that waited for it may go."""
        with self.ledger.session() as session:
            _change(session, mail.id, state=SENT, sent_on=day.isoformat(), try_after=None, error=None)
            session.execute(
                update(Mail).where(Mail.after == mail.id, Mail.state.in_(UNSENT)).values(
                    not_before=others_from.isoformat()
                )
            )  # fmt: skip

    def failed(self, mail: Mail, why: str, now: datetime, *, again: bool, claimed: bool = True) -> None:
        """Note that no server took a mail, and when the next try may be, if there may be one."""
        tries = mail.attempts + 1
        later = now + BACK_OFF[tries - 1] if again and tries < TRIES else None
        with self.ledger.session() as session:
            query = update(Mail).where(Mail.id == mail.id).where(Mail.state.in_((SENDING,) if claimed else UNSENT))
            session.execute(
                query.values(state=FAILED, attempts=tries, error=redact(why), try_after=_text(later) if later else None,
                             changed_at=now_text())
            )  # fmt: skip

    def hold(self, mail: Mail, why: str) -> None:
        """Note that a person has to decide about a mail."""
        with self.ledger.session() as session:
            _change(session, mail.id, state=HELD, error=redact(why), try_after=None)

    def hold_left_behind(self) -> int:
        """Hold what senders left in the middle; only for whoever holds the lock of sending."""
        long_ago = _text(datetime.now(UTC) - _AWAY)
        ours = Mail.holder.startswith(HOLDER.rpartition(":")[0] + ":", autoescape=True)
        query = update(Mail).where(Mail.state == SENDING).where(or_(ours, Mail.changed_at < long_ago))
        why = "The sender was stopped in the middle: it may have arrived, or not."
        with self.ledger.session() as session:
            done = session.execute(query.values(state=HELD, error=why, try_after=None, changed_at=now_text()))
            return int(getattr(done, "rowcount", 0))

    def release(self, mail: Mail, by: str) -> None:
        """Let a mail be sent once more, by a person's decision."""
        self._decide(mail, (HELD, FAILED), by, "released", state=WAITING, attempts=0, try_after=None, error=None)

    def drop(self, mail: Mail, by: str) -> None:
        """Never send a mail, nor what waits for it."""
        self._decide(mail, (HELD, *UNSENT), by, "dropped", state=DROPPED, try_after=None)
        with self.ledger.session() as session:
            waiting = update(Mail).where(Mail.after == mail.id, Mail.state.in_((HELD, *UNSENT)))
            session.execute(waiting.values(state=DROPPED, decided=_decided("dropped", by), changed_at=now_text()))

    def arrived(self, mail: Mail, by: str, day: date, others_from: date) -> None:
        """Take a held mail for sent, because its reader has it."""
        self._decide(mail, (HELD,), by, "arrived", state=SENT, error=None)
        self.sent(mail, day, others_from)

    def _decide(self, mail: Mail, states: Iterable[str], by: str, word: str, **values: object) -> None:
        query = update(Mail).where(Mail.id == mail.id, Mail.state.in_(list(states)))
        with self.ledger.session() as session:
            done = session.execute(query.values(decided=_decided(word, by), changed_at=now_text(), **values))
        if not getattr(done, "rowcount", 0):
            raise RunError(
                f"This mail cannot be {word}", where=f"mail {mail.id}", found=self.get(mail.id).state,
                remedy=f"Only {' or '.join(states)} ones can; `spm mail show` tells how each stands.",
            )  # fmt: skip


def _change(session: Session, number: int, **values: object) -> None:
    session.execute(update(Mail).where(Mail.id == number).values(changed_at=now_text(), **values))


def _decided(word: str, by: str) -> str:
    return f"{word} by {by} at {now_text()[:16]} UTC"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def now_text() -> str:
    """This moment in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
