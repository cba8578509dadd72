"""Many reports on warm kernels beside papermill as it comes: reports a minute, processor time, memory.

Run ``python benchmarks/reports.py [--workspace DIR] [--reports N] [--peers N] [--rounds N] [--weekly] [--quick]
[--json]``. All ways run the same notebook with the same imports (``reports_study/stated.ipynb``): papermill's
``execute_notebook`` in a loop with an ordinary kernel, two such loops at once, and ours: the kernel ``spm``, several
at a time, each notebook saved when it has ended. With a workspace of published results also our own coaching report: as
the runner writes it (HTML; and with PDF, apart), beside the same notebook in papermill's loop, which writes no HTML.
Ways take turns, each run is a process of its own, medians are shown. The warm parent is started before, as on any day
but the first. ``runner_mb`` is the memory of the process that runs the reports, after 50 of them and at the end.
``--weekly`` also times the weekly job of a company of 40 reps, from an empty workspace to delivered mails.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pandas as pd

HERE = Path(__file__).parent
PEERS = ("papermill", "papermill_two", "real_papermill")
SHOWN = ["reports_per_minute", "cpu_seconds_per_report", "peak_mb", "runner_mb_early", "runner_mb_end"]


def measure(way: str, number: int, workspace: str) -> dict[str, float]:
    """One run of one way, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "reports_study.ways", way, str(number), folder, *filter(None, [workspace])]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rounds(options: argparse.Namespace) -> pd.DataFrame:
    """All ways in turn, so often; the medians by way."""
    workspace = str(Path(options.workspace).resolve()) if options.workspace else ""
    ways = {"papermill": options.peers, "papermill_two": options.peers, "warm": options.reports}
    if workspace:
        ways |= {"real_papermill": options.peers, "real_warm": options.reports}
    rows = []
    with tempfile.TemporaryDirectory(prefix="w-", dir="/tmp") as place:  # short: sockets have short names
        usual = os.environ.get("XDG_RUNTIME_DIR", "")
        os.environ["XDG_RUNTIME_DIR"] = place
        try:
            for way in ways:
                if "warm" in way:
                    measure(way, 1, workspace)  # starts the parent
            for _ in range(options.rounds):
                for way, number in ways.items():
                    rows.append({"way": way, **measure(way, number, workspace)})
            if workspace and options.pdfs:
                rows.append({"way": "real_warm_pdf", **measure("real_warm_pdf", options.pdfs, workspace)})
        finally:
            _end_parents(place)
            os.environ["XDG_RUNTIME_DIR"] = usual
    table = pd.DataFrame(rows)
    table["reports_per_minute"] = 60 * table["reports"] / table["seconds"]
    table["cpu_seconds_per_report"] = table["cpu_seconds"] / table["reports"]
    return table.groupby("way", sort=False)[SHOWN].agg(median)


def figures_of(by: pd.DataFrame) -> dict[str, float]:
    """The same with flat keys, and how many times we are faster and thriftier."""
    figures = {f"{name}.{way}": float(by.at[way, name]) for name in SHOWN for way in by.index}
    for prefix in ("", "real_"):
        if f"{prefix}papermill" in by.index:
            peer, ours = by.loc[f"{prefix}papermill"], by.loc[f"{prefix}warm"]
            figures[f"{prefix}throughput_ratio"] = float(ours["reports_per_minute"] / peer["reports_per_minute"])
            figures[f"{prefix}cpu_ratio"] = float(peer["cpu_seconds_per_report"] / ours["cpu_seconds_per_report"])
    figures["peak_mb"] = float(by.at["warm", "peak_mb"])
    return figures


def _end_parents(place: str) -> None:
    found = subprocess.run(
        ["pgrep", "-f", f"warm_kernels.parent {place}/"], capture_output=True, text=True, check=False
    )
    for pid in found.stdout.split():
        os.kill(int(pid), signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", default="", help="with published results, for our own report")
    parser.add_argument("--reports", type=int, default=500, help="reports on warm kernels in each round")
    parser.add_argument("--peers", type=int, default=20, help="reports of each peer in each round")
    parser.add_argument("--pdfs", type=int, default=-1, help="reports with PDF, once; without it as many as reports")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weekly", action="store_true", help="also the weekly job of a company of 40 reps")
    parser.add_argument("--quick", action="store_true", help="one round, 60 reports beside 5; 8 with PDF")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    if options.quick:
        options.reports, options.peers, options.rounds, options.pdfs = 60, 5, 1, 8
    options.pdfs = options.reports if options.pdfs < 0 else options.pdfs
    by = rounds(options)
    figures = figures_of(by)
    if options.weekly:
        from reports_study.weekly import weekly

        with tempfile.TemporaryDirectory() as folder:
            found = weekly(Path(folder) / "company", "usual")
        figures |= {"weekly_seconds_40_reps": found["seconds"], "weekly_mails_40_reps": found["mails"]}
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(by.round(2).to_string())
    print({name: round(value, 2) for name, value in figures.items() if "ratio" in name or "weekly" in name})


if __name__ == "__main__":
    main()
