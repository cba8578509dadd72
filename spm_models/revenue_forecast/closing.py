"""When deals close: competing risks (won, lost) in discrete time, pooled from coarse groups of deals to fine ones.

References
----------
Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, chapter 8: cause-specific hazards
and cumulative incidence, which sum to one with those still open. Berkson and Gage (1950): the actuarial estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.deal_groups import DealGroups
from spm_models.revenue_forecast.features import (
    LOST,
    MAX_BANDS,
    OPEN,
    PLACES,
    WON,
    Codes,
    age_band,
    age_edges,
    due_band,
    place_in_quarter,
)
from spm_models.revenue_forecast.quarter_rhythm import Rhythm

Floats = npt.NDArray[np.float64]
Pace = tuple[Codes, Floats]

#: Days at which hazards may change: every second day for four weeks, then every week for two years.
EDGES: Floats = np.concatenate([np.arange(0, 28, 2), np.arange(28, 735, 7)]).astype(float)
_BINS = len(EDGES) - 1
#: Closes, and rows in each bin, that a coarser group is worth to a finer one: many rows are snapshots of one deal.
_PRIOR_CLOSES, _PRIOR_ROWS = 40.0, 40.0
_MOST = 0.9  # of the deals at risk may close in a bin, and half as many by either cause
_WIDTH = MAX_BANDS + 1
_QUARTER = 91.0
#: Chi-square per degree of freedom from which the month of the quarter counts. Chance alone gives about 2, because
#: the same deals are in several snapshots.
_MONTH_MATTERS = 4.0


@dataclass(frozen=True, eq=False)
class Incidence:
    """Share of the deals of each group won, and closed at all, by each edge; shape (groups, edges)."""

    won: Floats
    closed: Floats

    def won_by(self, group: Codes, days: npt.ArrayLike) -> Floats:
        """Share won within ``days`` (linear between edges; nothing more after the last)."""
        return _at(self.won, group, days)

    def won_within(self, group: Codes, days: npt.ArrayLike, passed: npt.ArrayLike = 0.0) -> Floats:
        """Share won within ``days`` among deals still open ``passed`` days after the group's first day."""
        before = np.broadcast_to(np.asarray(passed, dtype=float), group.shape)
        won = self.won_by(group, before + np.asarray(days, dtype=float)) - self.won_by(group, before)
        left = 1 - _at(self.closed, group, before)
        return np.asarray(np.divide(won, left, out=np.zeros_like(won), where=left > 0), dtype=float)

    @property
    def win_share(self) -> Floats:
        """Won among those that closed, per group; 0 where nothing ever closes."""
        closed = self.closed[:, -1]
        return np.divide(self.won[:, -1], closed, out=np.zeros_like(closed), where=closed > 0)

    def wins_if_won(self, group: Codes, days: npt.ArrayLike, passed: npt.ArrayLike = 0.0) -> Floats:
        """Factor that turns a deal's win probability (given that it closes) into that of a win within ``days``.

        It is the share won by then over the win share: the chance to close at all, times the part of the wins that
        falls into the time; among deals still open ``passed`` days after the day from which the group counts. A
        group in which nothing closes any more has 0.
        """
        before = np.broadcast_to(np.asarray(passed, dtype=float), group.shape)
        won_before, closed_before = self.won_by(group, before), _at(self.closed, group, before)
        won = self.won_by(group, before + np.asarray(days, dtype=float)) - won_before
        ever, closed = self.won[group, -1] - won_before, self.closed[group, -1] - closed_before
        held = np.divide(won, ever, out=np.zeros_like(won), where=ever > 0)
        closing = np.divide(closed, 1 - closed_before, out=np.zeros_like(won), where=closed_before < 1)
        return np.asarray(np.clip(held * closing, 0.0, 1.0), dtype=float)


class ClosingTime:
    """Time from a snapshot to the close, by stage, kind, age and expected close date as known in the snapshot.

    Groups are nested (:class:`.deal_groups.DealGroups`). A group's hazards are those of the coarser one, times how
    much quicker its deals were won and lost in all (drawn towards 1 as by 40 closes), and in each bin drawn towards
    that as by 40 rows. A deal whose like was never seen is of the finest group that was. The month of the quarter
    counts only where closes depend on it (deals that close by the end of the quarter or not at all); a snapshot
    within a month then counts from the month's first day, for the deals still open.

    Examples
    --------
    >>> rows = pd.DataFrame({"opportunity_id": [f"o{n}" for n in range(200)], "as_of": pd.Timestamp("2025-03-31"),
    ...     "segment": ["small", "large"] * 100, "days": [30.0, 90.0] * 100, "event": WON, "age_days": 0.0,
    ...     "stage_order": 0.0, "days_to_expected_close": np.nan, "amount": [1e3, 9e3] * 100})
    >>> closing = ClosingTime().fit(rows, rows, FiscalCalendar())
    >>> closing.won_by_days(rows.head(2), [45.0])[:, 0].round(1).tolist()
    [0.8, 0.1]
    """

    def fit(
        self, rows: pd.DataFrame, deals: pd.DataFrame, calendar: FiscalCalendar, rhythm: Rhythm | None = None
    ) -> ClosingTime:
        """Learn from landmarks (:func:`features.landmarks`) and creations (for the age bands).

        With a rhythm of the quarter, hazards are those of a week like all others.
        """
        self.edges_, self.calendar_ = age_edges(deals), calendar
        self.by_month_ = self._depends_on_month(rows)
        self.rhythm_ = None if rhythm is None or rhythm.flat or self.by_month_ else rhythm
        self.groups_ = DealGroups().fit(rows, deals, calendar, by_month=self.by_month_)
        ended, event, pace = _bin(rows.days.to_numpy(dtype=float)), rows.event.to_numpy(), self._pace(rows)
        coarser = np.zeros(len(rows), dtype=np.int64)
        found = [_root(ended, event, pace)]
        self.codes_: list[Codes] = []
        for codes in self.groups_.levels(rows):
            unique, first, group = np.unique(codes, return_index=True, return_inverse=True)
            parent = coarser[first]
            pooled = _pooled(ended, event, group, found[-1][parent], pace)
            alone = np.bincount(group) == np.bincount(coarser)[parent]  # the same deals once more tell nothing new
            found.append(np.where(alone[:, None, None], found[-1][parent], pooled))
            self.codes_.append(unique)
            coarser = group
        self.hazard_ = np.concatenate(found)
        self.incidence_ = incidence(self.hazard_)
        return self

    def groups(self, rows: pd.DataFrame) -> Codes:
        """Group of each row of a snapshot: the finest of its groups that was seen in the past."""
        group = np.zeros(len(rows), dtype=np.int64)
        seen, start = np.ones(len(rows), dtype=bool), 1
        for known, codes in zip(self.codes_, self.groups_.levels(rows), strict=True):
            place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
            seen &= known[place] == codes
            group = np.where(seen, start + place, group)
            start += len(known)
        return group

    def wins_if_won(self, rows: pd.DataFrame, days: float) -> Floats:
        """:meth:`wins_by_days` of one number of days."""
        return self.wins_by_days(rows, [days])[:, 0]

    def wins_by_days(self, rows: pd.DataFrame, days: Sequence[float]) -> Floats:
        """Factors from win probability to a win within ``days`` after the snapshot (:meth:`Incidence.wins_if_won`).

        Returns
        -------
        ndarray, shape (rows, days)
            0 for days that are not after the snapshot.
        """
        return self._by_days(rows, days, Incidence.wins_if_won)

    def won_by_days(self, rows: pd.DataFrame, days: Sequence[float]) -> Floats:
        """Share of deals like each that were won within ``days`` after a snapshot, whatever their win probability.

        Returns
        -------
        ndarray, shape (rows, days)
            0 for days that are not after the snapshot.
        """
        return self._by_days(rows, days, Incidence.won_within)

    def _by_days(self, rows: pd.DataFrame, days: Sequence[float], of: Callable[..., Floats]) -> Floats:
        found = np.zeros((len(rows), len(days)))
        groups = self.groups(rows)
        passed = place_in_quarter(rows.as_of, self.calendar_)[1] if self.by_month_ else np.zeros(len(rows))
        for as_of in rows.as_of.unique():
            mine = (rows.as_of == as_of).to_numpy()
            table = self.of_day(as_of)
            for place, day in enumerate(days):
                if day > 0:
                    found[mine, place] = of(table, groups[mine], day, passed[mine])
        return found

    def of_day(self, as_of: date) -> Incidence:
        """Incidence of each group after a day, in the rhythm of the weeks that follow it."""
        if self.rhythm_ is None:
            return self.incidence_
        return incidence(np.minimum(self.hazard_ * self.rhythm_.over(as_of, EDGES).T, _MOST))

    def _pace(self, rows: pd.DataFrame) -> Pace | None:
        """Kind of day of each row's snapshot, and the rhythm over the bins after each kind, (kinds, bins, 2).

        Days about as far from the end of their quarter are of one kind: most snapshots are of month ends.
        """
        if self.rhythm_ is None:
            return None
        code, days = pd.factorize(rows.as_of)
        over = np.stack([self.rhythm_.over(day, EDGES).T for day in days])
        left = [(self.calendar_.quarter(following := pd.Timestamp(day).date() + timedelta(days=1)).end - following).days
                for day in days]  # fmt: skip
        _, kind = np.unique(np.rint(np.array(left) / 10), return_inverse=True)
        mean = np.stack([over[kind == place].mean(axis=0) for place in range(int(kind.max()) + 1)])
        return np.asarray(kind[code], dtype=np.int64), mean

    def _depends_on_month(self, rows: pd.DataFrame) -> bool:
        """Whether closes within a quarter's length differ by month of the quarter, at the same age and due date."""
        known = rows[(rows.event != OPEN) | (rows.days >= _QUARTER)]
        if known.as_of.nunique() < 2 * PLACES:
            return False
        place = place_in_quarter(known.as_of, self.calendar_)[0]
        cell = (due_band(known) * _WIDTH + age_band(known, self.edges_)) * PLACES + place
        soon = ((known.event != OPEN) & (known.days <= _QUARTER)).to_numpy()
        n, k = (np.bincount(cell, kind, minlength=PLACES * _WIDTH**2).reshape(-1, PLACES) for kind in (None, soon))
        rate = np.divide(k.sum(axis=1), n.sum(axis=1), out=np.zeros(len(n)), where=n.sum(axis=1) > 0)[:, None]
        expected, variance = n * rate, n * rate * (1 - rate)
        counts = variance >= 1.0
        freedom = int(counts.sum() - counts.any(axis=1).sum())
        if freedom < 1:
            return False
        return float(((k - expected)[counts] ** 2 / variance[counts]).sum()) / freedom > _MONTH_MATTERS


def root_hazard(days: Floats, event: Codes, entry: Floats | None = None) -> Floats:
    """Hazards of all deals together, shape (1, bins, 2): won, lost.

    ``entry`` holds the days after which each deal is on record (late entry). The mean hazard counts as one more deal
    in every bin, so that bins that nobody reached have it.
    """
    ended, risk = _counts(days, event, np.zeros(len(days), dtype=np.int64), 1)
    if entry is not None:
        late = np.bincount(np.minimum(_bin(entry), _BINS - 1), entry > 0, minlength=_BINS)
        risk = np.maximum(risk - (late.sum() - late.cumsum()), 0.0)
    mean = ended.sum(axis=1, keepdims=True) / max(float(risk.sum()), 1.0)
    return np.asarray((ended + mean) / (risk[..., None] + 1.0), dtype=float)


def incidence(hazard: Floats) -> Incidence:
    """Cumulative incidence from hazards of shape (groups, bins, 2)."""
    staying = np.cumprod(1 - np.minimum(hazard.sum(axis=2), 1.0), axis=1)
    before = np.concatenate([np.ones((len(hazard), 1)), staying[:, :-1]], axis=1)
    won = np.concatenate([np.zeros((len(hazard), 1)), np.cumsum(before * hazard[..., 0], axis=1)], axis=1)
    closed = np.concatenate([np.zeros((len(hazard), 1)), 1 - staying], axis=1)
    return Incidence(won, closed)


def _root(ended_in: Codes, event: Codes, pace: Pace | None) -> Floats:
    """Hazards of all deals together, drawn towards their own mean as by one more deal; (1, bins, 2)."""
    ended, exposure = _ended_and_exposed(ended_in, event, np.zeros(len(event), dtype=np.int64), 1, pace)
    mean = ended.sum(axis=1, keepdims=True) / np.maximum(exposure.sum(axis=1, keepdims=True), 1.0)
    return np.asarray((ended + mean) / (exposure + 1.0), dtype=float)


def _pooled(ended_in: Codes, event: Codes, groups: Codes, coarser: Floats, pace: Pace | None) -> Floats:
    """Hazards of groups drawn towards the coarser ones' times the groups' own pace; both (groups, bins, 2)."""
    ended, exposure = _ended_and_exposed(ended_in, event, groups, len(coarser), pace)
    expected = (exposure * coarser).sum(axis=1, keepdims=True)
    quicker = (ended.sum(axis=1, keepdims=True) + _PRIOR_CLOSES) / (expected + _PRIOR_CLOSES)
    prior = np.minimum(coarser * quicker, _MOST / 2)
    return np.asarray((ended + _PRIOR_ROWS * prior) / (exposure + _PRIOR_ROWS), dtype=float)


def _ended_and_exposed(
    ended_in: Codes, event: Codes, groups: Codes, size: int, pace: Pace | None
) -> tuple[Floats, Floats]:  # fmt: skip
    """Ends and rows at risk per group, bin and cause."""
    ended, risk = _counts_of(ended_in, event, groups, size)
    exposure = (
        np.repeat(risk[..., None], 2, axis=2) if pace is None else _exposure(ended_in, event, groups, size, *pace)
    )
    return ended, exposure


def _exposure(ended_in: Codes, event: Codes, groups: Codes, size: int, day: Codes, over: Floats) -> Floats:
    """Rows at risk per group, bin and cause, each as much as the rhythm of the quarter says; (size, bins, 2)."""
    exposure = np.zeros((size, _BINS, 2))
    for place in range(len(over)):
        mine = day == place
        risk = _counts_of(ended_in[mine], event[mine], groups[mine], size)[1]
        exposure += risk[..., None] * over[place]
    return exposure


def _counts(days: Floats, event: Codes, groups: Codes, size: int) -> tuple[Floats, Floats]:
    return _counts_of(_bin(days), event, groups, size)


def _counts_of(ended_in: Codes, event: Codes, groups: Codes, size: int) -> tuple[Floats, Floats]:
    """Ends per group, bin and cause; and rows at risk per group and bin (those censored in a bin count half)."""
    cell = groups * _BINS + np.minimum(ended_in, _BINS - 1)
    beyond = ended_in >= _BINS
    causes = [np.bincount(cell[(event == cause) & ~beyond], minlength=size * _BINS) for cause in (WON, LOST)]
    every = np.bincount(cell, minlength=size * _BINS).reshape(size, _BINS)
    ended = np.stack(causes, axis=1).reshape(size, _BINS, 2).astype(float)
    entered = every[:, ::-1].cumsum(axis=1)[:, ::-1]
    return ended, entered - 0.5 * (every - ended.sum(axis=2))


def _bin(days: Floats) -> Codes:
    """Bin of each number of days; one more than there are for days beyond the last."""
    place = np.searchsorted(EDGES, np.maximum(days, 0.5), side="left") - 1
    return np.clip(place, 0, _BINS).astype(np.int64)


def _at(table: Floats, group: Codes, days: npt.ArrayLike) -> Floats:
    when = np.clip(np.broadcast_to(np.asarray(days, dtype=float), group.shape), 0.0, EDGES[-1])
    place = np.clip(np.searchsorted(EDGES, when, side="right") - 1, 0, _BINS - 1)
    part = (when - EDGES[place]) / (EDGES[place + 1] - EDGES[place])
    return np.asarray(table[group, place] * (1 - part) + table[group, place + 1] * part, dtype=float)
