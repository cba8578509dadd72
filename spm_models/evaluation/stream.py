"""Predict, then learn: how a classifier does on a stream whose labels become known late."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError, StatisticsError

Floats = npt.NDArray[np.float64]
BLOCKS = 250  # about how many times the classifier is asked and updated, unless told otherwise


class Updatable(Protocol):
    """A fitted classifier that can learn from labels that became known after it was fitted."""

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, shape (n, 2)."""

    def update(self, X: Any, y: Any, *, time: Any = None, matured: Any = None) -> Any:
        """Learn from rows in the order in which their labels became known (at ``matured``)."""


def prequential(
    classifier: Updatable,
    X: pd.DataFrame | npt.NDArray[Any],
    y: npt.ArrayLike,
    time: npt.ArrayLike | None = None,
    *,
    delay: Any = 0,
    matured: npt.ArrayLike | None = None,
    block: int | None = None,
) -> pd.DataFrame:
    """Run a fitted classifier through later rows; each is predicted with the labels that were known by then only.

    Parameters
    ----------
    classifier : object with ``predict_proba`` and ``update``
        Fitted on earlier rows. A copy is run; the one given stays as it is.
    X : DataFrame or ndarray, shape (n, columns)
    y : array-like of 0 and 1, shape (n,)
    time : array-like of datetimes or numbers, shape (n,), optional
        When each row was seen; the row number without it. Rows are taken in this order, equal times in the given one.
    delay : number, timedelta or text such as "30D"
        How long after ``time`` each label became known: rows if there is no ``time``.
    matured : array-like like ``time``, optional
        When each label became known, instead of ``delay``. Missing: never.
    block : int, optional
        Rows predicted between two updates. Every row of a block is predicted with what was known when its first row
        was seen, so that a longer block is quicker, never better informed. About 250 blocks, and at most 50 rows in
        each, without it.

    Returns
    -------
    DataFrame
        One row a row of X, in the order seen, under X's index: ``time``, ``y``, ``probability``, ``known`` (labels the
        classifier had been given by then).

    Notes
    -----
    Test-then-train with delayed labels: A. P. Dawid, Prequential analysis, JRSS A 147 (1984); J. Gama, R. Sebastião
    and P. P. Rodrigues, On evaluating stream learning algorithms, Machine Learning 90 (2013).

    Examples
    --------
    >>> class LastRate:
    ...     rate = 0.5
    ...     def predict_proba(self, X):
    ...         return np.tile([1 - self.rate, self.rate], (len(X), 1))
    ...     def update(self, X, y, *, time=None, matured=None):
    ...         self.rate = float(np.mean(y))
    >>> log = prequential(LastRate(), np.zeros((6, 1)), [1, 1, 1, 0, 0, 0], delay=2, block=2)
    >>> log["probability"].tolist(), log["known"].tolist()
    ([0.5, 0.5, 1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1, 3, 3])
    """
    won = np.asarray(y, dtype=float)
    seen = pd.Series(np.arange(len(won)) if time is None else time).reset_index(drop=True)
    known_at = _known_at(seen, delay) if matured is None else pd.Series(matured).reset_index(drop=True)
    _check(X, won, seen, known_at)
    moments, matured_at = seen.to_numpy(), known_at.to_numpy()
    when, known_when = _numbers(seen), _numbers(known_at)
    order = np.argsort(when, kind="stable")
    waiting = np.argsort(known_when, kind="stable")
    waiting = waiting[~np.isnan(known_when[waiting])]
    running, given = deepcopy(classifier), 0
    probability, known = np.empty(len(won)), np.empty(len(won), dtype=np.int64)
    size = block or int(np.clip(len(won) // BLOCKS, 1, 50))
    for start in range(0, len(won), size):
        rows, now = order[start : start + size], when[order[start]]
        # A row's own label, and those of rows seen at the same moment, are never known to it.
        fresh = (known_when[waiting] <= now) & (when[waiting] < now)
        ready, waiting = waiting[fresh], waiting[~fresh]
        if len(ready):
            running.update(_take(X, ready), won[ready], time=moments[ready], matured=matured_at[ready])
            given += len(ready)
        probability[rows], known[rows] = np.asarray(running.predict_proba(_take(X, rows)))[:, 1], given
    log = pd.DataFrame({"time": moments, "y": won, "probability": probability, "known": known})
    if isinstance(X, pd.DataFrame):
        log.index = X.index
    return log.iloc[order]


def _known_at(seen: pd.Series, delay: Any) -> pd.Series:
    """When labels are known that come ``delay`` after their row was seen."""
    dated = pd.api.types.is_datetime64_any_dtype(seen)
    return seen + (pd.Timedelta(delay) if dated else delay)


def _numbers(moments: pd.Series) -> Floats:
    """Moments as numbers, NaN where missing; never rounded within a second."""
    if pd.api.types.is_datetime64_any_dtype(moments):
        return np.asarray((moments - pd.Timestamp(0, tz=moments.dt.tz)) / pd.Timedelta("1s"), dtype=float)
    return np.asarray(moments, dtype=float)


def _take(X: Any, rows: npt.NDArray[np.int64]) -> Any:
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]


def _check(X: Any, won: Floats, seen: pd.Series, known_at: pd.Series) -> None:
    if not len(won):
        raise NotEnoughDataError("There is nothing to run through", remedy="Give at least one row.")
    if not len(X) == len(won) == len(seen) == len(known_at):
        found = f"X {len(X)}, y {len(won)}, time {len(seen)}, matured {len(known_at)} rows"
        raise StatisticsError("Rows differ in number", where="prequential", found=found)
    if bool(seen.isna().any()):
        raise StatisticsError("A row without a time cannot be put in order", where="prequential, time")
    if bool((known_at < seen).any()):
        raise StatisticsError("A label is known before its row was seen", where="prequential, matured")
