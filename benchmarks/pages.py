"""How soon a page shows what people came for, beside stock Voila on the same notebook.

Run ``python benchmarks/pages.py --workspace DIR [--quick] [--json]`` on a workspace with published results (after
``make demo``: ``data/demo``). A real Chromium opens the page with an empty cache; loads of both servers alternate,
and medians are shown. ``headline`` is the finding in words, ``charts`` the rest of the page, ``control`` the slider.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from spm_models.access import Viewer
from spm_models.shipped import shipped
from spm_models.workspace import Workspace

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
MOMENTS = {"skeleton": ".skeleton, #loading", "headline": ".hero h1", "charts": "#how", "control": "[role=slider]"}
WATCH = """(() => {
  const moments = %s, seen = window.__seen = {};
  const look = () => {
    for (const [name, selector] of Object.entries(moments)) {
      const found = document.querySelector(selector);
      if (!(name in seen) && found && found.checkVisibility()) seen[name] = performance.now();
    }
    requestAnimationFrame(look);
  };
  look();
})()"""


@contextmanager
def ours(workspace: Workspace, viewer: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    code = (
        "import sys; from spm_models.apps.server import serve; from spm_models.workspace import Workspace; "
        "serve(Workspace.open(sys.argv[1]), port=0, viewer=sys.argv[2])"
    )
    with _process([sys.executable, "-c", code, str(workspace.root), viewer], os.environ) as process:
        assert process.stdout is not None
        found = next(match for line in process.stdout if (match := re.search(r"(http://[\d.:]+)/enter/\S+", line)))
        with sync_cookies(found[0]) as cookies:
            yield f"{found[1]}/pages/revenue-outlook", cookies


@contextmanager
def stock(workspace: Workspace, viewer: Viewer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    notebook = shipped("notebooks/apps/revenue_outlook.ipynb")
    environ = os.environ | {"SPM_WORKSPACE": str(workspace.root), "SPM_VIEWER": viewer.to_environment()}
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", "--port=8977"]
    with _process(command, environ):
        time.sleep(6)
        yield "http://127.0.0.1:8977/", []


@contextmanager
def _process(command: list[str], environ: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def sync_cookies(address: str) -> Iterator[list[dict[str, Any]]]:
    """Use the one-time address and keep the session's cookie."""
    import urllib.request

    with urllib.request.urlopen(address) as answer:
        name, _, value = answer.headers["Set-Cookie"].partition("=")
    base = address.split("/enter/")[0]
    yield [{"name": name, "value": value.split(";")[0], "url": base}]


def load(browser: Browser, address: str, cookies: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds from navigation to each moment of one load."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH % json.dumps(MOMENTS))
    if cookies:
        context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(MOMENTS["control"], timeout=120_000)
    page.wait_for_timeout(200)
    seen: dict[str, float] = page.evaluate("window.__seen")
    context.close()
    return {name: seen[name] / 1000 for name in MOMENTS if name in seen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default="data/demo")
    parser.add_argument("--viewer", help="a person in the results who sees the whole company; else the one in spm.toml")
    parser.add_argument("--quick", action="store_true", help="3 loads of each server instead of 9")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    workspace = Workspace.open(asked.workspace)
    settings = workspace.settings.pages
    viewer = Viewer(asked.viewer or settings.viewer, None if asked.viewer else settings.role or None)
    loads: dict[str, list[dict[str, float]]] = {"ours": [], "stock voila": []}
    with (
        sync_playwright() as playwright, ours(workspace, viewer.id) as (page, cookies),
        stock(workspace, viewer) as (stock_page, _),
    ):  # fmt: skip
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for _ in range(3 if asked.quick else 9):
            loads["ours"].append(load(browser, page, cookies))
            loads["stock voila"].append(load(browser, stock_page, []))
        browser.close()
    figures = {
        f"{name}.{moment}": round(statistics.median(values), 2)
        for name, each in loads.items()
        for moment in MOMENTS
        if (values := [one[moment] for one in each if moment in one])
    }
    if asked.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{'seconds, median of ' + str(len(loads['ours'])):<26}" + "".join(f"{moment:>10}" for moment in MOMENTS))
    for name in loads:
        print(f"{name:<26}" + "".join(f"{figures.get(f'{name}.{moment}', float('nan')):>10.2f}" for moment in MOMENTS))


if __name__ == "__main__":
    main()
