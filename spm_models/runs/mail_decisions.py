"""What people decide about mails: send one once more, drop one, say that one arrived; and look at them before."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from spm_models.errors import RunError
from spm_models.published import current_run
from spm_models.published.reader import read_manifest
from spm_models.runs.delivery import Delivered, Today, alone, send_due
from spm_models.runs.ledger import Ledger
from spm_models.runs.letters import altered, letter_of
from spm_models.runs.mail_owed import is_copy, owed, unreached
from spm_models.runs.outbox import FAILED, NO_ADDRESS, SENT, Mail, Outbox
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Trial:
    """What would be mailed: files in a folder, and who could not be reached."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def send_now(workspace: Workspace, ledger: Ledger, *, today: date | None = None) -> Delivered:
    """Send what is due.

    Raises
    ------
    RunError
        When mail is not enabled.
    """
    _enabled(workspace)
    return send_due(workspace, ledger, today=today)


def release(workspace: Workspace, ledger: Ledger, numbers: Iterable[int], *, today: date | None = None) -> Delivered:
    """Send held or failed mails once more, each under its own Message-ID; no number means all failed ones.

    Parameters
    ----------
    workspace : Workspace
    ledger : Ledger
    numbers : iterable of int
    today : datetime.date, optional

    Raises
    ------
    RunError
        When there is no such mail, it was sent already, or it waits for another one.
    """
    _enabled(workspace)
    outbox, chosen = Outbox(ledger), sorted(set(numbers))
    with alone(workspace):
        outbox.hold_left_behind()
        mails = [outbox.get(number) for number in chosen] or outbox.rows(states=(FAILED,))
        for mail in mails:
            if mail.after is not None and outbox.get(mail.after).state != SENT:
                raise RunError(
                    "This mail waits for another one: the rep reads his report first", where=f"mail {mail.id}",
                    remedy=f"See to mail {mail.after} first.",
                )  # fmt: skip
        for mail in mails:
            outbox.release(mail, _person())
    return send_due(workspace, ledger, today=today, only={mail.id for mail in mails}) if mails else Delivered()


def drop(workspace: Workspace, ledger: Ledger, number: int, *, arrived: bool, today: date | None = None) -> Mail:
    """Never send a mail, nor the manager's copy that waits for it; or note that a held one did arrive.

    Parameters
    ----------
    workspace : Workspace
    ledger : Ledger
    number : int
    arrived : bool
        Its reader has it: it counts as sent today, and the manager's copy follows after its delay.
    today : datetime.date, optional

    Raises
    ------
    RunError
        When there is no such mail, or its state does not allow it.
    """
    outbox = Outbox(ledger)
    with alone(workspace):
        outbox.hold_left_behind()
        mail = outbox.get(number)
        if arrived:
            now = Today.of(workspace, today)
            outbox.arrived(mail, _person(), now.sending(outbox, mail), now.copies_from(workspace, outbox, mail))
        else:
            outbox.drop(mail, _person())
    return outbox.get(number)


def dry_run(workspace: Workspace, ledger: Ledger, folder: Path, *, today: date | None = None) -> Trial:
    """Write the mails that are due, and those of the last run that nobody has yet, as files; send and record nothing.

    Parameters
    ----------
    workspace : Workspace
        Mail need not be enabled, so that it can be looked at before.
    ledger : Ledger
    folder : Path
        Made for its owner alone; each file's name begins with the day on which the mail would go.
    today : datetime.date, optional
    """
    outbox = Outbox(ledger)
    now, notes, files = Today.of(workspace, today), list[str](), list[Path]()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mails = [*outbox.due(now.day, datetime.now(UTC)), *_of_the_last_run(workspace, ledger, outbox)]
    for mail in mails:
        new = mail.id is None
        copy = is_copy(mail)
        day, later = now.sending(outbox, mail), now.copies_from(workspace, outbox, mail)
        goes = later if new and copy else now.day
        why = altered(mail)
        if why or mail.state == NO_ADDRESS:
            notes += [f"{mail.report} of {mail.about}: {why}"] if why else []
            continue
        other = (day if copy else later) if new else outbox.other_day(mail, later)
        file = folder / f"{goes.isoformat()}-{_plain(mail)}.eml"
        file.touch(mode=0o600)
        file.write_bytes(letter_of(workspace, mail, other, datetime.now(UTC)).as_bytes())
        files.append(file)
    return Trial(tuple(sorted(files)), (*notes, *(f"No mail: {who}." for who in unreached(mails))))


def _of_the_last_run(workspace: Workspace, ledger: Ledger, outbox: Outbox) -> Iterator[Mail]:
    """Mails of the published run that are not in the outbox."""
    run_id = current_run(workspace)
    if run_id is None:
        return
    manifest = read_manifest(workspace.published_dir / "runs" / run_id)
    there = {mail.key for mail in outbox.rows()}
    mails = owed(workspace, manifest, ledger.reports(run_id))
    reps = {mail.about for mail in mails if mail.role == "rep" and mail.state != NO_ADDRESS}
    for mail in mails:
        if mail.key not in there and (not is_copy(mail) or mail.about in reps):
            yield mail


def _plain(mail: Mail) -> str:
    about = "".join(char if char.isascii() and char.isalnum() else "-" for char in mail.about)[:40]
    return f"{mail.report.replace('_', '-')}-{about}-{mail.role}-{mail.message_id[1:9]}"


def _enabled(workspace: Workspace) -> None:
    if not workspace.settings.mail.enabled:
        raise RunError(
            "Mail is not enabled", where=f"{workspace.root / 'spm.toml'} [mail]",
            remedy="Set enabled = true with host and sender; `spm mail send --dry-run DIR` shows the mails before.",
        )  # fmt: skip


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "somebody without a name"
