"""A calibrated logistic regression on point-in-time features, with plain rates to fall back on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.win_probability.baseline import BASELINES, PooledRate
from spm_models.win_probability.features import Features
from spm_models.win_probability.past_rates import PastRates, closed_with_keys
from spm_models.win_probability.reasons import reasons
from spm_models.win_probability.regression import Z80, Platt, Ridge, sigmoid
from spm_models.win_probability.result import TABLE, DealScores
from spm_models.win_probability.training import learning_set
from spm_models.win_probability.tuning import calibrate, choose, enough, folds

Floats = npt.NDArray[np.float64]
METHODS = ("model", *BASELINES)
LEAST_FOR_RATE = 5


class WinProbability:
    """Win probability of open deals.

    Parameters
    ----------
    seed : int
        Of the sample that a very large company is learned from.
    method : {"auto", "model", "base_rate", "stage_rate", "rep_rate"}
        ``auto`` publishes what :func:`~spm_models.win_probability.backtest.evaluate` finds best on the latest
        quarter of decided deals; the others force one method, down to what the data allow.

    Attributes
    ----------
    method_ : str
        What predictions come from: a method, or ``not_enough_data``.
    evaluation_ : Evaluation or None
        The test behind ``auto``; None where there was too little to test.
    deals_ : int
        Decided deals that were learned from.

    Notes
    -----
    Ridge logistic regression (strength chosen on later data, one-standard-error rule to the simpler), Platt scaling on
    log-odds given before the outcomes were known, intervals from the Laplace posterior. Chances are "won, once
    decided": a deal that nobody ever closes has no outcome.

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

    def __init__(self, seed: int = 0, method: str = "auto") -> None:
        if method not in ("auto", *METHODS):
            raise ModelError("There is no such method", found=method, remedy=f"One of: auto, {', '.join(METHODS)}.")
        self.seed, self.method = seed, method

    def fit(self, snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str | None = None) -> WinProbability:
        """Learn from past snapshots of deals decided by ``as_of`` (the last day in the data without it).

        Parameters
        ----------
        snapshots : DataFrame
            ``pipelines(tables, month_ends(…))``: all deals open on regular days, not only the decided ones.
        outcomes : DataFrame
            ``outcomes(tables, as_of)``.
        """
        from spm_models.win_probability.backtest import evaluate_latest

        snapshots = _complete(snapshots)
        rows = learning_set(snapshots, outcomes, as_of, seed=self.seed)
        self.deals_ = int(rows["opportunity_id"].nunique())
        self.evaluation_ = None
        closed = closed_with_keys(snapshots, outcomes[outcomes["closed_on"] <= rows["closed_on"].max()])
        made = folds(rows, snapshots, closed) if self.deals_ >= LEAST_FOR_RATE else []
        self.baselines_ = {
            name: PooledRate(by, calibrate(made, by)).fit(rows) for name, by in BASELINES.items() if self.deals_
        }
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
            self.variance_, self.calibration_ = choose(made)
            self.features_ = Features()
            x = self.features_.fit_transform(rows, closed)
            self.ridge_ = Ridge.fit(x, rows["won"].to_numpy(bool), rows["weight"].to_numpy(), self.variance_)
        return self

    def predict(self, open_deals: pd.DataFrame) -> DealScores:
        """Score deals of a pipeline snapshot.

        Raises
        ------
        ModelError
            Before :meth:`fit`.
        """
        self._check()
        rows = _complete(open_deals).sort_values(["as_of", "opportunity_id"], ignore_index=True)
        if self.method_ == "model" and len(rows):
            scored, start, parts = self._model_scores(rows)
        else:
            scored, start, parts = self._plain_scores(rows)
        table = rows.assign(**scored)
        worth = table["amount"].fillna(table["list_price"])
        table["expected_amount"] = worth * table["win_probability"]
        explained = rows[table["win_probability"].notna()]
        told = reasons(explained, start, parts) if len(explained) == len(rows) else reasons(rows.head(0), 0.0, {})
        return DealScores(table[list(TABLE)].astype(TABLE), told)

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
        if self.method_ == "model":
            found["features"] = asdict(self.features_)
            found["ridge"] = asdict(self.ridge_)
            found["calibration"] = asdict(self.calibration_)
        return found

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> WinProbability:
        """The model that :meth:`state` described: it predicts the same."""
        model = cls(state["seed"], state["method"] if state["method"] in METHODS else "auto")
        model.method_, model.deals_, model.evaluation_ = state["method"], state["deals"], None
        model.baselines_ = {
            name: PooledRate(**facts | {"calibration": Platt(**facts["calibration"])})
            for name, facts in state["baselines"].items()
        }
        if model.method_ == "model":
            model.features_ = Features(**state["features"] | {"rates": PastRates(**state["features"]["rates"])})
            model.ridge_ = Ridge(**state["ridge"])
            model.calibration_ = Platt(**state["calibration"])
        return model

    def log_odds(self, rows: pd.DataFrame) -> Floats:
        """Calibrated log-odds of the model, shape (rows,)."""
        return self.calibration_.log_odds(self.ridge_.log_odds(self.features_.transform(_complete(rows))))

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
        return sigmoid(self.log_odds(rows))

    def _check(self) -> None:
        if not hasattr(self, "method_"):
            raise ModelError("The model was not fitted", where="WinProbability", remedy="Call fit first.")

    def _model_scores(self, rows: pd.DataFrame) -> tuple[dict[str, Any], float, dict[str, Floats]]:
        x = self.features_.transform(rows)
        raw = self.ridge_.log_odds(x)
        centre = self.calibration_.log_odds(raw)
        half = Z80 * np.sqrt(self.calibration_.variance(raw, self.ridge_.variance(x)))
        slope, groups = self.calibration_.slope, np.array(self.features_.groups)
        parts = {
            str(name): slope * x[:, groups == name] @ self.ridge_.coefficients[groups == name]
            for name in np.unique(groups)
        }
        start = self.calibration_.shift + slope * self.ridge_.intercept
        scored = {"win_probability": sigmoid(centre), "low": sigmoid(centre - half), "high": sigmoid(centre + half)}
        return scored | {"scored_by": "model"}, start, parts

    def _plain_scores(self, rows: pd.DataFrame) -> tuple[dict[str, Any], float, dict[str, Floats]]:
        if self.method_ == "not_enough_data":
            return {"win_probability": np.nan, "low": np.nan, "high": np.nan, "scored_by": "not_enough_data"}, 0.0, {}
        name = self.method_ if self.method_ in BASELINES else "base_rate"
        rate = self.baselines_[name]
        found = rate.predict(rows)
        p = found["win_probability"].to_numpy()
        parts = {BASELINES[name] or "": np.log(p / (1 - p)) - rate.start} if BASELINES[name] else {}
        scored = {column: found[column].to_numpy() for column in ("win_probability", "low", "high")}
        return scored | {"scored_by": np.where(found["own"], name, "base_rate")}, rate.start, parts


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The snapshot with every column of the contract; columns that are not there are empty."""
    from spm_models.snapshots.schema import PIPELINE

    absent = {name: pd.Series(index=rows.index, dtype=kind) for name, kind in PIPELINE.items() if name not in rows}
    return rows.assign(**absent) if absent else rows
