"""What deals not yet created will be worth: those that can still be won in a period, by person.

Large deals often take longer, and only quick ones are still won in time. Wins of the past count by the share of the
time left in which such a deal, created then, would be in time.

References
----------
Horvitz and Thompson (1952), A generalization of sampling without replacement, JASA 47: means under weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spm_models.inference.pooling import gamma_poisson

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_PRIOR_WINS = 15.0  # by so many, amounts of quick wins are drawn towards those of all
_SPREAD = 0.25  # how far people and segments are thought to differ, relatively, before any was seen
_MOST_DOUBT = 0.5
_LARGEST_POOL = 5000


@dataclass(frozen=True, eq=False)
class NewAmounts:
    """Amounts from which one is drawn for each new win, and how they differ by person.

    Parameters
    ----------
    pool : ndarray
        Sorted.
    factor : ndarray, shape (leaves,)
        Of the amounts of each leaf.
    deviation : float
        Of the log of the mean, which is not known exactly.
    """

    pool: Floats
    factor: Floats
    deviation: float


def new_amounts(won: Floats, leaf: Ints, usual: Floats, in_time: Floats, growth: float = 0.0) -> NewAmounts:
    """Amounts of the deals that are still to be created and won.

    Parameters
    ----------
    won, leaf : ndarray, shape (wins,)
        Past amounts and whose they were.
    usual : ndarray, shape (leaves,)
        How much larger the wins of each leaf are than those of all, quick and slow ones.
    in_time : ndarray, shape (wins,)
        Share of the time left in which a deal may be created that takes as long as each did.
    growth : float
        Of the log of amounts until then.

    Examples
    --------
    >>> won, quick = np.array([100.0, 500.0] * 300), np.array([1.0, 0.2] * 300)
    >>> found = new_amounts(won, np.zeros(600, dtype=np.int64), np.ones(2), quick)
    >>> round(float(found.pool.mean()), -1), found.factor.round(2).tolist()
    (170.0, [1.0, 1.0])
    """
    quick, n = float(in_time.sum()), len(won)
    weight, known = np.full(n, 1 / n), 0.0
    if quick > 0:
        known = quick**2 / float(in_time @ in_time)  # as many wins of equal weight
        weight = (known * in_time / quick + _PRIOR_WINS * weight) / (known + _PRIOR_WINS)
    pool = _weighted_pool(won, weight)
    deviation = float(pool.std() / pool.mean() * np.sqrt(weight @ weight))
    factor = amount_factors(won, leaf, usual / float(usual[leaf] @ weight), weight * (known + _PRIOR_WINS))
    return NewAmounts(pool * np.exp(growth), factor, min(deviation, _MOST_DOUBT))


def amount_factors(amounts: Floats, group: Ints, usual: Floats, weight: Floats | None = None) -> Floats:
    """Mean amounts of each group over that of all, drawn towards what is usual for it as far as groups are alike.

    Parameters
    ----------
    amounts, group : ndarray, shape (wins,)
    usual : ndarray, shape (groups,)
    weight : ndarray, shape (wins,), optional
        How many wins each stands for.

    Examples
    --------
    >>> amounts = np.array([1.0, 3.0] * 50 + [2.0, 6.0] * 50)
    >>> amount_factors(amounts, np.repeat([0, 1], 100), np.ones(3)).round(1).tolist()
    [0.7, 1.3, 1.0]
    """
    weight = np.ones(len(amounts)) if weight is None else weight
    share = amounts * weight.sum() / float(amounts @ weight)
    scatter = max(float(weight @ (share - 1) ** 2 / weight.sum()), 0.05)
    count, total = (np.bincount(group, each, minlength=len(usual)) for each in (weight, weight * share))
    return np.asarray(gamma_poisson(total, count, usual, dispersion=scatter, spread=_SPREAD).mean)


def _weighted_pool(values: Floats, weight: Floats) -> Floats:
    """Means of equal shares of weighted values, in order; no value makes up more than one of them."""
    order = np.argsort(values, kind="stable")
    until = np.concatenate([[0.0], np.cumsum(weight[order])])
    sums = np.concatenate([[0.0], np.cumsum(weight[order] * values[order])])
    shares = int(min(max(np.floor(1 / weight.max() + 1e-9), 1), _LARGEST_POOL))
    return np.asarray(np.diff(np.interp(np.linspace(0, until[-1], shares + 1), until, sums)) * shares / until[-1])
