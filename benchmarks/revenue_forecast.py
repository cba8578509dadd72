"""The revenue forecast beside plain peers: past quarters of the sample company, quarters and months of a CRM export.

Run ``python benchmarks/revenue_forecast.py [--quick] [--json]``. The export (Maven Analytics, CRM Sales Opportunities)
is looked for in ``../shared/data/maven_crm``; without it that part is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from spm_models.crm import load
from spm_models.evaluation import forecast_scores
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast import Known, RevenueForecaster, Scored, known_from, replay
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.win_probability import WinProbability
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
Z80 = 1.2815515655446004


def score(snapshots: pd.DataFrame, outcomes: pd.DataFrame, pipeline: pd.DataFrame) -> Scored:
    scores = WinProbability(seed=1).fit(snapshots, outcomes).predict(pipeline)
    return Scored(scores.table, scores.timing.table if scores.timing is not None else None)


def ets(history: pd.Series) -> tuple[float, float, float, float] | None:
    """Mean, p10, p50, p90 of statsmodels' exponential smoothing (damped trend) on logs of quarterly revenue."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    if len(history) < 5 or (history <= 0).any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ExponentialSmoothing(
            np.log(history.to_numpy()), trend="add", damped_trend=True, initialization_method="estimated"
        ).fit()
    centre, spread = float(np.asarray(fit.forecast(1))[0]), float(np.std(fit.resid, ddof=1))
    p10, p50, p90 = np.exp(centre + spread * np.array([-Z80, 0.0, Z80]))
    return float(p50), float(p10), float(p50), float(p90)


def quarters(known: Callable[[date], Known], as_of: date, calendar: FiscalCalendar) -> pd.DataFrame:
    """Replayed quarters of all methods; exponential smoothing, and the simulation without deals' timing, added."""
    scored: dict[pd.Timestamp, Scored] = {}

    def once(snapshots: pd.DataFrame, outcomes: pd.DataFrame, pipeline: pd.DataFrame) -> Scored:
        day = pd.Timestamp(pipeline["as_of"].iloc[0])
        if day not in scored:
            scored[day] = score(snapshots, outcomes, pipeline)
        return scored[day]

    def untimed(snapshots: pd.DataFrame, outcomes: pd.DataFrame, pipeline: pd.DataFrame) -> Scored:
        return Scored(once(snapshots, outcomes, pipeline).scores)

    table = replay(known, as_of, score=once, calendar=calendar).table
    plain = replay(known, as_of, score=untimed, calendar=calendar).table
    rows = [plain[plain["method"] == "simulation"].assign(method="simulation_untimed")]
    for period, group in table[table["method"] == "simulation"].groupby("period"):
        eve = calendar.parse(str(period)).start - timedelta(days=1)
        found = ets(won_by_quarter(known(eve).outcomes, calendar, eve))
        if found:
            mean, p10, p50, p90 = found
            rows.append(group.assign(method="ets", mean=mean, p10=p10, p50=p50, p90=p90))
    return pd.concat([table, *rows], ignore_index=True)


def months(known: Callable[[date], Known], periods: list[Period], actuals: pd.DataFrame) -> pd.DataFrame:
    """Months forecast on the last day of the month before, by the simulation and the plain baselines."""
    rows = []
    for month in periods:
        eve = month.start - timedelta(days=1)
        then = known(eve)
        model = RevenueForecaster(1, 1000).fit(then.snapshots, then.outcomes, then.organisation, as_of=eve)
        scored = score(then.snapshots, then.outcomes, then.pipeline)
        totals = {
            name: model.predict(then.pipeline, month, deal_scores=scored.scores, deal_timing=timing)
            .summary()
            .loc["total", ["mean", "p10", "p50", "p90"]]
            for name, timing in (("simulation", scored.timing), ("simulation_untimed", None))
        }
        inside = actuals["won"] & actuals["closed_on"].between(pd.Timestamp(month.start), pd.Timestamp(month.end))
        facts = {"period": month.label, "actual": float(actuals.loc[inside, "amount"].sum())}
        rows += [facts | {"method": name, **total.to_dict()} for name, total in totals.items()]
        for baseline in model.baselines(then.pipeline, month).values():
            p10, p50, p90 = baseline.quantiles()
            rows.append(facts | {"method": baseline.method, "mean": baseline.point, "p10": p10, "p50": p50, "p90": p90})
    return pd.DataFrame(rows)


def sample_company(seed: int) -> pd.DataFrame:
    from spm_models.sample_company import write_workspace

    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), size="usual", seed=seed)
        workspace = Workspace.open(folder)
        tables = load(workspace, run_id="benchmark").tables
        calendar = FiscalCalendar.of(workspace.settings.calendar)
        found = quarters(known_from(tables, tables.extracted_on, calendar), tables.extracted_on, calendar)
    return found.assign(period=f"seed {seed}, " + found["period"])


def maven() -> dict[str, pd.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "data" / "examples" / "maven" / "spm.toml", folder)
        tables = load(Workspace.open(folder, source=MAVEN), run_id="benchmark").tables
        as_of, calendar = date(2017, 12, 31), FiscalCalendar()
        known = known_from(tables, as_of, calendar)
        late = calendar.periods("month", date(2017, 6, 1), as_of)
        return {
            "maven_quarters": quarters(known, as_of, calendar),
            "maven_months": months(known, late, known(as_of).outcomes),
        }


def speed() -> float:
    """Seconds for 5,000 open deals of 40 reps, 10,000 draws."""
    from spm_models.revenue_forecast.arrivals import NewWins
    from spm_models.revenue_forecast.shocks import Shocks
    from spm_models.revenue_forecast.simulation import OpenDeals, draw

    rng = np.random.default_rng(1)
    deals = OpenDeals(
        rng.integers(0, 40, 5000), rng.random(5000) * 0.4, rng.lognormal(9, 1, 5000), np.zeros(5000, dtype=np.int64)
    )
    new = NewWins(np.full(40, 5.0), np.full(40, 20.0), 1.3, 0.2)
    start = time.perf_counter()
    draw(deals, [np.ones(1)], new, np.ones(1) * 1e4, np.ones(40), Shocks(0.15, 0.2, 8), draws=10_000, seed=1)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one sample company instead of five")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    seeds = range(1, 2 if options.quick else 6)
    parts = {"sample": pd.concat([sample_company(seed) for seed in seeds], ignore_index=True)}
    parts |= maven() if MAVEN.is_dir() else {}
    seconds = speed()
    scores = {part: forecast_scores(table) for part, table in parts.items()}
    if options.json:
        figures = {
            f"revenue_forecast.{part}.{row.method}.{measure}": float(getattr(row, measure))
            for part, table in scores.items()
            for row in table.itertuples()
            for measure in ("n", "absolute_error", "bias", "coverage", "interval_score")
        }
        print(json.dumps(figures | {"revenue_forecast.simulation_seconds": seconds}, indent=1))
        return
    for part, table in parts.items():
        print(f"{part}: forecast on the eve of each period (error = sum of absolute errors / sum of actuals)")
        print(scores[part].round(3).to_string(index=False))
        ours = table[table["method"] == "simulation"].sort_values("period")
        ours = ours.assign(
            error=ours["mean"] / ours["actual"] - 1, hit=ours["actual"].between(ours["p10"], ours["p90"])
        )
        print(
            ours[["period", "p10", "p50", "p90", "actual", "error", "hit"]].round(3).to_string(index=False), end="\n\n"
        )
    print(f"5,000 open deals, 10,000 draws: {seconds:.2f} s")


if __name__ == "__main__":
    main()
