"""Which rows learn and which rows judge: forward in time where there is time, whole groups otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
FORWARD, ACROSS = 5, 5
FIRST = 0.35  # share of the rows before the first judging block
LEAST_RARE = 3  # rows of the rarer label to learn from


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from and later (or other) rows to judge."""

    learn: Rows
    judge: Rows


def forward_chain(
    y: Floats, time: Floats, matured: Floats, groups: Rows | None = None, blocks: int = FORWARD
) -> list[Fold]:
    """Blocks of successive rows, each judged by what was known when it began.

    A fold learns from rows seen before its block whose labels had matured by its start; groups that are judged are not
    learned from. Rows of one moment are never parted.
    """
    order = np.argsort(time, kind="stable")
    ordered = time[order]
    n = len(ordered)
    edges = [ordered[int(n * share)] for share in np.linspace(FIRST, 1, blocks + 1)[:-1]] if n else []
    edges = sorted(set(edges))
    found = []
    for start, end in zip(edges, [*edges[1:], np.inf], strict=True):
        judge = order[(ordered >= start) & (ordered < end)]
        known = (time < start) & (matured <= start)
        if groups is not None:
            known &= ~np.isin(groups, groups[judge])
        learn = order[known[order]]
        if _enough(y[learn]) and len(judge):
            found.append(Fold(learn, judge))
    return found


def grouped(y: Floats, groups: Rows | None, seed: int, folds: int = ACROSS) -> list[Fold]:
    """Stratified folds of whole groups."""
    place = deal_out(y, groups, seed, folds)
    found = [Fold(np.flatnonzero(place != k), np.flatnonzero(place == k)) for k in range(folds)]
    return [fold for fold in found if len(fold.judge) and _enough(y[fold.learn])]


def deal_out(y: Floats, groups: Rows | None, seed: int, folds: int = ACROSS) -> Rows:
    """A fold for each row: groups in random order, those with more wins first, dealt out one after another."""
    code = np.arange(len(y)) if groups is None else np.asarray(pd.factorize(groups)[0], dtype=np.int64)
    wins = np.bincount(code, y) / np.bincount(code) if len(code) else np.zeros(0)
    shuffled = np.random.default_rng(seed).permutation(len(wins))
    order = shuffled[np.argsort(-wins[shuffled], kind="stable")]
    place = np.empty(len(wins), dtype=np.int64)
    place[order] = np.arange(len(wins)) % folds
    return np.asarray(place[code])


def group_codes(groups: Any) -> Rows:
    """Groups as whole numbers."""
    return np.asarray(pd.factorize(np.asarray(groups))[0], dtype=np.int64)


def _enough(y: Floats) -> bool:
    return len(y) > 0 and min(y.sum(), len(y) - y.sum()) >= LEAST_RARE
