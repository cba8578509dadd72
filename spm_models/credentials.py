"""Secrets: read from a private file or a systemd credential, remembered so that no message ever shows them."""

from __future__ import annotations

import base64
import os
import re
import stat
from pathlib import Path

from spm_models.errors import WorkspaceError

MAIL_PASSWORD = "spm-mail-password"
_LONGEST = 4096  #: bytes; whatever is larger is another file
_HIDDEN = "•••"
_IN_ADDRESS = re.compile(r"(?<=//)([^\s/@:'\"]*):[^\s/'\"]*(?=@)")
_remembered: set[str] = set()


def mail_password(password_file: str, root: Path) -> str:
    """Read the password of the mail server, and remember it for :func:`redact`.

    Parameters
    ----------
    password_file : str
        ``[mail] password_file``; a relative path begins at the workspace. Empty: the systemd credential
        ``spm-mail-password``.
    root : Path
        Folder of the workspace.

    Raises
    ------
    WorkspaceError
        When there is none, others may read it, or it is not one line of text.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    given = Path(folder) / MAIL_PASSWORD if folder else None
    if given is not None and (given.exists() or not password_file):
        path = given
    elif password_file:
        path = root / Path(password_file).expanduser()
    else:
        raise WorkspaceError(
            "There is a user of the mail server but no password", where="spm.toml [mail]",
            remedy=f"Set password_file, or give the service the credential {MAIL_PASSWORD} (LoadCredential=).",
        )  # fmt: skip
    secret = _one_line(_private_content(path), path)
    remember(secret)
    return secret


def remember(secret: str) -> None:
    """Never show this text again, plain or as it goes to a mail server."""
    if secret:
        coded = base64.b64encode(secret.encode()).decode()
        _remembered.update({secret, repr(secret)[1:-1], coded, coded.rstrip("=")})


def redact(text: str) -> str:
    """The text without remembered secrets, and without passwords in addresses.

    Examples
    --------
    >>> redact("cannot reach postgresql://spm:geheim@db/ledger")
    'cannot reach postgresql://spm:•••@db/ledger'
    """
    for secret in sorted(_remembered, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _IN_ADDRESS.sub(rf"\1:{_HIDDEN}", text)


def _private_content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077 or facts.st_uid not in (0, os.geteuid()):
                raise WorkspaceError(
                    "Others may read or replace the password", where=str(path),
                    found=f"mode {stat.S_IMODE(facts.st_mode):o}, owner {facts.st_uid}",
                    remedy="It must be a file of the user who runs this, with mode 600: chmod 600 FILE.",
                )  # fmt: skip
            return file.read(_LONGEST + 1)
    except OSError as error:
        raise WorkspaceError(
            "The password cannot be read", where=str(path), found=error.strerror,
            remedy="Write it into this file as its only line, or correct [mail] password_file in spm.toml.",
        ) from error  # fmt: skip


def _one_line(content: bytes, path: Path) -> str:
    try:
        secret = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(content) > _LONGEST or not secret.isprintable():
        raise WorkspaceError(
            "The file of the password does not hold one line of text", where=str(path),
            remedy="Write the password, and nothing else, as its only line.",
        )  # fmt: skip
    return secret
