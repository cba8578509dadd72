"""Is the model better than plain rates? Asked of deals decided after it had learned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.evaluation.probability import auc, brier, calibration_error, log_loss, log_losses, reliability
from spm_models.inference.intervals import Bootstrapped, bootstrap
from spm_models.snapshots.days import plain
from spm_models.win_probability.training import learning_set

QUESTION = "win_probability"
LEAST_TEST_DEALS = 30
CERTAINTY = 0.95
LATEST_SHARE = 0.25  # of the decided deals, for a test whose first day nobody names


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How the model and the plain rates did on deals decided after ``test_from``.

    Parameters
    ----------
    scores : DataFrame
        Published table ``model_scores``: log loss, Brier score, AUC, calibration error of each model, and the gain of
        the model in log loss over the best plain rate with the ends of its 90 % interval (by whole deals).
    reliability : DataFrame
        Published table ``reliability``: the model, and the plain rate that it is compared with.
    verdict : DataFrame
        Published table ``model_verdicts``, one row. ``reason`` is ``better_than_baseline``,
        ``not_better_than_baseline`` or ``too_few_deals`` (to fit the regression).
    """

    scores: pd.DataFrame
    reliability: pd.DataFrame
    verdict: pd.DataFrame

    @property
    def published(self) -> str:
        """What is to be published: ``model`` or the name of a plain rate."""
        return str(self.verdict["published"].iloc[0])

    def _repr_html_(self) -> str:
        wide = self.scores.pivot(index="model", columns="measure", values="value")
        wide = wide.rename_axis(index=None, columns=None).round(4)
        return self.verdict.to_html(index=False) + wide.to_html(na_rep="–")


def evaluate(
    snapshots: pd.DataFrame,
    outcomes: pd.DataFrame,
    test_from: date | str,
    *,
    as_of: date | str | None = None,
    seed: int = 0,
) -> Evaluation:
    """Learn as of the evening before ``test_from``, then score every later snapshot whose outcome is known.

    Parameters
    ----------
    snapshots, outcomes : DataFrame
        As for :meth:`~spm_models.win_probability.model.WinProbability.fit`.
    test_from : date or ISO text
        First day of the test. Snapshots of the evening before it are the first to be scored.
    as_of : date or ISO text, optional
        Last day on which outcomes are known; the last day in the data without it.
    seed : int
        Of sample and bootstrap.

    Raises
    ------
    NotEnoughDataError
        With fewer than 5 decided deals before or 30 after.

    Notes
    -----
    The baseline is the base rate, unless the stage rate or the rep rate beats it. "Beats" always means: in 95 % of
    paired bootstrap samples of whole deals the log loss is lower.
    """
    from spm_models.win_probability.model import LEAST_FOR_RATE, WinProbability

    learned_on = plain(test_from) - timedelta(days=1)
    test = learning_set(snapshots, outcomes, as_of, after=learned_on, seed=seed)
    deals = int(test["opportunity_id"].nunique())
    fitted = WinProbability(seed, method="model").fit(snapshots, outcomes, learned_on)
    if deals < LEAST_TEST_DEALS or fitted.deals_ < LEAST_FOR_RATE:
        raise NotEnoughDataError(
            "Too few decided deals to test a model", found=f"{fitted.deals_} before and {deals} after {test_from}",
            remedy=f"At least {LEAST_FOR_RATE} before and {LEAST_TEST_DEALS} after are needed.",
        )  # fmt: skip
    given = {name: rate.predict(test)["win_probability"].to_numpy() for name, rate in fitted.baselines_.items()}
    baseline = "base_rate"
    for name in ("stage_rate", "rep_rate"):
        if _gain(test, given[baseline], given[name], seed).share_above(0.0) >= CERTAINTY:
            baseline = name
    tried = fitted.method_ == "model"
    if tried:
        given["model"] = fitted.predict_rows(test)
        gain = _gain(test, given[baseline], given["model"], seed)
        better = gain.share_above(0.0) >= CERTAINTY
        reason = "better_than_baseline" if better else "not_better_than_baseline"
    else:
        gain, better, reason = None, False, "too_few_deals"
    published = "model" if better else baseline
    verdict = {"question": QUESTION, "published": published, "baseline": baseline, "reason": reason}
    shown = [name for name in ("model", baseline) if name in given]
    return Evaluation(
        _scores(test, given, gain), pd.concat([_reliability(test, given[name], name) for name in shown]),
        pd.DataFrame([verdict]).astype("str"),
    )  # fmt: skip


def evaluate_latest(
    snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None = None, *, seed: int = 0
) -> Evaluation | None:
    """:func:`evaluate` on the latest quarter of the decided deals; None when there are too few."""
    rows = learning_set(snapshots, outcomes, as_of, seed=seed)
    days = np.sort(rows.drop_duplicates("opportunity_id")["closed_on"].to_numpy())
    if not len(days):
        return None
    test_from = pd.Timestamp(days[int((1 - LATEST_SHARE) * (len(days) - 1))]).date()
    try:
        return evaluate(snapshots, outcomes, test_from, as_of=as_of, seed=seed)
    except NotEnoughDataError:
        return None


def _gain(test: pd.DataFrame, old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], seed: int) -> Bootstrapped:
    """Fall of the log loss from ``old`` to ``new``, with whole deals drawn again and again."""
    won = test["won"]
    difference = log_losses(won, old) - log_losses(won, new)
    return bootstrap(
        difference, groups=test["opportunity_id"].to_numpy(), weights=test["weight"].to_numpy(), level=0.9, seed=seed
    )


def _scores(test: pd.DataFrame, given: dict[str, npt.NDArray[np.float64]], gain: Bootstrapped | None) -> pd.DataFrame:
    won, weight = test["won"].to_numpy(bool), test["weight"].to_numpy()
    measures = {"log_loss": log_loss, "brier": brier, "auc": auc, "calibration_error": calibration_error}
    rows = [
        {"model": name, "measure": measure, "value": score(won, p, weight)}
        for name, p in given.items()
        for measure, score in measures.items()
    ]
    if gain is not None:
        ends = {"log_loss_gain": gain.value, "log_loss_gain_low": gain.low, "log_loss_gain_high": gain.high}
        rows += [{"model": "model", "measure": measure, "value": value} for measure, value in ends.items()]
    table = pd.DataFrame(rows).assign(
        question=QUESTION, n=test["opportunity_id"].nunique(),
        test_start=test["as_of"].min(), test_end=test["closed_on"].max(),
    )  # fmt: skip
    columns = ["question", "model", "measure", "value", "n", "test_start", "test_end"]
    return table[columns].sort_values(["model", "measure"], ignore_index=True)


def _reliability(test: pd.DataFrame, p: npt.NDArray[np.float64], name: str) -> pd.DataFrame:
    table = reliability(test["won"], p, test["weight"])
    return table.assign(model=name)[["model", "bin", "predicted", "observed", "n", "low", "high"]]
