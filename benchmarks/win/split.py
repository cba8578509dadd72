"""What a table of the benchmark is: rows to learn from, later rows to be judged by, and how rows belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Split:
    """One learning and the judgement of it.

    Parameters
    ----------
    X, X_test : DataFrame
        Numbers as ``float64`` with NaN, words as ``str``; the same columns.
    y, y_test : ndarray of float
        1 where won.
    cluster_test : ndarray
        Rows of one block of time, deal or account, which depend on each other.
    time, matured, groups : ndarray, optional
        Of the rows to learn from: when each was seen, when its label became known, which rows belong together.
    weight, weight_test : ndarray, optional
        How much each row counts; 1 without it.
    deal_test : ndarray, optional
        Rows with one outcome in common (snapshots of a deal); each row its own without it.
    time_test, matured_test : ndarray, optional
        For streams, in which later labels are learned too.
    """

    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray
    cluster_test: np.ndarray
    time: np.ndarray | None = None
    matured: np.ndarray | None = None
    groups: np.ndarray | None = None
    weight: np.ndarray | None = None
    weight_test: np.ndarray | None = None
    deal_test: np.ndarray | None = None
    time_test: np.ndarray | None = None
    matured_test: np.ndarray | None = None

    @property
    def fingerprint(self) -> str:
        """Of everything that a peer sees, so that what it said can be kept."""
        digest = hashlib.sha256(",".join(self.X.columns).encode())
        for part in (self.X, self.X_test):
            digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
        for numbers in (self.y, self.weight):
            digest.update(b"" if numbers is None else np.asarray(numbers, dtype=float).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Table:
    """One question of the benchmark: several splits are judged together.

    Parameters
    ----------
    name, about : str
    splits : list of Split
    segment : str
        Column whose rates are the segment rate.
    team : str, optional
        Column by which the frequency score counts separately.
    cluster : str
        What is drawn anew in the bootstrap.
    ceiling : float, optional
        Log loss of what is hidden from every model.
    """

    name: str
    about: str
    splits: list[Split]
    segment: str
    team: str | None = None
    cluster: str = "deal"
    ceiling: float | None = None

    def tested(self, what: Callable[[Split], Any]) -> np.ndarray:
        """Something of all rows that are judged, in the order of the splits."""
        return np.concatenate([np.asarray(what(split)) for split in self.splits])

    @property
    def y(self) -> np.ndarray:
        return self.tested(lambda split: split.y_test)

    @property
    def weight(self) -> np.ndarray:
        """How much each row counts; 1 where a split has no weights."""
        return self.tested(lambda split: np.ones(len(split.y_test)) if split.weight_test is None else split.weight_test)

    @property
    def clusters(self) -> np.ndarray:
        """Clusters of all splits, told apart."""
        return self._codes([split.cluster_test for split in self.splits])

    @property
    def deals(self) -> np.ndarray:
        """Which rows have their outcome in common."""
        return self._codes(
            [np.arange(len(split.y_test)) if split.deal_test is None else split.deal_test for split in self.splits]
        )

    def _codes(self, parts: list[np.ndarray]) -> np.ndarray:
        told = [np.char.add(f"{i}:", np.asarray(part).astype(str)) for i, part in enumerate(parts)]
        return np.unique(np.concatenate(told), return_inverse=True)[1]


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Words as ``str``, everything else as ``float64``, with what is missing as NaN."""
    found = {}
    for name, column in rows.reset_index(drop=True).items():
        number = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
        found[name] = column.to_numpy(dtype=float, na_value=np.nan) if number else column.astype("str")
    return pd.DataFrame(found, index=range(len(rows)))
