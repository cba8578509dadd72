"""A seasonal view of the company's total, from past quarters alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.history import won_by_quarter

LEAST_QUARTERS = 8


def seasonal_point(outcomes: pd.DataFrame, period: Period, calendar: FiscalCalendar, as_of: date) -> float | None:
    """The same quarter last year times half the growth (in logs) of the last four quarters over the four before.

    None for other periods than quarters, or with fewer than eight whole quarters.
    """
    history = won_by_quarter(outcomes, calendar, as_of)
    same = period
    for _ in range(4):
        same = same.previous()
    if period.kind != "quarter" or len(history) < LEAST_QUARTERS or same.label not in history.index:
        return None
    recent, before = float(history.iloc[-4:].sum()), float(history.iloc[-8:-4].sum())
    growth = np.sqrt(np.clip(recent / before, 0.5, 2.0)) if before > 0 else 1.0
    return float(history[same.label] * growth)
