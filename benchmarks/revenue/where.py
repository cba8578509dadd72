"""Where the error comes from: the forecast again with one ingredient replaced by what the oracle knows.

``oracle_*`` rows are forecasts of the total like any other, so that their errors stand beside the others'.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revenue.oracle import Expected
from spm_models.periods import Period
from spm_models.revenue_forecast import RevenueForecaster, Scored
from spm_models.revenue_forecast.result import RevenueForecast

INGREDIENTS = (
    "oracle_open", "oracle_open_chance", "oracle_open_amount", "oracle_new", "oracle_new_wins", "oracle_new_amount"
)  # fmt: skip


def with_ingredients(
    model: RevenueForecaster, forecast: RevenueForecast, pipeline: pd.DataFrame, period: Period, scored: Scored,
    truth: Expected,
) -> dict[str, float]:  # fmt: skip
    """Totals with one ingredient at a time replaced, and the parts on both sides (``part.*``)."""
    parts = forecast.summary()["mean"]
    closed, new = float(parts["closed"]), float(parts["not_yet_created"])
    opened = float(parts["total"]) - closed - new
    found = {
        "oracle_open": closed + truth.open + new, "oracle_new": closed + opened + truth.new,
        "part.open": opened, "part.open_oracle": truth.open, "part.new": new, "part.new_oracle": truth.new,
    }  # fmt: skip
    deals = _deals(forecast)
    ours, theirs = deals["chance"], deals.index.map(truth.deals.set_index("opportunity_id")["chance"]).to_numpy(float)
    worth = deals["amount"].to_numpy(float)
    true_worth = deals.index.map(truth.deals.set_index("opportunity_id")["amount"]).to_numpy(float)
    found["oracle_open_chance"] = closed + float(theirs @ worth) + new
    found["oracle_open_amount"] = closed + float(ours.to_numpy(float) @ true_worth) + new
    found["part.open_chance"], found["part.open_chance_oracle"] = float(ours.sum()), float(theirs.sum())
    wins, true_wins = _new_wins(model, pipeline, period), float(truth.new_wins.sum())
    if wins > 0 and true_wins > 0:
        found["oracle_new_wins"] = closed + opened + new / wins * true_wins
        found["oracle_new_amount"] = closed + opened + truth.new / true_wins * wins
        found["part.new_wins"], found["part.new_wins_oracle"] = wins, true_wins
        arrivals = _arrivals(model, period)
        found["part.arrivals"], found["part.arrivals_oracle"] = arrivals, float(truth.new_created.sum())
    return found


def _deals(forecast: RevenueForecast) -> pd.DataFrame:
    """Chance and expected amount of each open deal, as the forecast has them."""
    assert forecast.inputs is not None
    deals = forecast.inputs.deals
    deals = deals[deals["part"] != "renewals"].set_index("opportunity_id")
    return deals[["chance", "worth"]].set_axis(["chance", "amount"], axis=1)


def _new_wins(model: RevenueForecaster, pipeline: pd.DataFrame, period: Period) -> float:
    return float(model.new_.wins(period, np.zeros(len(model.units_))).mean.sum())


def _arrivals(model: RevenueForecaster, period: Period) -> float:
    new = model.new_.wins(period, np.zeros(len(model.units_)))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_rep = np.where(new.mean > 0, new.mean / (new.share_in_time * model.new_.win_factor_), 0.0)
    return float(np.nansum(per_rep))
