"""Win probability beside its peers: tables, streams, intervals, speed.

``make benchmark`` runs it in an environment with all peers; without them,
``.venv/bin/python benchmarks/win_probability.py`` names those that are not installed. Everybody learns from the same
rows with the same weights and is judged by the same later rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from win import companies, compare, coverage, scoring, show, streams, table_coverage, tables
from win.split import Table
from win.tables import TableMissingError

TABLES = ("maven_deals", "maven_snapshots", "bank_calls", "leadforge", "sample_tiny", "sample_usual", "sample_drifting")
QUICK = ("maven_deals", "maven_snapshots", "bank_calls", "sample_tiny")
STREAMED = ("bank_calls", "sample_drifting")
OTHERS = ("streams", "coverage", "scoring")
SLOW = ("hist_boosting_sigmoid", "catboost")  # left out by --quick


def table(name: str, quick: bool) -> Table:
    """A table by its name; smaller when in a hurry."""
    if name == "bank_calls":
        return tables.bank_calls(step=4 if quick else 1)
    if name.startswith("sample_"):
        return companies.sample(name, companies=2 if quick else None)
    return {"maven_deals": tables.maven_deals, "leadforge": tables.leadforge,
            "maven_snapshots": companies.maven_snapshots}[name]()  # fmt: skip


def main() -> None:
    options = _options()
    wanted = options.only or [*(QUICK if options.quick else TABLES), *OTHERS]
    say = (lambda *text: None) if options.json else print
    flat: dict[str, float] = {}
    found, start = [], time.perf_counter()
    say(show.legend())
    for name in TABLES:
        streamed = "streams" in wanted and name in STREAMED and (not options.quick or name in QUICK)
        if name not in wanted and not streamed:
            continue
        try:
            one = table(name, options.quick)
        except TableMissingError as reason:
            say(f"\n{name}: not here — {reason}")
            continue
        if name in wanted:
            models = [m for m in show.ORDER if m not in SLOW] if options.quick else None
            found.append(compare.compare(one, only=models, kept=options.keep))
            flat |= compare.flat(found[-1])
            say(show.compared(found[-1]))
        if streamed:
            logs = streams.stream(one)
            flat |= streams.flat(one, logs)
            say(show.streamed(one, logs))
    flat |= compare.summary(found)
    say(show.summary(compare.summary(found), found))
    if "coverage" in wanted:
        asked = coverage.coverage(companies=options.companies or (30 if options.quick else 200), jobs=options.jobs)
        flat |= coverage.summary(asked)
        say(show.covered(asked))
        through = table_coverage.table_coverage(companies=3 if options.quick else 24, jobs=options.jobs)
        flat |= table_coverage.summary(through)
        say(show.covered_through_tables(through))
    if "scoring" in wanted:
        split = companies.company_split("tiny" if options.quick else "small", 1)
        costs = scoring.scoring(split, 100_000 if options.quick else 1_000_000)
        flat |= costs
        say(show.costs(costs))
    flat["seconds"] = time.perf_counter() - start
    say(f"\nWhole benchmark: {flat['seconds']:.0f} s")
    if options.json:
        absent = {name for one in found for name in one.absent}
        print(
            json.dumps(
                {k: round(v, 5) for k, v in flat.items() if v == v} | {f"absent.{n}": 1 for n in absent}, indent=1
            )
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller tables, no slow peers")
    parser.add_argument("--json", action="store_true", help="flat keys instead of text")
    parser.add_argument(
        "--only", nargs="+", choices=[*TABLES, *OTHERS], metavar="PART", help=", ".join([*TABLES, *OTHERS])
    )
    parser.add_argument("--companies", type=int, help="for the coverage of intervals (200; 30 with --quick)")
    parser.add_argument("--jobs", type=int, default=2, help="processes for the coverage of intervals")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what peers said there, and do not ask again")
    return parser.parse_args()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # a peer's affair
    pd.set_option("display.width", 160)
    with threadpool_limits(1):  # processor seconds of one thread, without waiting for others
        sys.exit(main())
