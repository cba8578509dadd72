"""Is a gap between said and happened more than chance? Bands, noise levels and the parts of the Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.evaluation.probability import _bins, _checked, brier, reliability

DRAWS = 1000
LIMIT = 0.95


@dataclass(frozen=True, eq=False)
class Consistency:
    """A reliability diagram beside what it would look like if every probability were right.

    Parameters
    ----------
    table : DataFrame
        As :func:`~spm_models.evaluation.probability.reliability` gives it, with ``chance_low`` and ``chance_high``:
        where the share that happened falls, with the level asked for, if the probabilities are right.
    error : float
        Calibration error.
    by_chance, limit : float
        What it would be on average if the probabilities were right, and what it would stay below 95 times in 100.
    """

    table: pd.DataFrame
    error: float
    by_chance: float
    limit: float

    @property
    def within_chance(self) -> bool:
        """Whether chance alone explains the calibration error."""
        return self.error <= self.limit


def consistency(
    y: npt.ArrayLike,
    p: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    level: float = 0.8,
    draws: int = DRAWS,
    seed: int = 0,
) -> Consistency:
    """Draw outcomes from the probabilities themselves, and see how far they scatter around the diagonal.

    Parameters
    ----------
    y, p, weights
        As in :func:`~spm_models.evaluation.probability.log_loss`.
    groups : array-like, shape (n,), optional
        Rows with one outcome in common (the snapshots of a deal) get it together.
    bins, level
        As in :func:`~spm_models.evaluation.probability.reliability`.
    draws, seed : int
        Of the simulation.

    Notes
    -----
    Consistency bars: J. Bröcker and L. A. Smith, Increasing the reliability of reliability diagrams, Weather and
    Forecasting 22 (2007). Snapshots of one deal share their outcome, so that each deal draws one number.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> honest = consistency(rng.random(2000) < p, p, draws=200)
    >>> honest.within_chance, consistency(rng.random(2000) < p, p**2, draws=200).within_chance
    (True, False)
    """
    won, forecast = _checked(y, p)
    w = np.ones(len(won)) if weights is None else np.asarray(weights, dtype=float)
    code = _bins(forecast, w, bins)
    places, code = np.unique(code, return_inverse=True)
    mass, said = np.bincount(code, w), np.bincount(code, w * forecast)
    group = np.arange(len(won)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    shares = np.empty((draws, len(places)))
    for draw in range(draws):
        happened = rng.random(int(group.max()) + 1)[group] < forecast
        shares[draw] = np.bincount(code, w * happened, len(places)) / mass
    errors = np.abs(shares - said / mass) @ mass / mass.sum()
    low, high = np.quantile(shares, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    table = reliability(won, forecast, w, bins=bins, level=level).assign(chance_low=low, chance_high=high)
    error = float(np.abs(said - np.bincount(code, w * won)).sum() / mass.sum())
    return Consistency(table, error, float(errors.mean()), float(np.quantile(errors, LIMIT)))


def brier_parts(
    y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, bins: int = 10
) -> dict[str, float]:
    """Parts of the Brier score: ``reliability - resolution + uncertainty`` is the score, exactly.

    Returns
    -------
    dict
        ``reliability`` (gap of said and happened; 0 is best), ``resolution`` (how far the forecasts tell rows apart;
        the more the better), ``uncertainty`` (what a perfect base rate would score).

    Notes
    -----
    A. H. Murphy, Journal of Applied Meteorology 12 (1973). The variance within bins is counted with the resolution
    (D. B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, Weather and Forecasting 23, 2008), so that the sum is exact.

    Examples
    --------
    >>> parts = brier_parts([True, False, True, True], [0.2, 0.3, 0.9, 0.9], bins=2)
    >>> round(parts["reliability"] - parts["resolution"] + parts["uncertainty"], 4)
    0.1875
    """
    won, forecast = _checked(y, p)
    w = np.ones(len(won)) if weights is None else np.asarray(weights, dtype=float)
    code = _bins(forecast, w, bins)
    mass = np.maximum(np.bincount(code, w), 1e-300)
    said, seen = np.bincount(code, w * forecast) / mass, np.bincount(code, w * won) / mass
    rate = float(np.average(won, weights=w))
    gap = float(np.average((said - seen)[code] ** 2, weights=w))
    uncertainty = rate * (1 - rate)
    return {
        "reliability": gap, "resolution": gap + uncertainty - brier(won, forecast, w), "uncertainty": uncertainty,
    }  # fmt: skip
