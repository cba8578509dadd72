"""The plain baseline: rules that compare each rep with the company's mean, as dashboards do."""

from __future__ import annotations

import pandas as pd

from spm_models.coaching.features import Evidence


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
