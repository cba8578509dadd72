"""How the new deals of each person fare: how many are won, and how many of these in time, against those of all.

Both are pooled in two steps. Segments win and take as long as they do (an enterprise deal takes longer than a small
one), and people sell to segments of their own; what is left between people is drawn towards that. A colleague without
closed deals has the segments of his open ones. How much segments, mixes and people differ is learned from the record:
where they do not, nobody is told apart.

References
----------
Gelman et al. (2013), Bayesian Data Analysis, chapter 5: partial pooling.
Morris (1983), Parametric empirical Bayes inference, JASA 78.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.inference.pooling import beta_binomial, gamma_poisson
from spm_models.revenue_forecast.features import OPEN, WON

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_WINS_SPREAD, _PACE_SPREAD = 0.5, 0.25  # how far groups are thought to differ, relatively, before any was seen
_SURE = 0.98  # no win rate is above


def conversion_factors(deals: pd.DataFrame, leaf: Ints, size: int, in_time: Floats) -> Floats:
    """Wins in time per deal created by each leaf, over those of all.

    Parameters
    ----------
    deals : DataFrame
        Creations (:func:`.features.creations`): ``event`` and, if there are any, ``segment``.
    leaf : ndarray of int64, shape (deals,)
    size : int
        How many leaves there are.
    in_time : ndarray, shape (deals,)
        What a win counts that takes as long as each deal did: the share of the time left in which it would be in time.

    Returns
    -------
    ndarray, shape (leaves,)
        Their mean over closed deals is 1.

    Examples
    --------
    >>> deals = pd.DataFrame({"event": [1, 1, 1, 2] * 50 + [1, 2, 2, 2] * 50})
    >>> conversion_factors(deals, np.repeat([0, 1], 200), 3, np.ones(400)).round(1).tolist()
    [1.5, 0.5, 1.0]
    """
    closed, won = (deals.event != OPEN).to_numpy(), (deals.event == WON).to_numpy()
    if not won.any():
        return np.ones(size)
    win, quick = np.ones(size), np.ones(size)
    segments = deals.segment if "segment" in deals else pd.Series(None, index=deals.index, dtype="str")
    known = segments.notna().to_numpy()
    code, names = pd.factorize(segments[known], sort=True)
    segment, none = np.asarray(code, dtype=np.int64), np.ones(len(names))
    if len(names) > 1 and (won & known).any():
        rates = _wins(segment, closed[known], won[known], none)
        paces = _quick(segment, won[known], in_time[known], none)
        win, quick = (usual_mix(factor[segment], leaf[known], size) for factor in (rates, paces))
    n = np.bincount(leaf[closed], minlength=size)
    factor = _wins(leaf, closed, won, win) * _quick(leaf, won, in_time, quick)
    return np.asarray(factor * n.sum() / (factor @ n))


def _wins(group: Ints, closed: npt.NDArray[np.bool_], won: npt.NDArray[np.bool_], usual: Floats) -> Floats:
    """Win rate of each group over that of all, drawn towards what is usual for it."""
    n, k = (np.bincount(group[rows], minlength=len(usual)) for rows in (closed, won))
    common = (k.sum() + 0.5) / (n.sum() + 1.0)
    return np.asarray(beta_binomial(k, n, np.minimum(common * usual, _SURE), spread=_WINS_SPREAD).mean / common)


def _quick(group: Ints, won: npt.NDArray[np.bool_], in_time: Floats, usual: Floats) -> Floats:
    """Share of the wins of each group that would be in time over that of all, drawn towards what is usual for it."""
    wins = np.bincount(group[won], minlength=len(usual))
    soon = np.bincount(group[won], in_time[won], minlength=len(usual))
    if soon.sum() <= 0:
        return np.ones(len(usual))
    common = soon.sum() / wins.sum()
    return np.asarray(gamma_poisson(soon, wins, common * usual, spread=_PACE_SPREAD).mean / common)


def usual_mix(usual: Floats, leaf: Ints, size: int) -> Floats:
    """Mean of what is usual over the deals of each leaf, drawn towards that of all deals as far as mixes are alike."""
    mean = float(usual.mean())
    scatter = float(usual.var()) / mean
    if scatter <= 1e-9:
        return np.ones(size)
    n, total = np.bincount(leaf, minlength=size), np.bincount(leaf, usual, minlength=size)
    return np.asarray(gamma_poisson(total, n, np.full(size, mean), dispersion=scatter, spread=_PACE_SPREAD).mean / mean)
