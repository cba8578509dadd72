"""The revenue forecast beside its peers: competition series, generated and sample companies, a CRM export, speed.

Everybody forecasts from what was known on the day. Series need the peers' environment (``make benchmark-series``) to
be compared with all of them. Flat keys of ``--json``: ``mase.<cut>.<model>`` and the like of series,
``error.<company>.week<k>.<model>``, ``gap_closed.week<k>`` and ``coverage80.<company>.<level>`` of companies,
``revenue_forecast.<part>.<method>.<measure>`` of the rest.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from revenue import companies, exports, series
from revenue.chances import SCORES
from threadpoolctl import threadpool_limits


def of_sample(options: argparse.Namespace) -> dict[str, float]:
    seeds = range(1, 2 if options.quick else 6)
    found = {"sample": pd.concat([exports.sample_company(seed) for seed in seeds], ignore_index=True)}
    return _told(found, options)


def of_maven(options: argparse.Namespace) -> dict[str, float]:
    if not exports.MAVEN.is_dir():
        if not options.json:
            print(f"maven: not here — no data in {exports.MAVEN}")
        return {}
    return _told(exports.maven(), options)


def _told(found: dict[str, pd.DataFrame], options: argparse.Namespace) -> dict[str, float]:
    for part, table in found.items():
        if not options.json:
            print(exports.show(part, table))
    return exports.figures(found)


def of_speed(options: argparse.Namespace) -> dict[str, float]:
    """Seconds for 5,000 open deals of 40 reps, 10,000 draws."""
    from spm_models.revenue_forecast.new_wins import NewWins
    from spm_models.revenue_forecast.shocks import Shocks
    from spm_models.revenue_forecast.simulation import OpenDeals, draw

    rng = np.random.default_rng(1)
    deals = OpenDeals(
        rng.integers(0, 40, 5000), rng.random(5000) * 0.4, rng.lognormal(9, 1, 5000), np.zeros(5000, dtype=np.int64)
    )
    new = NewWins(np.full(40, 5.0), np.full(40, 20.0), 1.3, 0.2)
    start = time.perf_counter()
    draw(deals, [np.ones(1)], new, np.ones(1) * 1e4, np.ones(40), Shocks(0.15, 0.2, 8), draws=10_000, seed=1)
    seconds = time.perf_counter() - start
    if not options.json:
        print(f"5,000 open deals, 10,000 draws: {seconds:.2f} s")
    return {"revenue_forecast.simulation_seconds": seconds}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "series": series.run, "companies": companies.run, "sample": of_sample, "maven": of_maven, "speed": of_speed,
}  # fmt: skip


def main() -> None:
    options = _options()
    flat: dict[str, float] = {}
    start = time.perf_counter()
    for part in PARTS:
        if not options.only or part in options.only:
            if not options.json:
                print(f"== {part}")
            flat |= PARTS[part](options)
    flat["seconds"] = time.perf_counter() - start
    if options.json:
        print(json.dumps({key: round(value, 5) for key, value in flat.items() if value == value}, indent=1))
    else:
        print(f"\nWhole benchmark: {flat['seconds']:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer series and companies, one sample company")
    parser.add_argument("--json", action="store_true", help="flat keys instead of text")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--companies", type=int, metavar="N", help=f"generated companies ({companies.COMPANIES})")
    parser.add_argument("--score", choices=SCORES, default="quick", help="win probabilities of generated companies")
    parser.add_argument("--jobs", type=int, default=2, help="processes for the companies")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep forecasts, and what peers of series said, there")
    return parser.parse_args()


if __name__ == "__main__":
    pd.set_option("display.width", 250)
    with threadpool_limits(1):  # processes share the processors
        sys.exit(main())
