"""Many reports on warm kernels beside papermill as it comes: reports a minute, processor time, memory.

Run ``python benchmarks/reports.py [--workspace DIR] [--reports N] [--peers N] [--rounds N] [--quick] [--json]``. All
ways run the same notebook with the same imports (``reports_study/stated.ipynb``): papermill's ``execute_notebook`` in a
loop with an ordinary kernel, two such loops at once, and the kernel ``spm``. With a workspace of published results also
our coaching report: as the runner writes it (HTML), beside the same notebook in papermill's loop. Ways take turns, each
run is a process of its own, medians are shown. The warm parent is started before, as on any day but the first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pandas as pd

HERE = Path(__file__).parent
OURS = ("warm", "real_warm")


def measure(way: str, number: int, workspace: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "reports_study.ways",
            way,
            str(number),
            folder,
            *([workspace] if workspace else []),
        ]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", default="", help="with published results, for our own report")
    parser.add_argument("--reports", type=int, default=500, help="reports on warm kernels in each round")
    parser.add_argument("--peers", type=int, default=20, help="reports of each peer in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, 24 reports beside 6")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    if options.quick:
        options.reports, options.peers, options.rounds = 24, 6, 1
    ways = ["papermill", "papermill_two", "warm"]
    ways += ["real_papermill", "real_warm"] if options.workspace else []
    workspace = str(Path(options.workspace).resolve()) if options.workspace else ""
    measure("warm", 1, "")
    rows = [
        {"way": way, **measure(way, options.reports if way in OURS else options.peers, workspace)}
        for _ in range(options.rounds) for way in ways
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["reports_per_minute"] = 60 * table["reports"] / table["seconds"]
    table["cpu_seconds_per_report"] = table["cpu_seconds"] / table["reports"]
    by = table.groupby("way", sort=False)[["reports_per_minute", "cpu_seconds_per_report", "peak_mb"]].agg(median)
    figures = {f"{name}.{way}": float(by.at[way, name]) for name in by for way in by.index}
    ratio = by["reports_per_minute"]
    figures["throughput_ratio"] = float(ratio["warm"] / ratio["papermill"])
    figures["cpu_ratio"] = float(by.at["warm", "cpu_seconds_per_report"] / by.at["papermill", "cpu_seconds_per_report"])
    figures["peak_mb"] = float(by.at["warm", "peak_mb"])
    if options.workspace:
        figures["real_throughput_ratio"] = float(ratio["real_warm"] / ratio["real_papermill"])
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(by.round(2).to_string())
    print({name: round(value, 2) for name, value in figures.items() if "ratio" in name})


if __name__ == "__main__":
    main()
