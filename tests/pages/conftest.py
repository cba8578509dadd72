"""A small company published on disk, the page server on it in a process of its own, and a browser."""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest

from spm_models.published import Manifest, publish
from spm_models.workspace import Workspace

SERVE = (
    "import sys; from pathlib import Path; from spm_models.apps.server import serve; "
    "from spm_models.workspace import Workspace; "
    "serve(Workspace.open(sys.argv[1]), port=0, patience=float(sys.argv[2]), "
    "notebooks=Path(sys.argv[3]) if sys.argv[3] else None)"
)


def _company() -> ModuleType:
    file = Path(__file__).parents[1] / "apps" / "company.py"
    spec = importlib.util.spec_from_file_location("outlook_company", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Server:
    """A running page server."""

    process: subprocess.Popen[str]
    address: str
    host: str
    token: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, method: str = "GET", **how: Any) -> tuple[int, dict[str, str], str]:
        """Status, headers and body; no redirect is followed, cookies are sent and kept unless told otherwise."""
        headers = dict(how.get("headers", {}))
        cookies = how.get("cookies", self.cookies)
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request(method, path, body=how.get("body"), headers=headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and "cookies" not in how:
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        text = answer.read().decode("utf-8", "replace")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def enter(self) -> None:
        """Use the one-time address."""
        assert self.ask(f"/enter/{self.token}")[0] == 200

    def as_somebody(self) -> Server:
        """The same server, asked by another browser."""
        return Server(self.process, self.address, self.host, self.token)

    def sign_in(self, login: str, password: str, **more: str) -> tuple[int, dict[str, str], str]:
        """Fill in the form."""
        self.ask("/pages/home")  # shows the form, whose cookie it needs
        given = {"login": login, "password": password, "_xsrf": self.cookies["_xsrf"], **more}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("/sign-in", "POST", body=urlencode(given), headers=headers)

    def send(self, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        """Send a form of a page."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(
            path, "POST", body=urlencode({"_xsrf": self.cookies.get("_xsrf", ""), **fields}), headers=headers
        )


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Workspace]:
    """Make a published workspace: company settings, then what [pages] says."""

    def make(locale: str = "en", pages: str = 'viewer = "boss"\nrole = "executive"', more: str = "") -> Workspace:
        root = tmp_path_factory.mktemp("workspace")
        currency = {"tr": "TRY", "ar": "SAR"}.get(locale, "USD")
        company = f'[company]\nname = "Northwind"\nlocale = "{locale}"\ncurrency = "{currency}"\n'
        (root / "spm.toml").write_text(f"{company}[pages]\n{pages}\n{more}", encoding="utf-8")
        workspace = Workspace.open(root)
        publish(workspace, _company().company(), Manifest("2026-08-14-test", date(2026, 8, 14), "0" * 64, "c" * 64))
        return workspace

    return make


@pytest.fixture(scope="session")
def published_richly(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Workspace]:
    """The same with all that reports show as well: coaching, agreements, closed deals, people in every role."""
    file = Path(__file__).parents[1] / "reports" / "conftest.py"
    spec = importlib.util.spec_from_file_location("company_of_reports", file)
    assert spec and spec.loader
    reports = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reports)

    def make(pages: str = 'viewer = "boss"\nrole = "executive"', more: str = "") -> Workspace:
        root = tmp_path_factory.mktemp("rich")
        settings = '[company]\nname = "Northwind"\nlocale = "tr"\ncurrency = "TRY"\ntime_zone = "Europe/Istanbul"\n'
        (root / "spm.toml").write_text(f"{settings}[pages]\n{pages}\n{more}", encoding="utf-8")
        workspace = Workspace.open(root)
        tables = _company().company() | reports._coaching() | reports._background()
        publish(workspace, tables, Manifest("2026-08-14-test", date(2026, 8, 14), "0" * 64, "c" * 64))
        return workspace

    return make


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., Server]]:
    """Start a page server; all are ended with the tests."""
    started: list[subprocess.Popen[str]] = []

    def start(workspace: Workspace, patience: float = 120, notebooks: Path | str = "", **environ: str) -> Server:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(workspace.root), str(patience), str(notebooks)],
            stdout=subprocess.PIPE, text=True, env=os.environ | environ,
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        for line in process.stdout:
            found = re.search(r"http://(127\.0\.0\.1:\d+)/(?:enter/(\S+))?", line)
            if found:
                return Server(process, found[0], found[1], found[2] or "")
        raise AssertionError("The page server ended without an address")

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        process.wait(30)


@pytest.fixture(scope="session")
def server(published: Callable[..., Workspace], serve: Callable[..., Server]) -> Server:
    """A page server whose one-time address was used."""
    running = serve(published(), DATABASE_URL="postgresql://secret", HTTP_PROXY_PASSWORD="secret")
    running.enter()
    return running


@pytest.fixture
def page_of(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a browser page with a server's session; what it asked for and complained about is on ``page.heard``."""
    contexts = []

    def make(server: Server, **context: Any) -> Any:
        opened = browser.new_context(**context)
        contexts.append(opened)
        base = f"http://{server.host}"
        opened.add_cookies([{"name": n, "value": v, "url": base} for n, v in server.cookies.items() if n != "_xsrf"])
        page = opened.new_page()
        page.heard = {"requests": [], "errors": [], "dialogs": []}
        page.on("request", lambda request: page.heard["requests"].append(request.url))
        page.on("console", lambda said: page.heard["errors"].append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.heard["errors"].append(str(error)))
        page.on("dialog", lambda dialog: (page.heard["dialogs"].append(dialog.message), dialog.dismiss()))
        return page

    yield make
    for opened in contexts:
        opened.close()
