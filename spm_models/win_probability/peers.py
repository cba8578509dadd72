"""What anybody would try first, on the same features: plain logistic regression and default gradient boosting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.features import deal_features, learnable
from spm_models.win_probability.past_rates import PastRates

Floats = npt.NDArray[np.float64]
PEERS = ("logistic", "boosting")
MOST_LEVELS = 250  # of a category that boosting takes as one


class Peers:
    """Default settings of scikit-learn; a yardstick for the model, not a candidate for publishing.

    Parameters
    ----------
    seed : int

    Notes
    -----
    ``logistic``: ridge of strength 1 on standardised numbers (median for empty ones) and one column a category.
    ``boosting``: histogram gradient boosting, categories as such. Both get the weights of the learning set and past
    rates from the past only, as the model does.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, rows: pd.DataFrame, closed: pd.DataFrame) -> Peers:
        """Learn from a learning set and from closed deals with their keys."""
        self.rates_ = PastRates().fit(closed)
        table = deal_features(rows, self.rates_)
        self.names_ = learnable(table)
        self.texts_ = [name for name in self.names_ if not pd.api.types.is_numeric_dtype(table[name])]
        self.levels_ = {
            name: table[name].value_counts().index[:MOST_LEVELS].sort_values() for name in self.texts_
        }  # fmt: skip
        won, weight = rows["won"].to_numpy(bool), rows["weight"].to_numpy()
        self.rate_ = float(np.average(won, weights=weight)) if len(rows) else float("nan")
        self.models_: dict[str, Any] = {}
        if self.names_ and 0 < won.sum() < len(won):
            x = self._typed(table)
            self.models_["logistic"] = self._logistic().fit(x, won, model__sample_weight=weight)
            self.models_["boosting"] = self._boosting().fit(x, won, sample_weight=weight)
        return self

    def predict(self, rows: pd.DataFrame) -> dict[str, Floats]:
        """Win probability of each row by each of :data:`PEERS`; the common rate where nothing could be learned."""
        if not self.models_ or not len(rows):
            return {name: np.full(len(rows), self.rate_) for name in PEERS}
        x = self._typed(deal_features(rows, self.rates_))
        return {name: np.asarray(self.models_[name].predict_proba(x)[:, 1]) for name in PEERS}

    def _typed(self, table: pd.DataFrame) -> pd.DataFrame:
        kinds = {name: pd.CategoricalDtype(levels) for name, levels in self.levels_.items()}
        return table[self.names_].astype(kinds)

    def _logistic(self) -> Any:
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        numbers = [name for name in self.names_ if name not in self.texts_]
        prepared = ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                ("texts", OneHotEncoder(handle_unknown="ignore"), self.texts_),
            ]
        )
        pipeline = make_pipeline(prepared, LogisticRegression(max_iter=1000))
        pipeline.steps[-1] = ("model", pipeline.steps[-1][1])
        return pipeline

    def _boosting(self) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=self.seed)
