"""Simulated companies of the coaching benchmark: how large, how long, how much of the context is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from spm_models.coaching import Evidence, Truth, simulate_evidence
from spm_models.coaching.features import TIME_CONTEXT

SPREAD = 0.25  #: how much reps differ in each behaviour (standard deviation of the logarithm)
HIDDEN = 0.1  #: circumstances in no column: about a fifth of the variance of those that are in one
PLANTED = ("knowledge",) * 4 + ("motivation",) * 3 + ("direction",) * 3 + ("territory",) * 3 + ("coasting",) * 2
DEALS, DEALS_SPREAD = 100.0, 0.35  #: closed a year by a rep: median over companies, and how much they differ (log)


@dataclass(frozen=True)
class World:
    """A kind of company: ``reps`` people watched for ``quarters``."""

    name: str
    reps: int
    quarters: int
    companies: int
    hidden: float = 0.0


WORLDS = (
    World("40 reps, 4 quarters", 40, 4, 90),
    World("40 reps, 4 quarters, context partly seen", 40, 4, 40, HIDDEN),
    World("40 reps, 1 quarter", 40, 1, 40),
    World("40 reps, 8 quarters", 40, 8, 40),
    World("12 reps, 4 quarters", 12, 4, 40),
    World("12 reps, 4 quarters, context partly seen", 12, 4, 20, HIDDEN),
    World("400 reps, 4 quarters", 400, 4, 3),
)


def company(world: World, seed: int) -> tuple[Evidence, Truth]:
    """One company with planted causes on about three reps of eight, natural differences between all."""
    random = np.random.default_rng([seed, world.reps, world.quarters])
    count = max(5, round(world.reps * len(PLANTED) / 40))
    causes = [PLANTED[round(number * len(PLANTED) / count) % len(PLANTED)] for number in range(count)]
    chosen = random.choice(world.reps, count, replace=False)
    planted = {f"r{rep:03d}": cause for rep, cause in zip(chosen.tolist(), causes, strict=True)}
    deals = DEALS * float(np.exp(DEALS_SPREAD * random.standard_normal()))
    return simulate_evidence(
        seed, reps=world.reps, quarters=world.quarters, deals=deals, causes=planted, spread=SPREAD, hidden=world.hidden
    )  # fmt: skip


def quiet_company(seed: int) -> Evidence:
    """Forty reps who do not differ, in territories and seasons that do."""
    random = np.random.default_rng([seed, 1])
    deals = DEALS * float(np.exp(DEALS_SPREAD * random.standard_normal()))
    return simulate_evidence(seed, deals=deals, spread=0.0)[0]


def weekly_looks(seed: int, quarters: int = 4) -> Iterator[Evidence]:
    """A quiet company as it is seen at the end of each week of a year, each time looking back ``quarters``."""
    whole = simulate_evidence(seed, quarters=quarters + 4, spread=0.0)[0]
    last = whole.weeks["week"].max()
    for week in range(-51, 1):
        until = last + pd.Timedelta(weeks=week + 1) - pd.Timedelta(days=1)
        yield seen_between(whole, until - pd.Timedelta(weeks=13 * quarters) + pd.Timedelta(days=1), until)


def seen_between(whole: Evidence, since: pd.Timestamp, until: pd.Timestamp) -> Evidence:
    """The evidence between two days, its quarters counted back from the last one."""
    weeks = whole.weeks[whole.weeks["week"].between(since, until)]
    quarter = "q" + ((weeks["week"] - since).dt.days // 91).astype("str")
    work = {}
    for name, column in (("activity", "activity"), ("pipeline_creation", "created")):
        sums = weeks.assign(period=quarter, count=weeks[column]).groupby(["rep_id", "period"], as_index=False)
        rows = sums[["count", "days"]].sum().assign(tenure="settled")
        places = whole.reps[["rep_id", "region", "territory"]]
        work[name] = rows.merge(places, on="rep_id")[["rep_id", "count", "days", *TIME_CONTEXT]]
    deals = whole.deals[whole.deals["closed_on"].between(since, until)]
    assert whole.stages is not None
    stages = whole.stages[whole.stages["left_on"].between(since, until)]
    return replace(
        whole, as_of=until.date(), since=since.date(), deals=deals, stages=stages, weeks=weeks, work=work,
        results=whole.results.iloc[:0],
    )  # fmt: skip
