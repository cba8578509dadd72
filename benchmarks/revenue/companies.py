"""Generated companies: error by week of the quarter beside simple forecasts and the oracle, and what ranges hold.

The unit of every standard error is the company: its quarters share people and rates, and the weeks of one quarter
are one outcome.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from revenue.companies_show import show
from revenue.company_run import Ran, Setup, run_company
from revenue.company_scores import flat

COMPANIES, QUICK = 204, 24


def run_companies(numbers: Iterable[int], setup: Setup, jobs: int = 2) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Forecasts of all companies, hits of their ranges, and processor seconds of a quarter's forecast."""
    numbers = list(numbers)
    one = partial(_one, setup=setup)
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            found = _told(pool.map(one, numbers, chunksize=1), len(numbers))
    else:
        found = _told(map(one, numbers), len(numbers))
    forecasts = len(numbers) * setup.evaluated * len(setup.weeks)
    totals, ranges = (pd.concat([getattr(ran, name) for ran in found], ignore_index=True) for name in
                      ("totals", "ranges"))  # fmt: skip
    return totals, ranges, sum(ran.seconds for ran in found) / forecasts


def _told(running: Iterable[Ran], total: int) -> list[Ran]:
    """The companies as they come; who watches a terminal is told how many there are."""
    found = []
    for ran in running:
        found.append(ran)
        if sys.stderr.isatty():
            print(f"\r{len(found)} of {total} companies", end="\n" if len(found) == total else "", file=sys.stderr)
    return found


def _one(number: int, setup: Setup) -> Ran:
    with threadpool_limits(1):  # processes share the processors
        return run_company(number, setup)


def run(options: argparse.Namespace) -> dict[str, float]:
    """Figures of as many companies as are asked for; printed as tables unless JSON is wanted."""
    n = options.companies or (QUICK if options.quick else COMPANIES)
    begun = time.perf_counter()
    totals, ranges, seconds = run_companies(range(n), Setup(score=options.score), options.jobs)
    if options.keep:
        keep(options.keep, totals, ranges)
    if not options.json:
        print(show(totals, ranges, seconds))
    return flat(totals, ranges) | {
        "cpu_seconds.companies.forecast": seconds, "seconds.companies": time.perf_counter() - begun
    }  # fmt: skip


def keep(folder: Path, totals: pd.DataFrame, ranges: pd.DataFrame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    totals.to_parquet(folder / "companies_totals.parquet")
    ranges.to_parquet(folder / "companies_ranges.parquet")
