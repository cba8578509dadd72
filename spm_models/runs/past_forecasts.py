"""What people and the model had forecast for quarters that are over, as the KPIs of forecast accuracy take it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pandas as pd

from spm_models.kpis.accuracy import PAST_FORECASTS, WEEK


def past_forecasts(
    replayed: pd.DataFrame, said: pd.DataFrame, method: str, cutoff: Callable[[date], datetime]
) -> pd.DataFrame:
    """Forecasts that stood at the end of week 6 of finished quarters, beside what came.

    Parameters
    ----------
    replayed : DataFrame
        Published ``forecast_replay``.
    said : DataFrame
        Published ``forecast_submissions``; may be empty.
    method : str
        The method of ``replayed`` that is published.
    cutoff : callable
        End of a day as naive UTC (``workspace.cutoff``).

    Returns
    -------
    DataFrame
        ``period, level, key, who`` ("people" or "model"), ``forecast, actual``. Of people it is the commit that was
        given last for the unit by then.
    """
    model = replayed[(replayed["method"] == method) & (replayed["week"] == WEEK)]
    model = model.assign(level="company", key="", who="model", forecast=model["mean"])
    parts = [model[list(PAST_FORECASTS)]]
    known = said[said["actual"].notna()] if len(said) else said
    if len(known):
        starts = known["period_start"]
        ends = {start: cutoff((start + timedelta(days=7 * WEEK - 1)).date()) for start in starts.unique()}
        stood = known[known["submitted_at"] < starts.map(ends)].sort_values("submitted_at", kind="stable")
        last = stood.drop_duplicates(["period", "level", "key"], keep="last")
        parts.append(last.assign(who="people", forecast=last["commit"])[list(PAST_FORECASTS)])
    return pd.concat(parts, ignore_index=True)
