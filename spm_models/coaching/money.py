"""What a shortfall may cost in the next quarter, in the company's currency.

Rough on purpose and stated as such: it ranks topics, it is no target. Every figure compares the pooled value with the
expected one, so that luck is taken out first.

- ``win_rate``: shortfall × deals closed in a quarter × average won amount.
- ``pipeline_creation``: missing deals of a quarter × expected win rate × average won amount.
- ``activity``: relative shortfall × expected bookings of a quarter × ``ACTIVITY_ELASTICITY``. That more activity brings
  proportionally more business is not known, so half is assumed.
- ``cycle``: additional days × bookings per day: money that comes later, not money lost; at most a quarter's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

ACTIVITY_ELASTICITY = 0.5
QUARTER_DAYS = 91.3125


def at_stake(table: pd.DataFrame, average_won: float, quarters: float, workdays: float) -> pd.Series:
    """Money at stake of each finding, 0 where the rep does no worse than expected.

    Parameters
    ----------
    table : DataFrame
        ``rep_id``, ``signal``, ``pooled``, ``expected``, ``n`` (closed deals for win_rate, won deals for cycle).
    average_won : float
        Mean amount of the company's won deals in the window; missing: no money can be stated.
    quarters : float
        Length of the window.
    workdays : float
        Working days of a quarter.
    """
    wide = table.pivot(index="rep_id", columns="signal")
    expected = {signal: wide["expected"][signal] for signal in wide["expected"]}
    missing = pd.Series(np.nan, index=wide.index)
    win_rate = expected.get("win_rate", missing)
    bookings = expected.get("pipeline_creation", missing) * workdays * win_rate * average_won
    own_bookings = wide["n"]["cycle"] / quarters * average_won if "cycle" in expected else missing
    costs: dict[str, pd.Series] = {}
    for signal in expected:
        pooled, typical = wide["pooled"][signal], expected[signal]
        if signal == "win_rate":
            costs[signal] = (typical - pooled) * wide["n"][signal] / quarters * average_won
        elif signal == "pipeline_creation":
            costs[signal] = (typical - pooled) * workdays * win_rate * average_won
        elif signal == "activity":
            costs[signal] = (1 - pooled / typical) * bookings * ACTIVITY_ELASTICITY
        else:
            costs[signal] = ((pooled - typical) / QUARTER_DAYS).clip(upper=1) * own_bookings
    stacked = pd.concat(costs, names=["signal", "rep_id"]).clip(lower=0)
    keys = pd.MultiIndex.from_frame(table[["signal", "rep_id"]])
    return pd.Series(stacked.reindex(keys).to_numpy(), index=table.index)
