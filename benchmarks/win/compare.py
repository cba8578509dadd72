"""Measures of every model on a table, and how far the classifier is from the best peer, with its error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spm_models.evaluation import auc, brier, calibration_error, consistency, log_loss, log_losses
from win.peers import OURS, PeerMissingError, peers, said_by_peer, win_classifier
from win.split import Split, Table

MEASURES = {"log_loss": log_loss, "brier": brier, "auc": auc, "calibration_error": calibration_error}
RESAMPLES, NOISE_DRAWS = 2000, 300


@dataclass
class Compared:
    """What was found on one table.

    Parameters
    ----------
    table : Table
    measures : DataFrame
        One row a model, the best log loss first: the measures, ``calibration_noise`` and ``calibration_limit`` (what
        the error would be on average, and stay below in 95 of 100 cases, if its probabilities were right), ``seconds``.
    absent : dict
        Peers that were not there, and why.
    best : str
        The peer with the lowest log loss.
    difference, error : float
        The classifier's log loss less the best peer's, and its bootstrap standard error; NaN without the classifier.
    """

    table: Table
    measures: pd.DataFrame
    absent: dict[str, str]
    best: str
    difference: float
    error: float
    said: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def regret(self) -> float:
        """Difference to the best peer as a share of its log loss."""
        return self.difference / float(self.measures.loc[self.best, "log_loss"])

    @property
    def calibrated(self) -> bool:
        """Whether the classifier's calibration error is the lowest, or no more than noise."""
        row = self.measures.loc[OURS]
        lowest = float(self.measures.drop(index=OURS)["calibration_error"].min())
        return bool(row["calibration_error"] <= max(row["calibration_limit"], lowest))


def compare(table: Table, *, only: Iterable[str] | None = None, kept: Path | None = None) -> Compared:
    """Fit everybody on every split, and judge what they say of the later rows.

    Parameters
    ----------
    only : names of models, optional
        All without it.
    kept : Path, optional
        A folder in which what peers said is kept; they are asked again only about other rows.
    """
    said, seconds, absent = {}, {}, {}
    for name, make in (peers(table) | {OURS: None}).items():
        if only is not None and name not in only:
            continue
        try:
            parts = [_asked(name, make, split, table, kept) for split in table.splits]
        except PeerMissingError as reason:
            absent[name] = str(reason)
            continue
        said[name] = np.concatenate([p for p, _ in parts])
        seconds[name] = sum(used for _, used in parts)
    y, weight = table.y, table.weight
    rows = {name: _measured(y, p, weight, table.deals) | {"seconds": seconds[name]} for name, p in said.items()}
    measures = pd.DataFrame.from_dict(rows, orient="index").sort_values("log_loss", kind="stable")
    best = next((name for name in measures.index if name != OURS), OURS)
    difference = error = float("nan")
    if OURS in said:
        lost = log_losses(y, said[OURS]) - log_losses(y, said[best])
        difference, error = paired(lost, weight, table.clusters)
    return Compared(table, measures, absent, best, difference, error, said)


def paired(
    difference: np.ndarray, weight: np.ndarray, cluster: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Weighted mean of a difference by row, and its standard error when whole clusters are drawn anew.

    Bootstrap of the ratio of cluster sums: A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application
    (1997), 2.4 and 3.8.
    """
    code = np.unique(cluster, return_inverse=True)[1]
    total, mass = np.bincount(code, weight * difference), np.bincount(code, weight)
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    for i in range(resamples):
        times = np.bincount(rng.integers(len(mass), size=len(mass)), minlength=len(mass))
        means[i] = (times @ total) / (times @ mass)
    return float(total.sum() / mass.sum()), float(means.std(ddof=1))


def summary(found: list[Compared]) -> dict[str, float]:
    """Regrets of all tables in one place; empty without the classifier."""
    judged = [one for one in found if OURS in one.said and one.best != OURS]
    if not judged:
        return {}
    regret = {f"regret.{one.table.name}": one.regret for one in judged}
    errors = {
        f"regret_error.{one.table.name}": one.error / float(one.measures.loc[one.best, "log_loss"]) for one in judged
    }
    values = np.array(list(regret.values()))
    within = np.array([one.difference <= one.error for one in judged])
    return regret | errors | {
        "mean_regret": float(values.mean()), "worst_regret": float(values.max()), "tables": float(len(judged)),
        "tables_better": float((values < 0).sum()), "tables_within_one_error": float(within.sum()),
        "tables_calibrated": float(sum(one.calibrated for one in judged)),
    }  # fmt: skip


def flat(one: Compared) -> dict[str, float]:
    """Keys of ``--json``: ``<measure>.<table>.<model>``."""
    found = {
        f"{measure}.{one.table.name}.{name}": float(row[measure])
        for name, row in one.measures.iterrows()
        for measure in (*MEASURES, "calibration_noise", "calibration_limit")
    }
    ceiling = {} if one.table.ceiling is None else {f"ceiling.{one.table.name}": one.table.ceiling}
    return found | ceiling


def _asked(
    name: str, make: Callable[[], Any] | None, split: Split, table: Table, kept: Path | None
) -> tuple[np.ndarray, float]:
    """Probabilities of one split's rows and processor seconds.

    What peers said is taken from the kept where it is there; the classifier is always asked.
    """
    file = None if kept is None or make is None else kept / f"{table.name}.{name}.{split.fingerprint}.npz"
    if file is not None and file.is_file():
        with np.load(file) as found:
            return found["said"], float(found["seconds"])
    start = time.process_time()
    if make is None:
        said = np.asarray(win_classifier(split).predict_proba(split.X_test))[:, 1]
    else:
        said = said_by_peer(make, split)
    seconds = time.process_time() - start
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, said=said, seconds=seconds)
    return said, seconds


def _measured(y: np.ndarray, p: np.ndarray, weight: np.ndarray, deal: np.ndarray) -> dict[str, float]:
    noise = consistency(y, p, weight, deal, draws=NOISE_DRAWS)
    values = {name: measure(y, p, weight) for name, measure in MEASURES.items()}
    return values | {"calibration_noise": noise.by_chance, "calibration_limit": noise.limit}
