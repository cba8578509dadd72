"""Generated companies: deals drawn day by day from known rates, and what was known of them on any day.

A company lives for twelve quarters. :func:`Record.snapshots`, :func:`Record.outcomes` and :func:`Record.organisation`
give the frames that :class:`spm_models.revenue_forecast.RevenueForecaster` takes, each made only of what had happened
by the day asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from revenue.rates import (
    BURN_IN,
    DAYS,
    QUALITIES,
    SEGMENTS,
    STAGES,
    STEP_DEVIATION,
    STEP_MEAN,
    Rates,
    calendar_day,
    day_number,
    draw_rates,
    quarter_numbers,
)
from spm_models.periods import FiscalCalendar
from spm_models.snapshots.schema import PIPELINE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NEVER = 10**6
_DAY0 = np.datetime64(calendar_day(0), "s")


@dataclass(frozen=True, eq=False)
class Record:
    """Everything that happened in one company, as a log from which the state of any day can be told.

    ``entered`` holds the day on which each deal reached each stage (:data:`NEVER` if not), ``amounts`` its amount from
    then on and, in the last column, at the close. ``due`` is the log of expected close dates, in the order of deal and
    day.
    """

    rates: Rates
    created: Ints
    rep: Ints
    segment: Ints
    quality: Ints
    entered: Ints
    amounts: Floats
    closed: Ints
    won: npt.NDArray[np.bool_]
    due: pd.DataFrame
    ids: pd.api.extensions.ExtensionArray

    def snapshot(self, day: date) -> pd.DataFrame:
        """Deals open at the end of a day, as known then."""
        now = day_number(day)
        at = np.flatnonzero((self.created <= now) & (self.closed > now))
        stage = (self.entered[at] <= now).sum(axis=1) - 1
        log = np.searchsorted(self._log_key, at * DAYS + now, side="right") - 1
        due, people = self.due.iloc[log], self.rates.people
        amount, first = self.amounts[at, stage], self.amounts[at, 0]
        rep = self.rep[at]
        quarter = FiscalCalendar().quarter(day)
        return pd.DataFrame({
            "as_of": np.full(len(at), np.datetime64(day, "s")), "opportunity_id": self.ids[at],
            **{name: people[name].array[rep] for name in ("rep_id", "manager_id", "team", "region")},
            "segment": pd.array(SEGMENTS, dtype="str")[self.segment[at]],
            "stage": pd.array(STAGES, dtype="str")[stage], "stage_order": stage.astype(float),
            "created_on": _days(self.created[at]), "expected_close_on": _days(due["expected"].to_numpy()),
            "amount": amount, "list_price": np.nan, "age_days": (now - self.created[at]).astype(float),
            "days_in_stage": (now - self.entered[at, stage]).astype(float),
            "days_to_expected_close": (due["expected"].to_numpy() - now).astype(float),
            "push_count": due["pushes"].to_numpy(dtype=float), "slip_days": due["slip"].to_numpy(dtype=float),
            "amount_changes": stage.astype(float), "amount_ratio": amount / first,
            "quarter_day": float((day - quarter.start).days), "days_to_quarter_end": float((quarter.end - day).days),
        })  # fmt: skip

    def snapshots(self, days: Iterable[date], *, whole: bool = False) -> pd.DataFrame:
        """Those of many days, stacked; ``whole``: with the columns that are not generated, which are empty."""
        rows = pd.concat([self.snapshot(day) for day in days], ignore_index=True)
        kinds = {name: kind for name, kind in PIPELINE.items() if name not in rows} if whole else {}
        return rows.assign(**{name: pd.Series(None, index=rows.index, dtype=kind) for name, kind in kinds.items()})

    def outcomes(self, day: date) -> pd.DataFrame:
        """Deals closed since the record began and by the end of a day."""
        at = np.flatnonzero((self.closed >= BURN_IN) & (self.closed <= day_number(day)))
        return pd.DataFrame({
            "opportunity_id": self.ids[at], "rep_id": self.rates.people["rep_id"].array[self.rep[at]],
            "status": pd.array(["lost", "won"], dtype="str")[self.won[at].astype(np.int64)], "won": self.won[at],
            "created_on": _days(self.created[at]), "closed_on": _days(self.closed[at]), "amount": self.amounts[at, -1],
        })  # fmt: skip

    def organisation(self, day: date) -> pd.DataFrame:
        """Who had been hired by a day; who has left by then."""
        people = self.rates.people[self.rates.people["from"] <= day_number(day)]
        gone = people["left_on"].where(people["to"] <= day_number(day), pd.NaT)
        names = ["rep_id", "name", "role", "team", "region", "manager_id", "hired_on"]
        return people[names].assign(left_on=gone).reset_index(drop=True)

    def actual(self, first: date, last: date) -> Floats:
        """Revenue of each rep between two days, both included."""
        inside = self.won & (self.closed >= day_number(first)) & (self.closed <= day_number(last))
        return np.bincount(self.rep[inside], self.amounts[inside, -1], minlength=len(self.rates.people))

    @property
    def _log_key(self) -> Ints:
        return np.asarray(self.due["key"].to_numpy())


def company(number: int, seed: int = 1) -> Record:
    """One of the generated companies; the same number and seed give the same one."""
    return simulate(draw_rates(number, seed), seed=seed * 100_003 + number)


def simulate(rates: Rates, seed: int, until: date | None = None) -> Record:
    """Draw what happens, day by day; stopped early, it is the same up to that day."""
    last = DAYS - 1 if until is None else day_number(until)
    people, chance = (np.random.default_rng([seed, part]) for part in (2, 3))
    quarter = quarter_numbers()
    new, won = (
        np.exp(sd * people.standard_normal(int(np.ptp(quarter)) + 1) - sd**2 / 2)[quarter - quarter.min()]
        for sd in (rates.shock_new, rates.shock_won)
    )
    counts = people.poisson(rates.arrivals_known(DAYS) * new[:, None])
    day, rep = (np.repeat(axis, counts.ravel()) for axis in np.divmod(np.arange(counts.size), counts.shape[1]))
    n = len(day)
    segment = (people.random(n) > rates.shares[0]).astype(np.int64)
    quality = (people.random(n)[:, None] > rates.prior[rep, segment].cumsum(axis=1)[:, :-1]).sum(axis=1)
    first = np.exp(rates.amounts[segment, 0] + rates.amounts[segment, 1] * people.standard_normal(n))
    drawn = _Deals(rates, day, segment, segment * QUALITIES + quality, first, people.standard_normal(n))
    drawn.live(last, rates.closing_known(DAYS) * won, chance)
    keep = np.flatnonzero((day <= last) & (drawn.closed >= BURN_IN))
    ids = pd.array([f"d{place:06}" for place in keep], dtype="str")
    return Record(
        rates, day[keep], rep[keep], segment[keep], quality[keep], drawn.entered[keep],
        np.round(drawn.amounts[keep], 2), drawn.closed[keep], drawn.won[keep], drawn.due_log(keep), ids,
    )  # fmt: skip


class _Deals:
    """The moving parts: where each deal stands, and the logs."""

    def __init__(self, rates: Rates, day: Ints, segment: Ints, group: Ints, first: Floats, guess: Floats) -> None:
        n, stages = len(day), len(STAGES)
        self.day, self.segment, self.group = day, segment, group
        self.up, self.lost = (table.reshape(-1, stages) for table in (rates.up, rates.lost))
        usual = 1 / (rates.up + rates.lost).mean(axis=1)  # days in a stage, by segment
        self.ahead = usual[:, ::-1].cumsum(axis=1)[:, ::-1]  # days still needed, from each stage on
        self.entered = np.full((n, stages), NEVER)
        self.entered[:, 0] = day
        self.amounts = np.full((n, stages + 1), np.nan)
        self.amounts[:, 0] = first
        self.closed, self.won = np.full(n, NEVER), np.zeros(n, dtype=bool)
        self.stage = np.zeros(n, dtype=np.int64)
        self.expected = day + np.maximum(np.rint(self.ahead[segment, 0] * np.exp(0.35 * guess)), 3).astype(np.int64)
        self.log = [np.stack([np.arange(n), day, self.expected])]

    def live(self, last: int, closing: Floats, rng: np.random.Generator) -> None:
        top = len(STAGES) - 1
        starts = np.searchsorted(self.day, np.arange(last + 2))
        alive = np.zeros(0, dtype=np.int64)
        for day in range(last + 1):
            stage, group = self.stage[alive], self.group[alive]
            go = self.up[group, stage] * np.where(stage == top, closing[day], 1.0)
            drawn = rng.random(len(alive))
            moved = alive[drawn < go]
            ended = alive[(drawn >= go) & (drawn < go + self.lost[group, stage])]
            won = moved[self.stage[moved] == top]
            step = np.exp(STEP_MEAN + STEP_DEVIATION * rng.standard_normal(len(moved)))
            at = self.stage[moved]
            self.amounts[moved, at + 1] = self.amounts[moved, at] * step
            risen = moved[at < top]
            self.stage[risen] += 1
            self.entered[risen, self.stage[risen]] = day
            self.closed[won], self.won[won] = day, True
            self.closed[ended] = day
            self.amounts[ended, -1] = self.amounts[ended, self.stage[ended]]
            alive = alive[self.closed[alive] == NEVER]
            self._redate(day, risen, alive, rng)
            alive = np.concatenate([alive, np.arange(starts[day], starts[day + 1])])

    def _redate(self, day: int, risen: Ints, alive: Ints, rng: np.random.Generator) -> None:
        """New expected close dates: often when a stage is reached, and within about a week when one has passed."""
        late = alive[(self.expected[alive] <= day) & (rng.random(len(alive)) < 0.15)]
        again = np.union1d(risen[rng.random(len(risen)) < 0.6], late)
        if not len(again):
            return
        ahead = self.ahead[self.segment[again], self.stage[again]] * np.exp(0.35 * rng.standard_normal(len(again)))
        self.expected[again] = day + np.maximum(np.rint(ahead), 1).astype(np.int64)
        self.log.append(np.stack([again, np.full(len(again), day), self.expected[again]]))

    def due_log(self, keep: Ints) -> pd.DataFrame:
        deal, day, expected = np.concatenate(self.log, axis=1)
        place = np.full(len(self.day), -1)
        place[keep] = np.arange(len(keep))
        log = pd.DataFrame({"deal": place[deal], "day": day, "expected": expected})
        log = log[log["deal"] >= 0].sort_values(["deal", "day"], kind="stable", ignore_index=True)
        later = log["expected"].diff().where(log["deal"].diff() == 0, 0).clip(lower=0)
        log["pushes"] = (later > 0).groupby(log["deal"]).cumsum()
        log["slip"] = later.groupby(log["deal"]).cumsum()
        log["key"] = log["deal"] * DAYS + log["day"]
        return log.drop_duplicates("key", keep="last", ignore_index=True)


def _days(numbers: Ints) -> npt.NDArray[np.datetime64]:
    return np.asarray(_DAY0 + numbers.astype("timedelta64[D]"), dtype="datetime64[s]")
