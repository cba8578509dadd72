"""Weeks of past quarters forecast again with what was known then, by the simulation and by plain methods.

The win probability is learned once a quarter, on its eve, and scores the pipelines of all its weeks; the simulation is
learned anew each week. Nothing here knows how a quarter ended.

References
----------
Tashman (2000), Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16: rolling origin.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import NotEnoughDataError
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast.members import members_of
from spm_models.revenue_forecast.model import RevenueForecaster
from spm_models.revenue_forecast.past_knowledge import Known, KnownAt, Learn, Scored, Scorer, as_scored, without_scores
from spm_models.revenue_forecast.plain_forecasts import Baseline
from spm_models.revenue_forecast.quarter_weeks import day_of_week
from spm_models.revenue_forecast.result import PARTS, RevenueForecast
from spm_models.revenue_forecast.units import LEVELS, Units

Cents = npt.NDArray[np.int64]
DRAWS = 500  # of a replayed week: enough for its 95 % range
Tell = Callable[[str, int, int], None]


class Keep(Protocol):
    """A place for replayed weeks, by name and by a hash of all that they were made from."""

    def get(self, name: str, digest: str) -> pd.DataFrame | None:
        """What was kept under this very hash."""

    def put(self, name: str, digest: str, week: pd.DataFrame) -> None:
        """Keep a week, whole or not at all, in place of what was kept under its name."""


@dataclass(frozen=True, eq=False)
class PastWeek:
    """One week of a past quarter as it would have been forecast.

    Parameters
    ----------
    period, week, as_of
        Quarter, weeks of it that had passed, and the last day that was known.
    plain : dict of str to Baseline
        Totals of the company by the plain methods and the series.
    leaves : DataFrame
        One row a leaf: ``rep_id`` and its key on every level.
    closed : ndarray, shape (leaves,)
        Won by then, in cents.
    untimed, timed : ndarray, shape (draws, leaves)
        Draws of the total, in cents, with deals closing as deals like them did, and by their own timing (the same
        where none was told).
    told : bool
        Whether there was timing.
    """

    period: str
    week: int
    as_of: date
    plain: dict[str, Baseline]
    leaves: pd.DataFrame
    closed: Cents
    untimed: Cents
    timed: Cents
    told: bool

    def to_frame(self) -> pd.DataFrame:
        """One row a leaf, for a file; the rest in ``attrs``."""
        frame = self.leaves.assign(closed=self.closed, untimed=list(self.untimed.T), timed=list(self.timed.T))
        plain = {name: [each.point, each.deviation, each.closed] for name, each in self.plain.items()}
        frame.attrs = {
            "period": self.period, "week": self.week, "as_of": self.as_of.isoformat(), "plain": plain,
            "told": self.told,
        }  # fmt: skip
        return frame

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> PastWeek:
        """The week of :meth:`to_frame`."""
        facts = frame.attrs
        plain = {name: Baseline(name, *figures) for name, figures in facts["plain"].items()}
        untimed, timed = (np.stack(list(frame[name])).astype(np.int64).T for name in ("untimed", "timed"))
        leaves = frame[["rep_id", *(level for level in LEVELS if level != "company")]].reset_index(drop=True)
        day = date.fromisoformat(facts["as_of"])
        closed = frame.closed.to_numpy(dtype=np.int64)
        return cls(facts["period"], facts["week"], day, plain, leaves, closed, untimed, timed, facts["told"])


def past_weeks(
    known: KnownAt,
    quarters: Sequence[Period],
    weeks: Sequence[int],
    *,
    learn: Learn | None = None,
    calendar: FiscalCalendar,
    seed: int = 0,
    draws: int = DRAWS,
    keep: Keep | None = None,
    tell: Tell | None = None,
) -> tuple[list[PastWeek], list[str], int]:
    """Forecast weeks of past quarters again.

    Parameters
    ----------
    known : callable
        What was known at the end of a day (:func:`known_from`).
    quarters : sequence of Period
        In the order of time.
    weeks : sequence of int
        0 to 12: weeks that had passed.
    learn : callable, optional
        Learns to score pipelines from what was known; without it every deal has the common win rate.
    calendar : FiscalCalendar
    seed, draws : int
    keep : Keep, optional
        Where weeks are kept; what is there is not done again.
    tell : callable, optional
        Told ``(what, done, total)``.

    Returns
    -------
    (list of PastWeek, list of str, int)
        The weeks, why some could not be forecast, and how many were kept from earlier.
    """
    found: list[PastWeek] = []
    skipped: dict[str, str] = {}
    kept = done = 0
    total = len(quarters) * len(weeks)
    for quarter in quarters:
        eve = known(quarter.start - timedelta(days=1))
        scorer = _Lazily(learn or without_scores, eve)
        for week in weeks:
            if tell:
                tell("past weeks", done, total)
            day = day_of_week(quarter, week)
            then = eve if day == eve.as_of else known(day)
            digest = _digest(eve, then, seed, draws, learn is not None)
            name = f"{quarter.label}-w{week:02}"
            frame = keep.get(name, digest) if keep else None
            if frame is not None:
                found.append(PastWeek.from_frame(frame))
                kept += 1
            else:
                try:
                    found.append(_forecast(then, quarter, week, scorer, calendar, seed, draws))
                    if keep:
                        keep.put(name, digest, found[-1].to_frame())
                except NotEnoughDataError as error:
                    skipped.setdefault(quarter.label, f"{quarter.label}: {error.what}")
            done += 1
    if tell:
        tell("past weeks", done, total)
    return found, list(skipped.values()), kept


def leaf_totals(forecast: RevenueForecast) -> Cents:
    """Draws of the total of each leaf, in cents, shape (draws, leaves)."""
    total: Cents = np.zeros_like(forecast.open) + forecast.closed[None, :]
    for part in PARTS:
        if part != "closed":
            total = total + getattr(forecast, part)
    return total


@dataclass(frozen=True, eq=False)
class _Lazily:
    """A scorer that is learned from an eve when it is first asked for: where all weeks are kept, it never is."""

    learn: Learn
    eve: Known

    @cached_property
    def learned(self) -> Scorer:
        return self.learn(self.eve.snapshots, self.eve.outcomes)


def _forecast(
    then: Known, quarter: Period, week: int, scorer: _Lazily, calendar: FiscalCalendar, seed: int,
    draws: int,
) -> PastWeek:  # fmt: skip
    pipeline = then.pipeline
    model = RevenueForecaster(seed, draws).fit(
        then.snapshots, then.outcomes, then.organisation, as_of=then.as_of, calendar=calendar,
        contracts=then.contracts,
    )  # fmt: skip
    scored = as_scored(scorer.learned(pipeline)) if len(pipeline) else Scored(None)
    untimed = model.predict(pipeline, quarter, deal_scores=scored.scores)
    timed = untimed
    if scored.timing is not None:
        timed = model.predict(pipeline, quarter, deal_scores=scored.scores, deal_timing=scored.timing)
    plain, leaves = members_of(then, quarter, calendar), _leaves(untimed.units)
    totals = (leaf_totals(untimed), leaf_totals(timed))
    told = scored.timing is not None
    return PastWeek(quarter.label, week, then.as_of, plain, leaves, untimed.closed, *totals, told)


def _leaves(units: Units) -> pd.DataFrame:
    return units.table[["rep_id", *(level for level in LEVELS if level != "company")]].reset_index(drop=True)


def _digest(eve: Known, then: Known, *facts: object) -> str:
    text = json.dumps([eve.digest, then.digest, *facts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
