"""How good the deals were that each rep had: their chances when they were new, by what was given, not by what was done.

Coaching compares win rates between deals that promised as much.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.snapshots import PIPELINE
from spm_models.win_probability import WinProbability

#: What a new deal brings with it. Who sells it, where, and what was done about it is left out: that is to be judged.
GIVEN = frozenset({
    "as_of", "opportunity_id", "account_id", "segment", "industry", "product_id", "family", "source", "kind",
    "created_on", "amount", "list_price", "term_months", "account_open_deals", "account_won", "account_lost",
    "days_since_account_won", "quarter_day", "days_to_quarter_end",
})  # fmt: skip
LEAST = 500  #: deals closed before the window, from which on there is enough to learn from


def early_chances(
    snapshots: pd.DataFrame, outcomes: pd.DataFrame, since: pd.Timestamp, *, calendar: FiscalCalendar, seed: int
) -> pd.Series | None:
    """Chances of the deals closed from a day on, as they looked when they were new.

    Parameters
    ----------
    snapshots : DataFrame
        Pipelines of past days; the first row of each deal counts.
    outcomes : DataFrame
        Deals closed by now.
    since : Timestamp
        First day of the window: the model knows nothing of what happened from then on.
    calendar : FiscalCalendar
    seed : int

    Returns
    -------
    Series or None
        By ``opportunity_id``. None where fewer than :data:`LEAST` deals were closed before the window.
    """
    before = outcomes["closed_on"] < since
    if before.sum() < LEAST:
        return None
    first = snapshots.sort_values(["as_of", "opportunity_id"], kind="stable").drop_duplicates("opportunity_id")
    first = first.sort_values("opportunity_id", ignore_index=True)
    plain = {
        name: pd.Series(np.nan if kind == "float64" else None, index=first.index, dtype=kind)
        for name, kind in PIPELINE.items()
        if name in first and name not in GIVEN
    }
    given = first.assign(**plain)
    decided, closed = outcomes[before], outcomes.loc[~before, "opportunity_id"]
    past = given[given["opportunity_id"].isin(decided["opportunity_id"]) & (given["as_of"] < since)]
    young = given[given["opportunity_id"].isin(closed)].reset_index(drop=True)
    if past.empty or young.empty:
        return None
    model = WinProbability(seed, method="model").fit(past, decided, calendar=calendar)
    scores: pd.DataFrame = model.predict(young, explain=False).table
    chances: pd.Series = scores.set_index("opportunity_id")["win_probability"].round(6)
    return chances
