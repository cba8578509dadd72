"""What each rep did before and after the week in which somebody's coaching began: windows, standing, exposure.

Whoever is coached was usually chosen for a low quarter, and a low quarter is partly chance. So a coached rep is never
compared with his own quarter before, but with those not coached in the same weeks who stood as he did: over the year
before (each rep's value shrunk by its reliability), in the quarter on which he was chosen, and in results.

References
----------
Bühlmann and Straub (1970), Glaubwürdigkeit für Schadensätze (the shrunk value); Rubin (1977), Assignment to treatment
group on the basis of a covariate, J. Educational Statistics 2 (why what was seen must be held equal);
Cengiz, Dube, Lindner and Zipperer (2019), The effect of minimum wages on low-wage jobs, QJE 134 (stacked cohorts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUARTER = 13  #: weeks
EASE_IN = 5  #: weeks until a gain is whole
HISTORY = 4  #: quarters before
LEAST_AFTER = 8  #: weeks that must be measured after the ease-in


@dataclass(frozen=True)
class Weekly:
    """One outcome by rep and week.

    Parameters
    ----------
    surplus, size : ndarray, shape (reps, weeks)
        Observed minus expected, and how much stands behind it (deals, stays, weeks worked); the outcome of a window is
        the one sum over the other.
    standing : ndarray, shape (reps, weeks)
        The result by which people are chosen (amount won).
    present : ndarray of bool, shape (reps, weeks)
    """

    surplus: Floats
    size: Floats
    standing: Floats
    present: NDArray[np.bool_]
    _sums: dict[str, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def weeks(self) -> int:
        """Length of the record."""
        return int(self.surplus.shape[1])

    def total(self, name: str, start: int, end: int) -> Floats:
        """Sum of a field over the weeks ``start`` to ``end`` (not included), by rep."""
        if name not in self._sums:
            values = getattr(self, name).astype(float)
            self._sums[name] = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
        sums = self._sums[name]
        found: Floats = sums[:, max(end, 0)] - sums[:, max(start, 0)]
        return found


@dataclass(frozen=True)
class Programmes:
    """Coaching programmes: whose, and the week of the first session; ``chosen`` marks those that are measured."""

    rep: Ints
    start: Ints
    chosen: NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """One row a cohort (week of first sessions) and rep: coached then, or not.

    ``y``, ``weight``: outcome after the ease-in and its working precision; ``placebo`` and ``placebo_weight``: the same
    of the quarters before the last two (``placebo_lag`` 2), or before the last one (1); 0: nothing is known of them;
    ``covariates``, ``placebo_covariates``: shrunk value of the past, last quarter, earlier coaching, standing (two);
    ``exposure``: share of a whole programme that was at work in the weeks of ``y``; ``before``: the last quarter.
    """

    rep: Ints
    cohort: Ints
    coached: NDArray[np.bool_]
    y: Floats
    weight: Floats
    exposure: Floats
    covariates: Floats
    placebo_lag: Ints
    placebo: Floats
    placebo_weight: Floats
    placebo_covariates: Floats
    before: Floats

    def __len__(self) -> int:
        return len(self.rep)


def exposure(programmes: Programmes, reps: int, weeks: int) -> Floats:
    """How many programmes are at work in each rep and week, easing in over five weeks; shape (reps, weeks)."""
    found = np.zeros((reps, weeks))
    share = np.clip((np.arange(weeks)[None, :] - programmes.start[:, None]) / EASE_IN, 0.0, 1.0)
    np.add.at(found, programmes.rep, share)
    return found


def credibility(surplus: Floats, size: Floats) -> float:
    """Size at which a rep's own record and everybody's weigh the same: variance within over variance between.

    Parameters
    ----------
    surplus, size : ndarray, shape (reps, windows)

    Notes
    -----
    Estimators of Bühlmann and Straub. Where reps differ no more than by chance the record counts for little.

    Examples
    --------
    >>> credibility(np.array([[2.0, 4.0], [8.0, 6.0]]), np.array([[10.0, 10.0], [10.0, 10.0]])) > 0
    True
    """
    known = size > 0
    number, total = known.sum(axis=1), size.sum(axis=1)
    kept = (number > 0) & (total > 0)
    if kept.sum() < 3:
        return float(np.median(total[kept])) if kept.any() else 1.0
    surplus, size, known, number, total = (part[kept] for part in (surplus, size, known, number, total))
    mean = surplus.sum(axis=1) / total
    value = np.divide(surplus, size, out=np.zeros_like(surplus), where=known)
    within = float((size * (value - mean[:, None]) ** 2).sum() / max(int((number - 1).sum()), 1))
    overall = float(total @ mean / total.sum())
    spare = total.sum() - float(total @ total) / total.sum()
    between = (float(total @ (mean - overall) ** 2) - (len(total) - 1) * within) / spare
    least = 0.02 * within / float(np.median(total))
    return within / max(between, least) if within > 0 else 0.0


def stack(weekly: Weekly, programmes: Programmes, ease_in: int = EASE_IN) -> Rows:
    """Every cohort of coached reps beside those not coached in the same weeks.

    Who is taken depends on what was known when the cohort began, never on what came after: whoever is coached later
    for a low quarter stays a comparison now.

    Parameters
    ----------
    weekly : Weekly
    programmes : Programmes
        All of them; those that are not ``chosen`` (another skill) are never coached nor compared in their week.
    ease_in : int
        Weeks after the first session that are left out.

    Returns
    -------
    Rows
        Cohorts of which at least one rep was coached and one was not.
    """
    reps = len(weekly.surplus)
    cohorts = np.unique(programmes.start[programmes.chosen])
    kappa = record(weekly)
    at_work = exposure(programmes, reps, weekly.weeks)
    parts = [
        one for week in cohorts.tolist()
        if (one := _cohort(weekly, programmes, at_work, kappa, int(week), ease_in)) is not None
    ]  # fmt: skip
    return joined(parts)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several outcomes or stages together; their cohorts stay apart."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return _nobody()
    first = np.cumsum([0, *(int(part.cohort.max()) + 1 for part in parts[:-1])])
    apart = [replace(part, cohort=part.cohort + at) for part, at in zip(parts, first, strict=True)]
    return Rows(*(np.concatenate([getattr(part, name) for part in apart]) for name in Rows.__dataclass_fields__))


def record(weekly: Weekly) -> float:
    """:func:`credibility` of the whole record in quarters, centred on what everybody did in each."""
    starts = range(weekly.weeks % QUARTER, weekly.weeks, QUARTER)
    if not starts:
        return 1.0
    surplus = np.column_stack([weekly.total("surplus", at, at + QUARTER) for at in starts])
    size = np.column_stack([weekly.total("size", at, at + QUARTER) for at in starts])
    return credibility(surplus - size * _common(surplus, size), size)


def history(weekly: Weekly, week: int, quarters: int = HISTORY) -> tuple[Floats, Floats, list[int]]:
    """Surplus and size of the quarters before a week, the last one first, and the week in which each begins."""
    starts = [week - QUARTER * (nth + 1) for nth in range(quarters)]
    starts = [start for start in starts if start >= 0]
    surplus = np.column_stack([weekly.total("surplus", start, start + QUARTER) for start in starts])
    size = np.column_stack([weekly.total("size", start, start + QUARTER) for start in starts])
    return surplus, size, starts


def _common(surplus: Floats, size: Floats) -> Floats:
    total = size.sum(axis=0)
    found: Floats = np.divide(surplus.sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return found


def _cohort(
    weekly: Weekly, programmes: Programmes, at_work: Floats, kappa: float, week: int, ease_in: int
) -> Rows | None:
    first, last = week + ease_in, min(week + ease_in + QUARTER, weekly.weeks)
    if last - first < LEAST_AFTER or week < QUARTER:
        return None
    began = programmes.start == week
    coached, other, lately = (np.zeros(len(weekly.surplus), dtype=bool) for _ in range(3))
    coached[programmes.rep[began & programmes.chosen]] = True
    other[programmes.rep[began & ~programmes.chosen]] = True
    lately[programmes.rep[(programmes.start < week) & (programmes.start > week - ease_in)]] = True
    surplus, size, starts = history(weekly, week)
    here = weekly.present[:, week - 1] & ~other & ~lately
    after, behind = weekly.total("size", first, last), size[:, 0]
    taken = here & (after > 0) & (behind > 0)
    if not (coached & taken).any() or not (~coached & taken).any():
        return None
    before = surplus[taken, 0] / behind[taken]
    surplus = (surplus - size * _common(surplus[here], size[here]))[taken]
    size, after = size[taken], after[taken]
    worked = np.column_stack([at_work[:, start : start + QUARTER].mean(axis=1) for start in starts])[taken]
    since = programmes.start >= week
    now = exposure(Programmes(programmes.rep[since], programmes.start[since], programmes.chosen[since]),
                   len(weekly.surplus), weekly.weeks)[:, first:last].mean(axis=1)[taken]  # fmt: skip
    begun = programmes.rep[programmes.start < week]  # what had begun by then is wholly at work from then on
    earlier = np.bincount(begun, minlength=len(weekly.surplus)).astype(float)[taken]
    ranks = np.column_stack([
        _rank(weekly.total("standing", start, week)[taken]) for start in (starts[0], starts[min(1, len(starts) - 1)])
    ])  # fmt: skip
    y = weekly.total("surplus", first, last)[taken] / after
    nth, placebo, weight, placebo_covariates = _placebo(surplus, size, worked, ranks, kappa)
    return Rows(
        np.flatnonzero(taken), np.zeros(int(taken.sum()), dtype=np.int64), coached[taken], y,
        precision(after, size.sum(axis=1), kappa), now, _covariates(surplus, size, worked, earlier, ranks, kappa),
        np.full(int(taken.sum()), nth), placebo, weight, placebo_covariates, before,
    )  # fmt: skip


def _placebo(
    surplus: Floats, size: Floats, worked: Floats, ranks: Floats, kappa: float
) -> tuple[int, Floats, Floats, Floats]:
    """The same of the quarters before those on which people are chosen, given these."""
    nth = min(2, size.shape[1] - 1)
    if nth < 1:
        nothing = np.zeros(len(size))
        return 0, nothing, nothing, np.zeros((len(size), 5))
    old = size[:, nth:]
    held, rest = old.sum(axis=1), list(range(nth))
    value = np.divide(surplus[:, nth:].sum(axis=1), held, out=np.zeros(len(held)), where=held > 0)
    exposed = np.divide((worked[:, nth:] * old).sum(axis=1), held, out=np.zeros(len(held)), where=held > 0)
    known = precision(held, size[:, rest].sum(axis=1), kappa)
    covariates = _covariates(surplus[:, rest], size[:, rest], worked[:, rest], exposed, ranks, kappa)
    return nth, value, known, covariates


def _covariates(surplus: Floats, size: Floats, worked: Floats, exposed: Floats, ranks: Floats, kappa: float) -> Floats:
    """Shrunk value, last quarter, how much more earlier coaching is at work than then, standing in two windows."""
    total = size.sum(axis=1)
    shrunk = surplus.sum(axis=1) / (total + kappa)
    last = surplus[:, 0] / (size[:, 0] + kappa)
    before = np.divide((worked * size).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    return np.column_stack([shrunk, last, exposed - before, ranks])


def precision(after: Floats, before: Floats, kappa: float) -> Floats:
    """Inverse of the variance of a value around what the past leads to expect, in units of one observation."""
    return np.divide(1.0, 1.0 / np.maximum(after, 1e-9) + 1.0 / (before + max(kappa, 1e-9)),
                     out=np.zeros(len(after)), where=after > 0)  # fmt: skip


def _rank(values: Floats) -> Floats:
    """Place among those compared, from −½ to ½; equal values share theirs."""
    ordered = np.sort(values)
    place = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    return np.asarray(place / max(len(values), 1) - 0.5, dtype=float)


def _nobody() -> Rows:
    none, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    five = np.zeros((0, 5))
    return Rows(whole, whole, whole.astype(bool), none, none, none, five, whole, none, none, five, none)
