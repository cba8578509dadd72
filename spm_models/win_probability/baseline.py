"""Plain rates that a model has to beat: everybody's, by stage, by rep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from spm_models.inference.pooling import beta_binomial

#: Name of each baseline and the column whose values have rates of their own.
BASELINES: dict[str, str | None] = {"base_rate": None, "stage_rate": "stage", "rep_rate": "rep_id"}
LEVEL = 0.8
CLOSEST = 1e-6  # of an interval's ends to 0 and 1: the last digit that is published


@dataclass
class PooledRate:
    """Win rate of each value of a column, partially pooled towards the common rate (beta-binomial).

    Parameters
    ----------
    by : str, optional
        Column of the snapshot; without it everybody has the common rate.
    """

    by: str | None = None
    common: list[float] = field(default_factory=list)  # mean, low, high
    rates: dict[str, list[float]] = field(default_factory=dict)

    def fit(self, rows: pd.DataFrame) -> PooledRate:
        """Learn from a learning set: ``won``, ``weight`` and the column."""
        won, weight = rows["won"].to_numpy(float), rows["weight"].to_numpy()
        self.common = _rate(float(won @ weight), float(weight.sum()))
        self.rates = {}
        if self.by is not None and self.by in rows:
            sums = pd.DataFrame({"key": rows[self.by], "won": won * weight, "n": weight}).dropna()
            table = sums.groupby("key").sum().sort_index()
            if len(table) >= 2 and 0 < won.sum() < len(won):  # where all went alike, no value differs from another
                pooled = beta_binomial(np.minimum(table["won"], table["n"]), table["n"], level=LEVEL)
                least = np.minimum(_not_ruled_out(table["n"].to_numpy()), np.minimum(pooled.mean, 1 - pooled.mean) / 2)
                values = np.column_stack([
                    pooled.mean, np.maximum(pooled.low, least), np.minimum(pooled.high, 1 - least)
                ])  # fmt: skip
                self.rates = {str(key): row.tolist() for key, row in zip(table.index, values, strict=True)}
        return self

    @property
    def start(self) -> float:
        """Log-odds of somebody about whom nothing is known."""
        rate = self.common[0]
        return float(np.log(rate / (1 - rate)))

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """``win_probability``, ``low``, ``high`` (80 %) and ``own`` (whether the value had been seen)."""
        table = np.tile(np.asarray(self.common), (len(rows), 1))
        own = np.zeros(len(rows), dtype=bool)
        if self.by is not None and self.rates:
            known = pd.DataFrame.from_dict(self.rates, orient="index")
            found = known.reindex(rows[self.by].astype(object)).to_numpy(dtype=float)
            own = np.isfinite(found[:, 0])
            table[own] = found[own]
        columns: dict[str, Any] = dict(zip(("win_probability", "low", "high"), table.T, strict=True))
        return pd.DataFrame(columns | {"own": own}, index=rows.index)


def _rate(won: float, n: float) -> list[float]:
    """Posterior mean of one rate under a uniform prior, and its Jeffreys interval.

    L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001);
    without their ends at 0 and 1 where nobody or everybody won, as no deal is certain.
    """
    from scipy.stats import beta

    ends = beta.ppf([0.5 - LEVEL / 2, 0.5 + LEVEL / 2], 0.5 + won, 0.5 + n - won)
    return [(1 + won) / (2 + n), float(max(ends[0], CLOSEST)), float(min(ends[1], 1 - CLOSEST))]


def _not_ruled_out(n: np.ndarray) -> np.ndarray:
    """The rate that even no win among ``n`` deals does not rule out: the low end of their Jeffreys interval."""
    from scipy.stats import beta

    return np.asarray(np.maximum(beta.ppf(0.5 - LEVEL / 2, 0.5, 0.5 + n), CLOSEST))
