"""Page servers, each a process of its own: ours, and Voila as it comes in three ways."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from spm_models.access import Viewer
from spm_models.shipped import shipped
from spm_models.workspace import Workspace

#: What a notebook that computes itself imports; ours reads what was published.
MODELS = "import sklearn.ensemble, sklearn.linear_model, statsmodels.api, spm_models.win_probability.model"


@dataclass
class Site:
    """A running server: where a page is, the session's cookie, and the process."""

    base: str
    pages: str
    process: subprocess.Popen[str]
    cookies: dict[str, str] = field(default_factory=dict)

    def page(self, name: str) -> str:
        """Address of a page by the name of its notebook."""
        return self.pages.format(slug=name.replace("_", "-"), file=f"{name}.ipynb")


@contextmanager
def ours(workspace: Workspace, viewer: Viewer) -> Iterator[Site]:
    """The page server of the workbench, its one-time address used."""
    code = (
        "import sys; from spm_models.apps.server import serve; from spm_models.workspace import Workspace; "
        "serve(Workspace.open(sys.argv[1]), port=0, viewer=sys.argv[2])"
    )
    process = _started([sys.executable, "-c", code, str(workspace.root), viewer.id], dict(os.environ))
    try:
        assert process.stdout is not None
        found = next(match for line in process.stdout if (match := re.search(r"(http://[\d.:]+)/enter/\S+", line)))
        with urllib.request.urlopen(found[0]) as answer:
            name, _, value = answer.headers["Set-Cookie"].partition("=")
        yield Site(found[1], found[1] + "/pages/{slug}", process, {name: value.split(";")[0]})
    finally:
        _ended(process)


@contextmanager
def stock(workspace: Workspace, viewer: Viewer, *, models: bool = False, preheat: bool = False) -> Iterator[Site]:
    """Voila as it comes, on the same notebooks, with an ordinary kernel.

    Parameters
    ----------
    models : bool
        The notebook imports the model libraries, as one that computes itself would.
    preheat : bool
        Voila runs the notebook before anybody asks for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="stock-"))
    for file in shipped("notebooks/apps").glob("*.ipynb"):
        book = nbformat.read(file, 4)
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        if models:
            book.cells.insert(0, nbformat.v4.new_code_cell(MODELS))
        nbformat.write(book, folder / file.name)
    port = _free_port()
    command = [sys.executable, "-m", "voila", str(folder), "--no-browser", f"--port={port}"]
    if preheat:
        command += ["--preheat_kernel=True", "--pool_size=2"]
    environ = dict(os.environ) | {"SPM_WORKSPACE": str(workspace.root), "SPM_VIEWER": viewer.to_environment()}
    process = _started(command, environ)
    try:
        base = f"http://127.0.0.1:{port}"
        _answers(base)
        if preheat:
            time.sleep(20)  # until the pool is filled
        yield Site(base, base + "/voila/render/{file}", process)
    finally:
        _ended(process)
        shutil.rmtree(folder)


def _started(command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


def _ended(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def _answers(base: str, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(base, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{base} does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
