"""A classifier for any table that is calibrated, says how sure it is, and takes its answers apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_feature_names,
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from spm_models.win_probability.classifier.blend import Blend
from spm_models.win_probability.classifier.contributions import Contributions
from spm_models.win_probability.classifier.drift import as_numbers, is_dated
from spm_models.win_probability.classifier.folds import group_codes
from spm_models.win_probability.classifier.learning import learn
from spm_models.win_probability.classifier.members import Rowset
from spm_models.win_probability.classifier.online import OnlineCalibration
from spm_models.win_probability.classifier.roles import InputError, Roles, Table, as_days, check_names, is_date
from spm_models.win_probability.classifier.stretches import stretches

Floats = npt.NDArray[np.float64]
CHUNK = 1 << 16  # rows scored at once


class WinClassifier(ClassifierMixin, BaseEstimator):
    """Probability of one of two outcomes, from any table.

    Parameters
    ----------
    level : float
        Of intervals.
    random_state : int
        Of folds and trees; the same rows and number give the same model, whatever the number of threads.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels in order; probabilities and log-odds are of the second.
    members_ : DataFrame
        ``member``, ``weight`` in the blend of log-odds, ``log_loss`` on rows that it had not learned from.
    drift_ : Drift
        ``.table`` of blocks in time and whether they differ (``.drifting``).
    learned_ : bool
        False where nothing beat the common rate: every row then gets one probability, the common rate's, drawn
        towards even as far as its level moved from one block of time to the next.

    Notes
    -----
    A non-negative blend of log-odds: ridge regression averaged over its strength, hierarchical ridge regression with
    smooth curves, a forest of randomised trees, two kinds of shallow gradient boosting. Its weights were learned on
    rows that the members had not seen: forward in time where ``time`` is given, whole groups otherwise; they may all be
    zero. Where the level of the rows judged forward in time was off by more than chance, and no drift can be followed,
    all log-odds are drawn towards even by that much uncertainty (D. J. C. MacKay, Neural Computation 4, 1992).
    See :mod:`~spm_models.win_probability.classifier.stacking` and the members for sources. Numbers are clipped to
    the range seen; new categories count as average.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"amount": rng.normal(size=300), "source": rng.choice(["web", "fair"], 300)})
    >>> y = rng.random(300) < 1 / (1 + np.exp(-2 * X["amount"]))
    >>> model = WinClassifier().fit(X, y)
    >>> told = model.contributions(X.head(2))
    >>> bool(np.allclose(told.start + told.values.sum(axis=1), model.decision_function(X.head(2))))
    True
    """

    def __init__(self, *, level: float = 0.8, random_state: int = 0) -> None:
        self.level = level
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        time: Any = None,
        matured: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Learn from labelled rows.

        Parameters
        ----------
        X : DataFrame or array, shape (n, columns)
            Numbers, categories, dates, flags, with gaps.
        y : array-like, shape (n,)
            Two labels.
        time : str or array-like of datetimes or numbers, shape (n,), optional
            When each row was seen; the name of a column of X is then no feature.
        matured : array-like like ``time``, optional
            When each label became known (``time`` without it).
        groups : array-like, shape (n,), optional
            Rows of one deal or account stay together in folds.
        sample_weight : array-like, shape (n,), optional
            How many independent rows each is worth.

        Raises
        ------
        InputError
            (A ``ValueError``.) One label only, two columns of one name, lengths that differ.
        """
        frame, won = self._learning_frame(X, y)
        weight = np.asarray(_check_sample_weight(sample_weight, frame, dtype=np.float64, ensure_non_negative=True))
        name = time if isinstance(time, str) else None
        when, known, dated = _times(frame, time, matured)
        code = np.arange(len(frame)) if groups is None else group_codes(groups)
        check_consistent_length(frame, won, code)
        self.roles_ = Roles.learn(frame, name)
        order = np.arange(len(frame)) if when is None else np.argsort(when, kind="stable")
        order = order[weight[order] > 0]
        self._check_labels(won[order])
        weight = weight[order] * min(1.0, len(order) / weight[order].sum())
        sizes = [len(self.roles_.levels[category]) + 1 for category in self.roles_.categories]
        with threadpool_limits(1):
            when, known = (None if moment is None else moment[order] for moment in (when, known))
            stretch = None if when is None else stretches(when, weight)
            rows = Rowset(self.roles_.table(frame).rows(order), won[order], weight, code[order], sizes, stretch)
            found = learn(rows, when, known, _seed(self.random_state))
            self.blend_ = found.blend
            self.members_, self.learned_ = found.table, found.learned
            self.drift_ = found.drift.dated() if dated else found.drift
            design = self.blend_.linear.basis.design(rows.table)
            self.online_ = OnlineCalibration.start(found.said, rows.y, design, sample_weight=rows.weight)
        return self

    def decision_function(self, X: Any) -> Floats:
        """Log-odds of the second class, shape (n,)."""
        return self._by_chunk(X, self._log_odds)

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of both classes, shape (n, 2)."""
        p = special.expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The more probable label, shape (n,)."""
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])

    def interval(self, X: Any, level: float | None = None) -> Floats:
        """Bounds that hold the probability itself with probability ``level``, shape (n, 2).

        Normal on the log-odds; the variance is that of the averaged ridge regression's posterior, plus the squared
        distance of the blend from it, plus that of the level where it drifts.
        """
        wanted = self.level if level is None else level
        if not 0 < wanted < 1:
            raise InputError("A level is between 0 and 1", where="level", found=wanted)
        reach = special.ndtri(0.5 + wanted / 2)
        return self._by_chunk(X, lambda table: self._bounds(table, reach), columns=2)

    def contributions(self, X: Any, groups: Mapping[str, str] | None = None) -> Contributions:
        """Take log-odds apart into what columns add; start plus a row's sum is its log-odds.

        Parameters
        ----------
        X : DataFrame or array, shape (n, columns)
        groups : mapping of column -> name, optional
            Columns that are told together; those not named, and all without it, are told alone.

        Notes
        -----
        Shapley values, exact: for functions of single columns the value beyond its mean over the rows learned from
        (E. Štrumbelj and I. Kononenko, Knowledge and Information Systems 41, 2014), for trees
        :func:`~spm_models.win_probability.classifier.contributions.tree_contributions`. Those of the forest are of its
        probability, put into log-odds in proportion.
        """
        check_is_fitted(self)
        frame = self._frame(X)
        named = [(groups or {}).get(name, name) for name in self.roles_.features]
        names = list(dict.fromkeys(named))
        group = np.array([names.index(name) for name in named], dtype=np.int64)
        with threadpool_limits(1):
            start, values = self._parts(self.roles_.table(frame), group, len(names))
        return Contributions(start, pd.DataFrame(values, index=frame.index, columns=names))

    def update(self, X: Any, y: Any, *, time: Any = None, matured: Any = None, sample_weight: Any = None) -> Self:
        """Recalibrate by labels that matured after fitting; rows in the order in which labels became known.

        Parameters
        ----------
        X : DataFrame or array, shape (n, columns)
        y : array-like, shape (n,)
        time : str or array-like, shape (n,), optional
            When each row was seen.
        matured : array-like like ``time``, optional
            When each label became known: what has been learned since a row was seen is never judged by it.
        sample_weight : array-like, shape (n,), optional
            How many independent rows each is worth.
        """
        check_is_fitted(self)
        frame = self._frame(X)
        won = self._won(y)
        check_consistent_length(frame, won)
        when, known, _ = _times(frame, time, matured)
        weight = np.ones(len(frame))
        if len(frame):
            weight = _check_sample_weight(sample_weight, frame, dtype=np.float64, ensure_non_negative=True)
        kept = np.flatnonzero(weight > 0)
        when, known = (None if moment is None else moment[kept] for moment in (when, known))
        table = self.roles_.table(frame).rows(kept)
        with threadpool_limits(1):
            design = self.blend_.linear.basis.design(table)
            self.online_.update(
                self.blend_.log_odds(table), won[kept], design, time=when, matured=known, sample_weight=weight[kept]
            )
        return self

    def state(self) -> dict[str, Any]:
        """Everything that predictions need, for ``published.models.save``."""
        check_is_fitted(self)
        return {
            "parameters": {"level": self.level, "random_state": self.random_state}, "classes": self.classes_,
            "features": int(self.n_features_in_), "learned": self.learned_,
            "roles": {"names": self.roles_.names, "kinds": self.roles_.kinds, "levels": self.roles_.levels,
                      "time": self.roles_.time},
            "blend": self.blend_.state(), "online": self.online_.state(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> WinClassifier:
        """The model that :meth:`state` described: it predicts the same."""
        model = cls(**state["parameters"])
        model.classes_, model.n_features_in_ = np.asarray(state["classes"]), int(state["features"])
        model.learned_, model.roles_ = bool(state["learned"]), Roles(**state["roles"])
        model.blend_ = Blend.from_state(state["blend"])
        model.online_ = OnlineCalibration.from_state(state["online"])
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.classifier_tags.multi_class = False
        return tags

    def _learning_frame(self, X: Any, y: Any) -> tuple[pd.DataFrame, Floats]:
        frame = _as_frame(X)
        check_names(frame)
        _check_feature_names(self, X, reset=True)
        self.n_features_in_ = frame.shape[1]
        if y is None:
            raise InputError("requires y to be passed, but the target y is None", where="y")
        labels = column_or_1d(y, warn=True)
        check_consistent_length(frame, labels)
        if unknown := int(pd.isna(labels).sum()):
            raise InputError("Input y contains NaN", where="y", found=f"{unknown} missing labels",
                             remedy="Leave out the rows whose outcome is not known yet.")  # fmt: skip
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) > 2:
            raise InputError(
                f"Only binary classification is supported. The type of the target is {type_of_target(labels)}",
                where="y", found=len(self.classes_),
            )  # fmt: skip
        return frame, (labels == self.classes_[-1]).astype(np.float64)

    def _check_labels(self, won: Floats) -> None:
        if len(self.classes_) < 2 or not 0 < won.mean() < 1:
            raise InputError(
                "Nothing can be learned from one class", where="y", found=self.classes_.tolist(),
                remedy="Give rows of both labels (1 class is not enough).",
            )  # fmt: skip

    def _won(self, y: Any) -> Floats:
        labels = column_or_1d(y)
        if not np.isin(labels, self.classes_).all():
            raise InputError("A label that was not learned from", where="y", found=sorted(map(str, np.unique(labels))))
        return np.asarray(labels == self.classes_[1], dtype=np.float64)

    def _frame(self, X: Any) -> pd.DataFrame:
        if not isinstance(X, pd.DataFrame):
            frame = _as_frame(X)
            if frame.shape[1] != self.n_features_in_:
                raise InputError(
                    f"X has {frame.shape[1]} features, but {type(self).__name__} is expecting "
                    f"{self.n_features_in_} features as input", where="X",
                )  # fmt: skip
            frame.columns = pd.Index(self.roles_.names)
            return frame
        return X

    def _by_chunk(self, X: Any, told: Callable[[Table], Floats], columns: int = 0) -> Floats:
        check_is_fitted(self)
        frame = self._frame(X)
        found = np.empty((len(frame), columns) if columns else len(frame))
        with threadpool_limits(1):
            for start in range(0, len(frame), CHUNK):
                rows = slice(start, start + CHUNK)
                found[rows] = told(self.roles_.table(frame.iloc[rows]))
        return found

    def _log_odds(self, table: Table) -> Floats:
        eta = self.blend_.log_odds(table)
        if not self._recalibrated:
            return eta
        return self.online_.log_odds(eta, self.blend_.linear.basis.design(table))

    def _parts(self, table: Table, group: npt.NDArray[np.int64], groups: int) -> tuple[float, Floats]:
        start, values = self.blend_.parts(table, group, groups)
        if not self._recalibrated:
            return start, values
        basis = self.blend_.linear.basis
        added = self.online_.additions(basis.design(table))
        start, values = self.online_.shift + self.online_.slope * start, self.online_.slope * values
        for column, owner in enumerate(basis.owner):
            values[:, group[owner]] += added[:, column]
        return start, values

    def _bounds(self, table: Table, reach: float) -> Floats:
        given = self.blend_.log_odds(table)
        variance, eta = self.blend_.spread(table, given), given
        if self._recalibrated:
            design = self.blend_.linear.basis.design(table)
            eta = self.online_.log_odds(given, design)
            variance = variance * self.online_.slope**2 + self.online_.variance(given, design)
        half = reach * np.sqrt(variance)
        return np.column_stack([special.expit(eta - half), special.expit(eta + half)])

    @property
    def _recalibrated(self) -> bool:
        return hasattr(self, "online_") and self.online_.labels > 0


def _as_frame(X: Any) -> pd.DataFrame:
    """A table of named columns; arrays get the names x0, x1 …"""
    if isinstance(X, pd.DataFrame):
        if not X.shape[0] or not X.shape[1]:
            kind = "sample" if not X.shape[0] else "feature"
            raise InputError(f"Found array with 0 {kind}(s) (shape={X.shape}) while a minimum of 1 is required")
        return X
    values = check_array(X, dtype=None, ensure_all_finite=False)
    return pd.DataFrame(values, columns=pd.Index([f"x{j}" for j in range(values.shape[1])]))


def _times(frame: pd.DataFrame, time: Any, matured: Any) -> tuple[Floats | None, Floats | None, bool]:
    """When rows were seen and their labels known, and whether these are dates; no label is known before its row."""
    if isinstance(time, str):
        if time not in frame.columns:
            raise InputError("There is no such column of time", where="X", found=time, remedy="Name a column of X.")
        time = frame[time]
    when, dated = (None, False) if time is None else _moments(time, len(frame), "time")
    known, days = (None, dated) if matured is None else _moments(matured, len(frame), "matured")
    if when is None or known is None:
        return when, known, dated
    if dated != days:
        raise InputError(
            "One of time and matured is dates, the other numbers", where="time and matured",
            found="dates and numbers" if dated else "numbers and dates",
            remedy="Give both as dates or both as numbers.",
        )  # fmt: skip
    return when, np.maximum(when, known), dated


def _moments(times: Any, n: int, what: str) -> tuple[Floats, bool]:
    """Times as numbers, none missing, and whether they are dates."""
    moments = pd.Series(times).reset_index(drop=True)
    if len(moments) != n:
        raise InputError(f"{what} and X differ in length", found=(len(moments), n))
    dated = is_date(moments) or is_dated(moments)
    try:
        found = as_days(moments) if is_date(moments) else as_numbers(moments)
    except (ValueError, TypeError) as error:
        remedy = "Give datetimes, days as 2026-06-30, or numbers."
        raise InputError("Times are dates or numbers", where=what, found=str(error), remedy=remedy) from error
    if not np.isfinite(found).all():
        raise InputError("A time is missing", where=what, remedy="Leave such rows out.")
    return found, dated


def _seed(state: Any) -> int:
    """The number from which folds and trees are drawn."""
    if isinstance(state, np.random.RandomState):
        return int(state.randint(2**31 - 1))
    if state is None:
        return 0
    if not isinstance(state, (int, np.integer)) or state < 0:
        raise InputError("A seed is a whole number from 0", where="random_state", found=state)
    return int(state)
