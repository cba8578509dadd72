"""What deals are worth when they close: against the amount now, the list price, or what others were worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.revenue_forecast.features import WON, Codes
from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
BY_AMOUNT, BY_LIST_PRICE, BY_OTHERS = 0, 1, 2
_RATIO_LIMITS = (0.1, 10.0)
_LEAST_RATIOS = 20  # fewer tell nothing about change: the amount is taken as it stands
_PRIOR_WINS = 15.0  # by so many, amounts of quick wins are drawn towards those of all
_MOST_DOUBT = 0.5
_RECENT_DAYS, _LEAST_RECENT, _LEAST_TREND = 730, 100, 50
_PRIOR_GROWTH, _LEAST_YEARS = 0.2, 1.0  # within a year a trend cannot be told from a season
_LARGEST_POOL = 5000
_PRIOR_DEALS = 20.0


@dataclass(frozen=True, eq=False)
class Worth:
    """For each deal: a base in currency units and the pool of factors from which its amount is drawn."""

    base: Floats
    pool: Codes

    def mean(self, pools: list[Floats]) -> Floats:
        """Expected amount of each deal, if won."""
        return np.asarray(self.base * np.array([pool.mean() for pool in pools])[self.pool], dtype=float)


class AmountAtClose:
    """Empirical amounts: nothing is assumed about their shape, they are drawn from what was seen.

    ``pools_`` holds factors of the amount known in a snapshot, factors of the list price, and whole amounts.
    ``growth_`` is the yearly growth of amounts in logs (prices rise; amounts of the past are brought to those of
    ``as_of``). ``rep_factor_`` says how much larger a leaf's deals are than those of all, drawn towards 1 as by 20.
    """

    def fit(self, rows: pd.DataFrame, deals: pd.DataFrame, units: Units, as_of: date) -> AmountAtClose:
        """Learn from landmarks and from closed deals (``rep_id, closed_on, event, days, amount``).

        Raises
        ------
        NotEnoughDataError
            When no won deal has an amount.
        """
        won = _recent(deals[(deals.event == WON) & (deals.amount > 0)])
        if won.empty:
            raise NotEnoughDataError(
                "No won deal with an amount", where="outcomes", found=f"{int((deals.event == WON).sum())} won deals",
                remedy="A forecast needs at least one; check the amount column and the mapping of won stages.",
            )  # fmt: skip
        years = (pd.Timestamp(as_of) - won.closed_on).dt.days.to_numpy(dtype=float) / 365.25
        self.growth_ = _growth(won.amount.to_numpy(dtype=float), years)
        self.won_ = won.amount.to_numpy(dtype=float) * np.exp(self.growth_ * years)
        self.won_days_ = won.days.to_numpy(dtype=float)
        ended = rows[(rows.event == WON) & (rows.final_amount > 0)]
        self.pools_ = [_ratios(ended, "amount"), _ratios(ended, "list_price"), _pool(self.won_)]
        leaf = units.leaf(won.rep_id)
        n = np.bincount(leaf, minlength=len(units))
        total = np.bincount(leaf, self.won_, minlength=len(units)) / self.won_.mean()
        self.rep_factor_ = (total + _PRIOR_DEALS) / (n + _PRIOR_DEALS)
        return self

    def worth(self, rows: pd.DataFrame, leaf: Codes) -> Worth:
        """Base and pool of each open deal: its amount, else its list price, else what the rep's deals are worth."""
        amount, price = rows.amount.to_numpy(dtype=float), rows.list_price.to_numpy(dtype=float)
        pool = np.where(amount > 0, BY_AMOUNT, np.where(price > 0, BY_LIST_PRICE, BY_OTHERS)).astype(np.int64)
        return Worth(np.choose(pool, [amount, price, self.rep_factor_[leaf]]), pool)

    def of_new(self, in_time: Floats, days: float) -> tuple[Floats, float]:
        """Amounts of deals not yet created, and how far their mean is not known.

        Quick deals are of other amounts than slow ones, and only quick ones are still won in a period. Wins of the
        past count as much as they would have been in time, and a little all the same, as far as those are few.

        Parameters
        ----------
        in_time : ndarray, shape (wins,)
            Share of the time left in which a deal may be created that takes as long as each of ``won_days_``.
        days : float
            Amounts are brought to the prices of half these days ahead.

        Returns
        -------
        (ndarray, float)
            The pool, and the deviation of the log of its mean.
        """
        quick, n = float(in_time.sum()), len(self.won_)
        weight = np.full(n, 1 / n)
        if quick > 0:
            known = quick**2 / float(in_time @ in_time)  # as many wins of equal weight
            weight = (known * in_time / quick + _PRIOR_WINS * weight) / (known + _PRIOR_WINS)
        pool = _weighted_pool(self.won_, weight)
        doubt = float(pool.std() / pool.mean() * np.sqrt(weight @ weight))
        return pool * np.exp(self.growth_ * days / 2 / 365.25), min(doubt, _MOST_DOUBT)

    def doubt(self, worth: Worth, chance: Floats) -> float:
        """Deviation of the log of what open deals bring: factors of amounts are known from so many wins only."""
        brought = np.bincount(worth.pool, chance * worth.mean(self.pools_), minlength=len(self.pools_))
        if brought.sum() <= 0:
            return 0.0
        each = np.array([pool.std() / pool.mean() / np.sqrt(pool.size) for pool in self.pools_])
        return min(float(np.hypot.reduce(each * brought / brought.sum())), _MOST_DOUBT)


def _recent(won: pd.DataFrame) -> pd.DataFrame:
    """The last two years, if they hold enough wins; in the order of ids."""
    late = won[won.closed_on > won.closed_on.max() - pd.Timedelta(days=_RECENT_DAYS)]
    return late if len(late) >= _LEAST_RECENT else won


def _growth(amounts: Floats, years_ago: Floats) -> float:
    """Yearly growth of amounts in logs: least squares, drawn towards 0 (a prior with a deviation of 20 % a year)."""
    x, y = -years_ago + years_ago.mean(), np.log(amounts)
    squares = float(x @ x)
    if len(y) < _LEAST_TREND or np.ptp(years_ago) < _LEAST_YEARS:
        return 0.0
    slope = float(x @ y) / squares
    left = y - y.mean() - slope * x
    variance = float(left @ left) / (len(y) - 2) / squares
    return slope * _PRIOR_GROWTH**2 / (_PRIOR_GROWTH**2 + variance)


def _ratios(rows: pd.DataFrame, column: str) -> Floats:
    known = rows[rows[column] > 0]
    if known.opportunity_id.nunique() < _LEAST_RATIOS:
        return np.ones(1)
    ratio = known.final_amount.to_numpy(dtype=float) / known[column].to_numpy(dtype=float)
    return _pool(np.clip(ratio, *_RATIO_LIMITS))


def _pool(values: Floats) -> Floats:
    """The values in order; of very many, as many quantiles that lie in the middle of equal shares."""
    if values.size <= _LARGEST_POOL:
        return np.sort(values)
    shares = (np.arange(_LARGEST_POOL) + 0.5) / _LARGEST_POOL
    return np.asarray(np.quantile(values, shares), dtype=float)


def _weighted_pool(values: Floats, weight: Floats) -> Floats:
    """Means of equal shares of weighted values, in order; no value makes up more than one of them."""
    order = np.argsort(values, kind="stable")
    until = np.concatenate([[0.0], np.cumsum(weight[order])])
    sums = np.concatenate([[0.0], np.cumsum(weight[order] * values[order])])
    shares = int(min(max(np.floor(1 / weight.max() + 1e-9), 1), _LARGEST_POOL))
    return np.asarray(np.diff(np.interp(np.linspace(0, until[-1], shares + 1), until, sums)) * shares / until[-1])
