"""How a deal's win probability came about: the same model, looking at how the deal stood in past weeks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

WEEKS = 8
#: Columns of the published table ``deal_trend``.
TREND: dict[str, str] = {
    "opportunity_id": "str",
    "rep_id": "str",
    "as_of": "datetime64[s]",
    "win_probability": "float64",
}


class ScoresRows(Protocol):
    """A fitted model of win probability."""

    def probabilities(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Win probability of each row of a pipeline, NaN where nothing can be said."""


def trend_days(as_of: date, weeks: int = WEEKS) -> list[date]:
    """The day itself and the same weekday of past weeks, earliest first.

    Examples
    --------
    >>> [str(day) for day in trend_days(date(2026, 6, 30), 2)]
    ['2026-06-16', '2026-06-23', '2026-06-30']
    """
    return [as_of - timedelta(weeks=back) for back in range(weeks, -1, -1)]


def trend(model: ScoresRows, past_pipelines: pd.DataFrame, open_deals: pd.DataFrame) -> pd.DataFrame:
    """Win probabilities of open deals as they stood on past days, by today's model.

    One model judges all days, so that a change tells of the deal, not of what was learned meanwhile.

    Parameters
    ----------
    model : ScoresRows
        The fitted model that scored ``open_deals``.
    past_pipelines : DataFrame, shape (rows, …)
        ``pipelines(tables, trend_days(as_of))``; deals that are no longer open are left out.
    open_deals : DataFrame, shape (deals, …)
        The pipeline of today: its owner is whom the row belongs to, whoever had the deal then.

    Returns
    -------
    DataFrame
        Columns of :data:`TREND`, one row a deal and day on which it was open, sorted by deal and day. Deals without a
        probability are left out.

    Examples
    --------
    >>> day = pd.Timestamp("2026-06-30")
    >>> today = pd.DataFrame({"as_of": [day], "opportunity_id": ["o1"], "rep_id": ["r1"], "push_count": [1.0]})
    >>> before = today.assign(as_of=day - pd.Timedelta(weeks=1), push_count=0.0)
    >>> class Halving:
    ...     def probabilities(self, rows):
    ...         return 0.5 ** (rows["push_count"].to_numpy() + 1)
    >>> trend(Halving(), pd.concat([before, today]), today)[["as_of", "win_probability"]].astype(str).values.tolist()
    [['2026-06-23', '0.5'], ['2026-06-30', '0.25']]
    """
    last = open_deals["as_of"].max() if len(open_deals) else pd.NaT
    earlier = past_pipelines[past_pipelines["opportunity_id"].isin(open_deals["opportunity_id"])]
    rows = pd.concat([earlier[earlier["as_of"] < last], open_deals], ignore_index=True)
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in TREND.items()})
    owner = open_deals.set_index("opportunity_id")["rep_id"]
    told = rows.assign(
        rep_id=rows["opportunity_id"].map(owner).to_numpy(), win_probability=model.probabilities(rows)
    )  # fmt: skip
    told = told.dropna(subset="win_probability").sort_values(["opportunity_id", "as_of"], ignore_index=True)
    return told[list(TREND)].astype(TREND)
