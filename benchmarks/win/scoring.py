"""What scoring a million open deals costs, beside plain boosting on the same features."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from win.peers import Boosting, PeerMissingError, hist_boosting, win_classifier
from win.split import Split

ROUNDS = 3


def scoring(split: Split, rows: int = 1_000_000, rounds: int = ROUNDS) -> dict[str, float]:
    """Medians of interleaved rounds: processor and wall seconds, growth of memory, ratio of processor seconds.

    Parameters
    ----------
    split : Split
        What is learned; the rows to be judged are repeated, with numbers moved a little, to as many as asked for.

    Notes
    -----
    Boosting is asked twice: on the DataFrame with its own categories, and on a matrix in which words are codes already.
    """
    weight = np.ones(len(split.y)) if split.weight is None else split.weight
    boosting = hist_boosting().fit(split.X, split.y, weight)
    deals = many(split.X_test, rows)
    ready = boosting.table(deals)  # the library's own categories; making them is not charged to it
    coded, matrix = _coded(boosting, split.X), _coded(boosting, deals)
    bare = HistGradientBoostingClassifier(random_state=0).fit(coded, split.y.astype(int), sample_weight=weight)
    asked: dict[str, Callable[[], Any]] = {
        "hist_boosting": lambda: boosting.model.predict_proba(ready),
        "hist_boosting_on_codes": lambda: bare.predict_proba(matrix),
    }
    try:
        ours = win_classifier(split)
        asked["win_classifier"] = lambda: ours.predict_proba(deals)
    except PeerMissingError:
        pass
    for ask in asked.values():
        ask()  # once, so that nobody pays for imports
    runs = [{name: _measured(ask) for name, ask in asked.items()} for _ in range(rounds)]
    took = {name: pd.DataFrame([run[name] for run in runs]) for name in asked}
    found = {f"scoring_{what}.{name}": float(rows_[what].median()) for name, rows_ in took.items() for what in rows_}
    if "win_classifier" in took:
        for peer, key in (("hist_boosting", "scoring_ratio"), ("hist_boosting_on_codes", "scoring_ratio_on_codes")):
            found[key] = float((took["win_classifier"]["cpu"] / took[peer]["cpu"]).median())
    return found | {"scoring_rows": float(rows), "scoring_columns": float(split.X.shape[1])}


def _coded(boosting: Boosting, X: pd.DataFrame) -> np.ndarray:
    """Words as numbers, so that nothing is left to be encoded when it predicts."""
    table = boosting.table(X)
    return np.column_stack([
        np.where(table[name].cat.codes < 0, np.nan, table[name].cat.codes) if name in boosting.levels else table[name]
        for name in table
    ])  # fmt: skip


def many(X: pd.DataFrame, rows: int, seed: int = 0) -> pd.DataFrame:
    """Rows of a table, drawn again and again; numbers moved by up to a hundredth so that hardly two are alike."""
    rng = np.random.default_rng(seed)
    drawn = X.iloc[rng.integers(len(X), size=rows)].reset_index(drop=True)
    moved = {name: drawn[name] * rng.uniform(0.99, 1.01, rows) for name in X.select_dtypes("float64")}
    return drawn.assign(**moved)


def _measured(ask: Callable[[], Any]) -> dict[str, float]:
    before = _reset_peak()
    cpu, wall = time.process_time(), time.perf_counter()
    ask()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "memory_mb": _peak() - before}


def _reset_peak() -> float:
    """Give back what is free, forget the highest use of memory so far (Linux); what is used now, in MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5")
    return _status("VmRSS")


def _peak() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith(name)), float("nan"))
