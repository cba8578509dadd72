"""What an early warning watches, step by step: closed deals, and weeks of work, beside what is usual for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings
from spm_models.coaching.signals import PROSPECT_CONTEXT, prospects
from spm_models.inference.cusum import Family, Floats, Learned, learn, running_sum

RATIO = 0.5  #: the change that is looked for: half the odds, half the work
REFERENCE_WEEKS = 26  #: in which a rep's own level is learned before anything is watched
_LEAST_SPREAD = 0.05
_WORK_SPREAD = 0.5  # of reps' own paces (log), places included: wide, because half a year of work tells them
_BLOCKS = (4, 13)  # weeks whose sums say how much counts scatter: busy spells and slow quarters outlast a week
_SMOOTH = 9  # weeks over which colleagues' pace is averaged
_FAMILIAR = 20.0  # counts of colleagues that weigh as much as "no change of pace"
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Steps:
    """One watch over the weeks of a window.

    Parameters
    ----------
    watch : str
    rep_id : ndarray, shape (reps,)
    weeks : DatetimeIndex
        First days of the weeks.
    y, usual : ndarray, shape (reps, steps)
        Outcomes or counts in order, and what a typical colleague would have; missing where there was nothing.
    week : ndarray, shape (reps, steps)
        Place of each step among the weeks; their number where there is no step.
    begins : ndarray, shape (reps,)
        Place of the first week that is watched; what is before only teaches.
    spread : ndarray, shape (reps,)
        How far reps' own levels may lie from the typical one.
    family : {"binomial", "poisson"}
    dispersion : float
    """

    watch: str
    rep_id: NDArray[np.str_]
    weeks: pd.DatetimeIndex
    y: Floats
    usual: Floats
    week: Places
    begins: Places
    spread: Floats
    family: Family = "binomial"
    dispersion: float = 1.0

    def path(self, y: Floats | None = None) -> tuple[Learned, Floats]:
        """What each step teaches, and the running sum after it; nothing is summed before the watch begins."""
        learned = learn(self.y if y is None else y, self.usual, self.spread, family=self.family, ratio=RATIO,
                        dispersion=self.dispersion)  # fmt: skip
        return learned, running_sum(np.where(self.week < self.begins[:, None], 0.0, learned.weights))

    def take(self, places: Places) -> Steps:
        """The same of some reps, some perhaps several times."""
        return Steps(
            self.watch, self.rep_id[places], self.weeks, self.y[places], self.usual[places], self.week[places],
            self.begins[places], self.spread[places], self.family, self.dispersion,
        )  # fmt: skip

    def weekly(self, path: Floats) -> Floats:
        """The sum at the end of each week, shape (reps, weeks)."""
        padded = np.concatenate([np.zeros((len(path), 1)), path], axis=1)
        ends = np.stack([(self.week <= week).sum(axis=1) for week in range(len(self.weeks))], axis=1)
        return np.asarray(np.take_along_axis(padded, ends, axis=1))


def wins(evidence: Evidence, findings: CoachingFindings) -> Steps | None:
    """Every closed deal beside its risk-adjusted chance: what a typical colleague wins of deals like it."""
    posterior = findings.posteriors.get(("win_rate", ""))
    weeks = _weeks(evidence)
    if posterior is None or posterior.rows is None or len(weeks) <= REFERENCE_WEEKS:
        return None
    deals = evidence.deals.assign(prospect=evidence.deals["opportunity_id"].map(prospects(evidence)))
    keys = ["rep_id", *PROSPECT_CONTEXT]
    deals = deals.merge(posterior.rows[[*keys, "expected"]], on=keys, how="left")
    reps = _in_role(evidence)
    reps = reps[reps["rep_id"].isin(deals["rep_id"])].reset_index(drop=True)
    deals = deals[deals["rep_id"].isin(reps["rep_id"]) & deals["expected"].notna()]
    if deals.empty:
        return None
    deals = deals.sort_values(["rep_id", "closed_on", "opportunity_id"])
    row = reps["rep_id"].searchsorted(deals["rep_id"])
    place = deals.groupby("rep_id").cumcount().to_numpy()
    shape = len(reps), int(place.max()) + 1
    y, usual, week = np.zeros(shape), np.full(shape, np.nan), np.full(shape, len(weeks))
    y[row, place], usual[row, place] = deals["won"], deals["expected"].clip(1e-3, 1 - 1e-3)
    week[row, place] = np.maximum(weeks.searchsorted(deals["closed_on"], side="right") - 1, 0)
    known = pd.Series(np.broadcast_to(posterior.doubt, posterior.expected.shape), index=posterior.rep_id)
    doubt = known.reindex(reps["rep_id"]).fillna(known.max()).to_numpy()
    lost = 1 - np.nanmean(usual, axis=1)  # from a relative difference of shares to one of odds
    spread = np.hypot(posterior.pooled.spread, doubt) / np.maximum(lost, 0.05)
    return Steps("wins", reps["rep_id"].to_numpy(), weeks, y, usual, week, _begins(reps, weeks),
                 np.maximum(spread, _LEAST_SPREAD))  # fmt: skip


def work(evidence: Evidence, watch: str) -> Steps | None:
    """Contacts (``activity``) or new deals (``pipeline_creation``) by week, beside days worked and colleagues' pace.

    Colleagues' pace carries season and holidays; how much counts scatter is told by sums of four weeks.
    """
    weeks = _weeks(evidence)
    column = {"activity": "activity", "pipeline_creation": "created"}[watch]
    reps = _in_role(evidence)
    if reps.empty or len(weeks) <= REFERENCE_WEEKS or not evidence.weeks[column].sum() > 0:
        return None
    table = evidence.weeks[evidence.weeks["rep_id"].isin(reps["rep_id"])]
    shape = {"index": "rep_id", "columns": "week"}
    count = table.pivot(**shape, values=column).reindex(reps["rep_id"]).fillna(0.0).to_numpy()
    days = table.pivot(**shape, values="days").reindex(reps["rep_id"]).fillna(0.0).to_numpy()
    own = count.sum(axis=1, keepdims=True) / np.maximum(days.sum(axis=1, keepdims=True), 1.0)
    usual = own * days * _pace_of_others(count, own * days)
    known = usual.sum(axis=1) > 0
    if not known.any():
        return None
    reps, count, usual = reps[known].reset_index(drop=True), count[known], usual[known]
    usual[usual <= 0] = np.nan
    week = np.broadcast_to(np.arange(len(weeks)), count.shape).copy()
    return Steps(watch, reps["rep_id"].to_numpy(), weeks, count, usual, week, _begins(reps, weeks),
                 np.full(len(reps), _WORK_SPREAD), "poisson", _scatter(count, usual))  # fmt: skip


def _weeks(evidence: Evidence) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.sort(evidence.weeks["week"].unique())) if len(evidence.weeks) else pd.DatetimeIndex([])


def _in_role(evidence: Evidence) -> pd.DataFrame:
    """Reps in role at the end, for so long that there is something to watch."""
    today = pd.Timestamp(evidence.as_of)
    reps = evidence.reps[evidence.reps["left_on"].isna() | (evidence.reps["left_on"] > today)]
    long = today - reps["start_on"] >= pd.Timedelta(weeks=REFERENCE_WEEKS)
    return reps[long].sort_values("rep_id", ignore_index=True)


def _begins(reps: pd.DataFrame, weeks: pd.DatetimeIndex) -> Places:
    first = np.maximum(weeks.searchsorted(reps["start_on"]), 0)
    return np.asarray(first + REFERENCE_WEEKS, dtype=np.int64)


def _pace_of_others(count: Floats, usual: Floats) -> Floats:
    """What the others did in and around each week beside their own mean; 1 where there are none."""
    window = np.ones(_SMOOTH)
    summed = [
        np.apply_along_axis(np.convolve, 1, total.sum(axis=0) - total, window, "same") for total in (count, usual)
    ]
    return np.asarray((summed[0] + _FAMILIAR) / (summed[1] + _FAMILIAR))


def _scatter(count: Floats, usual: Floats) -> float:
    """Variance over mean of sums of weeks; the middle rep's, so that who truly changed does not blur all others."""
    return max(1.0, *(_scatter_of(count, usual, weeks) for weeks in _BLOCKS))


def _scatter_of(count: Floats, usual: Floats, weeks: int) -> float:
    blocks = count.shape[1] // weeks
    shape = len(count), blocks, weeks
    cut = count[:, -blocks * weeks :].reshape(shape).sum(axis=2)
    mean = np.nan_to_num(usual[:, -blocks * weeks :]).reshape(shape).sum(axis=2)
    level = cut.sum(axis=1, keepdims=True) / np.maximum(mean.sum(axis=1, keepdims=True), 1e-9)
    mean = np.maximum(level * mean, 1e-9)
    there = mean > 0.5
    several = there.sum(axis=1) > 2
    if not several.any():
        return 1.0
    free = there.sum(axis=1) - 1.0
    found = (np.where(there, (cut - mean) ** 2 / mean, 0.0).sum(axis=1) / np.maximum(free, 1.0))[several]
    middle = (1 - 2 / (9 * float(np.median(free[several])))) ** 3  # the median of a mean of squares lies below it
    return float(np.median(found)) / middle
