"""The weekly job of a company, from nothing to delivered mails, with a mail server on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

MAIL = """
[mail]
enabled = true
host = "127.0.0.1"
port = {port}
security = "none"
sender = "reports@example.com"
"""


class _Post:
    """Takes every mail and remembers its Message-ID."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 as aiosmtpd calls it
        self.taken.append(message_from_bytes(envelope.content)["Message-ID"])
        return "250 OK"


def weekly(folder: Path, size: str) -> dict[str, float]:
    """Make a sample company, then time ``spm run weekly`` in its new workspace.

    Parameters
    ----------
    folder : Path
        Where the workspace goes.
    size : str
        Of the sample company: ``usual`` has 40 reps.

    Returns
    -------
    dict
        Wall seconds and mails that the server took.
    """
    spm, post = [str(Path(sys.executable).with_name("spm"))], _Post()
    _run([*spm, "sample", str(folder), "--size", size])
    port = _free_port()
    server = Controller(post, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with (folder / "spm.toml").open("a", encoding="utf-8") as settings:
            settings.write(MAIL.format(port=port))
        began = time.perf_counter()
        _run([*spm, "run", "weekly", "--workspace", str(folder)])
        seconds = time.perf_counter() - began
    finally:
        server.stop()
    if len(post.taken) != len(set(post.taken)):
        raise SystemExit("a mail was sent twice")
    return {"seconds": seconds, "mails": float(len(post.taken))}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
