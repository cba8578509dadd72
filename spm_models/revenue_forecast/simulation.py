"""The one simulation: each deal is drawn once, and every figure of every level is a sum of these draws.

Amounts are whole cents in 64-bit integers, so that sums are exact whatever their order. Every deal and every arrival
has random numbers of its own that do not depend on its chance, so that the same simulation under other assumptions
(:class:`~spm_models.revenue_forecast.inputs.ForecastInputs`) differs by these assumptions and not by chance.

References
----------
Glasserman and Yao (1992), Some guidelines and guarantees for common random numbers, Management Science 38.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.shocks import Shocks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Cents = npt.NDArray[np.int64]
#: Parts that are drawn deal by deal, in the order of their codes.
DEAL_PARTS = ("open", "slipped", "renewals")
_CELLS = 400_000  # deals times draws held at a time: what fits into a processor's cache
_PICKS = 4096.0  # the last bits of a deal's number choose its amount: they say nothing about whether it is won
_BITS = 21


@dataclass(frozen=True, eq=False)
class OpenDeals:
    """Open deals and contracts to be renewed, in the order of their ids.

    Parameters
    ----------
    leaf : ndarray of int64, shape (deals,)
    chance : ndarray, shape (deals,) or (deals, slots)
        Chance to be won in the period, or in each of its months.
    base, pool : ndarray, shape (deals,)
        Base amount and the pool of factors from which its worth is drawn.
    part : ndarray of int64, shape (deals,), optional
        Place in :data:`DEAL_PARTS`; all open without it.
    """

    leaf: Ints
    chance: Floats
    base: Floats
    pool: Ints
    part: Ints | None = None

    @property
    def by_slot(self) -> Floats:
        """Chances with a column for each slot."""
        return self.chance if self.chance.ndim == 2 else self.chance[:, None]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Won amounts in cents: ``deals`` of shape (parts, slots, draws, leaves), ``new`` of (slots, draws, leaves)."""

    deals: Cents
    new: Cents


def draw_deals(
    deals: OpenDeals, pools: list[Floats], factor: Floats, worth: Floats, leaves: int, rng: np.random.Generator
) -> Cents:
    """Won amounts of open deals and renewals in cents, shape (parts, slots, draws, leaves).

    Parameters
    ----------
    deals : OpenDeals
    pools : list of ndarray
        Sorted factors by which a base amount is multiplied; one is drawn for each win.
    factor, worth : ndarray, shape (draws,)
        The quarter's shock on all chances (a chance never exceeds 1), and on all amounts.
    leaves : int
    rng : Generator
    """
    draws, n = len(factor), len(deals.leaf)
    by_slot = deals.by_slot
    slots = by_slot.shape[1]
    total = np.zeros((len(DEAL_PARTS) * slots, draws, leaves), dtype=np.int64)
    if not n:
        return total.reshape(len(DEAL_PARTS), slots, draws, leaves)
    sizes = np.array([pool.size for pool in pools])
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    values, base = np.concatenate(pools), deals.base * 100
    until = by_slot.cumsum(axis=1)
    chance, edges = until[:, -1].astype(np.float32), until[:, :-1]
    part = np.zeros(n, dtype=np.int64) if deals.part is None else deals.part
    for start in range(0, draws, step := max(1, _CELLS // n)):
        stop = min(start + step, draws)
        uniform = rng.random((stop - start, n), dtype=np.float32)
        limit = factor[start:stop, None].astype(np.float32) * chance
        won = np.flatnonzero(uniform < limit)
        row, deal = np.divmod(won, n)
        number = uniform.ravel()[won].astype(np.float64)
        slot = (number[:, None] >= factor[start:stop][row, None] * edges[deal]).sum(axis=1)
        pool = deals.pool[deal]
        pick = offsets[pool] + (np.modf(number * _PICKS)[0] * sizes[pool]).astype(np.int64)
        amount = base[deal] * values[pick] * worth[start:stop][row]
        kind = part[deal] * slots + slot
        cell = (kind * (stop - start) + row) * leaves + deals.leaf[deal]
        total[:, start:stop] = _sums(cell, amount, (len(total), stop - start, leaves))
    return total.reshape(len(DEAL_PARTS), slots, draws, leaves)


def draw_new(
    new: NewWins, pool: Floats, rep_factor: Floats, factor: Floats, worth: Floats, rng: np.random.Generator,
    more: Floats | None = None,
) -> Cents:  # fmt: skip
    """Won amounts of deals not yet created in cents, shape (slots, draws, leaves).

    ``more`` multiplies the expected wins of each leaf and slot, shape (leaves, slots): wins are dropped at random, or
    others added to them, so that what is there without it stays as it is.
    """
    draws, leaves = len(factor), len(new.mean)
    share = new.slot_share
    slots = share.shape[1]
    total = np.zeros((slots, draws, leaves), dtype=np.int64)
    at = np.flatnonzero(new.mean > 0)
    if not at.size:
        return total
    stay = np.ones((leaves, slots)) if more is None else np.minimum(more, 1.0)
    above = None if more is None else np.maximum(more - 1.0, 0.0)
    extra = np.random.default_rng(rng.integers(2**63))
    for start in range(0, draws, step := max(1, _CELLS // (leaves + int(new.mean.sum())))):
        stop = min(start + step, draws)
        pace = rng.standard_gamma(new.shape[at], (stop - start, at.size)) / new.shape[at] * new.mean[at]
        pace *= factor[start:stop, None]
        if new.dispersion > 1.01:
            # thinned arrivals are less over-dispersed than arrivals: the excess shrinks with the share that is won
            excess = (new.dispersion - 1) * new.share_in_time
            pace = rng.standard_gamma(pace / excess) * excess
        wins = _wins(rng, pace, at, share)
        kept = [column[wins[0] < stay[wins[1], wins[2]]] for column in wins[1:]]
        if above is not None and above.any():
            added = share * above
            sums = added.sum(axis=1)
            others = _wins(extra, pace * sums[at], at, added / np.maximum(sums, 1e-300)[:, None])
            kept = [np.concatenate(both) for both in zip(kept, others[1:], strict=True)]
        leaf, slot, row, pick = kept
        amount = pool[(pick * pool.size).astype(np.int64)] * rep_factor[leaf] * worth[start:stop][row.astype(int)] * 100
        cell = (slot * (stop - start) + row.astype(np.int64)) * leaves + leaf
        total[:, start:stop] = _sums(cell, amount, (slots, stop - start, leaves))
    return total


def draw(
    deals: OpenDeals, pools: list[Floats], new: NewWins, new_pool: Floats, rep_factor: Floats, shocks: Shocks,
    *, draws: int, seed: int, more: Floats | None = None,
) -> Drawn:  # fmt: skip
    """Draw open and new business with shocks in common."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)]
    on_open, on_new, worth_open, worth_new = shocks.factors(draws, streams[0])
    opened = draw_deals(deals, pools, on_open, worth_open, len(new.mean), streams[1])
    return Drawn(opened, draw_new(new, new_pool, rep_factor, on_new, worth_new, streams[2], more))


def _wins(rng: np.random.Generator, pace: Floats, at: Ints, share: Floats) -> list[Floats]:
    """One entry a win: a number in [0, 1), leaf, slot, row, and another number in [0, 1)."""
    counts = rng.poisson(pace)
    row, column = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), at.size)
    leaf = at[column]
    bits = rng.integers(0, 2**63, row.size, dtype=np.int64)
    first, second, third = ((bits >> shift & (2**_BITS - 1)) / 2**_BITS for shift in (0, _BITS, 2 * _BITS))
    edges = share.cumsum(axis=1)[:, :-1]
    slot = (second[:, None] >= edges[leaf]).sum(axis=1)
    return [first, leaf, slot, row, third]


def _sums(cell: Ints, cents: Floats, shape: tuple[int, ...]) -> Cents:
    """Sums of whole cents per cell; exact below 2**53."""
    sums = np.bincount(cell, np.rint(cents), minlength=int(np.prod(shape)))
    return sums.reshape(shape).astype(np.int64)
