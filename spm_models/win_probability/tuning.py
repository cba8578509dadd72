"""Strength of the ridge and calibration, both from deals decided after what was learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.evaluation.probability import log_losses
from spm_models.win_probability.baseline import PooledRate
from spm_models.win_probability.features import Features
from spm_models.win_probability.regression import PRIOR_VARIANCES, Platt, Ridge, sigmoid
from spm_models.win_probability.training import learning_set

Floats = npt.NDArray[np.float64]
LEAST_DEALS, LEAST_OF_A_KIND = 40, 10
FOLDS = (0.5, 0.65, 0.8)  # shares of the decided deals that each fold learns from
UNTUNED = 0.01


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


def choose(made: list[Fold]) -> tuple[float, Platt]:
    """Prior variance of the coefficients, and the calibration of what they say.

    The strongest shrinking is taken that is not worse than the best by more than a standard error; the log-odds given
    then are what the calibration learns from.
    """
    scored = [_judged(fold, _scores(fold)) for fold in made if enough(fold.known)]
    if not scored:
        return UNTUNED, Platt()
    test, weight = _together(scored)
    best = _simplest(test, test["won"].to_numpy(bool), weight)
    return best, Platt.fit(test[_name(best)].to_numpy(), test["won"].to_numpy(bool), weight)


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


def _scores(fold: Fold) -> dict[str, Floats]:
    """Log-odds that each strength would have given to later rows."""
    features = Features()
    x = features.fit_transform(fold.known, fold.closed)
    after = features.transform(fold.later)
    won, weight = fold.known["won"].to_numpy(bool), fold.known["weight"].to_numpy()
    ridge, found = None, {}
    for variance in PRIOR_VARIANCES:
        ridge = Ridge.fit(x, won, weight, variance, ridge)
        found[_name(variance)] = ridge.log_odds(after)
    return found


def _simplest(test: pd.DataFrame, won: npt.NDArray[np.bool_], weight: Floats) -> float:
    """The one-standard-error rule (Breiman et al., CART, 1984), errors by whole deals."""
    losses = {v: log_losses(won, sigmoid(test[_name(v)].to_numpy())) for v in PRIOR_VARIANCES}
    best = min(PRIOR_VARIANCES, key=lambda v: float(weight @ losses[v]))
    deals = np.unique(test["opportunity_id"].to_numpy(), return_inverse=True)[1]
    for variance in PRIOR_VARIANCES:
        worse = losses[variance] - losses[best]
        mean = weight @ worse / weight.sum()
        error = np.sqrt(np.square(np.bincount(deals, weight * (worse - mean))).sum()) / weight.sum()
        if mean <= error:
            return variance
    return best


def _name(variance: float) -> str:
    return f"v{variance}"
