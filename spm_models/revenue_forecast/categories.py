"""What the CRM says: open deals due in a period by the forecast category that their reps gave them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import Period
from spm_models.revenue_forecast.levels import cents, sums_by_level
from spm_models.revenue_forecast.units import Units

#: In the order in which they are added up. ``none``: the rep gave no category. An open deal that is called closed is
#: a commit: closed is only what was won.
CATEGORIES = ("closed", "commit", "best_case", "pipeline", "omitted", "none")


def category_totals(
    pipeline: pd.DataFrame, outcomes: pd.DataFrame, organisation: pd.DataFrame, period: Period, *, as_of: date
) -> pd.DataFrame:
    """Amounts by forecast category, on every level.

    Parameters
    ----------
    pipeline : DataFrame
        Deals open at the end of ``as_of``.
    outcomes : DataFrame
        Deals closed by ``as_of``; those won in the period are the category ``closed``.
    organisation : DataFrame
    period : Period
        A deal counts when its expected close date lies in it; one whose date has passed is due on the next day.
    as_of : datetime.date

    Returns
    -------
    DataFrame
        ``period, level, key, category, amount, deals`` and ``running``: closed, plus commit, plus best case and so
        on, as commit and best case are usually told. Categories without a deal are absent.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> due = pd.Timestamp("2026-03-10")
    >>> deals = pd.DataFrame({"rep_id": "a", "amount": [5.0, 7.0], "forecast_category": ["best_case", "commit"],
    ...                       "expected_close_on": due})
    >>> nothing = pd.DataFrame({"rep_id": ["a"], "amount": [1.0], "won": [False], "closed_on": [due]})
    >>> found = category_totals(deals, nothing, pd.DataFrame({"rep_id": ["a"]}), FiscalCalendar().quarter(due.date()),
    ...                         as_of=date(2026, 2, 1))
    >>> found.loc[found["level"] == "company", ["category", "amount", "running"]].values.tolist()
    [['commit', 7.0, 7.0], ['best_case', 5.0, 12.0]]
    """
    units, first, last = Units.of(organisation, as_of), pd.Timestamp(period.start), pd.Timestamp(period.end)
    tomorrow = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    due = pipeline["expected_close_on"]
    due = due.where(~(due < tomorrow), tomorrow)
    mine = pipeline[(due >= first) & (due <= last)]
    won = outcomes[outcomes["won"] & outcomes["closed_on"].between(first, last)]
    rows = pd.concat(
        [pd.DataFrame({"leaf": units.leaf(won["rep_id"]), "category": "closed", "cents": cents(won["amount"])}),
         pd.DataFrame({"leaf": units.leaf(mine["rep_id"]), "cents": cents(mine["amount"]),
                       "category": mine["forecast_category"].replace("closed", "commit").fillna("none").to_numpy()})]
    ).assign(deals=1)  # fmt: skip
    table = sums_by_level(rows, units, ["category"], ["cents", "deals"])
    order = table["category"].map({name: place for place, name in enumerate(CATEGORIES)})
    table = table.assign(period=period.label, place=order).sort_values(["level", "key", "place"], ignore_index=True)
    table["amount"] = table["cents"] / 100
    table["running"] = table.groupby(["level", "key"])["cents"].cumsum() / 100
    table = table.astype({"period": "str", "category": "str", "deals": np.int64})
    return table[["period", "level", "key", "category", "amount", "deals", "running"]]
