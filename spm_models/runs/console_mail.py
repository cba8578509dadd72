"""What a terminal shows of mails."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.runs.delivery import Delivered
from spm_models.runs.mail_decisions import Trial
from spm_models.runs.outbox import DROPPED, FAILED, HELD, NO_ADDRESS, SENDING, SENT, STATES, WAITING, Mail, Outbox

_out = Console(highlight=False)
_STYLE = {FAILED: "red", HELD: "bold red", NO_ADDRESS: "red", SENT: "green", DROPPED: "dim"}
_REMEDY = {
    FAILED: "`spm mail send` tries again what may be tried; `spm mail release ID` sends once more, whatever it was.",
    HELD: "Ask the reader. Not there: `spm mail release ID`. There: `spm mail drop ID --arrived`.",
    NO_ADDRESS: "Correct the e-mail column of the table reps; the next run sees it.",
}


def show_outbox(outbox: Outbox, *, everything: bool, as_json: bool) -> None:
    """``spm mail show``."""
    states = STATES if everything or as_json else tuple(state for state in STATES if state not in (SENT, DROPPED))
    mails = outbox.rows(states=states)
    if as_json:
        print(json.dumps([_facts(mail) for mail in mails], indent=2, ensure_ascii=False))  # noqa: T201
        return
    counts = outbox.counts()
    _out.print(", ".join(f"{counts[state]} {state.replace('_', ' ')}" for state in STATES))
    if mails:
        _out.print(_table(mails))
    for state, remedy in _REMEDY.items():
        if counts[state]:
            _out.print(f"[bold]{state.replace('_', ' ')}[/]: {escape(remedy)}", soft_wrap=True)


def show_delivered(done: Delivered) -> bool:
    """After sending: what went out and what did not; whether nothing is left for a person to see to."""
    _out.print(f"{_several(done.sent)} sent, {done.waiting} waiting, {done.failed} failed, {done.held} held, "
               f"{done.no_address} without an address")  # fmt: skip
    for note in done.notes:
        _out.print(f"  {escape(note)}", soft_wrap=True)
    return not (done.failed or done.held)


def show_trial(trial: Trial, folder: Path) -> None:
    """After a dry run."""
    _out.print(f"{_several(len(trial.files))} written to {escape(str(folder))}; nothing was sent or recorded.",
               soft_wrap=True)  # fmt: skip
    for note in trial.notes:
        _out.print(f"  {escape(note)}", soft_wrap=True)


def say_dropped(mail: Mail) -> None:
    """After ``spm mail drop``."""
    about = f"{escape(mail.report)} of {escape(mail.about)} to {escape(mail.person)}"
    said = "counts as sent." if mail.state == SENT else "is never sent, nor what waited for it."
    _out.print(f"Mail {mail.id} ({about}) {said}", soft_wrap=True)


def _table(mails: Iterable[Mail]) -> Table:
    table = Table("id", "state", "what", "to", "when", "why")
    for column in table.columns[2:]:
        column.overflow = "fold"
    for mail in mails:
        table.add_row(
            str(mail.id), f"[{_STYLE.get(mail.state, 'default')}]{mail.state.replace('_', ' ')}[/]",
            escape(f"{mail.report.replace('_', ' ')} {mail.about} {mail.period}"),
            escape(f"{mail.person} ({mail.role}) {mail.address or ''}"), _when(mail), _why(mail),
        )  # fmt: skip
    return table


def _why(mail: Mail) -> str:
    tries = f"{mail.attempts} tries: " if mail.attempts > 1 and mail.state == FAILED else ""
    return escape("; ".join(filter(None, (tries + (mail.error or ""), mail.decided or ""))))


def _when(mail: Mail) -> str:
    if mail.state == SENT:
        return mail.sent_on or ""
    if mail.state == FAILED:
        return f"again after {_moment(mail.try_after)}" if mail.try_after else "not again by itself"
    if mail.state == WAITING:
        return f"from {mail.not_before}" if mail.not_before else (f"after mail {mail.after}" if mail.after else "now")
    return _moment(mail.changed_at) if mail.state in (HELD, SENDING) else ""


def _moment(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _facts(mail: Mail) -> dict[str, object]:
    names = ("id", "state", "report", "about", "role", "period", "run_id", "person", "address", "message_id", "after",
             "not_before", "attempts", "try_after", "error", "decided", "sent_on")  # fmt: skip
    return {name: getattr(mail, name) for name in names}


def _several(n: int) -> str:
    return f"{n:,} mail" + ("" if n == 1 else "s")
