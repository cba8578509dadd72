"""Ranks of estimates that are uncertain: which places are possible, all of them at once, and ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.errors import StatisticsError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_AT_ONCE = 4_000_000  # differences held in memory


@dataclass(frozen=True, eq=False)
class Ranks:
    """Places of some estimates; 1 is the highest.

    Parameters
    ----------
    rank, low : ndarray of int, shape (n,)
        First place that is possible: one after all that reliably lie above. It is the place that is told: who cannot
        be told apart from anybody above him shares theirs.
    high : ndarray of int
        Last place that is possible.
    tied_with : ndarray of int
        How many others cannot be told apart from each.
    above : ndarray of bool, shape (n, n)
        ``above[i, j]``: i reliably lies above j.
    """

    low: Ints
    high: Ints
    above: Flags

    @property
    def rank(self) -> Ints:
        """Place with ties: the first one that is possible."""
        return self.low

    @property
    def tied_with(self) -> Ints:
        """Number of others who are reliably neither above nor below."""
        return self.high - self.low


def ranks(
    values: npt.ArrayLike, errors: npt.ArrayLike, *, level: float = 0.9, draws: int = 1000, seed: int = 0
) -> Ranks:
    """Ranges of ranks that all hold at once with probability ``level``, and groups of ties.

    Parameters
    ----------
    values, errors : array-like, shape (n,)
        Independent estimates, about normal, and their standard errors (above 0).
    level : float
        Probability that no range at all misses the true place.
    draws : int
        Simulated estimates from which the critical value is taken.
    seed : int

    Returns
    -------
    Ranks

    Raises
    ------
    StatisticsError
        When a value is missing or an error is not above 0.

    Notes
    -----
    Every pair is compared, and all comparisons together are wrong in at most ``1 - level`` of the cases: somebody's
    first possible place is one after those who are reliably above him. Being tied is not passed on: two who are both
    tied with a third may differ. Groups cut along a list would put people into the lower one on whom the figures say
    nothing, so there are none.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks with applications to mobility across neighbourhoods
    and academic achievement across countries, Review of Economic Studies 91 (the simultaneous ranges, step-down).

    Examples
    --------
    >>> found = ranks([3.0, 2.9, 1.0], [0.1, 0.1, 0.1])
    >>> found.rank.tolist(), found.high.tolist(), found.tied_with.tolist()
    ([1, 1, 3], [2, 2, 3], [1, 1, 0])
    """
    y, error = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    if y.shape != error.shape or not (np.isfinite(y) & np.isfinite(error) & (error > 0)).all():
        raise StatisticsError(
            "Estimates cannot be ranked", where="ranks", found=f"{y.shape} values, {error.shape} errors",
            remedy="Give one finite value and one error above 0 for each.",
        )  # fmt: skip
    above = _above(y, error, level, draws, np.random.default_rng(seed))
    low, high = 1 + above.sum(axis=0), y.size - above.sum(axis=1)
    return Ranks(low.astype(np.int64), high.astype(np.int64), above)


def _above(y: Floats, error: Floats, level: float, draws: int, random: np.random.Generator) -> Flags:
    """Pairs of which the first is reliably above the second: Romano and Wolf's step-down over all ordered pairs."""
    apart = np.hypot(error[:, None], error[None, :])
    beside = (y[:, None] - y[None, :]) / apart
    drawn = (random.standard_normal((draws, y.size)) * error).astype(np.float32)
    scale = (1 / apart).astype(np.float32)
    found = np.zeros(beside.shape, dtype=bool)
    while True:
        active = ~(found | np.eye(y.size, dtype=bool))
        new = active & (beside > _critical(drawn, scale, active, level))
        if not new.any():
            return found
        found |= new


def _critical(drawn: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], active: Flags, level: float) -> float:
    if not active.any():
        return np.inf
    most = np.empty(len(drawn))
    step = max(1, _AT_ONCE // active.size)
    for first in range(0, len(drawn), step):
        part = drawn[first : first + step]
        apart = np.where(active, (part[:, :, None] - part[:, None, :]) * scale, -np.inf)
        most[first : first + step] = apart.max(axis=(1, 2))
    return float(np.quantile(most, level))
