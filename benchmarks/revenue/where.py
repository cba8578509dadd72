"""Where the error comes from: the forecast again with one ingredient replaced by what the oracle knows.

``oracle_*`` rows are forecasts of the total like any other, so that their errors stand beside the others'.
"""

from __future__ import annotations

import numpy as np

from revenue.oracle import Expected
from spm_models.periods import Period
from spm_models.revenue_forecast import RevenueForecaster
from spm_models.revenue_forecast.result import RevenueForecast

INGREDIENTS = (
    "oracle_open", "oracle_open_chance", "oracle_open_amount", "oracle_new", "oracle_new_wins", "oracle_new_amount"
)  # fmt: skip


def with_ingredients(
    model: RevenueForecaster, forecast: RevenueForecast, period: Period, truth: Expected
) -> dict[str, float]:  # fmt: skip
    """Totals with one ingredient at a time replaced, and the parts on both sides (``part.*``)."""
    parts = forecast.summary()["mean"]
    closed, new = float(parts["closed"]), float(parts["not_yet_created"])
    opened = float(parts["total"]) - closed - new
    found = {
        "oracle_open": closed + truth.open + new, "oracle_new": closed + opened + truth.new,
        "part.open": opened, "part.open_oracle": truth.open, "part.new": new, "part.new_oracle": truth.new,
    }  # fmt: skip
    inputs = forecast.inputs
    if inputs is None:
        return found
    deals = inputs.deals[inputs.deals["part"] != "renewals"].set_index("opportunity_id")
    oracle = truth.deals.set_index("opportunity_id").reindex(deals.index)
    ours, worth = (deals[name].to_numpy(float) for name in ("chance", "worth"))
    theirs, true_worth = (oracle[name].to_numpy(float) for name in ("chance", "amount"))
    found["oracle_open_chance"] = closed + float(theirs @ worth) + new
    found["oracle_open_amount"] = closed + float(ours @ true_worth) + new
    found["part.open_chance"], found["part.open_chance_oracle"] = float(ours.sum()), float(theirs.sum())
    wins, true_wins = float(inputs.leaves["mean"].sum()), float(truth.new_wins.sum())
    if wins > 0 and true_wins > 0:
        found["oracle_new_wins"] = closed + opened + new / wins * true_wins
        found["oracle_new_amount"] = closed + opened + truth.new / true_wins * wins
        found["part.new_wins"], found["part.new_wins_oracle"] = wins, true_wins
        found["part.arrivals"] = _arrivals(model, period)
        found["part.arrivals_oracle"] = float(truth.new_created.sum())
    return found


def _arrivals(model: RevenueForecaster, period: Period) -> float:
    """Deals to be created in the rest of the period."""
    new = model.new_.wins(period, np.zeros(len(model.units_)))
    share = new.share_in_time * model.new_.conversion(period)
    return float(np.divide(new.mean, share, out=np.zeros(len(share)), where=share > 0).sum())
