"""Is one side slower, or does it get through less often, than the other, strata and clusters allowed for?

Both tests are score tests whose statistic is a sum over rows, so that what belongs together (a rep's deals, a month's
deals) can be summed first. How much more such sums vary than independent rows would is estimated in each test, and
drawn towards the other tests of its family, since a team of five reps alone says little about how reps differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
_MANY = 1e6  # degrees of freedom of a known variance


@dataclass(frozen=True)
class Compared:
    """Difference of one side from the other.

    Parameters
    ----------
    effect : float
        Logarithm of the rate ratio, or difference of shares; negative: slower, or less often.
    error : float
        Its standard error were all rows independent.
    inflation, df : tuple of float
        For each grouping: variance between its members over the variance of independent rows, and degrees of freedom.
    """

    effect: float
    error: float
    inflation: tuple[float, ...] = ()
    df: tuple[float, ...] = ()

    def _largest(self) -> tuple[float, float]:
        """Factor of the variance, at least 1, and its degrees of freedom."""
        return max([(1.0, _MANY), *zip(self.inflation, self.df, strict=True)])

    def interval(self, level: float = 0.8) -> tuple[float, float]:
        """Central interval of the effect."""
        factor, df = self._largest()
        reach = float(stats.t.ppf(0.5 + level / 2, df)) * self.error * factor**0.5
        return self.effect - reach, self.effect + reach

    def p_below(self, margin: float = 0.0) -> float:
        """One-sided p-value of the claim that the effect lies below ``-margin``."""
        factor, df = self._largest()
        return float(stats.t.cdf((self.effect + margin) / (self.error * factor**0.5), df))


def squeezed(family: Sequence[Compared]) -> list[Compared]:
    """Draw the inflation of each test towards that of its family, the more the fewer degrees of freedom it has.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression, Stat. Appl. Genet.
    Mol. Biol. 3 (the moments of a scaled F distribution).
    """
    if not family or not family[0].inflation:
        return list(family)
    inflation = np.array([test.inflation for test in family])
    df = np.array([test.df for test in family])
    for place in range(inflation.shape[1]):
        inflation[:, place], df[:, place] = _moderated(inflation[:, place], df[:, place])
    return [
        Compared(test.effect, test.error, tuple(mine), tuple(freedom))
        for test, mine, freedom in zip(family, inflation.tolist(), df.tolist(), strict=True)
    ]


def _moderated(factor: Floats, df: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(factor) & (factor > 0)
    if known.sum() < 3:
        return factor, df
    logs = np.log(factor[known]) - special.digamma(df[known] / 2) + np.log(df[known] / 2)
    beyond = float(logs.var(ddof=1) - special.polygamma(1, df[known] / 2).mean())
    prior = 2 * _trigamma_inverse(beyond) if beyond > 0 else float("inf")
    total = float(df[known].sum())
    if not np.isfinite(prior):
        common = float(np.exp(logs.mean()))
        return np.where(known, common, factor), np.where(known, total, df)
    common = float(np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2)))
    mean = (prior * common + df * factor) / (prior + df)
    return np.where(known, mean, factor), np.where(known, np.minimum(prior + df, total), df)


def _trigamma_inverse(value: float) -> float:
    """Newton's method of Smyth (2004), appendix; exact where 1 / value is."""
    y = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return y


def compare_rates(
    entry: ArrayLike, stop: ArrayLike, ended: ArrayLike, side: ArrayLike, *, strata: ArrayLike,
    clusters: Sequence[ArrayLike] = (),
) -> Compared:  # fmt: skip
    """Stratified log-rank test of the rate at which stays end, with late entry.

    Parameters
    ----------
    entry, stop : array-like of int, shape (n,)
        A row is at risk at the ages above ``entry`` up to ``stop``, in whole days.
    ended : array-like of bool
        Whether the stay ended at ``stop``.
    side : array-like of bool
        Which rows are compared with the others.
    strata : array-like of int
        Only rows of one stratum are compared with each other.
    clusters : sequence of array-like of int
        Groupings whose members may resemble each other.

    Returns
    -------
    Compared
        ``effect`` is Peto's one-step logarithm of the rate ratio; its error is infinite where nothing can be compared.

    References
    ----------
    Mantel (1966), Evaluation of survival data and two new rank order statistics, Cancer Chemother. Rep. 50; Yusuf,
    Peto et al. (1985), Beta blockade, Prog. Cardiovasc. Dis. 27; Lin and Wei (1989), The robust inference for the Cox
    proportional hazards model, JASA 84 (the rows' contributions).

    Examples
    --------
    >>> slow = compare_rates([0] * 4, [3, 4, 1, 2], [True] * 4, [True, True, False, False], strata=[0] * 4)
    >>> slow.effect < 0, round(slow.p_below(), 3)
    (True, 0.045)
    """
    start, end = np.asarray(entry, dtype=np.int64), np.asarray(stop, dtype=np.int64)
    event, one = np.asarray(ended, dtype=bool), np.asarray(side, dtype=bool)
    stratum = np.unique(np.asarray(strata), return_inverse=True)[1]
    width = int(end.max(initial=0)) + 2
    size = (int(stratum.max(initial=0)) + 1) * width
    begin, finish = stratum * width + start, stratum * width + end

    def at_risk(rows: NDArray[np.bool_]) -> Floats:
        change = np.bincount(begin[rows] + 1, minlength=size) - np.bincount(finish[rows] + 1, minlength=size)
        return np.cumsum(change).astype(np.float64)  # back to 0 at the end of each stratum

    everybody = np.ones(one.size, dtype=bool)
    n, n1, d = at_risk(everybody), at_risk(one), np.bincount(finish[event], minlength=size).astype(np.float64)
    share = np.divide(n1, n, out=np.zeros(size), where=n > 0)
    hazard = np.divide(d, n, out=np.zeros(size), where=n > 0)
    ties = np.divide(n - d, n - 1, out=np.zeros(size), where=n > 1)
    information = float(np.sum(d * share * (1 - share) * ties))
    first, second, third = (np.cumsum(hazard * share**power) for power in range(3))
    risk, risk_share, risk_square = (part[finish] - part[begin] for part in (first, second, third))
    rows = np.where(event, one - share[finish], 0.0) - (one * risk - risk_share)
    return _compared(rows, one * risk - 2 * one * risk_share + risk_square, one, information, information, clusters)


def compare_shares(
    success: ArrayLike, side: ArrayLike, *, strata: ArrayLike, clusters: Sequence[ArrayLike] = ()
) -> Compared:
    """Mantel–Haenszel difference of shares between two sides, stratified.

    Parameters
    ----------
    success, side : array-like of bool, shape (n,)
    strata : array-like of int
    clusters : sequence of array-like of int

    References
    ----------
    Mantel and Haenszel (1959), JNCI 22; Greenland and Robins (1985), Estimation of a common effect parameter from
    sparse follow-up data, Biometrics 41 (the difference).

    Examples
    --------
    >>> found = compare_shares([1] * 6 + [0] * 4 + [1] * 9 + [0], [True] * 10 + [False] * 10, strata=[0] * 20)
    >>> round(found.effect, 2), round(found.p_below(), 2)
    (-0.3, 0.07)
    """
    y, one = np.asarray(success, dtype=np.float64), np.asarray(side, dtype=bool)
    stratum = np.unique(np.asarray(strata), return_inverse=True)[1]
    n = np.bincount(stratum).astype(np.float64)
    p, q = np.bincount(stratum, one) / n, np.bincount(stratum, y) / n
    weight = float(np.sum(n * p * (1 - p)))  # n1 n0 / n
    unbiased = np.divide(n, n - 1, out=np.zeros(n.size), where=n > 1)
    variance = float(np.sum(unbiased * n * p * (1 - p) * q * (1 - q)))
    rows = (y - q[stratum]) * (one - p[stratum])
    return _compared(rows, (one - p[stratum]) ** 2 * (q * (1 - q))[stratum], one, weight, variance, clusters)


def _compared(
    rows: Floats, weight: Floats, one: NDArray[np.bool_], information: float, variance: float,
    clusters: Sequence[ArrayLike],
) -> Compared:  # fmt: skip
    if information <= 0 or variance <= 0:
        return Compared(0.0, float("inf"), (float("nan"),) * len(clusters), (1.0,) * len(clusters))
    unexplained = rows - weight * (rows.sum() / weight.sum())  # were the effect the same in all rows
    between = [_between(unexplained, one, np.unique(np.asarray(codes), return_inverse=True)[1]) for codes in clusters]
    inflation = tuple(spread / variance for spread, _ in between)
    return Compared(
        float(rows.sum()) / information, float(np.sqrt(variance)) / information, inflation, tuple(d for _, d in between)
    )


def _between(rows: Floats, one: NDArray[np.bool_], codes: NDArray[np.intp]) -> tuple[float, float]:
    """Variance of the statistic from sums over clusters, and its degrees of freedom (Welch where they are nested)."""
    members, inside, sums = np.bincount(codes), np.bincount(codes, one), np.bincount(codes, rows)
    sides = [inside > 0, inside == 0] if ((inside == 0) | (inside == members)).all() else [members > 0]
    parts = [(float((sums[mine] ** 2).sum()), int(mine.sum())) for mine in sides]
    if min(groups for _, groups in parts) < 2:
        return float("nan"), 1.0
    spread = [(groups / (groups - 1) * squares, groups - 1.0) for squares, groups in parts]
    total = sum(part for part, _ in spread)
    return total, max(total**2 / max(sum(part**2 / df for part, df in spread), 1e-300), 1.0)
