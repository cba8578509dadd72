"""The rhythm of the quarter: in which weeks before its end more deals are won, or lost, than at other times.

Deals open in the record are at risk on every day. Within each finished quarter the ends of a week are compared with
what the quarter's own pace would have brought, so that good and bad quarters do not matter; what the weeks have in
common over the quarters, beyond chance, is the rhythm.

References
----------
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, chapters 2 and 5.
Larkin (2014), The cost of high-powered incentives: employee gaming in enterprise software sales, Journal of Labor
Economics 32: why deals close at the end of quarters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.features import LOST, OPEN, WON

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WEEKS = 13
_LEAST_QUARTERS = 2
_LEAST_ENDS = 15
#: Deviations of the log factors of weeks, and heights of a rush at the end of the quarter, with their prior weights.
_OWN = {0.0: 0.7, 0.1: 0.15, 0.2: 0.1, 0.35: 0.05}
_RUSH = {0.0: 0.7, 0.4: 0.13, 0.7: 0.1, 1.1: 0.07}
_BETWEEN = 0.2  # deviation of a rush from the height it is told by
_NEARBY, _ALIKE = 2.0, 0.8  # weeks over which weeks are alike, and how far
_NO_MATTER = 0.01


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Factors on the chance a day to be won and to be lost by full weeks left in the quarter, (2, 13)."""

    factors: Floats
    calendar: FiscalCalendar

    @property
    def flat(self) -> bool:
        """Whether all weeks are alike."""
        return bool((self.factors == 1.0).all())

    def over(self, as_of: date, edges: Floats) -> Floats:
        """Mean factors between the edges (days after ``as_of``), shape (2, edges - 1)."""
        return np.asarray(self.after(as_of, np.zeros(1, dtype=np.int64), edges)[0])

    def after(self, as_of: date, starts: Ints, edges: Floats) -> Floats:
        """The same for edges counted from several days after ``as_of``, shape (starts, 2, edges - 1)."""
        days = int(edges[-1]) + int(starts.max(initial=0))
        weeks = _weeks_left(self.calendar, pd.Timestamp(as_of) + pd.Timedelta(days=1), days)
        sums = np.concatenate([np.zeros((2, 1)), self.factors[:, weeks].cumsum(axis=1)], axis=1)
        at = edges.astype(np.int64)[None, :] + starts[:, None]
        return np.asarray(np.diff(sums[:, at].transpose(1, 0, 2), axis=2) / np.diff(edges))


def learn_rhythm(deals: pd.DataFrame, calendar: FiscalCalendar, as_of: date, since: pd.Timestamp | None) -> Rhythm:
    """Estimate it from creations (:func:`features.creations`) since the record is whole."""
    flat = Rhythm(np.ones((2, WEEKS)), calendar)
    ended = deals.created_on + pd.to_timedelta(deals.days, unit="D")
    closed = deals.event != OPEN
    if not closed.any():
        return flat
    first = max(ended[closed].min(), since) if since is not None else ended[closed].min()
    quarters = [q for q in calendar.quarters(first.date(), as_of) if q.start >= first.date() and q.end <= as_of]
    if len(quarters) < _LEAST_QUARTERS:
        return flat
    start, days = pd.Timestamp(quarters[0].start), (quarters[-1].end - quarters[0].start).days + 1
    opened = np.clip((deals.created_on - start).dt.days.to_numpy() + 1, 0, days)
    gone = np.clip((ended - start).dt.days.to_numpy() + 1, 0, days)
    moves = np.bincount(opened, minlength=days + 1) - np.bincount(gone, minlength=days + 1)
    at_risk = moves[:days].cumsum().astype(float)
    quarter = np.repeat(np.arange(len(quarters)), [q.days for q in quarters])
    cell = quarter * WEEKS + _weeks_left(calendar, start, days)
    exposure = np.bincount(cell, at_risk, minlength=len(quarters) * WEEKS).reshape(-1, WEEKS)
    place = (ended - start).dt.days.to_numpy()
    factors = np.ones((2, WEEKS))
    for row, cause in enumerate((WON, LOST)):
        mine = (deals.event == cause).to_numpy() & (place >= 0) & (place < days)
        found = np.bincount(cell[place[mine]], minlength=len(quarters) * WEEKS).reshape(-1, WEEKS)
        factors[row] = _factors(found, np.asarray(exposure, dtype=float))
    return Rhythm(factors, calendar)


def _factors(found: Ints, exposure: Floats) -> Floats:
    """Factor of each week, as far as chance cannot have made the differences."""
    pace = np.divide(found.sum(axis=1), exposure.sum(axis=1), out=np.zeros(len(found)), where=exposure.sum(axis=1) > 0)
    expected = exposure * pace[:, None]
    total, usual = found.sum(axis=0), expected.sum(axis=0)
    if found.sum() < _LEAST_ENDS or (usual <= 0).any():
        return np.ones(WEEKS)
    fitted = expected * (total / usual)
    cells = fitted > 0
    freedom = max(cells.sum() - len(found) - WEEKS, 1)
    scatter = max(float(((found - fitted)[cells] ** 2 / fitted[cells]).sum()) / freedom, 1.0)
    factors = np.exp(_logs(np.log((total + 0.5) / (usual + 0.5)), scatter / (usual + 0.5)))
    factors /= factors @ usual / usual.sum()
    return np.ones(WEEKS) if np.abs(factors - 1).max() < _NO_MATTER else np.asarray(factors)


def _logs(seen: Floats, noise: Floats) -> Floats:
    """Logs of the factors: posterior means under each prior, weighted by how well it explains what was seen.

    Under each, logs are normal around a rush that grows towards the end of the quarter, with weeks of their own that
    are alike nearby; of several strengths each, none among them. A rush is looked for because quarters are known to
    have one (Larkin 2014); a few wins a week cannot tell it week by week.
    """
    weeks = np.arange(WEEKS)
    near = _ALIKE * np.exp(-0.5 * ((weeks[:, None] - weeks) / _NEARBY) ** 2) + (1 - _ALIKE) * np.eye(WEEKS)
    rush = np.exp(-weeks / _NEARBY)
    rush -= rush.mean()
    evidence, means = [], []
    for own, its_weight in _OWN.items():
        for height, rush_weight in _RUSH.items():
            prior = own**2 * near + (_BETWEEN * (height > 0)) ** 2 * np.outer(rush, rush)
            root = np.linalg.cholesky(prior + np.diag(noise))
            scaled = np.linalg.solve(root, seen - height * rush)
            evidence.append(np.log(its_weight * rush_weight) - 0.5 * scaled @ scaled - np.log(np.diag(root)).sum())
            means.append(height * rush + prior @ np.linalg.solve(root.T, scaled))
    weight = np.exp(np.array(evidence) - max(evidence))
    return np.asarray(weight @ np.array(means) / weight.sum())


def _weeks_left(calendar: FiscalCalendar, start: pd.Timestamp, days: int) -> Ints:
    """Full weeks left in its quarter after each of so many days; at most 12."""
    last = (start + pd.Timedelta(days=days)).date()
    ends = np.array([q.end for q in calendar.quarters(start.date(), last)], dtype="datetime64[D]")
    every = np.datetime64(start.date()) + np.arange(days)
    end = ends[np.searchsorted(ends, every)]
    return np.minimum((end - every).astype(np.int64) // 7, WEEKS - 1)
