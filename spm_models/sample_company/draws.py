"""Random numbers that belong to a thing, not to a moment: the same deal in the same week always draws the same.

A stream of random numbers shared by many deals would change with the order of the work. Here every number is a
hash of the seed, the name of what is drawn, and the keys of whom it is drawn for (deal, week, replicate), so that
companies come out the same byte for byte whatever the size of the chunks in which they are made.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(x: Keys) -> Keys:
    """SplitMix64's output function (Steele, Lea, Flood 2014): 64 well-stirred bits from 64."""
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _FIRST
        x = (x ^ (x >> np.uint64(27))) * _SECOND
        return x ^ (x >> np.uint64(31))


@cache
def _stream(name: str) -> np.uint64:
    return np.uint64(zlib.crc32(name.encode()) << 20)


class Draws:
    """Reproducible draws, keyed by name and by whom they are for.

    Examples
    --------
    >>> draws = Draws(7)
    >>> keys = draws.keys("deal", np.arange(3))
    >>> bool((draws.uniform("need", keys)[1] == draws.uniform("need", keys[1:2])[0]))
    True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = _mix(np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))[0]

    def keys(self, name: str, *parts: Any) -> Keys:
        """One key for each combination of whole numbers (arrays of one length, or scalars)."""
        key = np.atleast_1d(_mix(np.asarray(self._root ^ _stream(name)).reshape(1)))
        for part in parts:
            with np.errstate(over="ignore"):
                key = _mix(key ^ np.asarray(part).astype(np.uint64))
        return key

    def uniform(self, name: str, key: Keys) -> Floats:
        """Numbers strictly between 0 and 1, one a key."""
        bits = _mix(key ^ _stream(name)) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, name: str, key: Keys) -> Floats:
        """Standard normal numbers, one a key."""
        found: Floats = ndtri(self.uniform(name, key))
        return found

    def poisson(self, name: str, key: Keys, rate: Floats, most: int) -> Ints:
        """Counts with the given expected values, at most ``most``, by inverting the distribution function."""
        u = self.uniform(name, key)
        term = np.exp(-rate)
        reached = term.copy()
        count = np.zeros(len(u), dtype=np.int64)
        for k in range(1, most + 1):
            count += u > reached
            term = term * rate / k
            reached = reached + term
        return count

    def choice(self, name: str, key: Keys, weights: Any) -> Ints:
        """Positions drawn with the given weights (they need not sum to one)."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(edges / edges[-1], self.uniform(name, key)).astype(np.int64)
