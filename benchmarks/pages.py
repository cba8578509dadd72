"""How soon pages show what people came for, beside stock Voila on the same notebooks; and fifty viewers at once.

Run ``python benchmarks/pages.py [--workspace DIR] [--rounds N] [--load] [--quick] [--json]`` on a workspace with
published results (after ``make demo``: ``data/demo``). A real Chromium opens each page with an empty cache; the ways
take turns, and medians are shown. Ways: ``ours``; ``plain``, Voila's own template with an ordinary kernel;
``models``, the same with a notebook that imports the model libraries; ``preheat``, where Voila runs the notebook
before anybody asks. ``content`` is the finding in words, ``control`` a slider that can be moved, ``whatif`` its answer.
``--load`` lets 50 viewers arrive within a minute (protocol clients, and three real browsers among them).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from contextlib import ExitStack
from statistics import median
from threading import Thread

import pandas as pd
from pages_study.crowd import crowd
from pages_study.loads import load
from pages_study.servers import Site, ours, stock
from playwright.sync_api import sync_playwright

from spm_models.access import Viewer
from spm_models.apps.pages import PAGES
from spm_models.shipped import shipped
from spm_models.workspace import Workspace

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
CONTROLLED = "revenue_outlook"
VIEWERS, WITHIN, BROWSERS = 50, 60.0, 3


def rounds(workspace: Workspace, viewer: Viewer, number: int, pages: list[str]) -> pd.DataFrame:
    """All ways in turn on the page with a control; ours and plain on the others: one row a load."""
    rows = []
    with sync_playwright() as playwright, ExitStack() as running:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        running.callback(browser.close)
        ways: dict[str, Site] = {
            "ours": running.enter_context(ours(workspace, viewer)),
            "plain": running.enter_context(stock(workspace, viewer)),
            "models": running.enter_context(stock(workspace, viewer, models=True)),
        }
        load(browser, ways["ours"], CONTROLLED, control=False)  # starts the warm parent, as on any day but the first
        for _ in range(number):
            for way, site in ways.items():
                moves = 5 if way == "ours" else 0
                rows.append({"way": way, "page": CONTROLLED,
                             **load(browser, site, CONTROLLED, control=True, moves=moves)})  # fmt: skip
            with stock(workspace, viewer, preheat=True) as site:
                rows.append({"way": "preheat", "page": CONTROLLED, **load(browser, site, CONTROLLED, control=True)})
            for page in pages:
                for way in ("ours", "plain"):
                    rows.append({"way": way, "page": page, **load(browser, ways[way], page, control=False)})
    return pd.DataFrame(rows)


def figures_of(seen: pd.DataFrame) -> dict[str, float]:
    """Medians under flat keys, and how many times sooner the first content is there."""
    by = seen.groupby(["way", "page"])[["content", "control"]].median()
    figures = {}
    for (way, page), row in by.iterrows():
        figures[f"first_content_seconds.{way}.{page}"] = float(row["content"])
        if row["control"] == row["control"]:
            figures[f"first_control_seconds.{way}.{page}"] = float(row["control"])
    figures["whatif_seconds"] = float(seen["whatif"].median())
    both = by["content"].unstack("way").dropna(subset=["ours", "plain"])
    figures["first_content_ratio"] = float((both["plain"] / both["ours"]).median())
    control = by["control"].xs(CONTROLLED, level="page")
    figures["first_control_ratio_to_models"] = float(control["models"] / control["ours"])
    figures["first_control_ratio_to_preheat"] = float(control["preheat"] / control["ours"])
    return figures


def load50(workspace: Workspace, viewer: Viewer) -> dict[str, float]:
    """Fifty viewers within a minute, real browsers among them."""
    with ours(workspace, viewer) as site:
        asyncio.run(crowd(site, CONTROLLED, 1, 0))  # the warm parent is there, as on any day but the first
        seen: list[float] = []
        beside = Thread(target=_browsers, args=(site, seen))
        beside.start()
        found = asyncio.run(crowd(site, CONTROLLED, VIEWERS - BROWSERS, WITHIN))
        beside.join()
    found["errors"] += BROWSERS - len(seen)
    return {f"load50.{name}": value for name, value in found.items()} | {
        "load50.browser_content_seconds": median(seen) if seen else float("nan")
    }


def _browsers(site: Site, seen: list[float]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for _ in range(BROWSERS):
            seen.append(load(browser, site, CONTROLLED, control=False)["content"])
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default="data/demo")
    parser.add_argument("--viewer", help="a person in the results who sees the whole company; else the one in spm.toml")
    parser.add_argument("--rounds", type=int, default=7, help="loads of each page by each way")
    parser.add_argument("--load", action="store_true", help="also 50 viewers within a minute")
    parser.add_argument("--quick", action="store_true", help="2 rounds")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    asked = parser.parse_args()
    workspace = Workspace.open(asked.workspace)
    settings = workspace.settings.pages
    viewer = Viewer(asked.viewer or settings.viewer, None if asked.viewer else settings.role or None)
    served = {file.stem for file in shipped("notebooks/apps").glob("*.ipynb")}
    pages = [page.name for page in PAGES if page.name in served - {CONTROLLED} and "executive" in page.roles]
    with tempfile.TemporaryDirectory(prefix="p-", dir="/tmp") as place:  # a warm parent of its own
        os.environ["XDG_RUNTIME_DIR"] = place
        figures = figures_of(rounds(workspace, viewer, 2 if asked.quick else asked.rounds, pages))
        if asked.load:
            figures |= load50(workspace, viewer)
    if asked.json:
        print(json.dumps(figures, indent=1))
        return
    print(pd.Series(figures).round(3).to_string())


if __name__ == "__main__":
    main()
