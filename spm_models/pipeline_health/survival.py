"""How long stays last when some have not ended yet: Kaplan–Meier, with late entry."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spm_models.errors import StatisticsError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalCurve:
    """Share of stays that last longer than each time.

    Parameters
    ----------
    times : ndarray, shape (ends,)
        Times at which stays ended, ascending, in days.
    survival : ndarray, shape (ends,)
        Share that lasts longer.
    variance : ndarray, shape (ends,)
        Greenwood's variance of ``survival``.
    n, ended : int
        Stays, and those of them that have ended.
    """

    times: Floats
    survival: Floats
    variance: Floats
    n: int
    ended: int

    def quantile(self, share: float = 0.5) -> float:
        """Time by which this share has ended; NaN where the curve does not come down so far."""
        reached = np.flatnonzero(self.survival <= 1 - share + 1e-12)
        return float(self.times[reached[0]]) if reached.size else float("nan")

    def quantile_interval(self, share: float = 0.5, level: float = 0.8) -> tuple[float, float]:
        """Interval of that time: the times whose log-log interval holds the share (Brookmeyer and Crowley 1982)."""
        z = NormalDist().inv_cdf(0.5 + level / 2)
        inside = (self.survival > 0) & (self.survival < 1)
        s = np.where(inside, self.survival, 0.5)
        log = np.log(s)
        spread = np.sqrt(self.variance) / np.abs(s * log)
        lower = np.where(inside, s ** np.exp(z * spread), self.survival)
        upper = np.where(inside, s ** np.exp(-z * spread), self.survival)
        first = [np.flatnonzero(bound <= 1 - share + 1e-12) for bound in (lower, upper)]
        ends = [float(self.times[found[0]]) if found.size else float("nan") for found in first]
        return ends[0], ends[1]


def kaplan_meier(days: ArrayLike, ended: ArrayLike, entry: ArrayLike | None = None) -> SurvivalCurve:
    """Product-limit estimate of how long stays last.

    Parameters
    ----------
    days : array-like, shape (n,)
        Length of each stay so far, in days.
    ended : array-like of bool, shape (n,)
        Whether it has ended; the others are only known to last at least so long (censored).
    entry : array-like, shape (n,), optional
        Age at which a stay came under observation; 0 without it.

    Raises
    ------
    StatisticsError
        When shapes differ, or a length is missing or negative.

    References
    ----------
    Kaplan and Meier (1958), Nonparametric estimation from incomplete observations, JASA 53.

    Examples
    --------
    >>> curve = kaplan_meier([6, 6, 6, 7, 10], [True, True, True, True, False])
    >>> curve.survival.round(2).tolist(), curve.quantile(0.5)
    ([0.4, 0.2], 6.0)
    """
    t, d = np.asarray(days, dtype=float), np.asarray(ended, dtype=bool)
    if t.shape != d.shape or np.isnan(t).any() or (t < 0).any():
        raise StatisticsError(
            "Lengths of stays do not fit", where="kaplan_meier", found=f"{t.shape} days, {d.shape} ended",
            remedy="Give one length of at least 0 days for each stay.",
        )  # fmt: skip
    times, events = np.unique(t[d], return_counts=True)
    at_risk = t.size - np.searchsorted(np.sort(t), times, side="left")
    if entry is not None:
        at_risk = at_risk - (t.size - np.searchsorted(np.sort(np.asarray(entry, dtype=float)), times, side="left"))
    with np.errstate(divide="ignore", invalid="ignore"):
        survival: Floats = np.cumprod(1 - events / at_risk).astype(np.float64)
        greenwood = np.cumsum(np.where(at_risk > events, events / (at_risk * (at_risk - events)), 0.0))
    variance: Floats = (survival**2 * greenwood).astype(np.float64)
    return SurvivalCurve(times, survival, variance, t.size, int(d.sum()))
