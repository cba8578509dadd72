"""Good and bad quarters: how strongly many deals move together.

References
----------
Gelman (2006), Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1: a handful of
quarters tells little about a variance, so a prior carries most of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.closing import ClosingTime, Incidence
from spm_models.revenue_forecast.features import WON

Floats = npt.NDArray[np.float64]
_PRIOR = {"open": 0.08, "new": 0.08}  # standard deviation of a quarter's log factor before any was seen
_PRIOR_QUARTERS = 8.0
_TOGETHER = 0.5  # assumed correlation of the two factors: too few quarters to learn it
_LEAST_EXPECTED = 5.0


@dataclass(frozen=True)
class Shocks:
    """Standard deviations of the log factors on wins from open and from new deals, and quarters behind them.

    ``worth_open`` and ``worth_new`` are those of the mean amounts, which are not known exactly either.
    """

    open: float
    new: float
    quarters: int
    worth_open: float = 0.0
    worth_new: float = 0.0

    def with_doubt(self, new: float, worth_open: float, worth_new: float) -> Shocks:
        """With what is not known of the period to come: number of new deals won, mean amounts of both."""
        return replace(self, new=float(np.hypot(self.new, new)), worth_open=worth_open, worth_new=worth_new)

    def factors(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
        """One factor per draw on wins of open and of new deals, and on amounts of both; mean 1, wins correlated."""
        first, second, third, fourth = rng.standard_normal((draws, 4)).T
        mixed = _TOGETHER * first + np.sqrt(1 - _TOGETHER**2) * second
        worth = _lognormal(third, self.worth_open), _lognormal(fourth, self.worth_new)
        return _lognormal(first, self.open), _lognormal(mixed, self.new), *worth


def learn_shocks(
    rows: pd.DataFrame, deals: pd.DataFrame, closing: ClosingTime, created: Incidence, calendar: FiscalCalendar,
    as_of: date,
) -> Shocks:  # fmt: skip
    """Estimate them from finished quarters: what is left of the residuals when chance within a quarter is taken off.

    ``created`` says how deals fare from their creation on. How many are created is not a matter of these shocks: the
    pace of arrivals has its own (:mod:`.pace`).
    """
    quarters = finished_quarters(calendar, deals, as_of)
    open_left = _open_residuals(rows, closing, quarters)
    new_left = _new_residuals(deals, created, quarters)
    return Shocks(_spread(open_left, "open"), _spread(new_left, "new"), len(quarters))


def finished_quarters(calendar: FiscalCalendar, deals: pd.DataFrame, as_of: date) -> list[Period]:
    """Quarters that began after the first creation and ended by ``as_of``."""
    if deals.empty:
        return []
    first = deals.created_on.min().date()
    return [quarter for quarter in calendar.quarters(first, as_of) if quarter.start > first and quarter.end <= as_of]


def _open_residuals(rows: pd.DataFrame, closing: ClosingTime, quarters: Sequence[Period]) -> list[tuple[float, float]]:
    """Log of won over expected among deals open on the eve of each quarter, and its variance by chance alone."""
    found = []
    for quarter in quarters:
        eve = rows[rows.as_of == pd.Timestamp(quarter.previous().end)]
        if eve.empty:
            continue
        chance = closing.incidence_.won_by(closing.groups(eve), float(quarter.days))
        won = ((eve.event == WON) & (eve.closed_on <= pd.Timestamp(quarter.end))).sum()
        found.append(_residual(float(won), float(chance.sum()), float((chance * (1 - chance)).sum())))
    return [residual for residual in found if residual is not None]


def _new_residuals(
    deals: pd.DataFrame, created: Incidence, quarters: Sequence[Period]
) -> list[tuple[float, float]]:  # fmt: skip
    """The same among deals created in a quarter and won before its end."""
    found = []
    ended = deals.created_on + pd.to_timedelta(deals.days, unit="D")
    for quarter in quarters:
        inside = deals.created_on.between(pd.Timestamp(quarter.start), pd.Timestamp(quarter.end))
        left = (pd.Timestamp(quarter.end) - deals.created_on[inside]).dt.days.to_numpy(dtype=float) + 1
        chance = created.won_by(np.zeros(len(left), dtype=np.int64), left)
        won = (inside & (deals.event == WON) & (ended <= pd.Timestamp(quarter.end))).sum()
        found.append(_residual(float(won), float(chance.sum()), float((chance * (1 - chance)).sum())))
    return [residual for residual in found if residual is not None]


def _residual(won: float, expected: float, variance: float) -> tuple[float, float] | None:
    if expected < _LEAST_EXPECTED:
        return None
    return float(np.log((won + 0.5) / (expected + 0.5))), variance / (expected + 0.5) ** 2


def _spread(residuals: list[tuple[float, float]], kind: str) -> float:
    prior = _PRIOR_QUARTERS * _PRIOR[kind] ** 2
    excess = sum(min(residual**2, 1.0) - by_chance for residual, by_chance in residuals)
    return float(np.sqrt(max(prior + excess, 0.25 * prior) / (_PRIOR_QUARTERS + len(residuals))))


def _lognormal(normal: Floats, deviation: float) -> Floats:
    return np.asarray(np.exp(deviation * normal - deviation**2 / 2), dtype=float)
