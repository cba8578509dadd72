"""Measures of forecasts of many series, each series counting the same.

Errors, widths and interval scores are divided by the series' mean absolute seasonal change over its whole training part
(MASE: R. J. Hyndman and A. B. Koehler, International Journal of Forecasting 22 (2006)). Interval score: T. Gneiting and
A. E. Raftery, Journal of the American Statistical Association 102 (2007), 6.2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MEASURES = ("mase", "smape", "coverage80", "coverage95", "width80", "width95", "interval_score80", "interval_score95",
            "interval_score")  # fmt: skip
LEVELS = (80, 95)


def by_series(forecasts: pd.DataFrame, test: pd.DataFrame, scale: pd.Series) -> pd.DataFrame:
    """Measures of each series, meant over its horizon.

    Parameters
    ----------
    forecasts : DataFrame
        ``unique_id``, ``ds``, ``mean``, ``lo-80``, ``hi-80``, ``lo-95``, ``hi-95``, one row for each of ``test``.
    test : DataFrame
        ``unique_id``, ``ds``, ``y``.
    scale : Series
        By series; above 0.

    Raises
    ------
    ValueError
        If a forecast is missing, comes twice, or is not finite.
    """
    rows = test.merge(forecasts, on=["unique_id", "ds"], how="left", validate="one_to_one")
    columns = ["mean", *(f"{side}-{level}" for level in LEVELS for side in ("lo", "hi"))]
    lacking = ~np.isfinite(rows[columns]).all(axis=1)
    if lacking.any():
        raise ValueError(f"no finite forecast for {int(lacking.sum())} rows, first {rows[lacking].iloc[0].to_dict()}")
    y, mean, unit = rows["y"], rows["mean"], rows["unique_id"].map(scale)
    size = (y.abs() + mean.abs()).where(lambda s: s > 0, 1.0)
    measured = {"mase": (y - mean).abs() / unit, "smape": 200 * (y - mean).abs() / size}
    for level in LEVELS:
        low, high = rows[f"lo-{level}"], rows[f"hi-{level}"]
        measured[f"coverage{level}"] = y.between(low, high).astype(float)
        measured[f"width{level}"] = (high - low) / unit
        measured[f"interval_score{level}"] = interval_score(y, low, high, level) / unit
    measured["interval_score"] = sum(measured[f"interval_score{level}"] for level in LEVELS) / len(LEVELS)
    found = pd.DataFrame(measured).groupby(rows["unique_id"]).mean()
    return found[list(MEASURES)]


def interval_score(y: pd.Series, low: pd.Series, high: pd.Series, level: float) -> pd.Series:
    """Width, and 2/α times how far a value lies outside; α is the share that may (level 80: 0.2)."""
    outside = (low - y).clip(lower=0) + (y - high).clip(lower=0)
    return high - low + 2 / (1 - level / 100) * outside


def measures(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a model: means over series, the lowest MASE first."""
    return pd.DataFrame({name: part.mean() for name, part in parts.items()}).T.sort_values("mase", kind="stable")


def differences(parts: dict[str, pd.DataFrame], ours: str, measure: str) -> pd.DataFrame:
    """Ours less each other model, over the same series, with the standard error of that mean.

    Returns
    -------
    DataFrame
        By model: ``difference``, ``error``; below zero ours is better where less is better.
    """
    rows = {}
    for name, part in parts.items():
        if name != ours:
            gap = parts[ours][measure] - part[measure]
            rows[name] = {"difference": gap.mean(), "error": gap.std(ddof=1) / np.sqrt(len(gap))}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "error"])
