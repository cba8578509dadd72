"""Coaching flags beside plain ways to flag: false alarms where nobody differs, wrong flags and finds where some do.

Run ``python benchmarks/coaching.py [--quick] [--json]``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import pandas as pd

from spm_models.coaching import CoachingReview, Evidence, PointNullTest, ThresholdRules, detectable_shortfall, evidence
from spm_models.coaching.simulation import simulate_evidence, truly_short

Flags = set[tuple[str, str]]
PLANTED = ("r003", "r017", "r029")


def review(found: Evidence) -> Flags:
    findings = CoachingReview().fit(found).predict(found)
    table = findings.table[findings.table["verdict"] == "coaching_suggestion"]
    return set(zip(table["rep_id"], table["signal"], strict=True))


def _plain(method: ThresholdRules | PointNullTest) -> Callable[[Evidence], Flags]:
    def flags(found: Evidence) -> Flags:
        table = method.flags(found)
        return set(table.loc[table["flagged"], ["rep_id", "signal"]].itertuples(index=False, name=None))

    return flags


METHODS = {"review": review, "point null + BH": _plain(PointNullTest()), "threshold rules": _plain(ThresholdRules())}


def simulated(companies: int) -> pd.DataFrame:
    """Four kinds of company: all alike, only regions differ, everybody differs a little, three reps at half."""
    half = {signal: dict.fromkeys(PLANTED, 0.5) for signal in ("win_rate", "activity")}
    worlds = {
        "nobody and nothing differs": {"spread": 0.0, "context": 0.0, "clusters": 1.0},
        "regions differ, nobody else": {"spread": 0.0},
        "reps differ (sd 25 %)": {"spread": 0.25},
        "three reps at half": {"spread": 0.05, "factors": half, "deals": 300.0},
    }
    rows = []
    for world, settings in worlds.items():
        made = [simulate_evidence(seed, **settings) for seed in range(companies)]
        for method, flags in METHODS.items():
            start = time.perf_counter()
            pairs = [(flags(found), truly_short(truth)) for found, truth in made]
            seconds = (time.perf_counter() - start) / companies
            flagged = sum(len(f) for f, _ in pairs)
            wrong = sum(len(f - short) for f, short in pairs)
            short = sum(len(short) for _, short in pairs)
            reps = sum(len({rep for rep, _ in f}) for f, _ in pairs)
            wrong_reps = sum(len({r for r, _ in f} - {r for r, _ in f & short}) for f, short in pairs)
            rows.append({
                "world": world, "method": method, "companies": companies,
                "companies_with_flags": sum(bool(f) for f, _ in pairs), "flags": flagged,
                "wrong_share": wrong / flagged if flagged else 0.0, "reps": reps,
                "wrong_reps_share": wrong_reps / reps if reps else 0.0,
                "found_share": (flagged - wrong) / short if short else float("nan"), "seconds": seconds,
            })  # fmt: skip
    return pd.DataFrame(rows)


def sample_company(seeds: range) -> pd.DataFrame:
    """Reps of the sample company who are flagged, by their true cause."""
    import tempfile
    from pathlib import Path

    from spm_models.crm import load, organisation
    from spm_models.periods import FiscalCalendar
    from spm_models.sample_company import write_workspace
    from spm_models.snapshots import outcomes
    from spm_models.workspace import Workspace

    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            write_workspace(Path(folder), size="usual", seed=seed)
            workspace = Workspace.open(folder)
            tables = load(workspace, run_id="benchmark").tables
            day = tables.extracted_on
            calendar = FiscalCalendar.of(workspace.settings.calendar)
            found = evidence(tables, outcomes(tables, day), organisation(tables, day), day, calendar=calendar)
            truth = pd.read_parquet(Path(folder) / "truth" / "reps.parquet").set_index("rep_id")["cause"]
        here = found.reps.loc[found.reps["left_on"].isna(), "rep_id"]
        for method, flags in METHODS.items():
            about = {rep for rep, _ in flags(found)}
            rows += [
                {"method": method, "cause": cause, "reps": len(group), "flagged": len(about & set(group.index))}
                for cause, group in truth[truth.index.isin(here)].groupby(truth)
            ]
    return pd.DataFrame(rows).groupby(["method", "cause"], as_index=False, sort=False).sum()


def flat(table: pd.DataFrame, keys: list[str], prefix: str) -> dict[str, float]:
    """One flat key a figure."""
    long = table.melt(id_vars=keys)
    names = long[[*keys, "variable"]].agg(".".join, axis=1).str.replace(r"[^\w.]+", "_", regex=True)
    return {f"{prefix}.{name}": float(value) for name, value in zip(names, long["value"], strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer companies; minutes")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    worlds = simulated(10 if options.quick else 60)
    causes = sample_company(range(1, 2 if options.quick else 6))
    power = pd.DataFrame({"closed": [25, 100, 200, 400]})
    power["detectable_shortfall"] = detectable_shortfall(power["closed"], 0.25)
    if options.json:
        figures = flat(worlds, ["world", "method"], "coaching") | flat(causes, ["method", "cause"], "coaching.sample")
        named = power.assign(closed=power["closed"].astype(str))
        print(json.dumps(figures | flat(named, ["closed"], "coaching.power"), indent=1))
        return
    print("Simulated companies of 40 reps, four signals each (nominal share of wrong flags: 0.10)")
    print(worlds.round(3).to_string(index=False))
    print("\nSample company: reps flagged, by true cause")
    print(causes.pivot(index="cause", columns="method", values="flagged").assign(
        reps=causes.drop_duplicates("cause").set_index("cause")["reps"]).to_string())  # fmt: skip
    print("\nSmallest shortfall in a win rate of 25 % that can be seen among 40 reps (80 % power)")
    print(power.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
