"""Win probability of open deals: a classifier on point-in-time features, with plain rates to fall back on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.periods import FiscalCalendar
from spm_models.win_probability.baseline import BASELINES, PooledRate
from spm_models.win_probability.deal_model import DealModel
from spm_models.win_probability.past_rates import closed_with_keys
from spm_models.win_probability.reasons import reasons
from spm_models.win_probability.result import TABLE, DealScores
from spm_models.win_probability.timing import Timing
from spm_models.win_probability.training import enough, learning_set

Floats = npt.NDArray[np.float64]
METHODS = ("model", *BASELINES)
LEAST_FOR_RATE = 5
LEVEL = 0.8  # of intervals


class WinProbability:
    """Win probability of open deals.

    Parameters
    ----------
    seed : int
        Of the sample that a very large company is learned from.
    method : {"auto", "model", "base_rate", "stage_rate", "rep_rate"}
        ``auto`` publishes what :func:`~spm_models.win_probability.backtest.evaluate` finds best on the latest
        quarter of decided deals; the others force one method, down to what the data allow.
    timing : bool
        Also learn when deals are decided (:class:`~spm_models.win_probability.timing.Timing`).

    Attributes
    ----------
    method_ : str
        What predictions come from: a method, or ``not_enough_data``.
    evaluation_ : Evaluation or None
        The test behind ``auto``; None where there was too little to test.
    deals_ : int
        Decided deals that were learned from.
    timing_ : Timing or None
        None where too few deals were seen open and then closed, or it was not asked for.

    Notes
    -----
    The model is a :class:`~spm_models.win_probability.classifier.classifier.WinClassifier` on
    :func:`~spm_models.win_probability.features.deal_features`, judged and calibrated on deals decided after what it
    learned from. Chances are "won, once decided": a deal that nobody ever closes has no outcome.

    Examples
    --------
    >>> import numpy as np
    >>> day = pd.Timestamp("2026-01-31")
    >>> deals = pd.DataFrame({"as_of": day, "opportunity_id": [f"o{k}" for k in range(20)], "stage": "Offer"})
    >>> closed = pd.DataFrame({"opportunity_id": deals.opportunity_id, "rep_id": "r", "won": np.arange(20) % 4 == 0,
    ...                        "closed_on": pd.Timestamp("2026-03-01")})
    >>> model = WinProbability(method="base_rate").fit(deals, closed)
    >>> model.predict(deals.head(1)).table[["win_probability", "scored_by"]].round(3).values.tolist()
    [[0.273, 'base_rate']]
    """

    def __init__(self, seed: int = 0, method: str = "auto", timing: bool = True) -> None:
        if method not in ("auto", *METHODS):
            raise ModelError("There is no such method", found=method, remedy=f"One of: auto, {', '.join(METHODS)}.")
        self.seed, self.method, self.timing = seed, method, timing

    def fit(
        self, snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None = None,
        calendar: FiscalCalendar | None = None,
    ) -> WinProbability:  # fmt: skip
        """Learn from past snapshots of deals decided by ``as_of`` (the last day in the data without it).

        Parameters
        ----------
        snapshots : DataFrame
            ``pipelines(tables, month_ends(…))``: all deals open on regular days, not only the decided ones.
        outcomes : DataFrame
            ``outcomes(tables, as_of)``.
        as_of : date or ISO text, optional
        calendar : FiscalCalendar, optional
            For the ends of quarters, by which deals close; calendar quarters without it.
        """
        from spm_models.win_probability.backtest import evaluate_latest

        snapshots = _complete(snapshots)
        rows = learning_set(snapshots, outcomes, as_of, seed=self.seed)
        self.deals_ = int(rows["opportunity_id"].nunique())
        self.evaluation_ = None
        closed = closed_with_keys(snapshots, outcomes[outcomes["closed_on"] <= rows["closed_on"].max()])
        self.baselines_ = {name: PooledRate(by).fit(rows) for name, by in BASELINES.items() if self.deals_}
        wanted = self.method
        if self.deals_ < LEAST_FOR_RATE:
            wanted = "not_enough_data"
        elif wanted == "auto":
            self.evaluation_ = evaluate_latest(snapshots, outcomes, as_of, seed=self.seed)
            wanted = self.evaluation_.published if self.evaluation_ else "stage_rate"
        if wanted == "model" and not enough(rows):
            wanted = "stage_rate"
        self.method_ = wanted
        if wanted == "model":
            self.model_ = DealModel.fit(rows, snapshots, closed, level=LEVEL, seed=self.seed)
        self.timing_ = self._timing(snapshots, outcomes, as_of, calendar)
        return self

    def predict(self, open_deals: pd.DataFrame, *, explain: bool = True, timing: bool = True) -> DealScores:
        """Score deals of a pipeline snapshot.

        Parameters
        ----------
        open_deals : DataFrame
            ``snapshots.pipeline``.
        explain : bool
            Give reasons.
        timing : bool
            Tell by when each deal is decided, if that was learned. Without both, millions of deals take seconds.

        Raises
        ------
        ModelError
            Before :meth:`fit`.
        """
        self._check()
        rows = _complete(open_deals).sort_values(["as_of", "opportunity_id"], ignore_index=True)
        features = self.model_.features(rows) if self.method_ == "model" and len(rows) else None
        scored, start, parts = self._plain_scores(rows) if features is None else self._model_scores(features, explain)
        table = rows.assign(**scored)
        worth = table["amount"].fillna(table["list_price"])
        table["expected_amount"] = worth * table["win_probability"]
        told = explain and table["win_probability"].notna().all()
        beside: dict[str, Any] = (
            {"typical": self.model_.typical, "learned": self.model_.columns} if features is not None else {}
        )
        why = reasons(rows if told else rows.head(0), start, parts, features=features, **beside)
        when = self.timing_.predict(rows, table["win_probability"]) if timing and self.timing_ is not None else None
        return DealScores(table[list(TABLE)].astype(TABLE), why, when)

    @property
    def reliability(self) -> pd.DataFrame:
        """Table of the reliability diagram from the test behind ``auto``; empty where there was none."""
        self._check()
        columns = ["model", "bin", "predicted", "observed", "n", "low", "high"]
        return pd.DataFrame(columns=columns) if self.evaluation_ is None else self.evaluation_.reliability

    def state(self) -> dict[str, Any]:
        """Everything that predictions need, as plain values and arrays, for ``published.models.save``."""
        self._check()
        found: dict[str, Any] = {
            "seed": self.seed, "method": self.method_, "deals": self.deals_,
            "baselines": {name: asdict(rate) for name, rate in self.baselines_.items()},
        }  # fmt: skip
        if self.timing_ is not None:
            found["timing"] = self.timing_.state()
        if self.method_ == "model":
            found["model"] = self.model_.state()
        return found

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> WinProbability:
        """The model that :meth:`state` described: it predicts the same."""
        model = cls(state["seed"], state["method"] if state["method"] in METHODS else "auto")
        model.method_, model.deals_, model.evaluation_ = state["method"], state["deals"], None
        model.baselines_ = {name: PooledRate(**facts) for name, facts in state["baselines"].items()}
        model.timing_ = Timing.from_state(state["timing"]) if "timing" in state else None
        if model.method_ == "model":
            model.model_ = DealModel.from_state(state["model"])
        return model

    def log_odds(self, rows: pd.DataFrame) -> Floats:
        """Calibrated log-odds of the model, shape (rows,)."""
        return self.model_.log_odds(self.model_.features(_complete(rows)))

    def probabilities(self, rows: pd.DataFrame) -> Floats:
        """Published win probability of each row, in the order of the rows; NaN where there is not enough data."""
        self._check()
        given = _complete(rows).reset_index(drop=True)
        if self.method_ == "model":
            return self.predict_rows(given)
        scored, _, _ = self._plain_scores(given)
        return np.broadcast_to(np.asarray(scored["win_probability"], dtype=np.float64), len(given)).copy()

    def predict_rows(self, rows: pd.DataFrame) -> Floats:
        """Win probability of each row by the model itself, in the order of the rows."""
        return np.asarray(expit(self.log_odds(rows)))

    def _timing(
        self, snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None, calendar: FiscalCalendar | None
    ) -> Timing | None:
        """When deals are decided; None where too few were seen open and then closed."""
        try:
            return Timing(self.seed).fit(snapshots, outcomes, as_of, calendar) if self.timing else None
        except NotEnoughDataError:
            return None

    def _check(self) -> None:
        if not hasattr(self, "method_"):
            raise ModelError("The model was not fitted", where="WinProbability", remedy="Call fit first.")

    def _model_scores(self, features: pd.DataFrame, explain: bool) -> tuple[dict[str, Any], float, pd.DataFrame]:
        low, high = self.model_.interval(features).T
        scored = {"win_probability": expit(self.model_.log_odds(features)), "low": low, "high": high}
        parts = self.model_.contributions(features) if explain else None
        start, values = (parts.start, parts.values) if parts is not None else (0.0, pd.DataFrame())
        learned = self.model_.classifier.learned_  # False: nothing told won from lost, everybody has the pooled rate
        return scored | {"scored_by": "model" if learned else "base_rate"}, start, values

    def _plain_scores(self, rows: pd.DataFrame) -> tuple[dict[str, Any], float, pd.DataFrame]:
        if self.method_ == "not_enough_data":
            return (
                {"win_probability": np.nan, "low": np.nan, "high": np.nan, "scored_by": "not_enough_data"},
                0.0,
                pd.DataFrame(),
            )
        name = self.method_ if self.method_ in BASELINES else "base_rate"
        rate = self.baselines_[name]
        found = rate.predict(rows)
        p = found["win_probability"].to_numpy()
        by = BASELINES[name]
        reason = "rep_history" if by == "rep_id" else by
        parts = pd.DataFrame({reason: np.log(p / (1 - p)) - rate.start} if reason else {}, index=rows.index)
        scored = {column: found[column].to_numpy() for column in ("win_probability", "low", "high")}
        return scored | {"scored_by": np.where(found["own"], name, "base_rate")}, rate.start, parts


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The snapshot with every column of the contract; columns that are not there are empty."""
    from spm_models.snapshots.schema import PIPELINE

    absent = {name: pd.Series(index=rows.index, dtype=kind) for name, kind in PIPELINE.items() if name not in rows}
    return rows.assign(**absent) if absent else rows
