"""Business not yet created: how many deals each rep will create, and how many of them will be won in time.

References
----------
Fader, Hardie and Lee (2005) for the gamma-Poisson view of arrivals; Gelman et al. (2013), chapter 5, for pooling.
A gamma mixture of Poisson counts is negative binomial; wins among them are again (thinning).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.inference.pooling import gamma_poisson
from spm_models.periods import Period
from spm_models.revenue_forecast.closing import EDGES, Incidence, incidence, root_hazard
from spm_models.revenue_forecast.conversion import conversion_factors
from spm_models.revenue_forecast.features import OPEN, WON
from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.pace import Pace, learn_pace, month_of
from spm_models.revenue_forecast.quarter_rhythm import Rhythm
from spm_models.revenue_forecast.staff import RAMP_DAYS, at_work, learn_ramp
from spm_models.revenue_forecast.units import UNASSIGNED, Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
HALF_LIFE = 365.0  # days: what a rep did a year ago, at the level of that time, counts half
_WINDOW = 1461
_FEW_WINS = 4.0  # that a conversion known from none is worth: an error by half
_LATE = 7  # deals of the last days are often entered later; these days tell nothing about the pace
_LEAST_DAYS = 28
_PRIOR_DISPERSION, _PRIOR_CELLS = 1.3, 24.0
_Z80 = 1.2816


class NewBusiness:
    """Arrivals per rep (partially pooled, recent ones count more), how their pace moves, and their way to a win."""

    def fit(
        self, deals: pd.DataFrame, units: Units, as_of: date, since: pd.Timestamp | None = None,
        rhythm: Rhythm | None = None,
    ) -> NewBusiness:  # fmt: skip
        """Learn from creations (:func:`features.creations`); ``since`` is the start of the record, if it is late."""
        self.rhythm_ = None if rhythm is None or rhythm.flat else rhythm
        self.as_of_, self.units_ = as_of, units
        waited = _waited(deals)
        hazard = root_hazard(deals.days.to_numpy(dtype=float), deals.event.to_numpy(), waited)
        self.hazard_ = hazard
        self.incidence_: Incidence = incidence(hazard)
        self.won_days_ = deals.days[deals.event == WON].to_numpy(dtype=float)
        end = pd.Timestamp(as_of)
        first = pd.Timestamp(deals.created_on.sort_values().iloc[len(deals) // 50]) if len(deals) else end
        if since is not None and (end - since).days >= _LEAST_DAYS:
            first = max(first, since)  # of the deals created before, many are not on record
        late = _LATE if (end - first).days > 90 else 0
        start = max(first, end - pd.Timedelta(days=_WINDOW))
        self.start_, self.end_ = start, end - pd.Timedelta(days=late)
        leaf = units.leaf(deals.rep_id)
        self._pace(deals, leaf)
        lately = (deals.created_on >= start).to_numpy()
        self.deals_, self.leaf_ = deals[lately], leaf[lately]
        return self

    def wins(self, period: Period, waiting: Floats) -> NewWins:
        """Wins in ``period`` of deals created after ``as_of``.

        Parameters
        ----------
        period : Period
        waiting : ndarray, shape (leaves,)
            Open deals without a creation day. They will get one when work on them starts, so they are part of the
            arrivals and are taken off here.
        """
        season, won = self._won([period], 0.0)
        presence = self._presence(len(season))
        arriving = self.rate_ * (presence @ season)
        fewer = np.divide(
            np.maximum(arriving - waiting, 0.0), arriving, out=np.zeros_like(arriving), where=arriving > 0
        )
        own = presence @ (season * won[0])
        share = float((season * won[0]).sum() / season.sum()) if season.size else 0.0
        limit = np.divide(1.0, share, out=np.ones(1), where=share > 0)[0]
        wins = self.rate_ * own * fewer * np.minimum(self.conversion(period), limit)
        return NewWins(wins, self.shape_, self.dispersion_, share, deviation=self._doubt(period, season * won[0]))

    def shares(self, spans: Sequence[Period], slip: float) -> Floats:
        """Expected wins of new deals in each span, up to a common factor, when every deal takes ``slip`` days longer.

        Returns
        -------
        ndarray, shape (spans,)
        """
        season, won = self._won(spans, slip)
        return np.asarray((won * season).sum(axis=1))

    def in_time(self, period: Period, days: Floats) -> Floats:
        """Share of the deals to be created that would be won in a period if each took so many days."""
        pace = self._won([period], 0.0)[0]
        return in_time(pace, days, max((period.start - self.as_of_).days - 1, 0))

    def conversion(self, period: Period) -> Floats:
        """Wins in a period per deal to be created, of each leaf over those of all (:mod:`.conversion`)."""
        weight = self.in_time(period, self.deals_.days.to_numpy(dtype=float))
        factor = conversion_factors(self.deals_, self.leaf_, len(self.units_), weight)
        nobody = (self.units_.table.rep == UNASSIGNED).to_numpy() & (
            np.bincount(self.leaf_, minlength=len(factor)) == 0
        )
        return np.where(nobody, 1.0, factor)

    def hire(self, period: Period) -> tuple[float, float]:
        """Wins to be expected of somebody hired now, and the shape of the gamma around them."""
        people = (self.rate_ > 0) & self.units_.table.sells.to_numpy()
        if not people.any():
            return 0.0, 1.0
        season, won = self._won([period], 0.0)
        started = self.ramp_[np.minimum(np.arange(len(season)) // RAMP_DAYS, len(self.ramp_) - 1)]
        usual = float(self.rate_[people].mean()) * float(started @ (season * won[0]))
        return usual, float(max(np.median(self.shape_[people]), 0.5))

    def _won(self, spans: Sequence[Period], slip: float) -> tuple[Floats, Floats]:
        """Pace of each day to come; share won in each span of the deals created on it, (spans, days)."""
        left = max((spans[-1].end - self.as_of_).days, 0)
        days = np.arange(1, left + 1)
        season = self.pace_.factors(days - 0.5 + (pd.Timestamp(self.as_of_) - self.end_).days)
        table, group = self.incidence_, np.zeros(len(days), dtype=np.int64)
        if self.rhythm_ is not None and left:
            pace = self.rhythm_.after(self.as_of_, days - 1, EDGES)
            table, group = incidence(np.minimum(self.hazard_ * pace.transpose(0, 2, 1), 0.9)), days - 1
        ends = [(spans[0].start - self.as_of_).days - 1, *((span.end - self.as_of_).days for span in spans)]
        by = [np.where(end >= days, table.won_by(group, np.maximum(end - days + 1 - slip, 0)), 0.0) for end in ends]
        return season, np.diff(np.array(by), axis=0)

    def starting(self, period: Period, waiting: float) -> float:
        """Share of the undated open deals on which work will start by the end of the period."""
        left = max((period.end - self.as_of_).days, 0)
        return min(1.0, float(self.rate_.sum()) * left / waiting) if waiting > 0 else 0.0

    def _pace(self, deals: pd.DataFrame, leaf: npt.NDArray[np.int64]) -> None:
        """Rate of each leaf at the level of today: its deals over what its days at work were worth."""
        size, now = len(self.units_), pd.Timestamp(self.as_of_)
        seen = ((deals.created_on >= self.start_) & (deals.created_on <= self.end_)).to_numpy()
        mine = leaf[seen]
        owned = np.bincount(leaf, minlength=size) > 0
        belongs = self.units_.table.sells.to_numpy() | owned
        day: Ints = np.asarray((deals.created_on[seen] - self.start_).dt.days, dtype=np.int64)
        days = (self.end_ - self.start_).days + 1
        tenure, here = at_work(self.units_.table, self.start_, days, deals[seen], mine)
        here &= belongs[:, None]
        self.dispersion_ = _dispersion(deals[seen], mine, size)
        self.ramp_ = learn_ramp(tenure, here, np.ones(days), mine, day)
        month = month_of(days)
        work = here * self.ramp_[np.minimum(tenure // RAMP_DAYS, len(self.ramp_) - 1)]
        expected = np.asarray(np.bincount(month, np.maximum(work.sum(axis=0), 0.5)), dtype=float)
        counts = np.bincount(month[day], minlength=len(expected)).astype(float)
        self.pace_: Pace = learn_pace(counts, expected, self.end_.date(), self.dispersion_)
        ago = np.arange(days) - days + 1.0
        level = self.pace_.factors(ago - 0.5)
        self.ramp_ = learn_ramp(tenure, here, level, mine, day)  # new colleagues may have come in a good time
        work = here * self.ramp_[np.minimum(tenure // RAMP_DAYS, len(self.ramp_) - 1)]
        worth = 0.5 ** (((now - self.end_).days - ago) / HALF_LIFE)
        count = np.bincount(mine, worth[day], minlength=size)
        exposure = work @ (worth * level)
        self.rate_, self.shape_ = np.zeros(size), np.ones(size)
        gone = self.units_.table.until.notna().to_numpy() & ~here[:, -1]
        people = (exposure > 0) & (self.units_.table.rep_id != "").to_numpy()
        if people.any() and count[people].sum() > 0:
            pooled = gamma_poisson(count[people], exposure[people], dispersion=self.dispersion_, spread=1.0)
            self.rate_[people] = pooled.mean
            self.shape_[people] = _shape(pooled.mean, pooled.low, pooled.high)
        self.rate_[gone] = 0.0
        nobody = size - 1
        if exposure[nobody] > 0:
            self.rate_[nobody] = count[nobody] / exposure[nobody]
            self.shape_[nobody] = count[nobody] / self.dispersion_ + 0.5

    def _doubt(self, period: Period, wins: Floats) -> float:
        """Deviation of the log of all wins: the pace to come, and the way to a win, are known roughly only."""
        late = np.arange(1, len(wins) + 1) - 0.5 + (pd.Timestamp(self.as_of_) - self.end_).days
        spread = float(self.pace_.spread(late) @ wins / wins.sum()) if wins.sum() > 0 else 0.0
        seen = float(self.in_time(period, self.won_days_).sum())
        return float(np.hypot(spread, 1 / np.sqrt(seen + _FEW_WINS)))

    def _presence(self, days: int) -> Floats:
        """How much of the full pace each leaf has on each day to come, (leaves, days)."""
        since = self.units_.table.since
        tenure = (pd.Timestamp(self.as_of_) - since).dt.days.fillna(10_000).to_numpy(dtype=float)[:, None]
        ahead = np.maximum(tenure + np.arange(1, days + 1), 0).astype(np.int64)
        return np.asarray(self.ramp_[np.minimum(ahead // RAMP_DAYS, len(self.ramp_) - 1)])


def in_time(arriving: Floats, days: Floats, before: int = 0) -> Floats:
    """Share of the deals created from now on that would be won in a period if they took so many days.

    Parameters
    ----------
    arriving : ndarray, shape (days to the end of the period,)
        Pace of arrivals, up to a common factor.
    days : ndarray
        Empty ones are never in time.
    before : int
        Days from now to the eve of the period.

    Examples
    --------
    >>> in_time(np.ones(10), np.array([0.0, 1.0, 6.0, 11.0])).tolist()
    [1.0, 1.0, 0.5, 0.0]
    >>> in_time(np.ones(10), np.array([1.0, 6.0]), before=4).tolist()
    [0.6, 0.5]
    """
    until = np.concatenate([[0.0], np.cumsum(arriving)])
    took = np.where(np.isnan(days), np.inf, np.ceil(np.maximum(days, 1.0)) - 1)
    by = [until[np.clip(end - took, 0, len(arriving)).astype(np.int64)] for end in (before, len(arriving))]
    return np.asarray((by[1] - by[0]) / max(until[-1], 1e-300))


def _waited(deals: pd.DataFrame) -> Floats | None:
    """Days from each creation to the first close on record: ends before it are not known of (late entry)."""
    ended = (deals.created_on + pd.to_timedelta(deals.days, unit="D"))[deals.event != OPEN]
    if ended.empty:
        return None
    waited = (ended.min() - deals.created_on).dt.days.clip(lower=0)
    return np.asarray(waited.to_numpy(dtype=float), dtype=float)


def _dispersion(deals: pd.DataFrame, leaf: npt.NDArray[np.int64], size: int) -> float:
    """Variance over mean of monthly counts per leaf (Pearson), with a prior worth 24 months of one rep."""
    if deals.empty:
        return _PRIOR_DISPERSION
    month = deals.created_on.dt.to_period("M")
    place = (month.dt.year * 12 + month.dt.month).to_numpy()
    place = place - place.min()
    width = int(place.max()) + 1
    table = np.bincount(leaf * width + place, minlength=size * width).reshape(size, width)
    table = table[table.sum(axis=1) >= 5][:, 1:-1]  # the first and last month are not whole
    if table.size == 0 or table.shape[1] < 3:
        return _PRIOR_DISPERSION
    whole = table.sum(axis=0) / table.sum() * table.shape[1]
    expected = np.maximum(table.mean(axis=1, keepdims=True) * whole[None, :], 1e-9)
    freedom = max((table.shape[0] - 1) * (table.shape[1] - 1), 1)
    pearson = float(((table - expected) ** 2 / expected).sum()) if table.shape[0] > 1 else float(freedom)
    found = (pearson + _PRIOR_CELLS * _PRIOR_DISPERSION) / (freedom + _PRIOR_CELLS)
    return float(np.clip(found, 1.0, 6.0))


def _shape(mean: Floats, low: Floats, high: Floats) -> Floats:
    deviation = np.maximum((high - low) / (2 * _Z80), 1e-9)
    return np.asarray(np.clip((mean / deviation) ** 2, 0.2, 1e6), dtype=float)
