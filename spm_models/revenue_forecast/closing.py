"""When deals close: competing risks (won, lost) in discrete time, pooled from coarse groups of deals to fine ones.

References
----------
Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, chapter 8: cause-specific hazards
and cumulative incidence, which sum to one with those still open. Berkson and Gage (1950): the actuarial estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.revenue_forecast.features import (
    LOST,
    MAX_BANDS,
    WON,
    Codes,
    age_band,
    age_edges,
    due_band,
    stage_band,
)

Floats = npt.NDArray[np.float64]

#: Days at which hazards may change: every second day for four weeks, then every week for two years.
EDGES: Floats = np.concatenate([np.arange(0, 28, 2), np.arange(28, 735, 7)]).astype(float)
_BINS = len(EDGES) - 1
#: Rows of the coarser group that a finer one is worth: many rows are snapshots of the same deals.
_PRIOR_ROWS = 60.0
_WIDTH = MAX_BANDS + 1


@dataclass(frozen=True, eq=False)
class Incidence:
    """Share of the deals of each group won, and closed at all, by each edge; shape (groups, edges)."""

    won: Floats
    closed: Floats

    def won_by(self, group: Codes, days: npt.ArrayLike) -> Floats:
        """Share won within ``days`` (linear between edges; nothing more after the last)."""
        return _at(self.won, group, days)

    @property
    def win_share(self) -> Floats:
        """Won among those that closed, per group; 0 where nothing ever closes."""
        closed = self.closed[:, -1]
        return np.divide(self.won[:, -1], closed, out=np.zeros_like(closed), where=closed > 0)

    def wins_if_won(self, group: Codes, days: npt.ArrayLike) -> Floats:
        """Factor that turns a deal's win probability (given that it closes) into that of a win within ``days``.

        It is the share won by then over the win share: the chance to close at all, times the part of the wins that
        falls into the time. A group in which nothing closes any more has 0.
        """
        share = self.win_share[group]
        won = self.won_by(group, days)
        return np.clip(np.divide(won, share, out=np.zeros_like(won), where=share > 0), 0.0, 1.0)


class ClosingTime:
    """Time from a snapshot to the close, by expected close date, stage and age as known in the snapshot.

    Groups are nested (all, then due date, then stage, then age); the hazard of a group is drawn towards that of the
    coarser group by as much as 60 rows weigh. Unknown values are a band of their own.
    """

    def fit(self, rows: pd.DataFrame, deals: pd.DataFrame) -> ClosingTime:
        """Learn from landmarks (:func:`features.landmarks`) and creations (for the age bands)."""
        self.edges_ = age_edges(deals)
        days, event = rows.days.to_numpy(dtype=float), rows.event.to_numpy()
        hazard = root_hazard(days, event)
        for level, groups in enumerate(self._levels(rows), start=1):
            size = _WIDTH**level
            hazard = _pooled(days, event, groups, hazard[np.arange(size) // _WIDTH])
        self.incidence_ = incidence(hazard)
        return self

    def groups(self, rows: pd.DataFrame) -> Codes:
        """Group of each row of a snapshot."""
        return self._levels(rows)[-1]

    def _levels(self, rows: pd.DataFrame) -> list[Codes]:
        due = due_band(rows)
        stage = due * _WIDTH + stage_band(rows)
        return [due, stage, stage * _WIDTH + age_band(rows, self.edges_)]


def root_hazard(days: Floats, event: Codes) -> Floats:
    """Hazards of all deals together, shape (1, bins, 2): won, lost.

    The mean hazard counts as one more deal in every bin, so that bins that nobody reached have it.
    """
    ended, risk = _counts(days, event, np.zeros(len(days), dtype=np.int64), 1)
    mean = ended.sum(axis=1, keepdims=True) / max(float(risk.sum()), 1.0)
    return np.asarray((ended + mean) / (risk[..., None] + 1.0), dtype=float)


def incidence(hazard: Floats) -> Incidence:
    """Cumulative incidence from hazards of shape (groups, bins, 2)."""
    staying = np.cumprod(1 - np.minimum(hazard.sum(axis=2), 1.0), axis=1)
    before = np.concatenate([np.ones((len(hazard), 1)), staying[:, :-1]], axis=1)
    won = np.concatenate([np.zeros((len(hazard), 1)), np.cumsum(before * hazard[..., 0], axis=1)], axis=1)
    closed = np.concatenate([np.zeros((len(hazard), 1)), 1 - staying], axis=1)
    return Incidence(won, closed)


def _pooled(days: Floats, event: Codes, groups: Codes, coarser: Floats) -> Floats:
    ended, risk = _counts(days, event, groups, len(coarser))
    return np.asarray((ended + _PRIOR_ROWS * coarser) / (risk[..., None] + _PRIOR_ROWS), dtype=float)


def _counts(days: Floats, event: Codes, groups: Codes, size: int) -> tuple[Floats, Floats]:
    """Ends per group, bin and cause; and rows at risk per group and bin (those censored in a bin count half)."""
    place = np.clip(np.searchsorted(EDGES, np.maximum(days, 0.5), side="left") - 1, 0, _BINS - 1)
    cell = groups * _BINS + place
    beyond = days > EDGES[-1]
    causes = [np.bincount(cell[(event == cause) & ~beyond], minlength=size * _BINS) for cause in (WON, LOST)]
    every = np.bincount(cell, minlength=size * _BINS).reshape(size, _BINS)
    ended = np.stack(causes, axis=1).reshape(size, _BINS, 2).astype(float)
    entered = every[:, ::-1].cumsum(axis=1)[:, ::-1]
    return ended, entered - 0.5 * (every - ended.sum(axis=2))


def _at(table: Floats, group: Codes, days: npt.ArrayLike) -> Floats:
    when = np.clip(np.broadcast_to(np.asarray(days, dtype=float), group.shape), 0.0, EDGES[-1])
    place = np.clip(np.searchsorted(EDGES, when, side="right") - 1, 0, _BINS - 1)
    part = (when - EDGES[place]) / (EDGES[place + 1] - EDGES[place])
    return np.asarray(table[group, place] * (1 - part) + table[group, place + 1] * part, dtype=float)
