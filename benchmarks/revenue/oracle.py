"""The oracle: what a quarter will bring to someone who knows all rates but does not see what deals will do.

It knows the pace of each rep on every day with its season and trend, the chances to move, to be lost and to be won,
and the mean of amounts. Of an open deal it sees owner, segment, stage, age and amount; the hidden quality it weighs by
Bayes' rule. It knows neither the shocks of the quarters nor events to come. Its error is what is left to chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from revenue.generator import NEVER, Record
from revenue.rates import DAYS, STAGES, STEP_DEVIATION, STEP_MEAN, day_number
from spm_models.periods import Period

Floats = npt.NDArray[np.float64]
_STEP = float(np.exp(STEP_MEAN + STEP_DEVIATION**2 / 2))
_TOP = len(STAGES) - 1
_OLDEST = 800  # days: deals open for longer stay as they were then
_STEPS_LEFT = np.arange(len(STAGES), 0, -1)


@dataclass(frozen=True, eq=False)
class Expected:
    """The oracle's forecast of one quarter, in parts.

    ``deals`` has one row an open deal: ``opportunity_id, chance`` (won in the quarter), ``amount`` (if won).
    ``new_wins`` and ``new_amount``: deals not yet created that are won in the quarter, and what they bring, by rep.
    """

    closed: float
    deals: pd.DataFrame
    new_created: Floats
    new_wins: Floats
    new_amount: Floats

    @property
    def open(self) -> float:
        return float((self.deals["chance"] * self.deals["amount"]).sum())

    @property
    def new(self) -> float:
        return float(self.new_amount.sum())

    @property
    def total(self) -> float:
        return self.closed + self.open + self.new


class Oracle:
    """The oracle of one company on some days, which must be known beforehand."""

    def __init__(self, record: Record, days: list[date]) -> None:
        self.record, self.rates = record, record.rates
        self.standing = self._standing({day_number(day) for day in days})

    def expected(self, day: date, quarter: Period) -> Expected:
        now, end = day_number(day), day_number(quarter.end)
        value = sum(weight * self._value(now, end, node) for node, weight in _nodes(self.rates.shock_won))
        record, rates = self.record, self.rates
        at = np.flatnonzero((record.created <= now) & (record.closed > now))
        stage = (record.entered[at] <= now).sum(axis=1) - 1
        rep, segment = record.rep[at], record.segment[at]
        likely = rates.prior[rep, segment] * self.standing[now][record.created[at], segment, :, stage]
        likely /= np.maximum(likely.sum(axis=1, keepdims=True), 1e-300)
        chance = (likely * value[0, segment, :, stage]).sum(axis=1)
        worth = record.amounts[at, stage] * _STEP ** _STEPS_LEFT[stage]
        deals = pd.DataFrame({"opportunity_id": record.ids[at], "chance": chance, "amount": worth})
        created = rates.arrivals_known(now)[now + 1 : end + 1]
        # a deal created on a day is won with the value at the end of that day
        if len(created):
            won = np.einsum("dsq,rsq->drs", value[1:, :, :, 0], rates.prior * rates.shares[None, :, None])
        else:
            won = np.zeros((0, rates.prior.shape[0], len(rates.shares)))
        wins = (created[:, :, None] * won).sum(axis=0)
        mean = np.exp(rates.amounts[:, 0] + rates.amounts[:, 1] ** 2 / 2) * _STEP ** len(STAGES)
        closed = float(record.actual(quarter.start, day).sum()) if day >= quarter.start else 0.0
        return Expected(closed, deals, created.sum(axis=0), wins.sum(axis=1), wins @ mean)

    def _value(self, now: int, end: int, shock: float) -> Floats:
        """Chance to be won by the end of the last day, (days from now to the end, segments, qualities, stages)."""
        closing = self.rates.closing_known(now) * shock
        value = np.zeros((max(end - now, 0) + 1, *self.rates.up.shape))
        for place in range(end - now, 0, -1):
            up = _up(self.rates.up, closing[now + place])
            after = value[place]
            higher = np.concatenate([after[..., 1:], np.ones_like(after[..., :1])], axis=-1)
            value[place - 1] = up * higher + (1 - up - _lost(self.rates.lost, up)) * after
        return value

    def _standing(self, days: set[int]) -> dict[int, Floats]:
        """Chance that a deal created on each day stands in each stage, (created, segments, qualities, stages)."""
        rates, found = self.rates, {}
        state = np.zeros((DAYS, *rates.up.shape))
        closing = rates.closing_known(DAYS)
        for day in range(max(days) + 1):
            up = _up(rates.up, closing[day])
            recent = state[max(0, day - _OLDEST) : day]
            risen = recent[..., :-1] * up[..., :-1]
            recent *= 1 - up - _lost(rates.lost, up)
            recent[..., 1:] += risen
            state[day, ..., 0] = 1.0
            if day in days:
                found[day] = state.copy()
        return found


def _nodes(deviation: float) -> list[tuple[float, float]]:
    """Three values of a log-normal factor of mean 1, and their weights (Gauss and Hermite)."""
    far = float(np.exp(np.sqrt(3) * deviation)), float(np.exp(-np.sqrt(3) * deviation))
    middle = float(np.exp(-(deviation**2) / 2))
    return [(middle, 2 / 3), (middle * far[0], 1 / 6), (middle * far[1], 1 / 6)]


def _up(up: Floats, closing: float) -> Floats:
    changed = up.copy()
    changed[..., _TOP] = np.minimum(up[..., _TOP] * closing, 1.0)
    return changed


def _lost(lost: Floats, up: Floats) -> Floats:
    return np.minimum(lost, 1 - up)


def realised(record: Record, day: date, quarter: Period) -> dict[str, float]:
    """What the open deals of a day, and those not yet created, brought by the end of the quarter."""
    now, end = day_number(day), day_number(quarter.end)
    won = record.won & (record.closed > now) & (record.closed <= end) & (record.closed < NEVER)
    amount = record.amounts[:, -1]
    return {
        "open": float(amount[won & (record.created <= now)].sum()),
        "new": float(amount[won & (record.created > now)].sum()),
    }
