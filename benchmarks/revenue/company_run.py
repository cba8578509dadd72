"""One generated company forecast in the weeks of its last quarters, by everybody, from what was known then.

As in the weekly run, quarters before are replayed, the blend is learned from them, and the verdict says what is
published: the blend, the simulation, or a plain forecast that they did not match.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from revenue.chances import SCORES
from revenue.company_ranges import covered
from revenue.generator import Record, company
from revenue.oracle import Oracle
from revenue.rates import QUARTERS, START
from revenue.simple import past, simple
from revenue.where import with_ingredients
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast import Known, RevenueForecaster, members_of, snapshot_days
from spm_models.revenue_forecast.past_forecasts import judged
from spm_models.revenue_forecast.past_weeks import PastWeek, leaf_totals
from spm_models.revenue_forecast.quarter_weeks import day_of_week, same_weeks
from spm_models.revenue_forecast.result import RevenueForecast

WEEKS = (1, 6, 10)
EVALUATED, REPLAYED = 4, 4
CALENDAR = FiscalCalendar()


@dataclass(frozen=True)
class Setup:
    """What is the same for all companies of a run."""

    seed: int = 1
    score: str = "quick"
    draws: int = 1000
    weeks: tuple[int, ...] = WEEKS
    evaluated: int = EVALUATED
    replayed: int = REPLAYED  # quarters before each, from which the blend is learned; 0: the simulation alone


@dataclass(frozen=True, eq=False)
class Ran:
    """Forecasts of the company's total (one row a quarter, week and model) and hits of the ranges of each level."""

    totals: pd.DataFrame
    ranges: pd.DataFrame
    seconds: float  # of the processor, for our forecasts alone


@dataclass(frozen=True, eq=False)
class Forecast:
    """One week's forecast with what it was made from."""

    model: RevenueForecaster
    simulated: RevenueForecast
    week: PastWeek


def quarters(last: int) -> list[Period]:
    """The last quarters of the companies' lives."""
    every = CALENDAR.quarters(START, START + timedelta(days=366 * 3))
    return every[:QUARTERS][-last:]


class Company:
    """A company, and what was known of it."""

    def __init__(self, number: int, setup: Setup) -> None:
        self.record: Record = company(number, setup.seed)
        self.setup = setup
        every = quarters(QUARTERS)
        asked = {day_of_week(quarter, week) for quarter in every for week in setup.weeks}
        learned = snapshot_days(START, every[-1].end, CALENDAR)
        self.stack = self.record.snapshots(sorted({*learned, *asked}), whole=setup.score == "full")

    def known(self, day: date, quarter: Period) -> Known:
        """What was known: deals are learned from at month ends and on the day itself."""
        snapshots = self._on(snapshot_days(START, day, CALENDAR))
        earlier = self._on(list(same_weeks(quarter, day, CALENDAR, START).values()))
        return Known(day, snapshots, self.record.outcomes(day), self.record.organisation(day), earlier)

    def forecast(self, quarter: Period, week: int) -> Forecast:
        """What the workbench says of a week of a quarter, before any blending."""
        day = day_of_week(quarter, week)
        then = self.known(day, quarter)
        scored = SCORES[self.setup.score](then.snapshots, then.outcomes, then.pipeline)
        model = RevenueForecaster(seed=1, draws=self.setup.draws)
        model.fit(then.snapshots, then.outcomes, then.organisation, as_of=day, calendar=CALENDAR)
        forecast = model.predict(then.pipeline, quarter, deal_scores=scored.scores, deal_timing=scored.timing)
        drawn = leaf_totals(forecast)
        leaves = forecast.units.table[["rep_id", "region", "team", "manager", "rep"]].reset_index(drop=True)
        plain = members_of(then, quarter, CALENDAR)
        told = scored.timing is not None
        made = PastWeek(quarter.label, week, day, plain, leaves, forecast.closed, drawn, drawn, told)
        return Forecast(model, forecast, made)

    def simple(self, quarter: Period, week: int) -> dict[str, float]:
        day = day_of_week(quarter, week)
        rows = self.stack[self.stack["as_of"] <= pd.Timestamp(day)]
        return simple(past(rows, self.record.outcomes(day), day, quarter))

    def won(self, quarter: Period) -> pd.DataFrame:
        """Deals won in a quarter, as known when it is over."""
        outcomes = self.record.outcomes(quarter.end)
        return outcomes[outcomes["won"] & (outcomes["closed_on"] >= pd.Timestamp(quarter.start))]

    def _on(self, days: list[date]) -> pd.DataFrame:
        return self.stack[self.stack["as_of"].isin(pd.to_datetime(sorted(days)))]


def run_company(number: int, setup: Setup) -> Ran:
    one = Company(number, setup)
    rates = one.record.rates
    asked = quarters(setup.evaluated)
    oracle = Oracle(one.record, [day_of_week(quarter, week) for quarter in asked for week in setup.weeks])
    totals, ranges = [], []
    spent: list[float] = []
    for quarter, found, ours in _blended(one, asked, spent):
        week = found.week.week
        truth = oracle.expected(found.week.as_of, quarter)
        revenue = one.record.actual(quarter.start, quarter.end)
        actual = float(revenue.sum())
        points = {"oracle": truth.total} | one.simple(quarter, week)
        points |= {name: float(forecast.company_total().mean()) for name, forecast in ours.items()}
        points |= {name: plain.point for name, plain in found.week.plain.items() if name == "series"}
        points |= with_ingredients(found.model, found.simulated, quarter, truth)
        facts = {"company": number, "kind": rates.kind, "size": rates.size, "quarter": quarter.label, "week": week}
        totals += [facts | {"model": name, "mean": point, "actual": actual} for name, point in points.items()]
        leaf = found.simulated.units.leaf(pd.Series(rates.people["rep_id"]))
        by_leaf = np.bincount(leaf, revenue, minlength=len(found.week.leaves))
        for name in ("simulation", "published"):
            drawn = leaf_totals(ours[name]) / 100
            ranges += [facts | {"model": name} | row for row in covered(drawn, by_leaf, found.week.leaves)]
    return Ran(pd.DataFrame(totals), pd.DataFrame(ranges), sum(spent))


def _blended(
    one: Company, asked: list[Period], spent: list[float]
) -> Iterator[tuple[Period, Forecast, dict[str, RevenueForecast]]]:
    """Each week of the asked quarters: the simulation, its blend, and what is published of them."""
    setup = one.setup
    weeks: dict[str, list[PastWeek]] = {}
    won: dict[str, pd.DataFrame] = {}
    for quarter in quarters(setup.evaluated + setup.replayed):
        begun = time.process_time()
        found = [one.forecast(quarter, week) for week in setup.weeks]
        before = list(weeks)[-setup.replayed :] if setup.replayed else []
        if quarter in asked:
            replay = judged([week for label in before for week in weeks[label]], won, seed=1) if before else None
            for each in found:
                ours = dict.fromkeys(("simulation", "blend", "published"), each.simulated)
                if replay is not None:
                    points = {name: plain.point for name, plain in each.week.plain.items()}
                    ours["blend"] = replay.blend.apply(each.simulated, points, seed=1)
                    ours["published"] = replay.publish(each.simulated, each.week.plain, seed=1)
                spent.append(time.process_time() - begun)
                yield quarter, each, ours
                begun = time.process_time()
        else:
            spent.append(time.process_time() - begun)
        weeks[quarter.label] = [each.week for each in found]
        won[quarter.label] = one.won(quarter)
