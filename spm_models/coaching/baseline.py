"""Plain ways to flag reps, to compare the review with: the rules of CRM tools, ranks, and a test of "as everybody"."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.features import Evidence
from spm_models.inference import benjamini_hochberg

#: What each rule speaks about, among the review's signals.
MEANT = {
    "attainment": "attainment", "activity": "activity", "cycle": "cycle", "win_rate": "win_rate",
    "coverage": "coverage", "loss_rate": "win_rate",
}  # fmt: skip


class ThresholdRules:
    """Flag whoever lies ``margin`` or more beside the company's mean, by the six rules that CRM tools ship.

    Missed target, low activity, long cycle (of won deals), low win rate, thin coverage, high loss rate; no context, no
    interval.

    Examples
    --------
    >>> ThresholdRules(margin=0.2).margin
    0.2
    """

    def __init__(self, margin: float = 0.15) -> None:
        self.margin = margin

    def flags(self, evidence: Evidence) -> pd.DataFrame:
        """One row a rep and rule: ``rep_id``, ``rule``, ``signal`` meant, ``flagged`` and ``beside``.

        ``beside`` is the rep's figure beside the company's mean (1 is the mean, less is worse): how far off he is.
        """
        beside = {rule: values.dropna() for rule, values in _beside(evidence).items()}
        stacked = pd.concat(beside, names=["rule", "rep_id"]).rename("beside").reset_index()
        stacked["signal"] = stacked["rule"].map(MEANT)
        stacked["flagged"] = stacked["beside"] < 1 - self.margin
        columns = ["rep_id", "rule", "signal", "flagged", "beside"]
        table: pd.DataFrame = stacked[columns].sort_values(["rep_id", "rule"], ignore_index=True)
        return table


def _beside(evidence: Evidence) -> dict[str, pd.Series]:
    deals = evidence.deals
    won = deals[deals["won"]]
    rate = deals.groupby("rep_id")["won"].mean()
    found = {
        "win_rate": rate / deals["won"].mean(),
        "loss_rate": (1 - deals["won"].mean()) / (1 - rate).clip(lower=1e-9),
        "cycle": won["days"].mean() / won.groupby("rep_id")["days"].mean().clip(lower=1.0),
    }
    for signal in ("activity",) if "activity" in evidence.work else ():
        sums = evidence.work[signal].groupby("rep_id")[["count", "days"]].sum()
        found[signal] = sums["count"] / sums["days"] / (sums["count"].sum() / max(sums["days"].sum(), 1.0))
    if len(evidence.results):
        results = evidence.results.set_index("rep_id")
        found["attainment"] = results["won_amount"] / results["quota"].where(results["quota"] > 0)
        coverage = results["open_pipeline"] / results["quota_ahead"].where(results["quota_ahead"] > 0)
        found["coverage"] = coverage / coverage.mean()
    return found


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
