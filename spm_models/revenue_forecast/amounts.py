"""What deals are worth when they close: against the amount now, the list price, or what others were worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.revenue_forecast.conversion import usual_mix
from spm_models.revenue_forecast.features import WON, Codes
from spm_models.revenue_forecast.new_amounts import NewAmounts, amount_factors, new_amounts
from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
BY_AMOUNT, BY_LIST_PRICE, BY_OTHERS = 0, 1, 2
_RATIO_LIMITS = (0.1, 10.0)
_LEAST_RATIOS = 20  # fewer tell nothing about change: the amount is taken as it stands
_MOST_DOUBT = 0.5
_RECENT_DAYS, _LEAST_RECENT, _LEAST_TREND = 730, 100, 50
_PRIOR_GROWTH, _LEAST_YEARS = 0.2, 1.0  # within a year a trend cannot be told from a season
_LARGEST_POOL = 5000


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
    ``as_of``). ``rep_factor_`` says how much larger a leaf's deals are than those of all, drawn towards those of its
    segments as far as people are alike.
    """

    def fit(
        self, rows: pd.DataFrame, deals: pd.DataFrame, units: Units, as_of: date, created: pd.DataFrame | None = None
    ) -> AmountAtClose:  # fmt: skip
        """Learn from landmarks and from closed deals (``rep_id, closed_on, event, days, amount``).

        With all deals as :func:`.features.creations` gives them, a leaf's deals are drawn towards the amounts of the
        segments that it sells to.

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
        self.leaf_ = units.leaf(won.rep_id)
        usual = np.ones(len(units)) if created is None else _by_segment(won, self.won_, created, units)
        self.rep_factor_ = amount_factors(self.won_, self.leaf_, usual)
        return self

    def worth(self, rows: pd.DataFrame, leaf: Codes) -> Worth:
        """Base and pool of each open deal: its amount, else its list price, else what the rep's deals are worth."""
        amount, price = rows.amount.to_numpy(dtype=float), rows.list_price.to_numpy(dtype=float)
        pool = np.where(amount > 0, BY_AMOUNT, np.where(price > 0, BY_LIST_PRICE, BY_OTHERS)).astype(np.int64)
        return Worth(np.choose(pool, [amount, price, self.rep_factor_[leaf]]), pool)

    def of_new(self, in_time: Floats, days: float) -> NewAmounts:
        """Amounts of deals not yet created (:mod:`.new_amounts`).

        Parameters
        ----------
        in_time : ndarray, shape (wins,)
            Share of the time left in which a deal may be created that takes as long as each of ``won_days_``.
        days : float
            Amounts are brought to the prices of half these days ahead.
        """
        return new_amounts(self.won_, self.leaf_, self.rep_factor_, in_time, self.growth_ * days / 2 / 365.25)

    def doubt(self, worth: Worth, chance: Floats) -> float:
        """Deviation of the log of what open deals bring: factors of amounts are known from so many wins only."""
        brought = np.bincount(worth.pool, chance * worth.mean(self.pools_), minlength=len(self.pools_))
        if brought.sum() <= 0:
            return 0.0
        each = np.array([pool.std() / pool.mean() / np.sqrt(pool.size) for pool in self.pools_])
        return min(float(np.hypot.reduce(each * brought / brought.sum())), _MOST_DOUBT)


def _by_segment(won: pd.DataFrame, amounts: Floats, created: pd.DataFrame, units: Units) -> Floats:
    """How much larger the deals of each leaf are by the segments that it sells to."""
    known = created[created.segment.notna()]
    segment, names = pd.factorize(known.segment, sort=True)
    of_deal = pd.Series(segment, index=known.opportunity_id)
    code = won.opportunity_id.map(of_deal).fillna(-1).to_numpy(dtype=np.int64)
    if len(names) < 2 or not (code >= 0).any():
        return np.ones(len(units))
    factor = amount_factors(amounts[code >= 0], code[code >= 0], np.ones(len(names)))
    return usual_mix(factor[segment], units.leaf(known.rep_id), len(units))


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
