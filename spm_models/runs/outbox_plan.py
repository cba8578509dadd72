"""Putting what is owed into the outbox: once for each reader and period, whatever is run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from spm_models.runs.mail_owed import is_copy
from spm_models.runs.outbox import DROPPED, FAILED, NO_ADDRESS, SENT, UNSENT, Mail, Outbox, now_text

_READER = ("person", "reader", "name", "address", "locale")
_FILES = ("run_id", "as_of", "html", "pdf", "sha256", "pdf_sha256")


@dataclass(frozen=True)
class Planned:
    """What was not put in: what was mailed (or is in doubt) already, and what is older than that."""

    mailed: tuple[Mail, ...] = ()
    older: tuple[Mail, ...] = ()


def put(outbox: Outbox, mails: Sequence[Mail], others_from: Callable[[date], date]) -> Planned:
    """Put mails into the outbox that are not there yet; bring what was surely not sent up to date.

    Parameters
    ----------
    outbox : Outbox
    mails : sequence of Mail
        Those that others wait for before those that wait.
    others_from : callable
        Day on which a mail was sent → day from which on those that wait for it may go.

    Returns
    -------
    Planned

    Notes
    -----
    A manager gets what his rep was sent, so once that is out, only who the manager is may still change. What was not
    sent of an earlier period is dropped when a newer one takes its place; what is older than the newest is not put in.
    """
    mailed: list[Mail] = []
    older: list[Mail] = []
    with outbox.ledger.session() as session:
        for mail in mails:
            found = session.scalars(_of_key(mail)).first()
            before = session.scalars(_of_key(mail, role="rep")).first() if is_copy(mail) else None
            if found is not None and found.state not in UNSENT:
                mailed.append(found)
            elif found is None and (_is_old(session, mail) or (is_copy(mail) and before is None)):
                older.append(mail)
            else:
                kept = _kept(session, found, mail, before)
                if before is not None:
                    _link(kept, before, others_from)
                else:
                    _drop_earlier(session, kept)
                session.flush()
    return Planned(tuple(mailed), tuple(older))


def _same(mail: Mail, role: str = "") -> Select[Mail]:
    return select(Mail).where(Mail.report == mail.report, Mail.about == mail.about, Mail.role == (role or mail.role))


def _of_key(mail: Mail, role: str = "") -> Select[Mail]:
    return _same(mail, role).where(Mail.period == mail.period)


def _is_old(session: Session, mail: Mail) -> bool:
    newer = _same(mail).where(Mail.as_of > mail.as_of, Mail.period != mail.period, Mail.state != DROPPED)
    return session.scalars(newer.limit(1)).first() is not None


def _kept(session: Session, found: Mail | None, mail: Mail, before: Mail | None) -> Mail:
    """The row of the outbox with the newest reader, and with the newest files unless somebody has read others."""
    kept = found or mail
    source = before if before is not None and before.state not in UNSENT else mail
    moved = kept.address != mail.address
    for field in _READER:
        setattr(kept, field, getattr(mail, field))
    for field in _FILES:
        setattr(kept, field, getattr(source, field))
    if mail.state == NO_ADDRESS or kept.state == NO_ADDRESS or (kept.state == FAILED and moved):
        kept.state, kept.error, kept.attempts, kept.try_after = mail.state, mail.error, 0, None
    kept.changed_at = now_text()
    session.add(kept)
    return kept


def _link(kept: Mail, before: Mail, others_from: Callable[[date], date]) -> None:
    kept.after = before.id
    if before.state == SENT and before.sent_on and kept.not_before is None:
        kept.not_before = others_from(date.fromisoformat(before.sent_on)).isoformat()


def _drop_earlier(session: Session, kept: Mail) -> None:
    unsent = _same(kept).where(Mail.period != kept.period, Mail.as_of < kept.as_of, Mail.state.in_(UNSENT))
    for mail in session.scalars(unsent):
        for left in (mail, *session.scalars(select(Mail).where(Mail.after == mail.id, Mail.state.in_(UNSENT)))):
            left.state, left.try_after, left.changed_at = DROPPED, None, now_text()
            left.error = f"the one of {kept.period} took its place"
