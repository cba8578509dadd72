"""A company whose win probabilities are a known function of what its snapshots show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gamma

STAGES = ("Lead", "Meeting", "Offer")
LASTING = {True: 45.0, False: 30.0}  # scale of the days until the decision: lost deals are decided sooner
TRUE_STAGE = {"Lead": -0.8, "Meeting": 0.0, "Offer": 0.8}


@pytest.fixture(scope="session")
def company() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    return _company


def _company(
    deals: int, seed: int, signal: float = 1.0, freq: str = "ME", **more: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots at month ends (or each ``freq``) and outcomes.

    ``p_win`` is the true chance of a deal that is still open on the day.
    """
    rng = np.random.default_rng(seed)
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, deals), unit="D")
    base = pd.DataFrame(
        {
            "opportunity_id": [f"o{k:05}" for k in range(deals)],
            "rep_id": [f"r{k}" for k in rng.integers(0, 12, deals)],
            "stage": rng.choice(STAGES, deals),
            "source": rng.choice(["inbound", "outbound"], deals),
            "amount": np.exp(rng.normal(8, 1, deals)).round(),
            "created_on": created.as_unit("s"),
        }
    )
    skill = dict(zip([f"r{k}" for k in range(12)], rng.normal(0, 0.5, 12), strict=True))
    truth = base["stage"].map(TRUE_STAGE) + 0.7 * (base["source"] == "inbound") - 0.5 * (np.log(base["amount"]) - 8)
    base["log_odds"] = -0.6 + signal * (truth + base["rep_id"].map(skill))
    base["won"] = rng.random(deals) < 1 / (1 + np.exp(-base["log_odds"]))
    lasting = rng.gamma(2, base["won"].map(LASTING)).round() + 1
    base["closed_on"] = (base["created_on"] + pd.to_timedelta(lasting, unit="D")).astype("datetime64[s]")
    days = pd.DataFrame({"as_of": pd.date_range("2024-01-31", "2026-06-30", freq=freq).as_unit("s")})
    rows = base.merge(days, how="cross")
    rows = rows[(rows["created_on"] <= rows["as_of"]) & (rows["closed_on"] > rows["as_of"])]
    rows["age_days"] = (rows["as_of"] - rows["created_on"]).dt.days.astype(float)
    still = {outcome: gamma.sf(rows["age_days"] - 0.5, 2, scale=scale) for outcome, scale in LASTING.items()}
    odds = np.exp(rows["log_odds"]) * still[True] / still[False]
    rows["p_win"] = odds / (1 + odds)
    snapshots = rows.drop(columns=["won", "closed_on"]).sort_values(["as_of", "opportunity_id"], ignore_index=True)
    closed = base[base["closed_on"] <= pd.Timestamp("2026-06-30")]
    closed = closed.assign(status=np.where(closed["won"], "won", "lost"))
    return snapshots, closed[["opportunity_id", "rep_id", "status", "won", "created_on", "closed_on", "amount"]]
