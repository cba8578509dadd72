"""Whatever a mail server does: what it surely did not take is tried again, what may have arrived is not."""

from __future__ import annotations

import socket
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from spm_models.errors import RunError
from spm_models.runs.delivery import deliver, send_due
from spm_models.runs.outbox import BACK_OFF, TRIES, Outbox

from .mail_company import (
    FIRST,
    KEYS,
    MONDAY,
    REPS,
    TUESDAY,
    WEDNESDAY,
    company,
    cut,
    cut_after_taking,
    free_port,
    later,
    password_is,
    private,
    published,
    serving,
    written,
)  # fmt: skip


def test_no_server_is_tried_again_with_pauses_and_given_up_in_the_end(tmp_path: Path, monkeypatch) -> None:
    workspace, ledger = company(tmp_path, free_port())
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert (done.sent, done.failed, done.waiting) == (0, 4, 2)
    assert any("4 mails failed" in note and "refused" in note for note in done.notes)
    tries = {mail.id: mail.attempts for mail in Outbox(ledger).rows(states=("failed",))}
    send_due(workspace, ledger, today=MONDAY)  # too soon
    assert {mail.id: mail.attempts for mail in Outbox(ledger).rows(states=("failed",))} == tries
    hours = 0.0
    for pause in (*BACK_OFF, timedelta(hours=24)):
        hours += pause / timedelta(hours=1) + 0.1
        later(monkeypatch, hours)
        send_due(workspace, ledger, today=TUESDAY)
    assert {mail.attempts for mail in Outbox(ledger).rows(states=("failed",))} == {TRIES}


@pytest.mark.parametrize(("where", "answer", "again"), [
    ("EHLO", cut, True), ("RCPT", lambda *_: "421 closing", True),
    ("RCPT", lambda *_: "450 try later", True), ("RCPT", lambda *_: "550 no such user", False), ("RCPT", cut, True),
    ("DATA", lambda *_: "451 not now", True), ("DATA", lambda *_: "552 too large", False),
])  # fmt: skip
def test_what_the_server_surely_did_not_take_is_tried_again_only_where_it_may_help(
    acme, faults, monkeypatch, where, answer, again
) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    faults.on[where] = answer
    done = deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    assert (done.sent, done.failed, done.held, done.waiting) == (0, 1, 0, 1) and not faults.taken
    faults.on.clear()
    assert send_due(workspace, ledger, today=MONDAY).sent == 0
    later(monkeypatch, 1)
    assert send_due(workspace, ledger, today=MONDAY).sent == again
    assert faults.readers == REPS[:1] * again
    assert send_due(workspace, ledger, today=TUESDAY).sent == again  # the manager, once the rep has it


def test_one_reader_whom_the_server_refuses_does_not_stop_the_others(acme, faults) -> None:
    workspace, ledger = acme
    faults.on["RCPT"] = lambda _, address: "550 no such user" if address == REPS[0] else None
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert faults.readers == FIRST[1:] and (done.sent, done.failed) == (3, 1)
    assert any("550 no such user" in note and "R1" in note for note in done.notes)


def test_a_server_that_closes_between_two_mails_is_called_again(acme, faults) -> None:
    workspace, ledger = acme
    limit = iter([None, "421 enough for one call", None, "421 enough for one call", None, None])
    faults.on["RCPT"] = lambda *_: next(limit)
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert done.sent == 4 and faults.readers == FIRST


@pytest.mark.parametrize("answer", [cut, cut_after_taking])
def test_a_line_cut_after_the_text_leaves_a_mail_in_doubt_that_is_never_sent_again_by_itself(
    acme, faults, monkeypatch, answer
) -> None:
    workspace, ledger = acme
    faults.on["DATA"] = answer
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    assert (done.sent, done.held) == (0, 1) and any("may have arrived" in note for note in done.notes)
    faults.on.clear()
    later(monkeypatch, 100)
    again = published(workspace, "run-2")
    deliver(workspace, ledger, again, written(workspace, again, KEYS[:1]), today=TUESDAY)
    send_due(workspace, ledger, today=WEDNESDAY)
    assert len(faults.taken) == (answer is cut_after_taking)


def test_a_server_that_does_not_answer_leaves_the_mail_in_doubt(tmp_path: Path, faults, server) -> None:
    workspace, ledger = company(tmp_path, server.port, timeout_seconds=0.5)
    faults.wait_in_data = True
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    faults.go_on.set()
    assert (done.sent, done.held) == (0, 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        workspace, ledger = company(tmp_path, silent.getsockname()[1], timeout_seconds=0.5)
        done = deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[1:2]), today=MONDAY)
    assert done.failed == 1 and any("timed out" in note for note in done.notes)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize(("secret", "right"), [("Gizli+42!", "right"), ("Öz-gizli+42", "doğru")])
def test_a_wrong_password_is_told_without_it(tmp_path: Path, caplog, faults, secret: str, right: str) -> None:
    controller = serving(faults, authenticator=password_is(right), auth_require_tls=False, auth_required=True)
    try:
        private(tmp_path / "pw", f"{secret}\n")
        workspace, ledger = company(tmp_path, controller.port, user="spm", password_file="pw")
        manifest = published(workspace)
        done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
        assert done.failed == 4 and any("535" in note for note in done.notes) and not faults.taken
        kept = b"".join(file.read_bytes() for file in workspace.state.rglob("*") if file.is_file())
        assert secret not in "".join(done.notes) + caplog.text and secret.encode() not in kept
        private(tmp_path / "pw", f"{right}\n")
        for mail in Outbox(ledger).rows(states=("failed",)):
            Outbox(ledger).release(mail, "me")
        assert send_due(workspace, ledger, today=MONDAY).sent == 4
    finally:
        controller.stop()


def test_a_password_that_others_may_read_stops_sending(tmp_path: Path, faults, server) -> None:
    private(tmp_path / "pw", "geheim\n").chmod(0o644)
    workspace, ledger = company(tmp_path, server.port, user="spm", password_file="pw")
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert done.failed == 4 and any("chmod 600" in note for note in done.notes) and not faults.taken


def test_a_server_that_does_not_encrypt_is_refused(tmp_path: Path, faults, server) -> None:
    private(tmp_path / "pw", "geheim\n")
    workspace, ledger = company(tmp_path, server.port, security="starttls", user="spm", password_file="pw")
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert done.failed == 4 and any("STARTTLS" in note for note in done.notes) and faults.commands["RCPT"] == 0


def test_a_mail_that_was_taken_but_could_not_be_noted_is_never_sent_again(acme, faults, monkeypatch) -> None:
    workspace, ledger = acme
    manifest = published(workspace)

    def full(*_: object) -> None:
        raise RunError("The record of runs cannot be written", found="disk full")

    monkeypatch.setattr(Outbox, "sent", full)
    with pytest.raises(RunError, match="disk full"):
        deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    monkeypatch.undo()
    done = send_due(workspace, ledger, today=TUESDAY)
    assert (done.sent, done.held, len(faults.taken)) == (0, 1, 1)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_encrypts_and_asks_for_a_password_is_used_if_its_certificate_is_known(
    tmp_path: Path, faults, certificate, monkeypatch, security: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    options = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    controller = serving(faults, authenticator=password_is("right"), auth_required=True,
                         auth_require_tls=security == "starttls", **options)  # fmt: skip
    try:
        private(tmp_path / "pw", "right\n")
        workspace, ledger = company(tmp_path, controller.port, security=security, user="spm", password_file="pw")
        manifest = published(workspace)
        done = deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
        assert done.failed == 1 and any("CERTIFICATE_VERIFY_FAILED" in note for note in done.notes)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        Outbox(ledger).release(Outbox(ledger).rows(states=("failed",))[0], "me")
        assert send_due(workspace, ledger, today=MONDAY).sent == 1 and len(faults.taken) == 1
    finally:
        controller.stop()
