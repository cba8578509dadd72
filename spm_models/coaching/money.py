"""What a shortfall may cost in the next quarter, in the company's currency.

Rough on purpose and stated as such: it ranks topics, it is no target. What a rep sells is about the product of deals
found, conversions, size and price, so a relative shortfall in one of them costs that share of what a typical colleague
would book with the same deals. Every figure compares the pooled value with the expected one: luck is taken out first.

- ``cycle``: additional days × bookings per day: money that comes later, not money lost; at most a quarter's.
- ``activity``, ``trend``, ``follow_up``, ``focus``: that more of it brings proportionally more business is not known,
  so half is assumed (``ELASTICITY``).
- a result (attainment, coverage) costs nothing by itself.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.coaching.result import Posterior
from spm_models.coaching.signals import RESULTS

ELASTICITY = {"activity": 0.5, "trend": 0.5, "follow_up": 0.5, "focus": 0.5}
QUARTER_DAYS = 91.3125


def at_stake(table: pd.DataFrame, wins: Posterior | None, average_won: float, quarters: float) -> pd.Series:
    """Money at stake of each finding, 0 where the rep does no worse than expected.

    Parameters
    ----------
    table : DataFrame
        ``rep_id``, ``signal``, ``pooled``, ``expected``.
    wins : Posterior, optional
        Of the win rate: a typical colleague's share of the rep's closed deals; without it nothing can be stated.
    average_won : float
        Mean amount of the company's won deals in the window.
    quarters : float
        Length of the window.
    """
    if wins is None:
        return pd.Series(np.nan, index=table.index)
    bookings = pd.Series(wins.expected * wins.n / quarters * average_won, index=pd.Index(wins.rep_id))
    own = table["rep_id"].map(bookings)
    short = 1 - table["pooled"] / table["expected"].where(table["expected"] > 0)
    later = ((table["pooled"] - table["expected"]) / QUARTER_DAYS).clip(upper=1)
    share = short.mask(table["signal"] == "cycle", later) * table["signal"].map(ELASTICITY).fillna(1.0)
    worth: pd.Series = (own * share).clip(lower=0).mask(table["signal"].isin(RESULTS), 0.0)
    return worth
