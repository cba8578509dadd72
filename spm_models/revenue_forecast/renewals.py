"""Renewals and churn: contracts whose renewal is not a deal yet, learned from how contracts fared before.

On past days every running contract without an open renewal is followed: how often, and after how many days, was a
renewal that did not exist yet won? Contracts of the same age (in quarters of a year) are taken together, each age drawn
towards all. Revenue comes from won deals alone: where renewals are not recorded as deals, nothing is expected.

References
----------
van Houwelingen and Putter (2012), Dynamic Prediction in Clinical Survival Analysis: landmarks.
Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21: chances to renew
depend on age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
KIND = "renewal"
_AGES = 21  # quarters of a year; the last stands for all above
_QUARTER = 91.3
_STEP, _LANDMARKS = 45, 16
_AFTER_END = 120  # days after its end in which a contract may still be renewed
_PRIOR_CONTRACTS = 15.0
_LEAST_RENEWALS = 5
_RATIO_LIMITS = (0.1, 10.0)
_NEEDED = ("contract_id", "account_id", "started_on", "ended_on", "annual_value")


@dataclass(frozen=True, eq=False)
class Due:
    """Contracts that may be renewed by deals that do not exist yet.

    ``contracts`` has the columns ``contract_id, leaf, annual_value``; ``chances`` the shape (contracts, slips, spans):
    that such a deal is won within each span of days.
    """

    contracts: pd.DataFrame
    chances: Floats


class Renewals:
    """What renewals of contracts bring.

    Attributes
    ----------
    ratios_ : ndarray
        Sorted amounts of won renewals over the annual value of what was renewed.
    """

    def fit(
        self, contracts: pd.DataFrame, snapshots: pd.DataFrame, outcomes: pd.DataFrame, units: Units, as_of: date,
        since: pd.Timestamp | None = None,
    ) -> Renewals:  # fmt: skip
        """Learn from contracts and deals known at the end of ``as_of``.

        Parameters
        ----------
        contracts : DataFrame
            ``contract_id, account_id, started_on, ended_on, annual_value`` (company currency). Ends that lie after
            ``as_of`` are not looked at: nobody can say when they became known.
        snapshots, outcomes : DataFrame
            As :meth:`RevenueForecaster.fit` takes them; kind and account of deals are read from the snapshots.
        units : Units
        as_of : datetime.date
        since : Timestamp, optional
            Start of the record of closed deals.
        """
        now = pd.Timestamp(as_of)
        self.as_of_ = as_of
        days = {name: pd.to_datetime(contracts[name]).astype("datetime64[s]") for name in ("started_on", "ended_on")}
        known = contracts.reindex(columns=list(_NEEDED)).assign(**days)
        known = known[(known.started_on <= now) & (known.annual_value > 0)].sort_values("contract_id")
        self.contracts_ = known.assign(ended_on=known.ended_on.where(known.ended_on <= now)).reset_index(drop=True)
        deals = snapshots.sort_values(["as_of", "opportunity_id"]).drop_duplicates("opportunity_id", keep="last")
        deals = deals[["opportunity_id", "account_id", "kind", "created_on", "rep_id"]]
        ends = outcomes[["opportunity_id", "closed_on", "won", "amount"]]
        deals = deals.merge(ends, on="opportunity_id", how="left")
        self.deals_ = deals[(deals.kind == KIND) & deals.account_id.notna() & deals.created_on.notna()]
        latest = deals.dropna(subset=["account_id"]).drop_duplicates("account_id", keep="last")
        owner = latest.set_index("account_id").rep_id
        self.leaf_ = units.leaf(self.contracts_.account_id.map(owner.to_dict()).astype("str"))
        accounts = pd.Index(self.contracts_.account_id.unique())  # numbers are compared faster than names
        self.contracts_["account"] = accounts.get_indexer(pd.Index(self.contracts_.account_id))
        self.deals_ = self.deals_.assign(account=accounts.get_indexer(pd.Index(self.deals_.account_id)))
        first = self.deals_.created_on.min() if len(self.deals_) else now
        self.first_ = max(first, since) if since is not None else first
        self.ratios_ = self._ratios()
        return self

    @property
    def matter(self) -> bool:
        """Whether enough renewals were won as deals to expect more of them."""
        return bool(len(self.ratios_) >= _LEAST_RENEWALS)

    def due(self, days: Sequence[float], grid: npt.NDArray[np.int64]) -> Due:
        """Chances of the contracts that have no open renewal.

        Parameters
        ----------
        days : sequence of float
            Days after ``as_of``, ascending.
        grid : ndarray of int64, shape (slips, edges)
            Places in ``days`` of the edges of the spans.
        """
        now = pd.Timestamp(self.as_of_)
        at = self._waiting(now)
        table = self.contracts_[at].assign(leaf=self.leaf_[at])[["contract_id", "leaf", "annual_value"]]
        waiting, wins = np.zeros(_AGES), np.zeros((_AGES, len(days)))
        last = int(max(days))
        for step in range(_LANDMARKS):
            day = now - pd.Timedelta(days=last + step * _STEP)
            if day < self.first_ or last <= 0:
                break
            mine = self._waiting(day)
            age = self._age(mine, day)
            waiting += np.bincount(age, minlength=_AGES)
            accounts = self.contracts_.account[mine]
            share = 1 / accounts.map(accounts.value_counts().to_dict()).to_numpy(dtype=float)
            later = self.deals_[(self.deals_.created_on > day) & self.deals_.won.eq(True)]
            ended = (later.sort_values("closed_on").groupby("account").closed_on.first() - day).dt.days
            offset = accounts.map(ended.to_dict()).astype("float64").fillna(np.inf).to_numpy(dtype=float)
            for place, until in enumerate(days):
                wins[:, place] += np.bincount(age, share * (offset <= until), minlength=_AGES)
        common = wins.sum(axis=0) / max(waiting.sum(), 1.0)
        rate = (wins + _PRIOR_CONTRACTS * common) / (waiting + _PRIOR_CONTRACTS)[:, None]
        by_edge = rate[self._age(at, now)][:, grid]  # (contracts, slips, edges)
        return Due(table.reset_index(drop=True), np.clip(np.diff(by_edge, axis=2), 0.0, 1.0))

    def _waiting(self, day: pd.Timestamp) -> npt.NDArray[np.bool_]:
        """Contracts that run, or ended lately, and whose account has no open renewal on a day."""
        deals = self.deals_
        is_open = (deals.created_on <= day) & (deals.closed_on.isna() | (deals.closed_on > day))
        c = self.contracts_
        running = c.ended_on.isna() | (c.ended_on > day - pd.Timedelta(days=_AFTER_END))
        waits = (c.started_on <= day) & running & ~c.account.isin(deals.account[is_open])
        renewed = deals[deals.won.eq(True) & (deals.closed_on <= day)].groupby("account").closed_on.max()
        last = pd.to_datetime(c.account.map(renewed.to_dict()))
        done = last.notna() & (c.ended_on <= day) & (last > c.ended_on - pd.Timedelta(days=_AFTER_END))
        return np.asarray(waits & ~done, dtype=bool)

    def _age(self, which: npt.NDArray[np.bool_], day: pd.Timestamp) -> npt.NDArray[np.int64]:
        days = (day - self.contracts_.started_on[which]).dt.days.to_numpy(dtype=float)
        return np.asarray(np.minimum(days / _QUARTER, _AGES - 1), dtype=np.int64)

    def _ratios(self) -> Floats:
        """Won amounts over the annual value of the account's contract that began last before."""
        won = self.deals_[self.deals_.won.eq(True) & (self.deals_.amount > 0)].sort_values("closed_on")
        before = self.contracts_[["account_id", "started_on", "annual_value"]].sort_values("started_on")
        if won.empty or before.empty:
            return np.zeros(0)
        both = pd.merge_asof(
            won[["account_id", "closed_on", "amount"]], before, left_on="closed_on", right_on="started_on",
            by="account_id", allow_exact_matches=False,
        ).dropna(subset=["annual_value"])  # fmt: skip
        ratio = both.amount.to_numpy(dtype=float) / both.annual_value.to_numpy(dtype=float)
        return np.sort(np.clip(ratio, *_RATIO_LIMITS))
