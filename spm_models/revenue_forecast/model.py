"""The revenue forecaster: closed deals, open deals, and deals not yet created, in one simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.amounts import BY_OTHERS, AmountAtClose
from spm_models.revenue_forecast.arrivals import NewBusiness
from spm_models.revenue_forecast.closing import ClosingTime
from spm_models.revenue_forecast.deal_timing import won_by_days
from spm_models.revenue_forecast.features import LOST, WON, creations, landmarks, record_start
from spm_models.revenue_forecast.inputs import SLIPS, ForecastInputs
from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.quarter_rhythm import learn_rhythm
from spm_models.revenue_forecast.renewals import Renewals
from spm_models.revenue_forecast.result import RevenueForecast
from spm_models.revenue_forecast.shocks import learn_shocks
from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
_FEW_WINS = 30
_USED = (
    "as_of", "opportunity_id", "rep_id", "account_id", "kind", "created_on", "expected_close_on", "amount",
    "list_price", "age_days", "stage_order", "days_to_expected_close", "slip_days", "segment", "family",
)  # fmt: skip
_KEPT = {*_USED, "closed_on", "won", "days", "event"}
_DAYS = ("as_of", "created_on", "expected_close_on", "closed_on")


class RevenueForecaster:
    """Forecast of a quarter or month, for every level of the organisation.

    Parameters
    ----------
    seed : int
        Same data and seed, same draws.
    draws : int
        Size of the simulation.

    Notes
    -----
    *Open deals* are won in the period with the mean of two or three chances: their win probability times the chance
    that they close at all and, if won, in time; the share of deals like them that was won in such a time; and what
    their own timing says, where they have it. Time to close is learned from past snapshots with competing risks
    (:mod:`.closing`). Their amount
    is the amount now (or the list price) times a factor seen before, or what others were worth (:mod:`.amounts`).
    *Deals not yet created* arrive per rep (:mod:`.arrivals`). *Good and bad quarters* move all of them together
    (:mod:`.shocks`).

    Examples
    --------
    >>> days = pd.date_range("2025-01-01", periods=180, freq="2D")
    >>> deals = pd.DataFrame({"opportunity_id": [f"o{n:03}" for n in range(180)], "rep_id": "r1", "created_on": days})
    >>> closed = deals[:150].assign(closed_on=days[:150] + pd.Timedelta(days=40), won=True, amount=1000.0)
    >>> now = deals[150:].assign(as_of=pd.Timestamp("2025-12-31"), age_days=30.0, amount=1000.0)
    >>> people = pd.DataFrame({"rep_id": ["r1"], "team": ["north"]})
    >>> forecaster = RevenueForecaster(seed=1, draws=500).fit(now, closed, people)
    >>> forecast = forecaster.predict(now, FiscalCalendar().quarter(date(2026, 1, 1)))
    >>> [float(part) for part in forecast.summary()["mean"].round(-4)]
    [0.0, 30000.0, 0.0, 0.0, 20000.0, 50000.0]
    """

    def __init__(self, seed: int = 0, draws: int = 2000) -> None:
        if draws < 1:
            raise ModelError("A forecaster cannot be made so", found=draws, remedy="Give one draw or more.")
        self.seed, self.draws = seed, draws

    def fit(
        self,
        snapshots: pd.DataFrame,
        outcomes: pd.DataFrame,
        organisation: pd.DataFrame,
        *,
        as_of: date | None = None,
        calendar: FiscalCalendar | None = None,
        contracts: pd.DataFrame | None = None,
    ) -> RevenueForecaster:
        """Learn from everything known at the end of ``as_of``.

        Parameters
        ----------
        snapshots : DataFrame
            Pipelines of past days, stacked (``snapshots.pipelines``), that of ``as_of`` among them; best month ends
            and last days of quarters (:func:`~spm_models.revenue_forecast.past_knowledge.snapshot_days`).
        outcomes : DataFrame
            Deals closed by ``as_of`` (``snapshots.outcomes``).
        organisation : DataFrame
            Who belonged where on ``as_of`` (``crm.organisation``).
        as_of : datetime.date, optional
            The latest day in ``snapshots`` without it.
        calendar : FiscalCalendar, optional
            Calendar quarters without it.
        contracts : DataFrame, optional
            ``contract_id, account_id, started_on, ended_on, annual_value``: renewals are a part of their own then
            (:mod:`.renewals`), and are not expected among deals not yet created.

        Raises
        ------
        NotEnoughDataError
            When nothing has been won yet, or nothing with an amount: neither amounts nor times are known then.
        """
        snapshots, outcomes = _complete(snapshots), _complete(outcomes)
        self.as_of_ = _day(as_of, snapshots)
        self.calendar_ = calendar or FiscalCalendar()
        snapshots = snapshots[snapshots.as_of <= pd.Timestamp(self.as_of_)]
        self.outcomes_ = outcomes[outcomes.closed_on <= pd.Timestamp(self.as_of_)].sort_values("opportunity_id")
        self.units_ = Units.of(organisation, self.as_of_)
        deals = creations(snapshots, self.outcomes_, self.as_of_)
        self.since_ = record_start(deals)
        rows = landmarks(snapshots, self.outcomes_, self.as_of_, self.since_)
        self._require_wins()
        self.seen_ = set(deals.opportunity_id)
        rhythm = learn_rhythm(deals, self.calendar_, self.as_of_, self.since_)
        self.closing_ = ClosingTime().fit(rows if len(rows) else _from_creation(deals), deals, self.calendar_, rhythm)
        self.amounts_ = AmountAtClose().fit(rows, _closed_deals(self.outcomes_), self.units_, self.as_of_, deals)
        self.renewals_, others = self._renewals(contracts, snapshots, deals)
        self.new_ = NewBusiness().fit(others, self.units_, self.as_of_, self.since_, rhythm)
        self.shocks_ = learn_shocks(rows, others, self.closing_, self.new_.incidence_, self.calendar_, self.as_of_)
        self.wins_, self.rate_ = int(self.outcomes_.won.sum()), float(self.outcomes_.won.mean())
        return self

    def predict(
        self, pipeline: pd.DataFrame, period: Period, *, deal_scores: pd.DataFrame | None = None,
        deal_timing: pd.DataFrame | None = None,
    ) -> RevenueForecast:  # fmt: skip
        """Simulate a period.

        Parameters
        ----------
        pipeline : DataFrame
            Deals open at the end of ``as_of`` (``snapshots.pipeline``); may be empty.
        period : Period
            Running or coming, of any kind.
        deal_scores : DataFrame, optional
            ``opportunity_id, win_probability`` (``DealScores.table``). Deals without a score, and all deals without
            this table, have the share of all closed deals that was won.
        deal_timing : DataFrame, optional
            ``opportunity_id, day, won_by`` (``DealScores.timing.table``) of the same scores: the chance of each deal
            to be won by some days. Without it, and for deals and periods of which it tells nothing, scores and deals
            like them say the chance alone.

        Raises
        ------
        ModelError
            Before :meth:`fit`, or for a pipeline of another day.
        """
        deals = self._open(pipeline, deal_scores)
        inputs = self._inputs(deals, period, deal_timing)
        notes = self._notes(deals, inputs.deals["pool"].to_numpy(), deal_scores)
        return replace(inputs.draw(), notes=notes, slipping_out=self._slipping_out(inputs))

    def _inputs(self, deals: pd.DataFrame, period: Period, timing: pd.DataFrame | None) -> ForecastInputs:
        months = tuple(self.calendar_.periods("month", period.start, period.end)) if period.kind == "quarter" else ()
        spans = months or (period,)
        leaf = self.units_.leaf(deals.rep_id)
        waiting = deals.created_on.isna().to_numpy() & self._undated_are_new()
        undated = np.bincount(leaf[waiting], minlength=len(self.units_)).astype(float)
        new = self.new_.wins(period, undated)
        shares = np.stack([self.new_.shares(spans, slip) for slip in SLIPS])
        total = shares[SLIPS.index(0)].sum()
        shares = shares / total if total > 0 else shares
        worth = self.amounts_.worth(deals, leaf)
        worth_new = self.amounts_.of_new(
            self.new_.in_time(period, self.amounts_.won_days_), float(period.remaining_days(self.as_of_))
        )
        chances = self._chances(deals, spans, timing)
        if undated.sum() > 0:
            chances[waiting] = self._starting(period, new, undated, deals)[waiting, None, None] * shares
        doubt = self.amounts_.doubt(worth, chances[:, SLIPS.index(0)].sum(axis=1))
        shocks = self.shocks_.with_doubt(new.deviation, doubt, worth_new.deviation)
        ever = deals.win_probability.fillna(self.rate_).to_numpy(dtype=float)
        table = pd.DataFrame(
            {"opportunity_id": deals.opportunity_id, "rep_id": deals.rep_id, "leaf": leaf,
             "part": pd.Series(np.where(self._slipped(deals, period), "slipped", "open"), dtype="str"),
             "chance": chances[:, SLIPS.index(0)].sum(axis=1), "win_probability": ever, "base": worth.base,
             "pool": worth.pool, "worth": worth.mean(self.amounts_.pools_),
             "expected_close_on": deals.expected_close_on}
        )  # fmt: skip
        pools, due = list(self.amounts_.pools_), self._due(spans)
        if due is not None and self.renewals_ is not None:
            table, chances = pd.concat([table, due[0]], ignore_index=True), np.concatenate([chances, due[1]])
            pools.append(self.renewals_.ratios_)
        leaves = pd.DataFrame(
            {"rep_id": self.units_.table.rep_id, "mean": new.mean, "shape": new.shape,
             "factor": worth_new.factor}
        )  # fmt: skip
        hire = self.new_.hire(period)
        return ForecastInputs(
            self.as_of_, period, self.units_, self._closed(period), months, table, chances, leaves, shares, *hire,
            pools, worth_new.pool, shocks,
            new.dispersion, new.share_in_time, self.draws, self.seed,
            np.stack([self._closed(month) for month in months]) if months else None,
        )  # fmt: skip

    def _renewals(
        self, contracts: pd.DataFrame | None, snapshots: pd.DataFrame, deals: pd.DataFrame
    ) -> tuple[Renewals | None, pd.DataFrame]:
        """What is known of renewals, and the deals that are none of them."""
        if contracts is None or contracts.empty:
            return None, deals
        found = Renewals().fit(contracts, snapshots, self.outcomes_, self.units_, self.as_of_, self.since_)
        if not found.matter:
            return None, deals
        return found, deals[~deals.opportunity_id.isin(found.deals_.opportunity_id)].reset_index(drop=True)

    def _due(self, spans: Sequence[Period]) -> tuple[pd.DataFrame, Floats] | None:
        """Contracts to be renewed, as rows beside open deals, and their chances: (contracts, slips, spans)."""
        if self.renewals_ is None:
            return None
        days, grid = _edges(spans, self.as_of_)
        found = self.renewals_.due(days, grid)
        chance = found.chances[:, SLIPS.index(0)].sum(axis=1)
        contracts = found.contracts
        return pd.DataFrame(
            {"opportunity_id": contracts.contract_id, "rep_id": self.units_.table.rep_id.to_numpy()[contracts.leaf],
             "leaf": contracts.leaf, "part": pd.Series("renewals", index=contracts.index, dtype="str"),
             "chance": chance, "win_probability": chance, "base": contracts.annual_value,
             "pool": len(self.amounts_.pools_), "worth": contracts.annual_value * self.renewals_.ratios_.mean(),
             "expected_close_on": pd.Series(pd.NaT, index=contracts.index, dtype="datetime64[s]")}
        ), found.chances  # fmt: skip

    def _require_wins(self) -> None:
        won = self.outcomes_[self.outcomes_.won]
        if won.empty:
            raise NotEnoughDataError(
                "Nothing has been won yet", where="outcomes", found=f"{len(self.outcomes_)} closed deals",
                remedy="A forecast learns from won deals; see which stages spm.toml [stages] maps to won.",
            )  # fmt: skip
        if not (won.amount > 0).any():
            raise NotEnoughDataError(
                "No won deal has an amount", where="outcomes", found=f"{len(won)} won deals",
                remedy="A forecast learns from their amounts; see [tables.opportunities.columns] amount in spm.toml.",
            )  # fmt: skip

    def _open(self, pipeline: pd.DataFrame, deal_scores: pd.DataFrame | None) -> pd.DataFrame:
        if not hasattr(self, "shocks_"):
            raise ModelError(
                "The forecaster was not fitted", where="RevenueForecaster.predict", remedy="Call fit first."
            )
        deals = _complete(pipeline).sort_values("opportunity_id", ignore_index=True)
        other = deals.as_of != pd.Timestamp(self.as_of_)
        unseen = deals.created_on.notna() & ~deals.opportunity_id.isin(self.seen_)
        if other.any() or unseen.any():
            raise ModelError(
                "This pipeline is not the one that was learned from", where="RevenueForecaster.predict",
                found=str(deals.as_of[other].iloc[0].date()) if other.any() else f"{int(unseen.sum())} unknown deals",
                remedy=f"Fit with snapshots that include the day of the pipeline; fitted as of {self.as_of_}.",
            )  # fmt: skip
        if deal_scores is None:
            return deals.assign(win_probability=np.nan)
        scores = deal_scores.drop_duplicates("opportunity_id").set_index("opportunity_id").win_probability
        return deals.assign(win_probability=deals.opportunity_id.map(scores).astype("float64"))

    def _chances(self, deals: pd.DataFrame, spans: Sequence[Period], timing: pd.DataFrame | None) -> Floats:
        """Probability of each open deal to be won within each span of days, by days of slip: (deals, slips, spans).

        The mean of what its score, deals like it, and its own timing say.
        """
        p = deals.win_probability.fillna(self.rate_).to_numpy(dtype=float)[:, None]
        days, grid = _edges(spans, self.as_of_)
        won_by = (p * self.closing_.wins_by_days(deals, days) + self.closing_.won_by_days(deals, days)) / 2
        if timing is not None:
            told = won_by_days(timing, deals.opportunity_id, self.as_of_, days)
            silent = np.asarray(np.isnan(told[:, grid[SLIPS.index(0)]]).any(axis=1), dtype=bool)
            told = np.maximum.accumulate(np.nan_to_num(told, nan=0.0), axis=1)  # later than told: no more
            won_by = np.where(silent[:, None], won_by, (told + 2 * won_by) / 3)
        by_slip = won_by[:, grid]
        return np.asarray(np.clip(np.diff(by_slip, axis=2), 0.0, 1.0))

    def _starting(self, period: Period, new: NewWins, undated: Floats, deals: pd.DataFrame) -> Floats:
        """Probability of undated deals to be won in the period: work on them has to start first."""
        share = float(self.new_.incidence_.win_share[0])
        waiting = float(undated.sum())
        factor = self.new_.starting(period, waiting) * min(new.share_in_time / share, 1.0) if share > 0 else 0.0
        p = deals.win_probability.fillna(self.rate_).to_numpy(dtype=float)
        return np.asarray(np.clip(p * factor, 0.0, 1.0))

    def _slipped(self, deals: pd.DataFrame, period: Period) -> npt.NDArray[np.bool_]:
        """Deals whose expected close date has passed, or was pushed over the start of the period they are due in."""
        due, slip = deals.expected_close_on, deals.slip_days.fillna(0.0)
        running = min(period.start, self.calendar_.quarter(self.as_of_ + timedelta(days=1)).start)
        start = pd.Series(
            np.where(due >= pd.Timestamp(period.start), np.datetime64(period.start), np.datetime64(running))
        )
        first = due - pd.to_timedelta(slip, unit="D")
        return np.asarray((due <= pd.Timestamp(self.as_of_)) | ((slip > 0) & (first < start.to_numpy())), dtype=bool)

    def _slipping_out(self, inputs: ForecastInputs) -> npt.NDArray[np.int64]:
        """Expected amount, by leaf, of deals due in the period that will be won only after it."""
        deals = inputs.deals
        due = deals.expected_close_on.between(pd.Timestamp(inputs.period.start), pd.Timestamp(inputs.period.end))
        later = np.maximum(deals.win_probability - deals.chance, 0.0) * deals.worth * due * 100
        sums = np.bincount(deals.leaf, later.to_numpy(dtype=float), minlength=len(self.units_))
        return np.rint(sums).astype(np.int64)

    def _undated_are_new(self) -> bool:
        """Whether open deals without a creation day get one when work starts: closed deals nearly all have one."""
        return bool(self.outcomes_.created_on.isna().mean() < 0.05)

    def _closed(self, period: Period) -> npt.NDArray[np.int64]:
        won = self.outcomes_[self.outcomes_.won & (self.outcomes_.closed_on >= pd.Timestamp(period.start))]
        won = won[won.closed_on <= pd.Timestamp(period.end)]
        cents = np.rint(won.amount.fillna(0.0).to_numpy(dtype=float) * 100)
        return np.bincount(self.units_.leaf(won.rep_id), cents, minlength=len(self.units_)).astype(np.int64)

    def _notes(self, deals: pd.DataFrame, pool: npt.NDArray[np.int64], scores: pd.DataFrame | None) -> tuple[str, ...]:
        facts = {
            f"Learned from {self.wins_} won deals only: the range is rough.": self.wins_ < _FEW_WINS,
            "No deal scores were given: every open deal has the common win rate.": scores is None and len(deals) > 0,
        }
        unscored, unpriced = int(deals.win_probability.isna().sum()), int((pool == BY_OTHERS).sum())
        undated = int(deals.created_on.isna().sum())
        facts[f"{unscored} open deals have no score and take the common win rate."] = (
            scores is not None and unscored > 0
        )
        facts[f"{unpriced} open deals have neither amount nor list price; they are drawn from won deals."] = (
            unpriced > 0
        )
        facts[f"{undated} open deals have no creation day and are counted as business about to start."] = undated > 0
        missing = int((self.outcomes_.won & self.outcomes_.amount.isna()).sum())
        facts[f"{missing} won deals have no amount and count as 0."] = missing > 0
        return tuple(note for note, holds in facts.items() if holds)


def _edges(spans: Sequence[Period], as_of: date) -> tuple[list[float], npt.NDArray[np.int64]]:
    """Days after ``as_of`` at which spans begin and end, ascending; their places, (slips, spans + 1)."""
    ends = np.array([(spans[0].start - as_of).days - 1, *((span.end - as_of).days for span in spans)])
    values, place = np.unique(np.maximum(ends[None, :] - np.array(SLIPS)[:, None], 0), return_inverse=True)
    return [float(day) for day in values], np.asarray(place.reshape(len(SLIPS), len(ends)), dtype=np.int64)


def _day(as_of: date | None, snapshots: pd.DataFrame) -> date:
    if as_of is not None:
        return pd.Timestamp(as_of).date()
    if snapshots.empty:
        raise ModelError("The day of the forecast is unknown", where="RevenueForecaster.fit", remedy="Give as_of.")
    return pd.Timestamp(snapshots.as_of.max()).date()


def _closed_deals(outcomes: pd.DataFrame) -> pd.DataFrame:
    days = (outcomes.closed_on - outcomes.created_on).dt.days.astype("float64")
    return outcomes.assign(event=np.where(outcomes.won, WON, LOST), days=days)


def _from_creation(deals: pd.DataFrame) -> pd.DataFrame:
    """Without past snapshots: deals as they were on the day of their creation; the amount is that of the close."""
    return _complete(deals.drop(columns="amount").assign(age_days=0.0, as_of=deals.created_on))


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """With every column that is looked at, empty where it is not there; days as days, whatever an empty frame says."""
    from spm_models.snapshots.schema import PIPELINE

    days = {name: rows[name].astype("datetime64[s]") for name in _DAYS if name in rows}
    absent = {name: pd.Series(index=rows.index, dtype=PIPELINE[name]) for name in _USED if name not in rows}
    return rows[[name for name in rows if name in _KEPT]].assign(**days, **absent)
