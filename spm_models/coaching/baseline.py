"""Plain ways to flag reps, to compare the review with: a rule of thumb, and a test of "exactly as everybody"."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.features import Evidence
from spm_models.inference import benjamini_hochberg


class ThresholdRules:
    """Flag whoever lies ``margin`` or more below the company's mean; no context, no interval.

    Examples
    --------
    >>> ThresholdRules(margin=0.2).margin
    0.2
    """

    def __init__(self, margin: float = 0.15) -> None:
        self.margin = margin

    def flags(self, evidence: Evidence) -> pd.DataFrame:
        """One row a rep and signal: ``rep_id``, ``signal``, ``flagged``."""
        deals = evidence.deals
        won = deals[deals["won"]]
        parts = {
            "win_rate": deals.groupby("rep_id")["won"].mean() < (1 - self.margin) * deals["won"].mean(),
            "cycle": won.groupby("rep_id")["days"].mean() > (1 + self.margin) * won["days"].mean(),
        }
        for signal, rows in evidence.work.items():
            sums = rows.groupby("rep_id")[["count", "days"]].sum()
            company = sums["count"].sum() / max(sums["days"].sum(), 1.0)
            parts[signal] = sums["count"] / sums["days"] < (1 - self.margin) * company
        stacked = pd.concat(parts, names=["signal", "rep_id"]).rename("flagged")
        return stacked.reset_index().sort_values(["rep_id", "signal"], ignore_index=True)


class PointNullTest:
    """One-sided z-tests against the company's mean, with Benjamini–Hochberg over reps × signals; no context.

    Examples
    --------
    >>> PointNullTest().rate
    0.1
    """

    def __init__(self, rate: float = 0.1) -> None:
        self.rate = rate

    def flags(self, evidence: Evidence) -> pd.DataFrame:
        """One row a rep and signal: ``rep_id``, ``signal``, ``flagged``."""
        deals = evidence.deals
        closed = deals.groupby("rep_id")["won"].agg(["mean", "size"])
        company = float(deals["won"].mean())
        days = np.log1p(deals.loc[deals["won"], "days"]).groupby(deals["rep_id"]).agg(["mean", "size"])
        everybody = np.log1p(deals.loc[deals["won"], "days"])
        z = {
            "win_rate": (closed["mean"] - company) / np.sqrt(company * (1 - company) / closed["size"]),
            "cycle": -(days["mean"] - everybody.mean()) / (everybody.std() / np.sqrt(days["size"])),
        }
        for signal, rows in evidence.work.items():
            sums = rows.groupby("rep_id")[["count", "days"]].sum()
            expected = sums["days"] * sums["count"].sum() / max(sums["days"].sum(), 1.0)
            z[signal] = (sums["count"] - expected) / np.sqrt(expected)
        stacked = pd.concat(z, names=["signal", "rep_id"])
        flagged = pd.Series(benjamini_hochberg(special.ndtr(stacked), self.rate), stacked.index, name="flagged")
        return flagged.reset_index().sort_values(["rep_id", "signal"], ignore_index=True)
