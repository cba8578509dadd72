"""The one simulation: each deal is drawn once, and every figure of every level is a sum of these draws.

Amounts are whole cents in 64-bit integers, so that sums are exact whatever their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.revenue_forecast.arrivals import NewWins
from spm_models.revenue_forecast.shocks import Shocks

Floats = npt.NDArray[np.float64]
Cents = npt.NDArray[np.int64]
_CELLS = 4_000_000  # deals times draws held at a time


@dataclass(frozen=True, eq=False)
class OpenDeals:
    """Open deals, in the order of their ids; each with its leaf, win chance in the period, base amount and pool."""

    leaf: npt.NDArray[np.int64]
    chance: Floats
    base: Floats
    pool: npt.NDArray[np.int64]


def draw_open(deals: OpenDeals, pools: list[Floats], factor: Floats, leaves: int, rng: np.random.Generator) -> Cents:
    """Won amounts of open deals in cents, shape (draws, leaves).

    Parameters
    ----------
    deals : OpenDeals
    pools : list of ndarray
        Factors by which a base amount is multiplied; one is drawn for each win.
    factor : ndarray, shape (draws,)
        The quarter's shock on all chances; a chance never exceeds 1.
    leaves : int
    rng : Generator
    """
    draws, n = len(factor), len(deals.leaf)
    total = np.zeros((draws, leaves), dtype=np.int64)
    if not n:
        return total
    sizes = np.array([pool.size for pool in pools])
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    values, base = np.concatenate(pools), deals.base * 100
    step = max(1, _CELLS // n)
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        limit = np.minimum(factor[start:stop, None] * deals.chance[None, :], 1.0).astype(np.float32)
        won = np.flatnonzero(rng.random((stop - start, n), dtype=np.float32) < limit)
        row, deal = np.divmod(won, n)
        pool = deals.pool[deal]
        pick = offsets[pool] + (rng.random(won.size, dtype=np.float32) * sizes[pool]).astype(np.int64)
        pick = np.minimum(pick, offsets[pool] + sizes[pool] - 1)
        total[start:stop] = _sums(row * leaves + deals.leaf[deal], base[deal] * values[pick], stop - start, leaves)
    return total


def draw_new(new: NewWins, pool: Floats, rep_factor: Floats, factor: Floats, rng: np.random.Generator) -> Cents:
    """Won amounts of deals not yet created in cents, shape (draws, leaves)."""
    draws, leaves = len(factor), len(new.mean)
    total = np.zeros((draws, leaves), dtype=np.int64)
    at = np.flatnonzero(new.mean > 0)
    if not at.size:
        return total
    step = max(1, _CELLS // leaves)
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        pace = rng.standard_gamma(new.shape[at], (stop - start, at.size)) / new.shape[at] * new.mean[at]
        pace *= factor[start:stop, None]
        if new.dispersion > 1.01:
            # thinned arrivals are less over-dispersed than arrivals: the excess shrinks with the share that is won
            excess = (new.dispersion - 1) * new.share_in_time
            pace = rng.standard_gamma(pace / excess) * excess
        wins = rng.poisson(pace)
        cell = np.repeat(np.arange(wins.size), wins.ravel())
        row, column = np.divmod(cell, at.size)
        leaf = at[column]
        amount = pool[rng.integers(0, pool.size, cell.size)] * rep_factor[leaf] * 100
        total[start:stop] = _sums(row * leaves + leaf, amount, stop - start, leaves)
    return total


def draw(
    deals: OpenDeals, pools: list[Floats], new: NewWins, new_pool: Floats, rep_factor: Floats, shocks: Shocks,
    *, draws: int, seed: int,
) -> tuple[Cents, Cents]:  # fmt: skip
    """Draw open and new business with shocks in common; both of shape (draws, leaves), in cents."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)]
    on_open, on_new = shocks.factors(draws, streams[0])
    opened = draw_open(deals, pools, on_open, len(new.mean), streams[1])
    return opened, draw_new(new, new_pool, rep_factor, on_new, streams[2])


def _sums(cell: npt.NDArray[np.int64], cents: Floats, rows: int, leaves: int) -> Cents:
    """Sums of whole cents per row and leaf; exact below 2**53."""
    sums = np.bincount(cell, np.rint(cents), minlength=rows * leaves)
    return sums.reshape(rows, leaves).astype(np.int64)
