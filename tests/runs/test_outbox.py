"""The outbox sends no mail twice: not after a kill, not by two senders at once, only when a person decides so."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.errors import RunError
from spm_models.runs.delivery import deliver, send_due
from spm_models.runs.ledger import Ledger
from spm_models.runs.mail_decisions import drop, dry_run, release
from spm_models.runs.outbox import Outbox
from spm_models.workspace import Workspace

from .mail_company import (
    AS_OF,
    KEYS,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    cut,
    cut_after_taking,
    free_port,
    published,
    recorded,
    settings,
    written,
)

SENDER = """
import sys
from datetime import date
from spm_models.runs.delivery import send_due
from spm_models.runs.ledger import Ledger
from spm_models.workspace import Workspace
workspace = Workspace.open(sys.argv[1])
send_due(workspace, Ledger(workspace.ledger_url), today=date.fromisoformat(sys.argv[2]))
"""


def unreachable(workspace: Workspace, port: int) -> Workspace:
    """The same workspace with another port."""
    file = workspace.root / "spm.toml"
    file.write_text(settings(port), encoding="utf-8")
    return Workspace.open(workspace.root)


def queued(acme: tuple[Workspace, Ledger], port: int, keys: list[tuple[str, str]] = KEYS) -> tuple[Workspace, Ledger]:
    """Mails that wait, because there was no server when they were put into the outbox."""
    workspace, ledger = acme
    manifest = published(workspace)
    rows = written(workspace, manifest, keys)
    recorded(ledger, manifest, rows)
    deliver(unreachable(workspace, free_port()), ledger, manifest, rows, today=MONDAY)
    for mail in Outbox(ledger).rows(states=("failed",)):
        Outbox(ledger).release(mail, "test")
    return unreachable(workspace, port), ledger


def test_only_one_of_two_claims_succeeds(acme, server) -> None:
    _, ledger = queued(acme, server.port)
    first, second = Outbox(ledger), Outbox(Ledger(acme[0].ledger_url))
    (mail, *_) = first.due(MONDAY, _now())
    assert first.claim(mail) and not second.claim(mail)
    assert first.get(mail.id).state == "sending"


@pytest.mark.faults
def test_a_sender_killed_in_the_middle_of_a_mail_leaves_it_in_doubt_and_nobody_gets_it_twice(
    acme, faults, server
) -> None:
    workspace, ledger = queued(acme, server.port, KEYS[:2])
    faults.wait_in_data = True
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(workspace.root), MONDAY.isoformat()])
    assert faults.in_data.wait(60)
    sender.send_signal(signal.SIGKILL)
    assert sender.wait() == -signal.SIGKILL
    faults.wait_in_data = False
    faults.go_on.set()
    done = send_due(workspace, ledger, today=MONDAY)
    assert (done.sent, done.held) == (1, 1) and any("may have arrived" in note for note in done.notes)
    send_due(workspace, ledger, today=WEDNESDAY)
    sent = Counter((address, mail["Message-ID"]) for address, mail in faults.taken)
    assert set(sent.values()) == {1}
    assert faults.readers.count("r2@acme.example") == 1 and faults.readers.count("m1@acme.example") == 1


@pytest.mark.faults
def test_two_senders_at_once_send_each_mail_once(acme, faults, server) -> None:
    workspace, _ = queued(acme, server.port)
    command = [sys.executable, "-c", SENDER, str(workspace.root), MONDAY.isoformat()]
    senders = [subprocess.Popen(command) for _ in range(2)]
    assert [sender.wait(120) for sender in senders] == [0, 0]
    assert Counter(mail["Message-ID"] for _, mail in faults.taken).most_common(1)[0][1] == 1
    assert len(faults.taken) == 4


def test_senders_on_machines_that_share_no_lock_send_each_mail_once(acme, faults, server, monkeypatch) -> None:
    workspace, _ = queued(acme, server.port)
    monkeypatch.setattr("spm_models.runs.delivery.FileLock", lambda _: _NoLock())
    monkeypatch.setattr(Outbox, "hold_left_behind", lambda _: 0)  # the other machine's mails are not ours
    senders = [threading.Thread(target=send_due, args=(workspace, Ledger(workspace.ledger_url)),
                                kwargs={"today": MONDAY}) for _ in range(3)]  # fmt: skip
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(faults.taken) == 4 and len({mail["Message-ID"] for _, mail in faults.taken}) == 4


def test_a_held_mail_goes_once_more_under_its_name_when_a_person_says_so(acme, faults) -> None:
    workspace, ledger = acme
    faults.on["DATA"] = cut_after_taking
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    faults.on.clear()
    held, copy = Outbox(ledger).rows()
    with pytest.raises(RunError, match="reads his report first"):
        release(workspace, ledger, [copy.id], today=MONDAY)
    assert release(workspace, ledger, [held.id], today=MONDAY).sent == 1
    assert len({mail["Message-ID"] for _, mail in faults.taken}) == 1 and len(faults.taken) == 2
    assert "released by" in Outbox(ledger).get(held.id).decided
    with pytest.raises(RunError, match="cannot be released"):
        release(workspace, ledger, [held.id], today=MONDAY)
    assert send_due(workspace, ledger, today=TUESDAY).sent == 1
    with pytest.raises(RunError, match="no such mail"):
        release(workspace, ledger, [99])


@pytest.mark.parametrize("arrived", [True, False])
def test_a_held_mail_that_arrived_counts_as_sent_and_a_dropped_one_takes_the_copy_with_it(
    acme, faults, arrived
) -> None:
    workspace, ledger = acme
    faults.on["DATA"] = cut_after_taking
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    faults.on.clear()
    (held, _) = Outbox(ledger).rows()
    drop(workspace, ledger, held.id, arrived=arrived, today=MONDAY)
    assert [mail.state for mail in Outbox(ledger).rows()] == (["waiting", "sent"] if arrived else ["dropped"] * 2)
    assert send_due(workspace, ledger, today=MONDAY).sent == 0
    assert send_due(workspace, ledger, today=TUESDAY).sent == arrived
    with pytest.raises(RunError, match="cannot be"):
        drop(workspace, ledger, held.id, arrived=arrived)


def test_a_dry_run_writes_files_and_records_and_sends_nothing(acme, faults, tmp_path: Path) -> None:
    workspace, ledger = acme
    (workspace.root / "spm.toml").write_text(settings(1, enabled=False, sender=""), encoding="utf-8")
    workspace = Workspace.open(workspace.root)
    manifest = published(workspace)
    recorded(ledger, manifest, written(workspace, manifest))
    trial = dry_run(workspace, ledger, tmp_path / "mails", today=MONDAY)
    assert [(file.name[:10], file.stat().st_mode & 0o077) for file in trial.files] == (
        [("2026-07-06", 0)] * 4 + [("2026-07-07", 0)] * 2
    )
    read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in trial.files]
    assert [mail["To"].addresses[0].addr_spec for mail in read[4:]] == ["m1@acme.example"] * 2
    assert Outbox(ledger).rows() == [] and not faults.taken


def test_a_dry_run_shows_what_is_due_and_not_what_was_sent(acme, tmp_path: Path) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    rows = written(workspace, manifest)
    recorded(ledger, manifest, rows)
    deliver(workspace, ledger, manifest, rows, today=MONDAY)
    before = [(mail.id, mail.state) for mail in Outbox(ledger).rows()]
    assert dry_run(workspace, ledger, tmp_path / "monday", today=MONDAY).files == ()
    assert len(dry_run(workspace, ledger, tmp_path / "tuesday", today=TUESDAY).files) == 2
    assert [(mail.id, mail.state) for mail in Outbox(ledger).rows()] == before


def test_the_same_mail_has_the_same_name_in_another_outbox(acme, tmp_path: Path, server) -> None:
    workspace, ledger = acme
    names = []
    for number, place in enumerate((ledger, Ledger(tmp_path / "other.db"))):
        manifest = published(workspace, f"run-{number}")
        deliver(workspace, place, manifest, written(workspace, manifest), today=MONDAY)
        names.append({mail.message_id for mail in Outbox(place).rows()})
    assert names[0] == names[1] and len(names[0]) == 6
    later = published(workspace, "run-9", AS_OF + timedelta(days=7))
    deliver(workspace, ledger, later, written(workspace, later), today=MONDAY)
    assert (
        len({mail.message_id for mail in Outbox(ledger).rows()}) == 11
    )  # the month of the executive report is the same


def test_the_command_shows_what_a_person_has_to_see_first(acme, faults, tmp_path: Path) -> None:
    workspace, ledger = acme
    faults.on["RCPT"] = lambda _, address: "550 [bold]no[/] \x1b[31m such user" if address.startswith("r1") else None
    faults.on["DATA"] = lambda server, envelope: (
        cut_after_taking(server, envelope) if envelope.rcpt_tos[0].startswith("r2") else None
    )
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    run, where = CliRunner(), ["-w", str(workspace.root)]
    shown = run.invoke(app, ["mail", "show", *where], terminal_width=200)
    assert "1 failed, 1 held" in shown.output and "spm mail release" in shown.output and "\x1b[31m" not in shown.output
    listed = json.loads(run.invoke(app, ["mail", "show", "--json", *where]).output)
    assert [row["state"] for row in listed] == ["failed", "held", "waiting", "waiting", "sent", "sent"]
    assert listed[0]["error"] == "550 [bold]no[/] [31m such user"
    sent = run.invoke(app, ["mail", "send", *where])
    assert sent.exit_code == 1 and "0 mails sent" in sent.output and "1 failed" in sent.output
    assert "counts as sent" in run.invoke(app, ["mail", "drop", str(listed[1]["id"]), "--arrived", *where]).output
    faults.on.clear()
    released = run.invoke(app, ["mail", "release", "--failed", *where])
    assert released.exit_code == 0 and "1 mail sent" in released.output, released.output
    tried = run.invoke(app, ["mail", "send", "--dry-run", str(tmp_path / "dry"), *where])
    assert tried.exit_code == 0 and "nothing was sent" in tried.output


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_server_does_nobody_gets_a_mail_twice_and_no_manager_before_his_rep(
    acme, faults, seed: int, monkeypatch
) -> None:
    chance, days = random.Random(seed), [MONDAY + timedelta(days=n) for n in range(5)]
    workspace, ledger = acme
    manifest = published(workspace)
    rows = written(workspace, manifest)
    taken_on: list[date] = []
    answers = [*[None] * 5, "450 later", "421 busy", "550 no", "451 not now"]
    for day in days:
        for step in range(4):
            faults.on = {"EHLO": _moody(chance, [None], cut), "RCPT": _moody(chance, answers, cut)}
            faults.on["DATA"] = _moody(chance, answers, chance.choice([cut, cut_after_taking]))
            _at(monkeypatch, 24 * days.index(day) + 5 * step)
            if chance.random() < 0.5:
                deliver(workspace, ledger, manifest, rows, today=day)
            else:
                send_due(workspace, ledger, today=day)
            taken_on += [day] * (len(faults.taken) - len(taken_on))
    first: dict[tuple[str, str], date] = {}
    for (address, mail), day in zip(faults.taken, taken_on, strict=True):
        assert (address, mail["Message-ID"]) not in first
        first[address, mail["Message-ID"]] = day
    by_name = {mail.message_id: mail for mail in Outbox(ledger).rows()}
    for (_, name), day in first.items():
        mail = by_name[name]
        assert mail.state in ("sent", "held")
        if mail.after is not None:
            assert first[_address(ledger, mail.after)] < day
    assert all(mail.attempts <= 5 for mail in by_name.values())
    assert 1 <= Outbox(ledger).counts()["sent"] <= len(faults.taken)


def _moody(chance: random.Random, answers: list[str | None], broken: Callable[..., str]) -> Callable[..., str | None]:
    def answer(server: object, value: object) -> str | None:
        return broken(server, value) if chance.random() < 0.15 else chance.choice(answers)

    return answer


def _at(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr("spm_models.runs.delivery.datetime", Later)


def _address(ledger: Ledger, number: int) -> tuple[str, str]:
    mail = Outbox(ledger).get(number)
    return str(mail.address), mail.message_id


class _NoLock:
    def acquire(self, timeout: float) -> None:
        pass

    def release(self) -> None:
        pass


def _now() -> datetime:
    return datetime.now(UTC)
