"""Delivery: reports of a run go out by e-mail, each to its reader once; managers after their reps.

One process of a workspace sends at a time. A mail that the server surely did not take is tried again at later calls,
with growing pauses; one that may have arrived is held until a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from spm_models.errors import RunError, SpmError
from spm_models.published import Manifest
from spm_models.runs.console import Report as Progress
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.letters import altered, letter_of
from spm_models.runs.mail_owed import managers_day, owed, unreached
from spm_models.runs.mail_server import MailServer
from spm_models.runs.outbox import FAILED, HELD, NO_ADDRESS, SENT, WAITING, Mail, Outbox
from spm_models.runs.outbox_plan import Planned, put
from spm_models.workspace import Workspace

PATIENCE = 600.0  #: seconds to wait for another process that is sending
NOON = 12  #: what is sent from this hour on is read the next day
BELIEVED = timedelta(days=31)  #: a clock may have been so far ahead; what is later was never a day of ours
NAMED = 3  #: so many mails with the same fault are named one by one


@dataclass(frozen=True)
class Delivered:
    """How mail stands: what this call sent, and all that is still open.

    Parameters
    ----------
    sent : int
        Mails that the server took in this call.
    waiting, held, failed, no_address : int
        Mails of the workspace that wait for their day, for a person, for another try, or for an address.
    notes : tuple of str
        What a person should know: why mails were not sent, and to whom none can be sent.
    """

    sent: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    no_address: int = 0
    notes: tuple[str, ...] = ()


def deliver(
    workspace: Workspace, ledger: Ledger, manifest: Manifest, rows: Iterable[Report], tell: Progress | None = None, *,
    today: date | None = None,
) -> Delivered:  # fmt: skip
    """Put the reports of a run into the outbox and send what is due; nothing where ``[mail]`` is not enabled.

    Reports of a run that looks back, after a weekly run over newer data, are not put in.

    Parameters
    ----------
    workspace : Workspace
    ledger : Ledger
    manifest : Manifest
        Of the run; its published people say who gets what.
    rows : iterable of Report
        Its reports; failed ones are not mailed.
    tell : callable, optional
        Told ``("mails", done, total)``.
    today : datetime.date, optional
        The company's day; without it by the clock and the company's time zone.

    Returns
    -------
    Delivered

    Raises
    ------
    RunError
        When another process does not end sending. What is wrong with a mail or the server is in the notes, no error.
    """
    if not workspace.settings.mail.enabled:
        return Delivered()
    with alone(workspace):
        outbox = Outbox(ledger)
        mails = [] if _looks_back(ledger, manifest) else owed(workspace, manifest, rows)
        planned = put(outbox, mails, lambda day: managers_day(workspace, day))
        done = _send(workspace, outbox, tell or _quiet, today)
    return replace(done, notes=(*done.notes, *_told(planned, mails, manifest.run_id)))


def send_due(
    workspace: Workspace, ledger: Ledger, tell: Progress | None = None, *, today: date | None = None,
    only: Collection[int] = (),
) -> Delivered:  # fmt: skip
    """Send what is due now: managers' copies whose day has come, and what failed for a cause that passes.

    Parameters
    ----------
    workspace, ledger, tell, today
        As for :func:`deliver`.
    only : collection of int
        Mails to be sent, if they are due; without it all.
    """
    if not workspace.settings.mail.enabled:
        return Delivered()
    with alone(workspace):
        return _send(workspace, Outbox(ledger), tell or _quiet, today, only)


@dataclass(frozen=True)
class Today:
    """The company's day, and whether most of its working hours are over."""

    day: date
    late: bool = False

    @classmethod
    def of(cls, workspace: Workspace, given: date | None = None) -> Today:
        """By the clock in the company's time zone; a given day has just begun."""
        if given is not None:
            return cls(given)
        now = datetime.now(ZoneInfo(workspace.settings.company.time_zone))
        return cls(now.date(), now.hour >= NOON)

    def sending(self, outbox: Outbox, mail: Mail) -> date:
        """The day that a mail counts as sent on: a later one if the clock went back.

        It is not before the day of the mail's data, nor before the last day of any mail, unless that lies so far
        ahead that it was the clock of that day which was wrong.
        """
        known = max(self.day, date.fromisoformat(mail.as_of))
        last = outbox.last_day()
        return last if last and known < last <= known + BELIEVED else known

    def copies_from(self, workspace: Workspace, outbox: Outbox, mail: Mail) -> date:
        """From which day on those who wait for a mail that is sent now may have it."""
        return managers_day(workspace, self.sending(outbox, mail), late=self.late)


def _send(
    workspace: Workspace, outbox: Outbox, tell: Progress, today: date | None, only: Collection[int] = ()
) -> Delivered:
    now = Today.of(workspace, today)
    notes = {"A mail was left in the middle by a sender that was stopped; it is held."} if (
        outbox.hold_left_behind()) else set()  # fmt: skip
    sent, tried = 0, set[int]()
    with MailServer(workspace) as server:
        while due := [mail for mail in outbox.due(now.day, datetime.now(UTC))
                      if mail.id not in tried and (not only or mail.id in only)]:  # fmt: skip
            for done, mail in enumerate(due):
                try:
                    server.connect()
                except SpmError as error:
                    for left in due[done:]:
                        outbox.failed(left, str(error), datetime.now(UTC), again=True, claimed=False)
                    return _standing(outbox, sent, notes)
                tried.add(mail.id)
                sent += _one(workspace, outbox, server, mail, now)
                tell("mails", done + 1, len(due))
    return _standing(outbox, sent, notes)


def _one(workspace: Workspace, outbox: Outbox, server: MailServer, mail: Mail, today: Today) -> bool:
    """Send one mail, whatever may be wrong with it; whether the server took it."""
    now = datetime.now(UTC)
    if why := altered(mail):
        outbox.hold(mail, why)
        return False
    others_from = today.copies_from(workspace, outbox, mail)
    try:
        message = letter_of(workspace, mail, outbox.other_day(mail, others_from), now)
    except Exception as error:  # noqa: BLE001 – one letter that cannot be written must not stop the others
        outbox.failed(mail, f"The mail could not be written: {error}", now, again=False, claimed=False)
        return False
    if not outbox.claim(mail):
        return False
    try:
        outcome = server.send(message, workspace.settings.mail.sender, mail.address or "")
    except SpmError as error:  # the server went away between two mails
        outbox.failed(mail, str(error), now, again=True)
        return False
    if outcome.state == SENT:
        outbox.sent(mail, today.sending(outbox, mail), others_from)
    elif outcome.state == HELD:
        outbox.hold(mail, outcome.said)
    else:
        outbox.failed(mail, outcome.said, now, again=outcome.again)
    return outcome.state == SENT


def _standing(outbox: Outbox, sent: int, notes: set[str]) -> Delivered:
    counts, wrong = outbox.counts(), defaultdict[tuple[str, str], list[Mail]](list)
    for mail in outbox.rows(states=(FAILED, HELD)):
        wrong[mail.state, mail.error or ""].append(mail)
    told = [f"{_several(mails)} {state}: {why}" for (state, why), mails in wrong.items()]
    return Delivered(
        sent, counts[WAITING], counts[HELD], counts[FAILED], counts[NO_ADDRESS], (*sorted(notes), *sorted(told))
    )


def _several(mails: list[Mail]) -> str:
    if len(mails) > NAMED:
        return f"{len(mails)} mails"
    return ", ".join(f"mail {mail.id} ({mail.report} of {mail.about} to {mail.person})" for mail in mails)


def _looks_back(ledger: Ledger, manifest: Manifest) -> bool:
    """Whether newer data were reported on before: the past is replayed, and nobody waits for its reports."""
    day = manifest.as_of.isoformat()
    return any(run.as_of is not None and run.as_of > day for run in ledger.runs(kind="weekly", status="done"))


def _told(planned: Planned, mails: list[Mail], run_id: str) -> Iterator[str]:
    """What a person should know of what was not put into the outbox."""
    yield from (f"No mail: {who}." for who in unreached(mails))
    if again := sum(mail.run_id != run_id for mail in planned.mailed):
        yield (f"Mailed before for their period, so not mailed again: {again}. Their new version is in the reports "
               "folder.")  # fmt: skip
    if planned.older:
        yield f"Older than what was mailed, so not mailed: {len(planned.older)}."


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Be the only one who sends from this workspace on this machine, or decides about its mails."""
    workspace.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace.state / "mail.lock")
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout as error:
        raise RunError(
            "Another process is sending mail", where=str(workspace.root),
            remedy="Wait until it is done; `spm mail show` tells how it goes, `spm mail send` sends the rest.",
        ) from error  # fmt: skip
    try:
        yield
    finally:
        lock.release()


def _quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
