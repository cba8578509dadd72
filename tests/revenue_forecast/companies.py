"""A fast generator of small companies whose quarters are known: not the forecaster's own form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar, Period

DAY0 = pd.Timestamp("2023-01-01")


@dataclass(frozen=True)
class Company:
    """Everything that ever happens, and views of what is known on a day."""

    deals: pd.DataFrame
    organisation: pd.DataFrame

    def known(self, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Pipelines of month ends and of ``as_of``, outcomes, and the pipeline of ``as_of``."""
        now = pd.Timestamp(as_of)
        days = sorted({*pd.date_range(DAY0, now, freq="ME"), now})
        pipelines = pd.concat([self._pipeline(day) for day in days], ignore_index=True)
        ended = self.deals[self.deals.closed_on <= now]
        status = np.where(ended.won, "won", "lost")
        outcomes = ended.assign(status=status)[
            ["opportunity_id", "rep_id", "status", "won", "created_on", "closed_on", "amount"]
        ]
        return pipelines, outcomes.reset_index(drop=True), pipelines[pipelines.as_of == now].reset_index(drop=True)

    def actual(self, period: Period) -> float:
        """Revenue of a period."""
        won = self.deals[self.deals.won & self.deals.closed_on.between(*map(pd.Timestamp, (period.start, period.end)))]
        return float(won.amount.sum())

    def _pipeline(self, day: pd.Timestamp) -> pd.DataFrame:
        open_ = self.deals[(self.deals.created_on <= day) & (self.deals.closed_on > day)]
        age = (day - open_.created_on).dt.days.astype(float)
        late = age > 30
        return pd.DataFrame(
            {"as_of": day, "opportunity_id": open_.opportunity_id, "rep_id": open_.rep_id,
             "created_on": open_.created_on, "age_days": age, "stage": np.where(late, "Offer", "Talk"),
             "stage_order": late.astype(float), "expected_close_on": open_.expected_close_on,
             "days_to_expected_close": (open_.expected_close_on - day).dt.days.astype(float),
             "amount": open_.asked, "list_price": np.nan, "chance": open_.chance}
        )  # fmt: skip


def company(seed: int, *, reps: int = 8, days: int = 900, pace: float = 0.12, shock: float = 0.15) -> Company:
    """Reps of different pace and skill, quarters that are good or bad for all, log-normal cycles and amounts."""
    rng = np.random.default_rng(seed)
    own_pace = pace * rng.lognormal(0, 0.3, reps)
    skill = rng.normal(0, 0.35, reps)
    n = rng.poisson(own_pace * days)
    rep = np.repeat(np.arange(reps), n)
    created = rng.integers(0, days, rep.size)
    order = np.lexsort((rep, created))
    rep, created = rep[order], created[order]
    cycle = np.maximum(rng.lognormal(np.log(60), 0.6, rep.size).astype(int), 1)
    quarter = (created + cycle) // 91
    mood = rng.normal(0, shock * 1.5, quarter.max() + 1)[quarter]
    fit = rng.normal(0, 0.8, rep.size)
    chance = 1 / (1 + np.exp(1.0 - skill[rep] - fit))
    won = rng.random(rep.size) < 1 / (1 + np.exp(1.0 - skill[rep] - fit - mood))
    asked = np.round(rng.lognormal(9, 0.8, rep.size), 2)
    created_on = DAY0 + pd.to_timedelta(created, unit="D")
    guess = np.maximum(cycle + rng.normal(0, 25, rep.size), 5).astype(int)
    deals = pd.DataFrame(
        {"opportunity_id": [f"o{k:05}" for k in range(rep.size)], "rep_id": [f"r{k:02}" for k in rep],
         "created_on": created_on, "closed_on": created_on + pd.to_timedelta(cycle, unit="D"), "won": won,
         "asked": asked, "amount": np.round(asked * rng.choice([0.8, 0.9, 1.0, 1.0, 1.1], rep.size), 2),
         "chance": chance, "expected_close_on": created_on + pd.to_timedelta(guess, unit="D")}
    )  # fmt: skip
    organisation = pd.DataFrame(
        {"rep_id": [f"r{k:02}" for k in range(reps)], "manager_id": [f"m{k % 3}" for k in range(reps)],
         "team": [f"t{k % 3}" for k in range(reps)], "region": [f"g{k % 2}" for k in range(reps)], "role": "rep",
         "hired_on": pd.Timestamp("2020-01-01"), "left_on": pd.NaT}
    )  # fmt: skip
    return Company(deals, organisation)


QUARTER = FiscalCalendar().quarter(date(2024, 10, 1))
EVE = date(2024, 9, 30)


def scores(pipeline: pd.DataFrame) -> pd.DataFrame:
    """The true chances (without the quarter's mood), as a model would give them."""
    return pd.DataFrame({"opportunity_id": pipeline.opportunity_id, "win_probability": pipeline.chance})


MIDDLE = date(2024, 11, 15)
