"""A small company's weekly run with mail, done once undisturbed and once up to its reports; faults begin there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from spm_models.runs.status import ledger_of
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


@dataclass
class Post:
    """What a mail server on this machine was given, by Message-ID; ``on_data`` may do harm before it answers."""

    port: int = 0
    got: Counter[str] = field(default_factory=Counter)
    readers: dict[str, str] = field(default_factory=dict)
    on_data: Callable[[Any], None] | None = None

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content)
        self.got[message["Message-ID"]] += 1
        self.readers[message["Message-ID"]] = ", ".join(envelope.rcpt_tos)
        if self.on_data is not None:
            self.on_data(server)
        return "250 OK"


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server that takes everything."""
    with serving(Post()) as post:
        yield post


class serving:  # noqa: N801
    """Run a mail server for a while."""

    def __init__(self, post: Post) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            post.port = free.getsockname()[1]
        self.post, self._controller = post, Controller(post, hostname="127.0.0.1", port=post.port)

    def __enter__(self) -> Post:
        self._controller.start()
        return self.post

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


@dataclass(frozen=True)
class Undisturbed:
    """What the run gives when nothing happens to it."""

    reports: dict[tuple[str, str], str]
    mails: set[str]


class Job:
    """The weekly run of one workspace, as a process of its own, with a fault in it or without."""

    def __init__(self, root: Path, runtime: Path) -> None:
        self.root, self.runtime = root, runtime

    @property
    def environment(self) -> dict[str, str]:
        """A warm parent of its own, so that killing it harms nobody else."""
        return os.environ | {"XDG_RUNTIME_DIR": str(self.runtime)}

    def start(self, *options: str, fault: str = "") -> subprocess.Popen[bytes]:
        """Begin; ``fault`` is code that runs first in the process."""
        code = f"import os, signal, sys\n{textwrap.dedent(fault)}\nfrom spm_models.cli import main\n"
        code += f"sys.argv = ['spm', 'run', 'weekly', '--workspace', {str(self.root)!r}, *{list(options)!r}]\nmain()\n"
        return subprocess.Popen(
            [sys.executable, "-c", code], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *options: str, fault: str = "") -> tuple[int, str]:
        """Exit code, and what was said."""
        process = self.start(*options, fault=fault)
        said, _ = process.communicate(timeout=600)
        return process.returncode, said.decode()

    def killed(self, where: str, name: str, *, at: int = 1, after: bool = False) -> None:
        """Run until the function is called for the ``at``-th time, and kill the process there."""
        code, said = self.run(fault=hooked(where, name, KILL, at=at, after=after))
        assert code == -signal.SIGKILL, said

    def mail_to(self, post: Post) -> None:
        """Let its mails go to this server."""
        file = self.root / "spm.toml"
        kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("port = ")]
        kept.insert(kept.index("[mail]") + 1, f"port = {post.port}")
        file.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def reports(self) -> dict[tuple[str, str], str]:
        """Hashes of the reports that lie there, by the ledger's last run."""
        ledger = ledger_of(Workspace.open(self.root))
        return {(row.report, row.about): row.sha256 for row in ledger.reports(ledger.last().run_id) if row.html
                and Path(row.html).is_file()}  # fmt: skip


def hooked(where: str, name: str, harm: str, *, at: int = 1, after: bool = False) -> str:
    """Code that does harm when a function is called for the ``at``-th time."""
    return f"""
from importlib import import_module
module, _, owner = {where!r}.partition(":")
place = getattr(import_module(module), owner) if owner else import_module(module)
from itertools import count
real, calls = getattr(place, {name!r}), count(1)
def hook(*args, **kwargs):
    number = next(calls)
    if {not after} and number == {at}:
        {harm}
    result = real(*args, **kwargs)
    if {after} and number == {at}:
        {harm}
    return result
setattr(place, {name!r}, hook)
"""


@pytest.fixture(scope="session")
def runtime() -> Iterator[Path]:
    """Where the warm parent of these runs lives; it is ended at the end."""
    folder = Path(tempfile.mkdtemp(prefix="w-", dir="/tmp"))
    yield folder
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company; nothing has run. Type, which takes longer than all the rest, is not set."""
    folder = tmp_path_factory.mktemp("faults") / "empty"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    settings = folder / "spm.toml"
    more = """
[reports]
pdf = false

[mail]
enabled = true
host = "127.0.0.1"
security = "none"
sender = "spm@atlas.example"
manager_after_working_days = 0
"""
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def published(empty: Path, runtime: Path) -> Path:
    """Its results are published, and the run was killed before the first report."""
    folder = empty.with_name("published")
    shutil.copytree(empty, folder)
    Job(folder, runtime).killed("spm_models.runs.weekly", "write_reports")
    return folder


@pytest.fixture(scope="session")
def undisturbed(published: Path, runtime: Path) -> Undisturbed:
    """The run's reports and mails when nothing happens."""
    folder = published.with_name("undisturbed")
    shutil.copytree(published, folder)
    job = Job(folder, runtime)
    with serving(Post()) as post:
        job.mail_to(post)
        code, said = job.run()
        assert code == 0, said
        assert post.got and set(post.got.values()) == {1}
        return Undisturbed(job.reports(), set(post.got))


@pytest.fixture
def job(published: Path, runtime: Path, tmp_path: Path, post: Post) -> Job:
    """A run that goes on at its reports."""
    shutil.copytree(published, tmp_path / "company")
    job = Job(tmp_path / "company", runtime)
    job.mail_to(post)
    return job


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.05)
