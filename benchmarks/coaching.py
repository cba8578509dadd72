"""Coaching beside what CRM tools do: suggestions, causes, effects and early warnings against known truth.

Run ``python benchmarks/coaching.py [--quick] [--json] [--only flags|causes|effects|warnings|sample]``. Flat keys of
``--json``: those of the studies in ``benchmarks/coaching_study``, and ``sample.<cause>.<method>``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import pandas as pd
from coaching_study import causes, effects, flags, warnings
from coaching_study.sample import by_cause

from spm_models.coaching import detectable_shortfall

Part = tuple[list[pd.DataFrame], dict[str, float]]


def _flags(quick: bool) -> Part:
    table, figures = flags.study(quick)
    return [table], figures


def _causes(quick: bool) -> Part:
    return causes.study(quick)


def _effects(quick: bool) -> Part:
    return [], effects.study(200 if quick else 1000, seed=7)


def _warnings(quick: bool) -> Part:
    return [], warnings.study(quick)


def _sample(quick: bool) -> Part:
    table = by_cause(range(1, 2 if quick else 9))
    figures = {
        f"sample.{row['cause']}.{method}": row[method] / row["reps"]
        for row in table.to_dict("records") for method in ("review", "rules")
    }  # fmt: skip
    power = pd.DataFrame({"closed": [25, 100, 200, 400]})
    power["detectable_shortfall"] = detectable_shortfall(power["closed"], 0.25)
    figures |= {f"detectable.{row.closed}": row.detectable_shortfall for row in power.itertuples()}
    return [table, power], figures


PARTS: dict[str, Callable[[bool], Part]] = {
    "flags": _flags, "causes": _causes, "effects": _effects, "warnings": _warnings, "sample": _sample,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer companies; minutes")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    parser.add_argument("--only", choices=list(PARTS), help="one part alone")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    for name in [options.only] if options.only else PARTS:
        start = time.perf_counter()
        tables, found = PARTS[name](options.quick)
        figures |= found
        if not options.json:
            print(f"\n{name} ({time.perf_counter() - start:.0f} s)")
            for table in tables:
                print(table.round(3).to_string(index=False))
            print(pd.Series(found).round(4).to_string())
    if options.json:
        print(json.dumps({name: None if pd.isna(value) else float(value) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
