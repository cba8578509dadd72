"""Workspaces for runs: the committed sample company, copied so that a run may write into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def company(tmp_path: Path) -> Workspace:
    """The tiny sample company; few draws, no PDF, so that a run takes seconds."""
    folder = tmp_path / "company"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    settings = folder / "spm.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return Workspace.open(folder)
