"""Which of several forecasts is to be published: the one rule of the weekly run and of the backtest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.evaluation.probability import auc, brier, calibration_error, log_loss, log_losses
from spm_models.inference.intervals import Bootstrapped, bootstrap

Floats = npt.NDArray[np.float64]

QUESTION = "win_probability"
CERTAINTY = 0.95
BLOCKS = 4  # stretches of the test, none of which may decide alone
PLAIN = ("base_rate", "stage_rate", "rep_rate")
MEASURES = {"log_loss": log_loss, "brier": brier, "auc": auc, "calibration_error": calibration_error}


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was decided, and by how much.

    Parameters
    ----------
    published : str
        ``model`` or the name of a plain rate.
    baseline : str
        The plain rate that the model was compared with: the base rate, unless stage rate or rep rate beats it.
    reason : str
        ``better_than_baseline``, ``not_better_than_baseline``, ``one_period_decides`` (better on the whole, but not
        any more without one stretch of the test), ``too_few_deals`` (no model could be learned).
    gain : Bootstrapped or None
        Fall of the log loss from the baseline to the model, whole deals drawn again and again (90 %).
    without : ndarray
        The same gain with each of the stretches left out in turn.
    """

    published: str
    baseline: str
    reason: str
    gain: Bootstrapped | None
    without: Floats


def judge(rows: pd.DataFrame, given: dict[str, Floats], *, seed: int = 0) -> Judgement:
    """Compare forecasts on decided deals.

    Parameters
    ----------
    rows : DataFrame
        As :func:`~spm_models.win_probability.training.learning_set` gives them: ``as_of``, ``opportunity_id``,
        ``won``, ``weight``.
    given : dict of ndarray, shape (rows,)
        Probabilities that were said, by name; all of :data:`PLAIN`, and ``model`` if there is one.
    seed : int
        Of the bootstrap.

    Notes
    -----
    "Beats" always means: in 95 % of paired bootstrap samples of whole deals the log loss is lower. Deals decided in
    the same weeks share their luck, which such samples do not show; so a model must also be ahead when any one of
    four consecutive stretches of the test is left out. One lucky quarter decides nothing.
    """
    baseline = PLAIN[0]
    for name in PLAIN[1:]:
        if gain_of(rows, given[baseline], given[name], seed).share_above(0.0) >= CERTAINTY:
            baseline = name
    if "model" not in given:
        return Judgement(baseline, baseline, "too_few_deals", None, np.empty(0))
    gain = gain_of(rows, given[baseline], given["model"], seed)
    without = gains_without(rows, given[baseline], given["model"])
    if gain.share_above(0.0) < CERTAINTY:
        reason = "not_better_than_baseline"
    else:
        reason = "better_than_baseline" if (without > 0).all() else "one_period_decides"
    published = "model" if reason == "better_than_baseline" else baseline
    return Judgement(published, baseline, reason, gain, without)


def gain_of(rows: pd.DataFrame, old: Floats, new: Floats, seed: int = 0) -> Bootstrapped:
    """Fall of the log loss from ``old`` to ``new`` with its 90 % interval, by whole deals."""
    difference = log_losses(rows["won"], old) - log_losses(rows["won"], new)
    return bootstrap(
        difference, groups=rows["opportunity_id"].to_numpy(), weights=rows["weight"].to_numpy(), level=0.9, seed=seed
    )


def gains_without(rows: pd.DataFrame, old: Floats, new: Floats) -> Floats:
    """Gain without each of four stretches of about equal weight; days are never torn apart."""
    difference = log_losses(rows["won"], old) - log_losses(rows["won"], new)
    by_day = pd.DataFrame({"day": rows["as_of"], "d": difference * rows["weight"], "w": rows["weight"]})
    days = by_day.groupby("day").sum().sort_index()
    middle = (days["w"].cumsum() - days["w"] / 2) / days["w"].sum()
    stretch = np.minimum((middle.to_numpy() * BLOCKS).astype(int), BLOCKS - 1)
    sums = days.groupby(stretch).sum()
    if len(sums) < 2:
        return np.empty(0)
    rest = sums.sum() - sums
    return (rest["d"] / rest["w"]).to_numpy()


def score_table(rows: pd.DataFrame, given: dict[str, Floats], gain: Bootstrapped | None) -> pd.DataFrame:
    """Published table ``model_scores``: every measure of every forecast, and the model's gain."""
    won, weight = rows["won"].to_numpy(bool), rows["weight"].to_numpy()
    found = [
        {"model": name, "measure": measure, "value": score(won, p, weight)}
        for name, p in given.items()
        for measure, score in MEASURES.items()
    ]
    if gain is not None:
        ends = {"log_loss_gain": gain.value, "log_loss_gain_low": gain.low, "log_loss_gain_high": gain.high}
        found += [{"model": "model", "measure": measure, "value": value} for measure, value in ends.items()]
    table = pd.DataFrame(found).assign(
        question=QUESTION, n=rows["opportunity_id"].nunique(),
        test_start=rows["as_of"].min(), test_end=rows["closed_on"].max(),
    )  # fmt: skip
    columns = ["question", "model", "measure", "value", "n", "test_start", "test_end"]
    return table[columns].sort_values(["model", "measure"], ignore_index=True)
