"""All KPIs by rep and quarter on DuckDB beside plain pandas: processor time, memory, and how both grow.

Run ``python benchmarks/kpis.py [--quick] [--json] [--repeat N]``: 100,000 and 1,000,000 deals with ten activities each;
``--quick`` takes a hundredth. Each measurement is a process of its own, the engines take turns, figures are medians.
What is compared is checked: pandas has to come to the same values.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from scale import generator, in_pandas

from spm_models import kpis
from spm_models.crm.tables import Tables
from spm_models.database import connect
from spm_models.periods import FiscalCalendar, Period

ENGINES = ("duckdb", "pandas")
SIZES = (100_000, 1_000_000)
AS_OF, ZONE = date(2026, 6, 30), "Europe/Istanbul"
TABLES = frozenset({"reps", "accounts", "opportunities", "opportunity_history", "activities"})


def quarters() -> list[Period]:
    last = FiscalCalendar().quarter(AS_OF)
    found = [last]
    for _ in range(3):
        found.append(found[-1].previous())
    return found[::-1]


def on_duckdb(folder: Path) -> pd.DataFrame:
    tables = Tables(
        connect(folder / "company.duckdb", read_only=True), TABLES, "0" * 64, AS_OF, time_zone=ZONE,
        stages=generator.STAGES, known_at_creation=frozenset({"account_id", "product_id", "source", "kind"}),
    )  # fmt: skip
    return kpis.compute(tables, by="rep", period=quarters(), as_of=AS_OF)


def measure(engine: str, folder: Path) -> dict[str, float]:
    before = _cpu()
    on = {"duckdb": on_duckdb, "pandas": lambda f: in_pandas.values(f, quarters(), pd.Timestamp(AS_OF), ZONE)}
    found = on[engine](folder)
    used, peak = _cpu() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found.to_parquet(folder / f"values-{engine}.parquet")
    return {"cpu_seconds": used, "peak_mb": peak}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def compare(folder: Path) -> dict[str, float]:
    """How many values pandas worked out too, and by how much they differ at most."""
    ours, peer = (pd.read_parquet(folder / f"values-{engine}.parquet") for engine in ENGINES)
    both = peer.dropna(subset="value").merge(ours, on=["kpi", "rep", "period"], how="left", suffixes=("_peer", ""))
    difference = (both["value"] - both["value_peer"]).abs() / both["value_peer"].abs().clip(lower=1)
    if both["value"].isna().any() or difference.max() > 1e-9:
        wrong = both[both["value"].isna() | (difference > 1e-9)]
        raise SystemExit(f"{len(wrong)} values differ:\n{wrong.groupby('kpi').head(2).to_string()}")
    return {"kpis.duckdb": ours["kpi"].nunique(), "kpis.pandas": peer["kpi"].nunique(), "compared": len(both),
            "largest_difference": float(difference.max())}  # fmt: skip


def run(sizes: tuple[int, ...], repeat: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            subprocess.run([sys.executable, __file__, "--make", str(rows), "--folder", name], check=True)
            taken: dict[str, list[float]] = {}
            for _ in range(repeat):
                for engine in ENGINES:
                    for what, value in _apart(engine, name).items():
                        taken.setdefault(f"{what}.{engine}.{rows}", []).append(value)
            found |= {key: median(some) for key, some in taken.items()}
            found |= {f"{key}.{rows}": value for key, value in compare(Path(name)).items()}
    for engine in ENGINES:
        spent = [found[f"cpu_seconds.{engine}.{rows}"] for rows in sizes]
        found[f"growth_exponent.{engine}"] = float(np.log(spent[-1] / spent[0]) / np.log(sizes[-1] / sizes[0]))
    return found


def _apart(engine: str, folder: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", engine, "--folder", folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def table(found: dict[str, float], sizes: tuple[int, ...]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for engine in ENGINES:
        for size in sizes:
            row = {what: found[f"{what}.{engine}.{size}"] for what in ("kpis", "cpu_seconds", "peak_mb")}
            rows.append({"engine": engine, "deals": size, "activities": size * generator.PER_DEAL} | row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the size")
    parser.add_argument("--json", action="store_true", help="the figures as one flat JSON object")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each; their median is told")
    parser.add_argument("--measure", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        generator.write(options.folder, options.make)
    elif options.measure:
        print(json.dumps(measure(options.measure, options.folder)))
    else:
        sizes = tuple(size // 100 for size in SIZES) if options.quick else SIZES
        found = run(sizes, options.repeat)
        if options.json:
            print(json.dumps(found, indent=1))
            return
        print(table(found, sizes).round(1).to_string(index=False))
        for key, value in found.items():
            if key.startswith(("growth", "compared", "largest")):
                print(f"{key}: {value:.4g}")


if __name__ == "__main__":
    main()
