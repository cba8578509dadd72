"""Secrets come from private places only and are never shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from spm_models import credentials
from spm_models.credentials import mail_password, redact, remember
from spm_models.errors import WorkspaceError
from spm_models.reports.kernels import kernel_environment
from spm_models.workspace import Workspace

SECRET = "Çok-gizli 'parola' 42"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_remembered", set())
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_password_is_the_only_line_of_a_private_file_and_never_shown_again(tmp_path: Path) -> None:
    private(tmp_path / "pw", f"{SECRET}\n".encode())
    assert mail_password("pw", tmp_path) == SECRET
    coded = base64.b64encode(SECRET.encode()).decode()
    for said in (f"535 {SECRET} is wrong", f"AUTH {coded}", repr(f"a{SECRET}"), f"{SECRET}{SECRET}"):
        shown = redact(said)
        assert "gizli" not in shown and coded.rstrip("=") not in shown and "•••" in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "pw", b"geheim\n", mode)
    with pytest.raises(WorkspaceError, match="chmod 600") as told:
        mail_password(str(file), tmp_path)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"geheim\x00", b"\xff\xfe", b"g" * 5000])
def test_what_is_not_one_line_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WorkspaceError, match="one line") as told:
        mail_password(str(private(tmp_path / "pw", content)), tmp_path)
    assert "geheim" not in str(told.value) and "ggg" not in str(told.value)


def test_a_missing_file_and_no_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be read"):
        mail_password("nowhere", tmp_path)
    with pytest.raises(WorkspaceError, match="spm-mail-password"):
        mail_password("", tmp_path)


def test_the_credential_of_the_service_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(tmp_path / "pw", b"from the file\n")
    place = tmp_path / "credentials"
    place.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(place))
    assert mail_password("pw", tmp_path) == "from the file"
    private(place / "spm-mail-password", b"from systemd", 0o400)
    assert mail_password("pw", tmp_path) == "from systemd"
    assert mail_password("", tmp_path) == "from systemd"


def test_passwords_in_addresses_are_hidden_whoever_read_them() -> None:
    assert redact("at postgresql+psycopg://me:p@ss@db:5432/x, smtp://u:q@h") == (
        "at postgresql+psycopg://me:•••@db:5432/x, smtp://u:•••@h"
    )
    assert redact("https://example.com/a and a@b.example") == "https://example.com/a and a@b.example"
    remember("")
    assert redact("as it is") == "as it is"


def test_a_password_written_into_the_settings_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "spm.toml").write_text('[mail]\npassword = "geheim"\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"mail\.password") as told:
        Workspace.open(tmp_path)
    assert "geheim" not in str(told.value)


def test_no_notebook_learns_where_a_secret_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/spm")
    monkeypatch.setenv("SPM_LEDGER_URL", "postgresql://spm:geheim@db/x")
    assert not {"CREDENTIALS_DIRECTORY", "SPM_LEDGER_URL"} & set(kernel_environment({"SPM_SCOPE": "{}"}))
