"""One generated company forecast in the weeks of its last quarters, by everybody, from what was known then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from revenue.chances import SCORES
from revenue.generator import Record, company
from revenue.oracle import Oracle
from revenue.rates import QUARTERS, START
from revenue.simple import past, simple
from revenue.where import with_ingredients
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast import RevenueForecaster, snapshot_days
from spm_models.revenue_forecast.result import RevenueForecast

WEEKS = (1, 6, 10)
LEVELS = ("company", "region", "team", "rep")
RANGES = (0.5, 0.8, 0.95)
CALENDAR = FiscalCalendar()
EVALUATED = 4


@dataclass(frozen=True)
class Setup:
    """What is the same for all companies of a run."""

    seed: int = 1
    score: str = "quick"
    draws: int = 1000
    weeks: tuple[int, ...] = WEEKS
    evaluated: int = EVALUATED


@dataclass(frozen=True, eq=False)
class Ran:
    """Forecasts of the company's total (one row a quarter, week and model) and hits of the ranges of each level."""

    totals: pd.DataFrame
    ranges: pd.DataFrame
    seconds: float  # of the processor, for our forecasts alone


def quarters(last: int) -> list[Period]:
    """The last quarters of the companies' lives."""
    first = CALENDAR.quarter(START)
    every = CALENDAR.quarters(first.start, START + timedelta(days=366 * 3))
    return every[:QUARTERS][-last:]


def day_of(quarter: Period, week: int) -> date:
    """The last day of a week of the quarter; week 0 is the eve."""
    return quarter.start + timedelta(days=7 * week - 1)


def run_company(number: int, setup: Setup) -> Ran:
    record = company(number, setup.seed)
    asked = [(quarter, week) for quarter in quarters(setup.evaluated) for week in setup.weeks]
    oracle = Oracle(record, [day_of(*one) for one in asked])
    stack = record.snapshots(_days(setup.weeks))
    totals, ranges, seconds = [], [], 0.0
    for quarter, week in asked:
        day = day_of(quarter, week)
        truth = oracle.expected(day, quarter)
        actual = record.actual(quarter.start, quarter.end)
        known, outcomes = stack[stack["as_of"] <= pd.Timestamp(day)], record.outcomes(day)
        points = {"oracle": truth.total} | simple(past(known, outcomes, day, quarter))
        begun = time.process_time()
        model, forecast, scored = _ours(record, known, outcomes, day, quarter, setup)
        seconds += time.process_time() - begun
        pipeline = known[known["as_of"] == pd.Timestamp(day)]
        points["simulation"] = float(forecast.company_total().mean())
        points |= with_ingredients(model, forecast, pipeline, quarter, scored, truth)
        facts = {"company": number, "kind": record.rates.kind, "size": record.rates.size, "quarter": quarter.label,
                 "week": week}  # fmt: skip
        totals += [facts | {"model": name, "mean": point, "actual": actual.sum()} for name, point in points.items()]
        ranges += [facts | {"model": "simulation"} | row for row in covered(forecast, record, quarter)]
    return Ran(pd.DataFrame(totals), pd.DataFrame(ranges), seconds)


def _days(weeks: Sequence[int]) -> list[date]:
    """Days to look back at: those of the weekly run, and the asked weeks of every quarter."""
    every = quarters(QUARTERS)
    usual = snapshot_days(START, every[-1].end, CALENDAR)
    return sorted({*usual, *(day_of(quarter, week) for quarter in every for week in weeks)})


def _ours(
    record: Record, known: pd.DataFrame, outcomes: pd.DataFrame, day: date, quarter: Period, setup: Setup
) -> tuple[RevenueForecaster, RevenueForecast, object]:
    wanted = {pd.Timestamp(one) for one in snapshot_days(START, day, CALENDAR)}
    snapshots = known[known["as_of"].isin(wanted)]
    pipeline = snapshots[snapshots["as_of"] == pd.Timestamp(day)]
    scored = SCORES[setup.score](snapshots, outcomes, pipeline)
    model = RevenueForecaster(seed=1, draws=setup.draws)
    model.fit(snapshots, outcomes, record.organisation(day), as_of=day, calendar=CALENDAR)
    forecast = model.predict(pipeline, quarter, deal_scores=scored.scores, deal_timing=scored.timing)
    return model, forecast, scored


def covered(forecast: RevenueForecast, record: Record, quarter: Period) -> list[dict[str, object]]:
    """Per level: share of its units whose revenue lay in the range, and where it lay (probability integral).

    Ranges of small units end in lumps (nothing won at all), so that a right one holds more than it says; ``fair`` is
    the share of the lump that would have to count, which is the nominal one for a right forecast whatever the lumps.
    """
    units = forecast.units
    revenue = record.actual(quarter.start, quarter.end)
    by_rep = pd.Series(revenue, index=record.rates.people["rep_id"])
    leaf = units.leaf(pd.Series(by_rep.index))
    actual_leaf = np.bincount(leaf, by_rep.to_numpy(), minlength=len(units))
    rows: list[dict[str, object]] = []
    for level in LEVELS:
        draws = forecast.draws[forecast.draws["level"] == level]
        table = draws.pivot(index="draw", columns="key", values="total")
        keys, codes = units.keys(level)
        actual = pd.Series(np.bincount(codes, actual_leaf, minlength=len(keys)), index=keys)
        table = table[[key for key in table.columns if key != "unassigned"]]
        y, drawn = actual.reindex(table.columns).to_numpy(float), table.to_numpy(float)
        below, upto = (drawn < y - 0.01).mean(axis=0), (drawn <= y + 0.01).mean(axis=0)
        row: dict[str, object] = {"level": level, "units": len(y), "place": float(((below + upto) / 2).mean())}
        for share in RANGES:
            low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2], axis=0)
            name = f"{share * 100:.0f}"
            row["hit" + name] = float(((y >= low - 0.01) & (y <= high + 0.01)).mean())
            row["width" + name] = float((high - low).sum())
            inside = np.clip(np.minimum(upto, (1 + share) / 2) - np.maximum(below, (1 - share) / 2), 0, None)
            lump = upto - below
            exact = (below >= (1 - share) / 2) & (below <= (1 + share) / 2)
            row["fair" + name] = float(np.where(lump > 0, inside / np.maximum(lump, 1e-9), exact).mean())
        rows.append(row)
    return rows
