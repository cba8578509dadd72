"""A company whose reports are to be mailed, and a mail server that fails as it is told."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.runs import delivery
from spm_models.runs.ledger import Ledger, Report
from spm_models.workspace import Workspace

AS_OF = date(2026, 7, 3)  # a Friday
MONDAY, TUESDAY, WEDNESDAY = date(2026, 7, 6), date(2026, 7, 7), date(2026, 7, 8)
PEOPLE = [
    ("E1", "Özlem", None, "executive", "e1@acme.example", "tr"),
    ("M1", "Nour", "E1", "manager", "m1@acme.example", "ar"),
    ("R1", "Ayşe", "M1", "rep", "r1@acme.example", "tr"), ("R2", "Bob", "M1", "rep", "r2@acme.example", "en"),
]  # fmt: skip
REPS = ["r1@acme.example", "r2@acme.example"]
FIRST = [*REPS, "m1@acme.example", "e1@acme.example"]
KEYS = [("coaching_report", "R1"), ("coaching_report", "R2"), ("team_digest", "M1"), ("executive_report", "E1")]


def settings(port: int, **mail: Any) -> str:
    """An spm.toml that mails to a server on this machine."""
    given = {"enabled": True, "host": "localhost", "port": port, "security": "none", "sender": "spm@acme.example",
             "timeout_seconds": 5.0} | mail  # fmt: skip
    lines = [f"{name} = {_toml(value)}" for name, value in given.items()]
    company = '[company]\nname = "Acme"\ncurrency = "TRY"\ntime_zone = "Europe/Istanbul"\n'
    return company + "[mail]\n" + "\n".join(lines) + "\n"


def company(folder: Path, port: int, **mail: object) -> tuple[Workspace, Ledger]:
    """A workspace in this folder that mails to a server on this machine, and its record of runs."""
    folder.mkdir(exist_ok=True)
    (folder / "spm.toml").write_text(settings(port, **mail), encoding="utf-8")
    workspace = Workspace.open(folder)
    return workspace, Ledger(workspace.ledger_url)


def later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    """Let delivery believe that it is so many hours later."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(delivery, "datetime", Later)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def published(
    workspace: Workspace, run_id: str = "run-1", as_of: date = AS_OF, people: list[tuple[Any, ...]] = PEOPLE
) -> Manifest:
    """Publish who leads whom, and one rep's topic."""
    columns = ["rep_id", "name", "manager_id", "role", "email", "locale"]
    reps = pd.DataFrame([row[:6] for row in people], columns=columns).assign(team="T", region="R", hired_on=pd.NaT)
    reps["manager_name"] = reps["manager_id"].map(reps.set_index("rep_id")["name"])
    reps["left_on"] = [pd.Timestamp(row[6]) if len(row) > 6 else pd.NaT for row in people]
    verdicts = pd.DataFrame([{"as_of": pd.Timestamp(as_of), "rep_id": "R1", "verdict": "coaching_suggestion",
                              "topic": "cycle", "topic_part": ""}])  # fmt: skip
    verdicts = verdicts.reindex(columns=list(TABLES["coaching_verdicts"].columns))
    manifest = Manifest(run_id, as_of, "d" * 64, "c" * 64)
    publish(workspace, {"reps": reps, "coaching_verdicts": verdicts}, manifest)
    return manifest


def written(workspace: Workspace, manifest: Manifest, keys: list[tuple[str, str]] = KEYS) -> list[Report]:
    """Reports of a run, as its ledger has them."""
    rows = []
    for report, about in keys:
        html = workspace.reports_dir / manifest.run_id / report / f"{about}.html"
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(f"<p>{report} of {about} in {manifest.run_id}</p>", encoding="utf-8")
        pdf = html.with_suffix(".pdf")
        pdf.write_bytes(b"%PDF-1.7 " + html.read_bytes())
        digest = hashlib.sha256(html.read_bytes()).hexdigest()
        rows.append(Report(run_id=manifest.run_id, report=report, about=about, status="done", html=str(html),
                           pdf=str(pdf), sha256=digest, seconds=1.0, error=None))  # fmt: skip
    return rows


def recorded(ledger: Ledger, manifest: Manifest, rows: list[Report]) -> None:
    """Put a run with its reports on record."""
    ledger.begin(manifest.run_id, "weekly", manifest.run_id)
    for row in rows:
        ledger.report(row)
    ledger.finish(manifest.run_id, {})


class Faults:
    """What the server does wrong; each is a function of the session that may answer, or cut the line."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.commands: Counter[str] = Counter()
        self.on: dict[str, Callable[[SMTP, Any], str | None]] = {}
        self.in_data, self.go_on = threading.Event(), threading.Event()
        self.wait_in_data = False

    def _answer(self, server: SMTP, where: str, value: Any = None) -> str | None:
        self.commands[where] += 1
        return self.on[where](server, value) if where in self.on else None

    async def handle_EHLO(self, server: SMTP, session: Any, _: Any, name: str, responses: list[str]) -> Any:  # noqa: N802
        session.host_name = name
        said = self._answer(server, "EHLO")
        return [said] if said else responses

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        said = self._answer(server, "RCPT", address)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        said = self._answer(server, "DATA", envelope)
        if self.wait_in_data:
            self.in_data.set()
            while not self.go_on.is_set():
                await asyncio.sleep(0.01)
        if said is None or said.startswith("taken"):
            assert len(envelope.rcpt_tos) == 1
            content = message_from_bytes(envelope.content, policy=policy.default)
            self.taken.append((envelope.rcpt_tos[0], content))  # type: ignore[arg-type]
        return said or "250 OK"

    @property
    def readers(self) -> list[str]:
        """To whom mails were taken, in order."""
        return [address for address, _ in self.taken]


def cut(server: SMTP, _: Any) -> str:
    """Cut the line as a machine does that fails."""
    server.transport.abort()
    return "451 gone"


def cut_after_taking(server: SMTP, _: Any) -> str:
    """Take the mail and fail before the answer."""
    server.transport.abort()
    return "taken, but nobody hears it"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(faults: Faults, **options: Any) -> Controller:
    """A server on this machine that has begun."""
    controller = Controller(faults, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    return controller


def password_is(right: str) -> Callable[..., AuthResult]:
    """An authenticator that knows one password."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == right.encode(), handled=False)

    return check


def private(path: Path, content: str) -> Path:
    """A file that nobody else may read."""
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    return path
