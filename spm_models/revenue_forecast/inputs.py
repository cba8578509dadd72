"""What a simulation is made of, so that it can be drawn again under other assumptions, with NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.periods import Period
from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.result import RevenueForecast
from spm_models.revenue_forecast.shocks import Shocks
from spm_models.revenue_forecast.simulation import DEAL_PARTS, Drawn, OpenDeals, draw
from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: Days by which closes are delayed (or hastened) for which chances are kept; between them they are linear.
SLIPS = (-28, -14, 0, 14, 28, 56, 91)


@dataclass(frozen=True)
class Changes:
    """Other assumptions: all factors 1, no slip and no hires leave the forecast as it is.

    Parameters
    ----------
    win_rate, new_business, price : float
        Factors on the chance of every deal to be won, on the number of deals not yet created, and on amounts.
    slip_days : float
        Days by which all closes come later; negative: sooner. At most as in :data:`SLIPS`.
    hires : float
        People who start on the day after ``as_of``. Their business belongs to the last leaf, as they have no name yet.
    """

    win_rate: float = 1.0
    slip_days: float = 0.0
    new_business: float = 1.0
    hires: float = 0.0
    price: float = 1.0

    def __post_init__(self) -> None:
        factors = (self.win_rate, self.new_business, self.price, self.hires)
        if not all(np.isfinite(value) and value >= 0 for value in factors):
            raise ModelError("A change cannot be negative", where="what if", found=str(self), remedy="Give 0 or more.")
        if not SLIPS[0] <= self.slip_days <= SLIPS[-1]:
            raise ModelError(
                "Deals cannot slip so far", where="what if", found=self.slip_days,
                remedy=f"Give days from {SLIPS[0]} to {SLIPS[-1]}.",
            )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ForecastInputs:
    """Everything that the draws of one period were made from.

    Parameters
    ----------
    as_of, period, units, closed
        As in :class:`RevenueForecast`.
    months : tuple of Period
        Months (or whatever the period was divided into) that have draws of their own; empty for one that is not.
    deals : DataFrame
        One row an open deal or a contract to be renewed: ``opportunity_id, rep_id, leaf, part`` (open, slipped,
        renewals), ``chance`` (to be won in the period), ``win_probability`` (ever), ``base, pool, worth`` (expected
        amount if won), ``expected_close_on``.
    chances : ndarray, shape (deals, slips, months)
        Chance to be won in each month when all closes slip by each of :data:`SLIPS`.
    leaves : DataFrame
        One row a leaf: ``rep_id, mean`` (wins of deals not yet created), ``shape`` (of the gamma around it),
        ``factor`` (on amounts).
    new_shares : ndarray, shape (slips, months)
        Wins of new deals in each month, relative to all wins in the period without slip.
    hire_mean, hire_shape : float
        Wins that one new colleague can be expected to have in the period.
    pools, new_pool : (list of) ndarray
        Factors of base amounts; amounts of new deals.
    shocks : Shocks
    dispersion, share_in_time : float
        As in :class:`~spm_models.revenue_forecast.arrivals.NewWins`.
    draws, seed : int
    keep : ndarray of int64, optional
        Draws that were chosen afterwards (:meth:`RevenueForecast.with_draws`).
    scale : ndarray, optional
        What each of them was multiplied by (:meth:`RevenueForecast.rescaled`).
    """

    as_of: date
    period: Period
    units: Units
    closed: Ints
    months: tuple[Period, ...]
    deals: pd.DataFrame
    chances: Floats
    leaves: pd.DataFrame
    new_shares: Floats
    hire_mean: float
    hire_shape: float
    pools: list[Floats]
    new_pool: Floats
    shocks: Shocks
    dispersion: float
    share_in_time: float
    draws: int
    seed: int
    closed_by_month: Ints | None = None
    keep: Ints | None = None
    scale: Floats | None = None

    def draw(self, changes: Changes | None = None, draws: int | None = None) -> RevenueForecast:
        """Simulate the period with these changes; without them it is the same forecast again.

        Parameters
        ----------
        changes : Changes, optional
        draws : int, optional
            Only the first so many draws: quicker. Not for a forecast whose draws were chosen.
        """
        changes = changes or Changes()
        made = self.draws if draws is None or self.keep is not None else min(draws, self.draws)
        drawn = self._drawn(changes, made)
        forecast = replace(RevenueForecast.of(self, drawn, self.closed, self.closed_by_month), inputs=None)
        if self.keep is not None:
            forecast = forecast.with_draws(self.keep)
        if self.scale is not None:
            forecast = forecast.scaled(self.scale[:made] if self.keep is None else self.scale)
        return replace(forecast, inputs=self if changes == Changes() else None)

    def _drawn(self, changes: Changes, draws: int) -> Drawn:
        deals = self.deals
        chance = np.clip(_at(self.chances.transpose(1, 0, 2), changes.slip_days) * changes.win_rate, 0.0, 1.0)
        part: Ints = pd.Index(DEAL_PARTS).get_indexer(pd.Index(deals["part"])).astype(np.int64)
        base = deals["base"].to_numpy(dtype=float) * changes.price
        opened = OpenDeals(deals["leaf"].to_numpy(), chance, base, deals["pool"].to_numpy(), part)
        now, then = _at(self.new_shares, 0.0), _at(self.new_shares, changes.slip_days)
        ratio = np.divide(then, now, out=np.zeros_like(then), where=now > 0) * changes.win_rate * changes.new_business
        leaves = self.leaves
        n = len(leaves)
        more = None if changes == Changes() else np.tile(ratio, (n, 1))
        mean, shape = (leaves[name].to_numpy(dtype=float) for name in ("mean", "shape"))
        factor, slots = leaves["factor"].to_numpy(dtype=float), np.tile(now / max(now.sum(), 1e-300), (n, 1))
        new = NewWins(mean, shape, self.dispersion, self.share_in_time, slots)
        found = draw(
            opened, self.pools, new, self.new_pool * changes.price, factor, self.shocks, draws=draws, seed=self.seed,
            more=more,
        )  # fmt: skip
        if not changes.hires:
            return found
        hired = np.zeros(n)
        hired[-1] = changes.hires * self.hire_mean
        colleagues = NewWins(hired, np.full(n, self.hire_shape), self.dispersion, self.share_in_time, slots)
        others = draw(
            _nobody(chance.shape[1]), self.pools, colleagues, self.new_pool * changes.price, np.ones(n), self.shocks,
            draws=draws, seed=self.seed + 1, more=more,
        )  # fmt: skip
        return Drawn(found.deals, found.new + others.new)


def _nobody(slots: int) -> OpenDeals:
    none = np.zeros(0, dtype=np.int64)
    return OpenDeals(none, np.zeros((0, slots)), np.zeros(0), none)


def _at(table: Floats, days: float) -> Floats:
    """Row of a table of :data:`SLIPS`, linear between them."""
    place = int(np.clip(np.searchsorted(SLIPS, days, side="right") - 1, 0, len(SLIPS) - 2))
    part = (days - SLIPS[place]) / (SLIPS[place + 1] - SLIPS[place])
    if part == 0:
        return np.asarray(table[place])
    return np.asarray(table[place] * (1 - part) + table[place + 1] * part)
