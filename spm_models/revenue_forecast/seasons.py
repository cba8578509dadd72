"""The season of new business: factors of calendar months, drawn towards the quarter's and towards none."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
_LEAST_YEARS = 2


def monthly_season(created_on: pd.Series, as_of: date) -> Floats:
    """Factor of each calendar month, mean 1; all 1 where the record has not seen every month twice.

    Logs of monthly counts without their year's mean and without the trend from year to year, averaged over years.
    What the months of a quarter (of the calendar) have in common and what is left of each month are shrunk apart,
    each by its own signal to noise.

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2023-01-01", "2025-12-31"))
    >>> monthly_season(days[(days.dt.month <= 6) | (days.dt.day % 2 == 0)], date(2025, 12, 31)).round(1).tolist()
    [1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    """
    months = created_on.dropna().dt.to_period("M")
    last = pd.Timestamp(as_of).to_period("M")
    if pd.Timestamp(as_of) < last.end_time.normalize():
        last -= 1  # only whole months
    counts = months[months <= last].value_counts()
    flat = np.ones(12)
    if counts.empty:
        return flat
    years = ((last - counts.index.min()).n + 1) // 12
    if years < _LEAST_YEARS:
        return flat
    index = pd.period_range(last - (years * 12 - 1), last, freq="M")
    found = counts.reindex(index, fill_value=0).to_numpy(dtype=float) + 0.5
    logs = np.log(found / index.days_in_month.to_numpy()).reshape(years, 12)  # per day
    slope = float(np.diff(logs.mean(axis=1)).mean()) / 12
    logs -= logs.mean(axis=1, keepdims=True) + slope * (np.arange(12) - 5.5)
    start = (int(index[0].month) - 1) % 3  # where in its quarter the first month is
    quarter = (np.arange(12) + start) // 3 % 4
    by_quarter = np.stack([logs[:, quarter == q].mean(axis=1) for q in range(4)], axis=1)
    common = _shrunk(by_quarter, 3)[quarter]
    own = _shrunk(logs - by_quarter[:, quarter], 8)
    factors = np.exp(common + own)
    by_month = np.empty(12)
    by_month[index[:12].month.to_numpy() - 1] = factors / factors.mean()
    return by_month


def _shrunk(logs: Floats, freedom: int) -> Floats:
    """Means over the years, times the share of their variance that is not noise; ``logs`` has the shape (years, n)."""
    years = len(logs)
    centre = logs.mean(axis=0)
    noise = float(((logs - centre) ** 2).sum()) / (freedom * (years - 1)) / years
    signal = max(float((centre**2).sum()) / freedom - noise, 0.0)
    return np.asarray(signal / (signal + noise + 1e-12) * centre)
