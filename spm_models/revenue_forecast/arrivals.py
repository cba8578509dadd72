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

from spm_models.inference.pooling import beta_binomial, gamma_poisson
from spm_models.periods import Period
from spm_models.revenue_forecast.closing import Incidence, incidence, root_hazard
from spm_models.revenue_forecast.features import OPEN, WON
from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.units import UNASSIGNED, Units

Floats = npt.NDArray[np.float64]
HALF_LIFE = 180.0  # days: the pace of half a year ago counts half, which is all the trend that is assumed
_WINDOW = 730
_LATE = 7  # deals of the last days are often entered later; these days tell nothing about the pace
_SEASON_MONTHS = 24
_LEAST_DAYS = 28
_PRIOR_DISPERSION, _PRIOR_CELLS = 1.3, 24.0
_Z80 = 1.2816


class NewBusiness:
    """Arrivals per rep (partially pooled, recent ones count more), their season, and their way to a win."""

    def fit(self, deals: pd.DataFrame, units: Units, as_of: date, since: pd.Timestamp | None = None) -> NewBusiness:
        """Learn from creations (:func:`features.creations`); ``since`` is the start of the record, if it is late."""
        self.as_of_, self.units_ = as_of, units
        waited = None if since is None else (since - deals.created_on).dt.days.clip(lower=0).to_numpy(dtype=float)
        hazard = root_hazard(deals.days.to_numpy(dtype=float), deals.event.to_numpy(), waited)
        self.incidence_: Incidence = incidence(hazard)
        self.season_ = monthly_season(deals.created_on, as_of)
        end = pd.Timestamp(as_of)
        first = pd.Timestamp(deals.created_on.sort_values().iloc[len(deals) // 50]) if len(deals) else end
        if since is not None and (end - since).days >= _LEAST_DAYS:
            first = max(first, since)  # of the deals created before, many are not on record
        late = _LATE if (end - first).days > 90 else 0
        start = max(first, end - pd.Timedelta(days=_WINDOW))
        self.start_, self.end_ = start, end - pd.Timedelta(days=late)
        leaf = units.leaf(deals.rep_id)
        self._pace(deals, leaf)
        self.win_factor_ = _win_factor(deals, leaf, units, start)
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
        arriving = self.rate_ * season.sum()
        fewer = np.divide(
            np.maximum(arriving - waiting, 0.0), arriving, out=np.zeros_like(arriving), where=arriving > 0
        )
        share = float((season * won[0]).sum() / season.sum()) if season.size else 0.0
        in_time = np.minimum(share * self.win_factor_, 1.0)
        return NewWins(arriving * fewer * in_time, self.shape_, self.dispersion_, share)

    def shares(self, spans: Sequence[Period], slip: float) -> Floats:
        """Expected wins of new deals in each span, up to a common factor, when every deal takes ``slip`` days longer.

        Returns
        -------
        ndarray, shape (spans,)
        """
        season, won = self._won(spans, slip)
        return np.asarray((won * season).sum(axis=1))

    def hire(self, period: Period) -> tuple[float, float]:
        """Wins to be expected of somebody hired now, and the shape of the gamma around them."""
        people = (self.rate_ > 0) & self.units_.table.sells.to_numpy()
        if not people.any():
            return 0.0, 1.0
        usual = self.wins(period, np.zeros(len(self.units_))).mean[people]
        return float(usual.mean()), float(max(np.median(self.shape_[people]), 0.5))

    def _won(self, spans: Sequence[Period], slip: float) -> tuple[Floats, Floats]:
        """Season of each day to come, and share of the deals created on it that is won in each span, (spans, days)."""
        left = max((spans[-1].end - self.as_of_).days, 0)
        days = np.arange(1, left + 1)
        months = (pd.Timestamp(self.as_of_) + pd.to_timedelta(days, unit="D")).month.to_numpy(dtype=np.int64)
        season = self.season_[months - 1]
        group = np.zeros(len(days), dtype=np.int64)
        ends = [(spans[0].start - self.as_of_).days - 1, *((span.end - self.as_of_).days for span in spans)]
        by = [
            np.where(end >= days, self.incidence_.won_by(group, np.maximum(end - days + 1 - slip, 0)), 0.0)
            for end in ends
        ]
        return season, np.diff(np.array(by), axis=0)

    def starting(self, period: Period, waiting: float) -> float:
        """Share of the undated open deals on which work will start by the end of the period."""
        left = max((period.end - self.as_of_).days, 0)
        return min(1.0, float(self.rate_.sum()) * left / waiting) if waiting > 0 else 0.0

    def _pace(self, deals: pd.DataFrame, leaf: npt.NDArray[np.int64]) -> None:
        size = len(self.units_)
        seen = ((deals.created_on >= self.start_) & (deals.created_on <= self.end_)).to_numpy()
        age = (pd.Timestamp(self.as_of_) - deals.created_on[seen]).dt.days.to_numpy(dtype=float)
        season = self.season_[deals.created_on[seen].dt.month.to_numpy() - 1]
        weight = 0.5 ** (age / HALF_LIFE) / season
        count = np.bincount(leaf[seen], weight, minlength=size)
        exposure = self._exposure()
        owned = np.bincount(leaf, minlength=size) > 0
        belongs = self.units_.table.sells.to_numpy() | owned
        exposure = np.where(belongs, exposure, 0.0)
        self.dispersion_ = _dispersion(deals[seen], leaf[seen], size)
        self.rate_, self.shape_ = np.zeros(size), np.ones(size)
        people = (exposure > 0) & (self.units_.table.rep_id != "").to_numpy()
        if people.any() and count[people].sum() > 0:
            pooled = gamma_poisson(count[people], exposure[people], dispersion=self.dispersion_, spread=1.0)
            self.rate_[people] = pooled.mean
            self.shape_[people] = _shape(pooled.mean, pooled.low, pooled.high)
        nobody = size - 1
        if exposure[nobody] > 0:
            self.rate_[nobody] = count[nobody] / exposure[nobody]
            self.shape_[nobody] = count[nobody] / self.dispersion_ + 0.5

    def _exposure(self) -> Floats:
        """Weighted days in which each leaf could create deals; a leaver's go on, so that his pace fades."""
        hired = self.units_.table.since
        since = hired.where(hired > self.start_, self.start_).where(~(hired > self.end_), self.end_)
        as_of = pd.Timestamp(self.as_of_)
        oldest, newest = (as_of - since).dt.days.to_numpy(dtype=float), float((as_of - self.end_).days)
        scale = HALF_LIFE / np.log(2)
        days = scale * (0.5 ** (newest / HALF_LIFE) - 0.5 ** ((oldest + 1) / HALF_LIFE))
        return np.asarray(np.maximum(days, 0.0), dtype=float)


def monthly_season(created_on: pd.Series, as_of: date) -> Floats:
    """Factor of each calendar month, mean 1; all 1 where the record has not seen every month twice.

    Logs of monthly counts over their year's mean, averaged, and shrunk by signal to noise.
    """
    months = created_on.dropna().dt.to_period("M")
    last = pd.Timestamp(as_of).to_period("M") - 1
    counts = months[months <= last].value_counts()
    flat = np.ones(12)
    if counts.empty:
        return flat
    years = (last - counts.index.min()).n // 12
    if years * 12 < _SEASON_MONTHS:
        return flat
    index = pd.period_range(last - (years * 12 - 1), last, freq="M")
    table = counts.reindex(index, fill_value=0).to_numpy(dtype=float).reshape(years, 12) + 0.5
    logs = np.log(table / table.mean(axis=1, keepdims=True))
    centre = logs.mean(axis=0)
    noise = float(((logs - centre) ** 2).sum() / (11 * (years - 1))) / years
    signal = max(float(centre.var(ddof=1)) - noise, 0.0)
    factors = np.exp(signal / (signal + noise + 1e-12) * (centre - centre.mean()))
    by_month = np.empty(12)
    by_month[index[:12].month.to_numpy() - 1] = factors / factors.mean()
    return by_month


def _win_factor(deals: pd.DataFrame, leaf: npt.NDArray[np.int64], units: Units, start: pd.Timestamp) -> Floats:
    """Win rate of each leaf over that of all, drawn towards 1."""
    closed = ((deals.event != OPEN) & (deals.created_on >= start)).to_numpy()
    won = closed & (deals.event == WON).to_numpy()
    if not won.any():
        return np.ones(len(units))
    n, k = (np.bincount(leaf[rows], minlength=len(units)) for rows in (closed, won))
    common = (k.sum() + 0.5) / (n.sum() + 1.0)
    pooled = beta_binomial(k, n, np.full(len(units), common), spread=0.5).mean
    factor = np.asarray(pooled / (pooled @ n / n.sum()), dtype=float)
    return np.where((units.table.rep == UNASSIGNED) & (n == 0), 1.0, factor)


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
