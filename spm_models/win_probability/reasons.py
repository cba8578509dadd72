"""Why a deal has its probability: contributions that add up exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.regression import sigmoid
from spm_models.win_probability.result import REASONS

Floats = npt.NDArray[np.float64]
SHOWN = 8  # the rest is one reason, "other"
START, OTHERS = "typical_deal", "other"


def reasons(rows: pd.DataFrame, start: float, parts: dict[str, Floats]) -> pd.DataFrame:
    """Long table of contributions, the largest first, the small ones summed up as ``other``.

    Parameters
    ----------
    rows : DataFrame, shape (deals, …)
        Snapshot of the scored deals.
    start : float
        Log-odds of the typical deal: all features at the mean of what was learned from.
    parts : dict of str to ndarray, shape (deals,)
        Contribution of each feature in log-odds.

    Returns
    -------
    DataFrame
        Columns of :data:`~spm_models.win_probability.result.REASONS`. Per deal the contributions sum to its log-odds.
    """
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in REASONS.items()})
    names = np.array([*sorted(parts)], dtype=object)
    values = np.column_stack([parts[name] for name in names]) if len(names) else np.empty((len(rows), 0))
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    shown, rest = ranked[:, :SHOWN], ranked[:, SHOWN:].sum(axis=1, keepdims=True)
    labels = names[order[:, :SHOWN]]
    first = np.full((len(rows), 1), start)
    contribution = np.concatenate([first, shown, *([rest] if ranked.shape[1] > SHOWN else [])], axis=1)
    deals, width = contribution.shape
    feature = np.full((deals, width), OTHERS, dtype=object)
    feature[:, 0] = START
    feature[:, 1 : 1 + labels.shape[1]] = labels
    total = contribution.sum(axis=1, keepdims=True)
    points = sigmoid(total) - sigmoid(total - contribution)
    points[:, 0] = sigmoid(contribution[:, 0])
    long: dict[str, Any] = {
        "opportunity_id": np.repeat(rows["opportunity_id"].to_numpy(), width),
        "rep_id": np.repeat(rows["rep_id"].to_numpy(), width),
        "rank": np.tile(np.arange(width), deals),
        "feature": feature.ravel(),
        "value": _values(rows, feature),
        "contribution": contribution.ravel(),
        "points": points.ravel(),
    }
    return pd.DataFrame(long).astype(REASONS)


def _values(rows: pd.DataFrame, feature: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """What stood in the snapshot for each reason, as text; empty for sums and for unknown values."""
    text = np.full(feature.shape, "", dtype=object)
    for name in np.unique(feature.astype(str)):
        if name in rows:
            here = np.nonzero(feature == name)
            text[here] = _text(rows[name]).to_numpy(dtype=object)[here[0]]
    return text.ravel()


def _text(column: pd.Series) -> pd.Series:
    """Short text without noise: 12 rather than 12.0, days without midnight."""
    if pd.api.types.is_float_dtype(column):
        words = column.map(lambda number: f"{number:.10g}", na_action="ignore")
    elif pd.api.types.is_datetime64_any_dtype(column):
        words = column.dt.strftime("%Y-%m-%d")
    else:
        words = column.astype("str")
    return words.astype(object).where(column.notna(), "")
