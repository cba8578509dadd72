"""Streams: everybody predicts, then learns the labels that have become known by then."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from spm_models.evaluation import auc, calibration_error, log_loss, log_losses, prequential
from win.peers import OURS, PeerMissingError, hist_boosting, peers, win_classifier
from win.split import Split, Table

LATEST = 200  # matured labels of the last known rate
WINDOW = 1000  # matured labels of the online intercept and slope
PRIOR = 10.0  # labels that an unchanged intercept and slope are worth, in squared log-odds


@dataclass
class Still:
    """A fitted model that learns nothing any more."""

    model: Any

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.model.predict_proba(X))

    def update(self, X: pd.DataFrame, y: np.ndarray, *, time: Any = None, matured: Any = None) -> None:
        """Nothing: what it learned once is all it knows."""


@dataclass
class LastKnownRate:
    """Share won among the latest labels that are known."""

    latest: deque[float]

    @classmethod
    def of(cls, y: np.ndarray) -> LastKnownRate:
        return cls(deque(y[-LATEST:].tolist(), maxlen=LATEST))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        p = (sum(self.latest) + 1) / (len(self.latest) + 2)
        return np.tile([1 - p, p], (len(X), 1))

    def update(self, X: pd.DataFrame, y: np.ndarray, *, time: Any = None, matured: Any = None) -> None:
        self.latest.extend(np.asarray(y, dtype=float).tolist())


@dataclass
class OnlineLine:
    """Intercept and slope on a model's log-odds, learned anew from the latest labels that are known."""

    model: Any
    eta: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    won: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    line: np.ndarray = field(default_factory=lambda: np.array([0.0, 1.0]))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        p = expit(self.line[0] + self.line[1] * self._log_odds(X))
        return np.column_stack([1 - p, p])

    def update(self, X: pd.DataFrame, y: np.ndarray, *, time: Any = None, matured: Any = None) -> None:
        self.eta.extend(self._log_odds(X).tolist())
        self.won.extend(np.asarray(y, dtype=float).tolist())
        design = np.column_stack([np.ones(len(self.eta)), np.array(self.eta)])
        won, start = np.array(self.won), np.array([0.0, 1.0])
        for _ in range(25):
            p = expit(design @ self.line)
            gradient = design.T @ (p - won) + PRIOR * (self.line - start)
            hessian = (design * (p * (1 - p))[:, None]).T @ design + PRIOR * np.eye(2)
            step = np.linalg.solve(hessian, gradient)
            self.line = self.line - np.clip(step, -1, 1)
            if np.abs(step).max() < 1e-6:
                break

    def _log_odds(self, X: pd.DataFrame) -> np.ndarray:
        p = np.clip(self.model.predict_proba(X)[:, 1], 1e-6, 1 - 1e-6)
        return np.asarray(np.log(p) - np.log1p(-p))


def stream(table: Table) -> dict[str, pd.DataFrame]:
    """What everybody says of the later rows of all splits, by name: ``y``, ``probability``, ``weight``."""
    logs: dict[str, list[pd.DataFrame]] = {}
    for split in table.splits:
        for name, model in _fitted(table, split).items():
            weight = np.ones(len(split.y_test)) if split.weight_test is None else split.weight_test
            log = prequential(model, split.X_test, split.y_test, split.time_test, matured=split.matured_test)
            logs.setdefault(name, []).append(log.assign(weight=pd.Series(weight, split.X_test.index)))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in logs.items()}


def flat(table: Table, logs: dict[str, pd.DataFrame]) -> dict[str, float]:
    """Keys of ``--json``: ``prequential.<table>.<model>`` is the log loss."""
    measures = {"": log_loss, "_auc": auc, "_calibration_error": calibration_error}
    return {
        f"prequential{suffix}.{table.name}.{name}": measure(log["y"], log["probability"], log["weight"])
        for name, log in logs.items() for suffix, measure in measures.items()
    }  # fmt: skip


def by_tenth(log: pd.DataFrame) -> list[float]:
    """Mean log loss in each tenth of a stream, in order."""
    losses = log_losses(log["y"], log["probability"])
    return [float(part.mean()) for part in np.array_split(losses, 10)]


def _fitted(table: Table, split: Split) -> dict[str, Any]:
    weight = np.ones(len(split.y)) if split.weight is None else split.weight
    logistic = peers(table)["logistic"]().fit(split.X, split.y, weight)
    order = np.argsort(np.arange(len(split.y)) if split.matured is None else split.matured, kind="stable")
    found: dict[str, Any] = {
        "last_known_rate": LastKnownRate.of(split.y[order]),
        "logistic": Still(logistic),
        "logistic_online": OnlineLine(logistic),
        "hist_boosting": Still(hist_boosting().fit(split.X, split.y, weight)),
    }
    try:
        ours = win_classifier(split)
    except PeerMissingError:
        return found
    return found | {OURS: ours, f"{OURS}_without_updates": Still(ours)}
