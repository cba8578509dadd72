"""The matched difference: coached beside not coached, of the same weeks and the same standing, with a placebo.

Regression to the mean is not subtracted afterwards but held equal: what a rep would have done uncoached is expected
from his whole past, shrunk by its reliability, from the quarter on which he was chosen, and from his results then.
Given all that was known when people were chosen, who was coached says nothing more about what was to come (Rubin,
1977), unless managers knew something that no record holds. That is what the placebo looks for: the same comparison,
made of the quarters *before* those on which people were chosen, must find nothing. The quarters of the choice
themselves cannot serve: those coached were chosen because they were low. So the placebo leaves out the last two, and
companies that choose on a whole year are told that nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spm_models.coaching.effects.clustered import Coefficient, last_coefficient
from spm_models.coaching.effects.windows import Rows
from spm_models.errors import NotEnoughDataError, StatisticsError

Floats = NDArray[np.float64]
LEAST_REPS = 3  #: coached, and as many beside them
PLACEBO_LEVEL = 0.95
_ROWS_A_COLUMN = 12
_MANY_COHORTS = 40


@dataclass(frozen=True)
class Estimate:
    """What coaching brought, once it has wholly eased in; in the outcome's unit.

    Parameters
    ----------
    effect : Coefficient
    placebo : Coefficient or None
        The same of the quarters before people were chosen; None where too little is known of them.
    naive : float
        How much the coached rose from the quarter before to the one after, as it is often told.
    uncoached : float
        How much those rose who were not coached after as low a quarter (the nearest of each cohort).
    reps, controls : int
        People coached, and people beside them.
    """

    effect: Coefficient
    placebo: Coefficient | None
    naive: float
    uncoached: float
    reps: int
    controls: int


def estimate(rows: Rows) -> Estimate:
    """Measure the effect over all cohorts.

    Raises
    ------
    NotEnoughDataError
        Fewer than three people coached, or beside them; or nobody beside a coached one who stood as he did.
    """
    reps, controls = len(np.unique(rows.rep[rows.coached])), len(np.unique(rows.rep[~rows.coached]))
    if min(reps, controls) < LEAST_REPS:
        raise NotEnoughDataError(
            "Too few people to compare", where="effect of coaching", found=f"{reps} coached, {controls} beside them",
            remedy=f"From {LEAST_REPS} on each side on.",
        )  # fmt: skip
    try:
        direct = _fit(rows, rows.y, rows.weight, rows.covariates, rows.coached)
        share = _fit(rows, rows.exposure, rows.weight, rows.covariates, rows.coached).value
    except StatisticsError as error:
        raise NotEnoughDataError("Nobody to compare with", where="effect of coaching", found=str(error)) from error
    if share < 0.3:
        raise NotEnoughDataError("Those beside were coached as well", where="effect of coaching", found=share)
    effect = Coefficient(direct.value / share, direct.error / share, direct.freedom)
    naive, uncoached = before_and_after(rows)
    return Estimate(effect, _placebo(rows), naive, uncoached, reps, controls)


def _placebo(rows: Rows) -> Coefficient | None:
    """Of the quarters before the last two where enough is known of them, so that a choice on half a year does not look
    like a failure; else of those before the last one."""
    for lag in (2, 1):
        known = np.where(rows.placebo_lag == lag, rows.placebo_weight, 0.0)
        sides = [len(np.unique(rows.rep[(known > 0) & side])) for side in (rows.coached, ~rows.coached)]
        if min(sides) < LEAST_REPS:
            continue
        try:
            return _fit(rows, rows.placebo, known, rows.placebo_covariates, rows.coached)
        except StatisticsError:
            continue
    return None


def _fit(rows: Rows, y: Floats, weight: Floats, covariates: Floats, coached: NDArray[np.bool_]) -> Coefficient:
    kept = weight > 0
    cohort = rows.cohort[kept]
    both = np.intersect1d(cohort[coached[kept]], cohort[~coached[kept]])
    kept &= np.isin(rows.cohort, both)
    if not kept.any():
        raise StatisticsError("No cohort has people on both sides", where="matched difference")
    names, place = np.unique(rows.cohort[kept], return_inverse=True)
    held = _held(covariates[kept], len(names), int(kept.sum()))
    design = np.column_stack([held, coached[kept].astype(float)])
    scaled, target = weight[kept] / weight[kept].mean(), y[kept]
    if len(names) <= _MANY_COHORTS:
        design = np.column_stack([np.eye(len(names))[place], design])
    else:  # the same coefficient; that each cohort's mean is estimated too hardly matters among so many
        design, target = _within(design, scaled, place), _within(target[:, None], scaled, place)[:, 0]
    return last_coefficient(design, target, scaled, rows.rep[kept])


def _within(values: Floats, weight: Floats, place: NDArray[np.int64]) -> Floats:
    total = np.bincount(place, weight)
    means = np.column_stack([np.bincount(place, weight * column) / total for column in values.T])
    return np.asarray(values - means[place], dtype=float)


def _held(covariates: Floats, strata: int, rows: int) -> Floats:
    """The covariates that so many rows can carry; the shrunk value always."""
    order = [0, 2, 3, 4, 1]  # shrunk value, earlier coaching, standing in a quarter and in two, last quarter
    useful = [column for column in order if np.ptp(covariates[:, column]) > 1e-9]
    most = max(1, (rows - strata) // _ROWS_A_COLUMN)
    return covariates[:, useful[:most]]


def before_and_after(rows: Rows) -> tuple[float, float]:
    """Mean rise of the coached, and of those not coached whose quarter before was nearest to theirs."""
    rise, twins = rows.y - rows.before, np.full(len(rows), np.nan)
    for cohort in np.unique(rows.cohort[rows.coached]):
        mine = np.flatnonzero((rows.cohort == cohort) & rows.coached)
        beside = np.flatnonzero((rows.cohort == cohort) & ~rows.coached)
        if len(beside):
            nearest = np.abs(rows.before[mine][:, None] - rows.before[beside][None, :]).argmin(axis=1)
            twins[mine] = rise[beside[nearest]]
    twins = twins[~np.isnan(twins)]
    return float(rise[rows.coached].mean()), float(twins.mean()) if len(twins) else float("nan")
