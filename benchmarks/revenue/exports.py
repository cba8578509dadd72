"""Quarters and months of a CRM export (Maven Analytics) and of sample companies, forecast from what was known then.

The export is looked for in ``../shared/data/maven_crm``; without it that part is left out.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from revenue.chances import full_score, learn_full
from revenue.simple import SIMPLE, past, simple
from spm_models.crm import load
from spm_models.crm.tables import Tables
from spm_models.errors import NotEnoughDataError
from spm_models.evaluation import absolute_error, bias, forecast_scores
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast import (
    Known,
    RevenueForecaster,
    Scored,
    known_from,
    members_of,
    replay,
    snapshot_days,
)
from spm_models.revenue_forecast.past_knowledge import KnownAt
from spm_models.snapshots import month_ends, pipelines
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
LAST = date(2017, 12, 31)
CALENDAR = FiscalCalendar()
_QUANTILES = ["mean", "p10", "p50", "p90"]


def sample_company(seed: int) -> pd.DataFrame:
    """The last quarters of one sample company, forecast on their eves."""
    from spm_models.sample_company import write_workspace

    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), size="usual", seed=seed)
        workspace = Workspace.open(folder)
        tables = load(workspace, run_id="benchmark").tables
        calendar = FiscalCalendar.of(workspace.settings.calendar)
        found = quarters(known_from(tables, tables.extracted_on, calendar), tables.extracted_on, calendar)
    return found.assign(period=f"seed {seed}, " + found["period"])


def maven() -> dict[str, pd.DataFrame]:
    """Quarters on their eves, months of 2017 on their eves, and quarters as of each month end of 2017."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "data" / "examples" / "maven" / "spm.toml", folder)
        tables = load(Workspace.open(folder, source=MAVEN), run_id="benchmark").tables
        known = known_from(tables, LAST, CALENDAR)
        late = CALENDAR.periods("month", date(2017, 6, 1), LAST)
        return {
            "maven_quarters": quarters(known, LAST, CALENDAR),
            "maven_months": months(known, late, known(LAST).outcomes),
            "maven_month_ends": at_month_ends(tables, known),
        }


def quarters(known: KnownAt, as_of: date, calendar: FiscalCalendar) -> pd.DataFrame:
    """Replayed weeks of the last quarters by all methods; the simulation without deals' timing added."""

    @cache
    def scored(day: date) -> Callable[[pd.DataFrame], Scored]:
        then = known(day)
        return learn_full(then.snapshots, then.outcomes)

    def timed(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> Callable[[pd.DataFrame], Scored]:
        return scored(snapshots["as_of"].max().date())

    def untimed(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> Callable[[pd.DataFrame], Scored]:
        return lambda pipeline: Scored(timed(snapshots, outcomes)(pipeline).scores)

    table = replay(known, as_of, learn=timed, calendar=calendar).table
    plain = replay(known, as_of, learn=untimed, calendar=calendar).table
    return pd.concat(
        [table, plain[plain["method"] == "simulation"].assign(method="simulation_untimed")], ignore_index=True
    )


def months(known: KnownAt, periods: list[Period], actuals: pd.DataFrame) -> pd.DataFrame:
    """Months forecast on the last day of the month before, by the simulation and the plain baselines."""
    rows = []
    for month in periods:
        then = known(month.start - timedelta(days=1))
        facts = {"period": month.label, "actual": _won(actuals, month)}
        totals = _simulated(then, month)
        rows += [facts | {"method": name, **total.to_dict()} for name, total in totals.items()]
        for name, baseline in members_of(then, month, CALENDAR).items():
            p10, p50, p90 = baseline.quantiles()
            rows.append(facts | {"method": name, "mean": baseline.point, "p10": p10, "p50": p50, "p90": p90})
    return pd.DataFrame(rows)


def at_month_ends(tables: Tables, known: KnownAt) -> pd.DataFrame:
    """The running quarter as of each month end of 2017 (on the last day of a quarter: the next one), by everybody."""
    actuals, rows = known(LAST).outcomes, []
    ends = [day for day in month_ends(date(2017, 1, 1), LAST) if day < LAST]
    for day in ends:
        quarter = CALENDAR.quarter(day + timedelta(days=1))
        then = known(day)
        into = (day - quarter.start).days
        same = {q.start + timedelta(days=into) for q in CALENDAR.quarters(date(2016, 10, 1), day)}
        stack = pipelines(tables, sorted({*(d for d in same if d <= day), *snapshot_days(ends[0], day, CALENDAR)}))
        try:
            totals = _simulated(then, quarter)
        except NotEnoughDataError:
            continue  # nothing had been won yet
        facts = {"period": f"{quarter.label}, {day}", "month": (day.month % 3), "actual": _won(actuals, quarter)}
        rows += [facts | {"method": name, **total.to_dict()} for name, total in totals.items()]
        points = simple(past(stack, then.outcomes, day, quarter))
        rows += [facts | {"method": name, "mean": points.get(name, np.nan)} for name in SIMPLE]
    return pd.DataFrame(rows)


def _simulated(then: Known, period: Period) -> dict[str, pd.Series]:
    model = RevenueForecaster(1, 1000).fit(then.snapshots, then.outcomes, then.organisation, as_of=then.as_of)
    scored = full_score(then.snapshots, then.outcomes, then.pipeline)
    return {
        name: model.predict(then.pipeline, period, deal_scores=scored.scores, deal_timing=timing)
        .summary().loc["total", _QUANTILES]
        for name, timing in (("simulation", scored.timing), ("simulation_untimed", None))
    }  # fmt: skip


def _won(actuals: pd.DataFrame, period: Period) -> float:
    inside = actuals["won"] & actuals["closed_on"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    return float(actuals.loc[inside, "amount"].sum())


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """One row a method, best error first; those without a range have error and bias alone."""
    points = table["p10"].isna()
    rows = [
        {"method": name, "n": len(group), "absolute_error": absolute_error(group["actual"], group["mean"]),
         "bias": bias(group["actual"], group["mean"])}
        for name, group in table[points].dropna(subset=["mean"]).groupby("method")
    ]  # fmt: skip
    both = pd.concat([forecast_scores(table[~points]), pd.DataFrame(rows)], ignore_index=True)
    return both.sort_values(["absolute_error", "method"], ignore_index=True)


def figures(parts: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Flat keys of forecast tables by part."""
    return {
        f"revenue_forecast.{part}.{row.method}.{measure}": float(getattr(row, measure))
        for part, table in parts.items()
        for row in scores(table).itertuples()
        for measure in ("n", "absolute_error", "bias", "coverage", "interval_score")
    } | {
        f"error.maven.month{month}.{row.method}": float(row.absolute_error)
        for part, table in parts.items()
        if part == "maven_month_ends"
        for month, group in table.groupby("month")
        for row in scores(group).itertuples()
    }


def show(part: str, table: pd.DataFrame) -> str:
    texts = [f"{part} (error = sum of absolute errors / sum of actuals)",
             scores(table).round(3).to_string(index=False)]  # fmt: skip
    if "month" in table:
        by_month = pd.concat(
            {f"{month} months in": scores(group).set_index("method")["absolute_error"]
             for month, group in table.groupby("month")}, axis=1,
        )  # fmt: skip
        texts += ["error by month of the quarter", by_month.round(3).to_string()]
    ours = table[table["method"] == "simulation"].sort_values("period")
    off, hit = ours["mean"] / ours["actual"] - 1, ours["actual"].between(ours["p10"], ours["p90"])
    columns = ["period", "p10", "p50", "p90", "actual", "error", "hit"]
    texts.append(ours.assign(error=off, hit=hit)[columns].round(3).to_string(index=False))
    return "\n".join(texts) + "\n"
