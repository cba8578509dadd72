"""Whom the classifier is compared with, as an analyst would set them up in a first notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from win.frequencies import FrequencyScore, Rate
from win.split import Split, Table

OURS = "win_classifier"
CALIBRATION_FOLDS = 5  # stratified and not shuffled: the default of scikit-learn
MOST_CATEGORIES = 255  # HistGradientBoosting takes no more; a column with more is left out for it
ABOUT = {
    "base_rate": "share won among all rows learned from",
    "segment_rate": "share won in the segment",
    "stage_rate": "share won in the stage, on snapshots",
    "frequency_score": "naive Bayes on counts for each team, as Odoo's predictive lead scoring",
    "logistic": "one-hot, missing numbers by the mean, standardised; LogisticRegression, C=1",
    "hist_boosting": "HistGradientBoosting, defaults, native categories",
    "hist_boosting_sigmoid": f"the same in CalibratedClassifierCV, sigmoid, {CALIBRATION_FOLDS} folds in row order",
    "random_forest": "one-hot, 300 trees, at least 5 rows in a leaf",
    "lightgbm": "LGBMClassifier, defaults, native categories",
    "catboost": "CatBoostClassifier, defaults, native categories",
}


class PeerMissingError(Exception):
    """A peer whose package is not on this machine."""


@dataclass
class Boosting:
    """A boosting library on native categories: levels are learned, later new ones become missing."""

    make: Callable[[list[str]], Any]
    missing_word: str | None = None  # what stands for an empty category where the library refuses missing ones
    most: int | None = None

    def fit(self, X: pd.DataFrame, y: np.ndarray, weight: np.ndarray) -> Boosting:
        words = list(X.select_dtypes("str"))
        left_out = [name for name in words if self.most is not None and X[name].nunique() > self.most]
        self.columns = [name for name in X if name not in left_out]
        self.levels = {name: np.sort(X[name].dropna().unique()) for name in words if name not in left_out}
        self.model = self.make(list(self.levels)).fit(self.table(X), y.astype(int), sample_weight=weight)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.model.predict_proba(self.table(X)))

    def table(self, X: pd.DataFrame) -> pd.DataFrame:
        """As the library takes it."""
        if self.missing_word is not None:
            return X[self.columns].assign(**{n: X[n].fillna(self.missing_word).astype(object) for n in self.levels})
        return X[self.columns].assign(
            **{
                name: pd.Categorical(X[name].where(X[name].isin(v)).astype(object), v)
                for name, v in self.levels.items()
            }
        )


@dataclass
class OneHot:
    """A scikit-learn classifier on one-hot words and filled numbers."""

    model: Any

    def fit(self, X: pd.DataFrame, y: np.ndarray, weight: np.ndarray) -> OneHot:
        words, numbers = make_column_selector(dtype_include=["str"]), make_column_selector(dtype_include=["float64"])
        filled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
        one_hot = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), (filled, numbers))
        self.pipeline = Pipeline([("columns", one_hot), ("model", self.model)])
        self.pipeline.fit(_named(X), y.astype(int), model__sample_weight=weight)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.pipeline.predict_proba(_named(X)))


def _named(X: pd.DataFrame) -> pd.DataFrame:
    """Missing words as a level of their own."""
    return X.assign(**{name: X[name].fillna("") for name in X.select_dtypes("str")})


def hist_boosting() -> Boosting:
    """HistGradientBoosting as it comes, on DataFrames."""
    return Boosting(
        lambda words: HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0),
        most=MOST_CATEGORIES,
    )


def _sigmoid() -> Boosting:
    def make(words: list[str]) -> Any:
        plain = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
        return CalibratedClassifierCV(plain, method="sigmoid", cv=CALIBRATION_FOLDS)

    return Boosting(make, most=MOST_CATEGORIES)


def _lightgbm() -> Boosting:
    library = _imported("lightgbm")
    return Boosting(lambda words: library.LGBMClassifier(verbose=-1, n_jobs=1, random_state=0))


def _catboost() -> Boosting:
    library = _imported("catboost")
    return Boosting(
        lambda words: library.CatBoostClassifier(
            cat_features=words, verbose=0, thread_count=1, random_seed=0, allow_writing_files=False
        ),
        missing_word="",
    )


def _imported(package: str) -> Any:
    try:
        return import_module(package)
    except (ImportError, OSError) as error:  # OSError: a library of the system is missing
        raise PeerMissingError(f"{package} is not installed (extra `benchmark`): {error}") from error


def peers(table: Table) -> dict[str, Callable[[], Any]]:
    """Makers of all peers that make sense on a table, by name."""
    found: dict[str, Callable[[], Any]] = {
        "base_rate": Rate,
        "segment_rate": lambda: Rate(table.segment),
        "frequency_score": lambda: FrequencyScore(table.team),
        "logistic": lambda: OneHot(LogisticRegression(max_iter=1000)),
        "hist_boosting": hist_boosting,
        "hist_boosting_sigmoid": _sigmoid,
        "random_forest": lambda: OneHot(
            RandomForestClassifier(n_estimators=300, min_samples_leaf=5, n_jobs=1, random_state=0)
        ),
        "lightgbm": _lightgbm,
        "catboost": _catboost,
    }
    if "stage" in table.splits[0].X:
        found["stage_rate"] = lambda: Rate("stage")
    return found


def said_by_peer(make: Callable[[], Any], split: Split) -> np.ndarray:
    """Probabilities of the rows to be judged."""
    weight = np.ones(len(split.y)) if split.weight is None else split.weight
    return np.asarray(make().fit(split.X, split.y, weight).predict_proba(split.X_test))[:, 1]


def win_classifier(split: Split) -> Any:
    """The classifier of the project, fitted."""
    try:
        classifier = import_module("spm_models.win_probability").WinClassifier
    except (ImportError, AttributeError) as error:
        raise PeerMissingError("spm_models.win_probability has no WinClassifier") from error
    return classifier(random_state=0).fit(
        split.X, split.y, time=split.time, matured=split.matured, groups=split.groups, sample_weight=split.weight
    )
