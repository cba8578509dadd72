"""Hazards of winning and losing: a ridge multinomial logistic model on person-period rows.

References
----------
Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, chapter 8: cause-specific hazards and
cumulative incidence. Tutz and Schmid (2016), Modeling Discrete Time-to-Event Data, chapter 8: the multinomial hazard.
Eilers and Marx (1996), Statistical Science 11: penalties on differences draw neighbouring bands together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, sparse

from spm_models.win_probability.hazard_terms import NONE, Term
from spm_models.win_probability.person_periods import LOST, WIDTHS, WON, PersonPeriods

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: Prior standard deviations, in log hazards: of a level, of the step to the next band, of a deviation, of the step
#: from one bin to the next.
_LEVEL, _STEP, _DEVIATION, _BIN_STEP = 2.0, 1.0, 0.8, 0.7
_WIDE = 10.0
_OFFSET = np.log(WIDTHS / 7.0)
_STEPS = 60
_HIGHEST = 30.0


def fit_effects(periods: PersonPeriods, columns: Sequence[Codes], terms: Sequence[Term]) -> Floats:
    """Effects on the log hazards (against staying open) of winning and losing, shape (2, columns).

    Parameters
    ----------
    periods : PersonPeriods
    columns : sequence of int arrays
        Column of each stretch in each term.
    terms : sequence of Term

    Notes
    -----
    The penalised likelihood is maximised by L-BFGS in coordinates in which its curvature at the start is one. The
    hazard of a bin counts per week, so that bins of different width are neighbours.
    """
    x = design(columns, [term.size for term in terms])
    offset = _OFFSET[periods.bin]
    causes = np.column_stack([periods.event == cause for cause in (WON, LOST)]).astype(float)
    exposure = float((periods.weight * np.exp(offset)).sum())
    rate = (periods.weight @ causes + 0.5) / max(exposure + 1.0, 1.0)
    intercept = np.log(np.maximum(rate, 1e-6))
    prior = penalty(terms)
    roots = [linalg.cholesky(_curvature(x, periods.weight, offset + c) + prior, lower=True) for c in intercept]

    def objective(flat: Floats) -> tuple[float, Floats]:
        effect = _unwhitened(flat, roots)
        log_odds = (x @ effect.T) + intercept + offset[:, None]
        odds = np.exp(np.minimum(log_odds, _HIGHEST))
        total = 1 + odds.sum(axis=1)
        pull = effect @ prior
        loss = periods.weight @ (np.log(total) - (causes * log_odds).sum(axis=1)) + 0.5 * float((pull * effect).sum())
        slope = (x.T @ (periods.weight[:, None] * (odds / total[:, None] - causes))).T + pull
        back = [linalg.solve_triangular(root, part, lower=True) for root, part in zip(roots, slope, strict=True)]
        return float(loss), np.concatenate(back)

    start = np.zeros(2 * len(prior))
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "ftol": 1e-8})
    effect = _unwhitened(found.x, roots)
    effect[:, : terms[0].size] += intercept[:, None]
    return effect


def hazards(log_hazards: Floats) -> Floats:
    """Hazards of winning and losing from log hazards a week of shape (2, rows, bins); the same shape."""
    odds = np.exp(np.minimum(log_hazards + _OFFSET, _HIGHEST))
    return np.asarray(odds / (1 + odds.sum(axis=0)), dtype=float)


def incidences(hazard: Floats) -> Floats:
    """Cumulative incidences of winning and losing at the edges, shape (2, rows, bins + 1), from hazards."""
    staying = np.cumprod(1 - hazard.sum(axis=0), axis=1)
    before = np.concatenate([np.ones((staying.shape[0], 1)), staying[:, :-1]], axis=1)
    found = np.cumsum(hazard * before, axis=2)
    return np.concatenate([np.zeros((*found.shape[:2], 1)), found], axis=2)


def design(columns: Sequence[Codes], sizes: Sequence[int]) -> sparse.csr_array:
    """Sparse 0/1 matrix of shape (stretches, all columns)."""
    starts = np.cumsum([0, *sizes[:-1]])
    place = np.column_stack(
        [np.where(code == NONE, NONE, code + start) for code, start in zip(columns, starts, strict=True)]
    )
    used = place != NONE
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return sparse.csr_array((np.ones(int(used.sum())), place[used], ends), shape=(len(place), int(sum(sizes))))


def penalty(terms: Sequence[Term]) -> Floats:
    """Precision matrix of the prior of all effects of one cause."""
    return np.asarray(linalg.block_diag(*[_prior(term) for term in terms]), dtype=float)


def _unwhitened(flat: Floats, roots: Sequence[Floats]) -> Floats:
    """Effects of both causes from coordinates in which the curvature at the start is one."""
    parts = zip(roots, flat.reshape(len(roots), -1), strict=True)
    found = [linalg.solve_triangular(root, part, lower=True, trans="T") for root, part in parts]
    return np.asarray(np.stack(found), dtype=float)


def _prior(term: Term) -> Floats:
    spread = {"base": _WIDE, "level": _LEVEL, "deviation": _DEVIATION}[term.kind]
    matrix = np.eye(term.size) / spread**2
    bands = term.size if term.kind == "base" else term.size - 1  # an empty value has no neighbour
    if term.ordered and bands > 1:
        step = np.diff(np.eye(bands), axis=0)
        matrix[:bands, :bands] += step.T @ step / (_BIN_STEP if term.kind == "base" else _STEP) ** 2
    return np.asarray(matrix, dtype=float)


def _curvature(x: sparse.csr_array, weight: Floats, log_odds: Floats) -> Floats:
    hazard = 1 / (1 + np.exp(-log_odds))
    return np.asarray((x.T @ (x * (weight * hazard * (1 - hazard))[:, None])).todense(), dtype=float)
