"""How good probabilities are: sharpness, ranking, and whether 70 % means seven in ten."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.inference.intervals import wilson

Floats = npt.NDArray[np.float64]
EPSILON = 1e-12


def log_losses(y: npt.ArrayLike, p: npt.ArrayLike) -> Floats:
    """Log loss of each row, in nats.

    Examples
    --------
    >>> log_losses([1, 0], [0.5, 0.5]).round(4).tolist()
    [0.6931, 0.6931]
    """
    won, forecast = _checked(y, p)
    clipped = np.clip(forecast, EPSILON, 1 - EPSILON)
    return -(won * np.log(clipped) + (1 - won) * np.log1p(-clipped))


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean log loss in nats; the lower the better, 0.693 for a coin.

    Parameters
    ----------
    y : array-like of bool, shape (n,)
        What happened.
    p : array-like of float, shape (n,)
        Probability that had been given.
    weights : array-like of float, shape (n,), optional

    Examples
    --------
    >>> round(log_loss([True, False], [0.8, 0.2]), 4)
    0.2231
    """
    return float(np.average(log_losses(y, p), weights=_weights(weights)))


def brier(y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean squared error of probabilities (G. W. Brier, Monthly Weather Review 78, 1950).

    Examples
    --------
    >>> round(brier([True, False], [0.8, 0.2]), 4)
    0.04
    """
    won, forecast = _checked(y, p)
    return float(np.average((forecast - won) ** 2, weights=_weights(weights)))


def auc(y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Chance that a won row was given more than a lost one, ties counted half; NaN when one side is missing.

    Notes
    -----
    The Mann–Whitney form: J. A. Hanley and B. J. McNeil, Radiology 143 (1982).

    Examples
    --------
    >>> auc([True, True, False], [0.9, 0.4, 0.4])
    0.75
    """
    won, forecast = _checked(y, p)
    w = np.ones(len(won)) if weights is None else np.asarray(weights, dtype=float)
    values, codes = np.unique(forecast, return_inverse=True)
    positive = np.bincount(codes, w * won, minlength=len(values))
    negative = np.bincount(codes, w * (1 - won), minlength=len(values))
    pairs = positive.sum() * negative.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


def reliability(
    y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, bins: int = 10, level: float = 0.8
) -> pd.DataFrame:
    """Table of the reliability diagram: what was said against what happened.

    Parameters
    ----------
    y, p, weights
        As in :func:`log_loss`.
    bins : int
        Bins of equal weight; equal probabilities are never torn apart, so that there may be fewer.
    level : float
        Of the Wilson interval of ``observed``, at the effective number of rows.

    Returns
    -------
    DataFrame
        One row a bin: ``bin``, ``predicted``, ``observed`` (weighted means), ``n`` (rows), ``low``, ``high``.

    Examples
    --------
    >>> table = reliability([True, False, True, True], [0.2, 0.2, 0.9, 0.9], bins=2)
    >>> table[["predicted", "observed", "n"]].values.tolist()
    [[0.2, 0.5, 2.0], [0.9, 1.0, 2.0]]
    """
    won, forecast = _checked(y, p)
    w = np.ones(len(won)) if weights is None else np.asarray(weights, dtype=float)
    code = _bins(forecast, w, bins)
    rows = pd.DataFrame({"bin": code, "w": w, "ww": w**2, "p": w * forecast, "y": w * won, "n": 1})
    table = rows.groupby("bin", as_index=False).sum()
    effective = table["w"] ** 2 / table["ww"]
    observed = table["y"] / table["w"]
    low, high = wilson(observed * effective, effective, level)
    return pd.DataFrame(
        {"bin": np.arange(len(table)), "predicted": table["p"] / table["w"], "observed": observed,
         "n": table["n"].astype("int64"), "low": low, "high": high}
    )  # fmt: skip


def calibration_error(
    y: npt.ArrayLike, p: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, bins: int = 10
) -> float:
    """Expected calibration error: mean distance of said and happened over bins of equal weight.

    Notes
    -----
    M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015. It is biased upwards on few rows; read it beside the
    reliability table.

    Examples
    --------
    >>> round(calibration_error([True, False, True, True], [0.2, 0.2, 0.9, 0.9], bins=2), 3)
    0.2
    """
    won, forecast = _checked(y, p)
    w = np.ones(len(won)) if weights is None else np.asarray(weights, dtype=float)
    code = _bins(forecast, w, bins)
    gap = np.bincount(code, w * (forecast - won))
    return float(np.abs(gap).sum() / w.sum())


def _checked(y: npt.ArrayLike, p: npt.ArrayLike) -> tuple[Floats, Floats]:
    won, forecast = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    if won.shape != forecast.shape:
        raise ValueError(f"y and p differ in shape: {won.shape} and {forecast.shape}")
    if not len(won):
        raise NotEnoughDataError("There is nothing to score", remedy="Choose a period in which deals were closed.")
    if np.isnan(forecast).any() or forecast.min() < 0 or forecast.max() > 1:
        raise ValueError("p must lie within 0 and 1 and never be empty")
    return won, forecast


def _bins(forecast: Floats, w: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Bin of each row: about equal weight in each, equal forecasts together."""
    codes = np.unique(forecast, return_inverse=True)[1]
    mass = np.bincount(codes, w)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    bin_of_value: npt.NDArray[np.int64] = np.minimum((middle * bins).astype(np.int64), bins - 1)
    return bin_of_value[codes]


def _weights(weights: npt.ArrayLike | None) -> Floats | None:
    return None if weights is None else np.asarray(weights, dtype=float)
