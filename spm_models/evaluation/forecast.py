"""How good forecasts of amounts are: error, bias, and whether ranges hold what they promise.

References
----------
Hyndman and Koehler (2006), Another look at measures of forecast accuracy, International Journal of Forecasting 22.
Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102, section 6.2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError, StatisticsError

Floats = npt.NDArray[np.float64]


def bias(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Sum of forecasts over sum of actuals, minus 1: above 0 means that too much was promised.

    Examples
    --------
    >>> round(bias([100, 200], [110, 220]), 3)
    0.1
    """
    y, f = _pair(actual, forecast)
    return float((f - y).sum() / _size(y))


def absolute_error(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Sum of absolute errors over sum of actuals (weighted absolute percentage error, WAPE); 0.1 is 10 %.

    Examples
    --------
    >>> round(absolute_error([100, 200], [110, 180]), 3)
    0.1
    """
    y, f = _pair(actual, forecast)
    return float(np.abs(f - y).sum() / _size(y))


def mase(actual: npt.ArrayLike, forecast: npt.ArrayLike, history: npt.ArrayLike, season: int = 1) -> float:
    """Mean absolute scaled error: below 1 beats the naive forecast's error within ``history``.

    Parameters
    ----------
    actual, forecast : array-like, shape (n,)
        Periods after the history.
    history : array-like, shape (m,), m > season
        Values that were known, in order of time.
    season : int
        Periods after which the naive forecast repeats a value: 1 for the last one, 4 for the same quarter last year.

    Raises
    ------
    NotEnoughDataError
        When the history is not longer than one season, or never changes.

    Examples
    --------
    >>> mase([5.0], [6.0], [1, 2, 3, 4])
    1.0
    """
    y, f = _pair(actual, forecast)
    past = np.asarray(history, dtype=float)
    scale = float(np.abs(past[season:] - past[:-season]).mean()) if past.size > season else 0.0
    if not scale > 0:
        raise NotEnoughDataError(
            "Nothing to scale the error by", where="mase", found=f"{past.size} values, season {season}",
            remedy="Give a history longer than one season that is not constant.",
        )  # fmt: skip
    return float(np.abs(f - y).mean() / scale)


def hits(actual: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether each actual lies within its range, both ends counted.

    Examples
    --------
    >>> hits([5, 9], [1, 1], [6, 6]).tolist()
    [True, False]
    """
    y, bottom = _pair(actual, low)
    _, top = _pair(actual, high)
    return np.asarray((bottom <= y) & (y <= top), dtype=bool)


def interval_score(actual: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.8) -> Floats:
    """Width of each range plus a penalty for misses, in the unit of the amounts; the lower the better.

    Parameters
    ----------
    actual, low, high : array-like, shape (n,)
    level : float
        Probability that the range promises (p10 to p90: 0.8).

    Examples
    --------
    >>> interval_score([5, 8], [4, 4], [6, 6], level=0.8).round(6).tolist()
    [2.0, 22.0]
    """
    y, bottom = _pair(actual, low)
    _, top = _pair(actual, high)
    if not 0 < level < 1 or (top < bottom).any():
        raise StatisticsError(
            "This is no range", where="interval_score", found=level, remedy="low <= high, 0 < level < 1"
        )
    penalty = 2 / (1 - level)
    return np.asarray(top - bottom + penalty * (np.maximum(bottom - y, 0) + np.maximum(y - top, 0)), dtype=float)


def forecast_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Error, bias, coverage and mean interval score of each method over the periods it forecast.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, actual, mean, p10, p90`` (published table ``forecast_replay``).

    Returns
    -------
    DataFrame
        One row a method, best error first: ``method, n, absolute_error, bias, coverage, interval_score`` (the last
        relative to the mean actual, so that companies compare). Where all actuals are 0, only coverage is known.

    Examples
    --------
    >>> rows = {"method": ["a", "a"], "actual": [10, 20], "mean": [11, 19], "p10": [8, 15], "p90": [14, 18]}
    >>> forecast_scores(pd.DataFrame(rows)).round(3).to_dict("records")[0]["coverage"]
    0.5
    """
    rows = []
    for method, group in table.dropna(subset=["actual", "mean"]).groupby("method", sort=True):
        y, mean = group.actual.to_numpy(dtype=float), group["mean"]
        score = interval_score(y, group.p10, group.p90).mean()
        sized = bool(y.any())  # errors relative to nothing are no figures
        rows.append(
            {"method": str(method), "n": len(group), "absolute_error": absolute_error(y, mean) if sized else np.nan,
             "bias": bias(y, mean) if sized else np.nan, "coverage": float(hits(y, group.p10, group.p90).mean()),
             "interval_score": float(score / _size(y) * len(y)) if sized else np.nan}
        )  # fmt: skip
    columns = ["method", "n", "absolute_error", "bias", "coverage", "interval_score"]
    return pd.DataFrame(rows, columns=columns).sort_values(["absolute_error", "method"], ignore_index=True)


def _pair(actual: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, f = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if y.shape != f.shape or not y.size or not (np.isfinite(y) & np.isfinite(f)).all():
        raise StatisticsError(
            "Actuals and forecasts do not fit", found=f"{y.shape} and {f.shape}",
            remedy="Give one finite number of each for every period.",
        )  # fmt: skip
    return y, f


def _size(y: Floats) -> float:
    total = float(np.abs(y).sum())
    if total == 0:
        raise NotEnoughDataError("All actuals are 0, errors have no scale", remedy="Leave such periods out.")
    return total
