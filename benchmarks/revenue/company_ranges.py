"""Whether ranges hold what they say, on every level of the organisation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.revenue_forecast import UNASSIGNED

LEVELS = ("company", "region", "team", "rep")
RANGES = (0.5, 0.8, 0.95)
Floats = npt.NDArray[np.float64]


def covered(draws: Floats, actual: Floats, leaves: pd.DataFrame) -> list[dict[str, object]]:
    """Per level: share of units whose revenue lay in the range, and where it lay (probability integral).

    Ranges of small units end in lumps (nothing won at all), so that a right one holds more than it says; ``fair``
    counts the part of the lump that lies within the nominal range, and is the nominal share for a right forecast.

    Parameters
    ----------
    draws : ndarray, shape (draws, leaves)
    actual : ndarray, shape (leaves,)
    leaves : DataFrame
        ``region, team, rep``: key of each leaf on each level.
    """
    rows: list[dict[str, object]] = []
    for level in LEVELS:
        keys = pd.Series("", index=leaves.index) if level == "company" else leaves[level]
        codes, names = pd.factorize(keys, sort=True)
        member = np.zeros((len(leaves), len(names)))
        member[np.arange(len(leaves)), codes] = 1.0
        known = np.asarray(names) != UNASSIGNED
        drawn, y = (draws @ member)[:, known], (actual @ member)[known]
        below, upto = (drawn < y - 0.01).mean(axis=0), (drawn <= y + 0.01).mean(axis=0)
        row: dict[str, object] = {"level": level, "units": len(y), "place": float(((below + upto) / 2).mean())}
        for share in RANGES:
            first, last = (1 - share) / 2, (1 + share) / 2
            low, high = np.quantile(drawn, [first, last], axis=0)
            inside = np.clip(np.minimum(upto, last) - np.maximum(below, first), 0, None)
            lump, exact = upto - below, (below >= first) & (below <= last)
            fair = np.where(lump > 0, inside / np.maximum(lump, 1e-9), exact)
            name = f"{share * 100:.0f}"
            row["hit" + name] = float(((y >= low - 0.01) & (y <= high + 0.01)).mean())
            row["fair" + name] = float(fair.mean())
            row["width" + name] = float((high - low).sum())
        rows.append(row)
    return rows
