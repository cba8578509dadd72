"""Is the model better than plain rates? Asked of deals decided after it had learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.evaluation.probability import reliability
from spm_models.snapshots.days import plain
from spm_models.win_probability.judgement import QUESTION, judge, score_table
from spm_models.win_probability.training import learning_set

if TYPE_CHECKING:
    from spm_models.win_probability.model import WinProbability

LEAST_TEST_DEALS = 30
ORIGINS = (0.6, 0.8)  # of the decided deals, before the days on which the latest test learns anew


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How the model and the plain rates did on deals decided after it had learned.

    Parameters
    ----------
    scores : DataFrame
        Published table ``model_scores``: log loss, Brier score, AUC, calibration error of each model, and the gain of
        the model in log loss over the best plain rate with the ends of its 90 % interval (by whole deals).
    reliability : DataFrame
        Published table ``reliability``: the model, and the plain rate that it is compared with.
    verdict : DataFrame
        Published table ``model_verdicts``, one row. ``reason`` as in
        :class:`~spm_models.win_probability.judgement.Judgement`.
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
    test_from: date | str | Sequence[date | str],
    *,
    as_of: date | str | None = None,
    seed: int = 0,
) -> Evaluation:
    """Learn as of the evening before ``test_from``, then score every later snapshot whose outcome is known.

    Parameters
    ----------
    snapshots, outcomes : DataFrame
        As for :meth:`~spm_models.win_probability.model.WinProbability.fit`.
    test_from : date or ISO text, or several
        First day of the test. Snapshots of the evening before it are the first to be scored. With several days,
        learning takes place before each of them, and each scores the snapshots up to the next.
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
    The rule of the verdict stands in :func:`~spm_models.win_probability.judgement.judge`.
    """
    from spm_models.win_probability.model import LEAST_FOR_RATE, WinProbability

    firsts = [test_from] if isinstance(test_from, str | date) else list(test_from)
    learned_on = sorted({plain(day) - timedelta(days=1) for day in firsts})
    test = learning_set(snapshots, outcomes, as_of, after=learned_on[0], seed=seed)
    deals = int(test["opportunity_id"].nunique())
    turn = np.searchsorted(np.array(learned_on, dtype="datetime64[s]"), test["as_of"].to_numpy(), side="right") - 1
    parts = []
    for number, day in enumerate(learned_on):
        fitted = WinProbability(seed, method="model", timing=False).fit(snapshots, outcomes, day)
        if deals < LEAST_TEST_DEALS or fitted.deals_ < LEAST_FOR_RATE:
            raise NotEnoughDataError(
                "Too few decided deals to test a model",
                found=f"{fitted.deals_} before and {deals} after {day + timedelta(days=1)}",
                remedy=f"At least {LEAST_FOR_RATE} before and {LEAST_TEST_DEALS} after are needed.",
            )  # fmt: skip
        parts.append(said(fitted, test[turn == number]))
    test, table = _with_model(test, pd.concat(parts).loc[test.index])
    given = {str(name): table[name].to_numpy(float) for name in table if table[name].notna().all()}
    found = judge(test, given, seed=seed)
    verdict = {
        "question": QUESTION, "published": found.published, "baseline": found.baseline, "reason": found.reason,
    }  # fmt: skip
    shown = [name for name in ("model", found.baseline) if name in given]
    return Evaluation(
        score_table(test, given, found.gain), pd.concat([_reliability(test, given[name], name) for name in shown]),
        pd.DataFrame([verdict]).astype("str"),
    )  # fmt: skip


def said(fitted: WinProbability, rows: pd.DataFrame) -> pd.DataFrame:
    """What a fitted model and its plain rates say of rows, one column each; ``model`` is empty where there is none."""
    found = {name: rate.predict(rows)["win_probability"].to_numpy() for name, rate in fitted.baselines_.items()}
    tried = fitted.method_ == "model" and len(rows)
    found["model"] = fitted.predict_rows(rows) if tried else np.full(len(rows), np.nan)
    return pd.DataFrame(found, index=rows.index)


def _with_model(test: pd.DataFrame, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Without the beginning, when there was too little to learn a model from, if enough is left."""
    there = table["model"].notna()
    enough = test.loc[there, "opportunity_id"].nunique() >= LEAST_TEST_DEALS
    return (test[there], table[there]) if enough else (test, table)


def evaluate_latest(
    snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None = None, *, seed: int = 0
) -> Evaluation | None:
    """:func:`evaluate` on the latest two fifths of the decided deals, learned anew halfway; None with too few."""
    rows = learning_set(snapshots, outcomes, as_of, seed=seed)
    days = np.sort(rows.drop_duplicates("opportunity_id")["closed_on"].to_numpy())
    if not len(days):
        return None
    test_from = [pd.Timestamp(days[int(share * (len(days) - 1))]).date() for share in ORIGINS]
    try:
        return evaluate(snapshots, outcomes, test_from, as_of=as_of, seed=seed)
    except NotEnoughDataError:
        return None


def _reliability(test: pd.DataFrame, p: npt.NDArray[np.float64], name: str) -> pd.DataFrame:
    table = reliability(test["won"], p, test["weight"])
    return table.assign(model=name)[["model", "bin", "predicted", "observed", "n", "low", "high"]]
