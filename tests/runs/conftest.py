"""Workspaces for runs: the sample company, copied so that a run may write into it, and a company that mails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from spm_models.runs.ledger import Ledger
from spm_models.workspace import Workspace

from .mail_company import Faults, serving
from .mail_company import company as company_that_mails

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def company(tmp_path: Path) -> Workspace:
    """The tiny sample company; few draws, no PDF, so that a run takes seconds."""
    folder = tmp_path / "company"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    settings = folder / "spm.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return Workspace.open(folder)


@pytest.fixture
def faults() -> Faults:
    """What the mail server does wrong."""
    return Faults()


@pytest.fixture
def server(faults: Faults) -> Iterator[Controller]:
    """A mail server on this machine."""
    controller = serving(faults)
    yield controller
    controller.stop()


@pytest.fixture
def acme(tmp_path: Path, server: Controller) -> tuple[Workspace, Ledger]:
    """A company that mails to this server, and its record of runs."""
    return company_that_mails(tmp_path / "acme", server.port)
