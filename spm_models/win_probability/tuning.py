"""Calibration of plain rates, from deals decided after what was learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.baseline import PooledRate
from spm_models.win_probability.calibration import Platt
from spm_models.win_probability.training import learning_set

Floats = npt.NDArray[np.float64]
LEAST_DEALS, LEAST_OF_A_KIND = 40, 10
FOLDS = (0.5, 0.65, 0.8)  # shares of the decided deals that each fold learns from


def enough(rows: pd.DataFrame) -> bool:
    """Whether a regression may be tried: 40 decided deals, 10 of each kind."""
    won = rows.drop_duplicates("opportunity_id")["won"]
    return len(won) >= LEAST_DEALS and LEAST_OF_A_KIND <= int(won.sum()) <= len(won) - LEAST_OF_A_KIND


@dataclass(frozen=True, eq=False)
class Fold:
    """What was known on a past day, and the snapshots from then on whose outcome came later."""

    known: pd.DataFrame
    closed: pd.DataFrame
    later: pd.DataFrame


def folds(rows: pd.DataFrame, snapshots: pd.DataFrame, closed: pd.DataFrame) -> list[Fold]:
    """Rolling origins: each learns as of a past day and is judged from then on, seeing no outcome of its future.

    Parameters
    ----------
    rows : DataFrame
        The whole learning set.
    snapshots, closed : DataFrame
        All snapshots, and all decided deals with their keys, to make each fold's own learning set from.
    """
    days = np.sort(rows.drop_duplicates("opportunity_id")["closed_on"].to_numpy())
    sampled = closed[closed["opportunity_id"].isin(rows["opportunity_id"])]
    made = []
    for share in FOLDS:
        cut = pd.Timestamp(days[int(share * (len(days) - 1))])
        known = learning_set(snapshots, sampled, cut.date())
        later = rows[rows["as_of"] >= cut]
        if len(known) and len(later):
            made.append(Fold(known, closed[closed["closed_on"] <= cut], later))
    return made


def calibrate(made: list[Fold], by: str | None) -> Platt:
    """Calibration of a plain rate, by the same later deals: a model must not win by the level alone."""
    scored = []
    for fold in made:
        p = PooledRate(by).fit(fold.known).predict(fold.later)["win_probability"].to_numpy()
        scored.append(_judged(fold, {"given": np.log(p / (1 - p))}))
    if not scored:
        return Platt()
    test, weight = _together(scored)
    return Platt.fit(test["given"].to_numpy(), test["won"].to_numpy(bool), weight)


def _judged(fold: Fold, log_odds: dict[str, Floats]) -> pd.DataFrame:
    return fold.later[["opportunity_id", "as_of", "won", "weight"]].assign(**log_odds)


def _together(scored: list[pd.DataFrame]) -> tuple[pd.DataFrame, Floats]:
    """All folds' rows; a snapshot that several folds scored shares its weight among them."""
    test = pd.concat(scored, ignore_index=True)
    times = test.groupby(["opportunity_id", "as_of"])["weight"].transform("size")
    return test, (test["weight"] / times).to_numpy()
