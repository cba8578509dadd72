"""From labelled rows to a blend: judge members out of fold, weigh them, learn them again on everything."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.classifier import members, stretches
from spm_models.win_probability.classifier.blend import Blend
from spm_models.win_probability.classifier.boosting import KINDS, Boosted
from spm_models.win_probability.classifier.drift import Drift, attenuation, find_drift
from spm_models.win_probability.classifier.encoding import Basis, Shape, Shapes
from spm_models.win_probability.classifier.folds import Fold, forward_chain, grouped
from spm_models.win_probability.classifier.forest import FOREST, Forest
from spm_models.win_probability.classifier.members import Rowset
from spm_models.win_probability.classifier.posterior import Posterior
from spm_models.win_probability.classifier.recency import choose_half_life
from spm_models.win_probability.classifier.stacking import Judged, Stack, level_variance, stack

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
LEAST_ROWS = 20
ROWS_FOR_HALF_LIFE, COLUMNS_FOR_HALF_LIFE = 4000, 60
#: Weights before data speak: a plain average of the members that are shrunk as far as data ask for.
PRIOR = {members.LINEAR: 0.5, members.SMOOTH: 0.5}


@dataclass(frozen=True, eq=False)
class Learned:
    """A blend and how it came about."""

    blend: Blend
    table: pd.DataFrame  # member, weight, log_loss
    drift: Drift
    learned: bool
    said: Floats  # out-of-fold log-odds of the rows, for online recalibration


def learn(rows: Rowset, time: Floats | None, matured: Floats | None, seed: int) -> Learned:
    """Choose, weigh and learn the members.

    Parameters
    ----------
    rows : Rowset
        In the order of time, if there is one.
    time, matured : ndarray, shape (n,), or None
    seed : int
    """
    clocks = np.zeros(rows.table.numbers.shape[1], bool), np.zeros(rows.table.codes.shape[1], bool)
    if rows.stretch is not None:
        clocks = stretches.clocks(rows.table, rows.weight, rows.stretch)
    folds: list[Fold] = []
    columns = rows.table.numbers.shape[1] + rows.table.codes.shape[1]
    if columns and len(rows.y) >= LEAST_ROWS:
        if time is not None:
            folds = forward_chain(rows.y, time, time if matured is None else matured, rows.groups)
        folds = folds if len(folds) > 1 else grouped(rows.y, rows.groups, seed)
    names = members.names(rows, folds) if folds else []
    found, rounds, off = _judged(rows, folds, names, seed, clocks)
    weights = found.weights if found is not None else np.zeros(0)
    known = time if matured is None else matured
    blend = _blend(_recent(rows, time, known) if weights.any() else rows, names, weights, rounds, seed, clocks)
    learned = bool(weights.any())
    said = _said(rows, learned, seed)
    horizon = 0.0 if time is None or matured is None else max(float(np.median(matured - time)), 0.0)
    drift = _drift(rows, blend.log_odds(rows.table), known)
    if drift.drifting and _following_helped(rows, folds, known, horizon):
        shift, variance = drift.after(horizon)
        slope = float(attenuation(variance))
        blend = replace(blend, slope=slope, shift=slope * shift, variance=variance)
    else:
        blend = replace(blend, slope=float(attenuation(off)))
    return Learned(blend, _table(rows, names, found), drift, learned, said)


def _judged(
    rows: Rowset, folds: list[Fold], names: list[str], seed: int, clocks: members.Clocks
) -> tuple[Stack | None, dict[str, int], float]:
    """Weights of the members, best number of rounds of each kind of boosting, how far later levels were off."""
    if not folds:
        return None, {}, 0.0
    said = members.out_of_fold(rows, folds, names, seed, clocks)
    kept = np.flatnonzero(~np.isnan(said["base"]))
    y, weight, base = rows.y[kept], rows.weight[kept], said["base"][kept]
    fold = np.zeros(len(rows.y), dtype=np.int64)
    for k, one in enumerate(folds):
        fold[one.judge] = k
    columns, rounds = [], {}
    for name in names:
        eta = said[name][kept]
        if name in KINDS:
            losses = weight @ (np.logaddexp(0.0, base[:, None] + eta) - y[:, None] * (base[:, None] + eta))
            best = int(losses.argmin())
            rounds[name], eta = KINDS[name][3][best], eta[:, best]
        columns.append(eta)
    judged = Judged(
        np.column_stack(columns), base, y, weight, fold[kept], rows.groups[kept],
        None if rows.stretch is None else rows.stretch[kept], np.array([PRIOR.get(name, 0.0) for name in names]),
    )  # fmt: skip
    found = stack(judged)
    return found, rounds, 0.0 if rows.stretch is None else level_variance(judged, found.weights)


def _blend(
    rows: Rowset, names: list[str], weights: Floats, rounds: dict[str, int], seed: int, clocks: members.Clocks
) -> Blend:
    """All members that count, learned on all rows."""
    linear, quiet = members.linear(rows), rows.muted(clocks)
    columns = rows.table.numbers.shape[1] + rows.table.codes.shape[1]
    flat = [Shape(np.zeros(0), np.zeros(0 if j < rows.table.numbers.shape[1] else size + 1))
            for j, size in enumerate([0] * rows.table.numbers.shape[1] + rows.sizes)]  # fmt: skip
    shapes, counts = [Shapes(rows.base, flat[:columns], rows.table.numbers.shape[1])], [1.0]
    trees: list[tuple[float, Boosted | Forest]] = []
    for name, weight in zip(names, weights, strict=True):
        if not weight:
            continue
        if name in KINDS:
            trees.append((float(weight), members.trees(quiet, name, rounds[name], seed)))
            continue
        if name == FOREST:
            trees.append((float(weight), members.forest(quiet, seed)))
            continue
        one = linear.shapes if name == members.LINEAR else members.additive(quiet, name)
        shapes.append(Shapes(one.start - rows.base, one.of, one.numbers))
        counts.append(float(weight))
    mixed = Shapes.mixed(shapes, counts)
    centre = np.average(mixed.parts(rows.table), axis=0, weights=rows.weight) if columns else np.zeros(0)
    return Blend(mixed, centre, trees, rows.base, linear)


def _recent(rows: Rowset, time: Floats | None, known: Floats | None) -> Rowset:
    """The rows, older ones weighing less where what columns mean has changed; chosen on some rows and columns."""
    if time is None or known is None:
        return rows
    some = np.unique(np.linspace(0, len(rows.y) - 1, min(len(rows.y), ROWS_FOR_HALF_LIFE)).astype(int))
    few = rows.rows(some)
    D = Basis.learn(few.table, few.weight, few.sizes, curves=False).design(few.table)
    if D.shape[1] > COLUMNS_FOR_HALF_LIFE:
        together = np.abs((few.weight * (few.y - few.y.mean())) @ D) / np.maximum(D.std(axis=0), 1e-12)
        D = D[:, np.sort(np.argsort(-together, kind="stable")[:COLUMNS_FOR_HALF_LIFE])]

    def predict(learn: Rows, weights: Floats, later: Rows) -> Floats:
        block = None if few.stretch is None else np.unique(few.stretch[learn], return_inverse=True)[1]
        return Posterior.fit(D[learn], few.y[learn], weights, block=block, variances=(0.01,)).log_odds(D[later])

    half_life = choose_half_life(
        predict, few.y, time[some], matured=known[some], sample_weight=few.weight, own_level=True
    )
    return replace(rows, weight=rows.weight * half_life.weights(time))


def _said(rows: Rowset, learned: bool, seed: int) -> Floats:
    """Log-odds of each row by one kind of model that had not seen its group."""
    said = np.full(len(rows.y), rows.base)
    if learned:
        for fold in grouped(rows.y, rows.groups, seed):
            said[fold.judge] = members.linear(rows.rows(fold.learn)).shapes.log_odds(rows.table.rows(fold.judge))
    return said


def _drift(rows: Rowset, log_odds: Floats, known: Floats | None) -> Drift:
    """Whether the level drifts beside what the blend says; columns that tell the time have little part in it."""
    if known is None or len(rows.y) < LEAST_ROWS:
        return Drift(pd.DataFrame(columns=["block", "start", "end", "n", "rate", "low", "high", "expected"]))
    return find_drift(rows.y, log_odds, known, sample_weight=rows.weight, groups=rows.groups)


def _following_helped(rows: Rowset, folds: list[Fold], known: Floats | None, horizon: float) -> bool:
    """Whether following the level would have foretold the rate of the judged rows better than their past rate did."""
    better = 0.0
    for fold in folds:
        learn, judge = rows.rows(fold.learn), rows.rows(fold.judge)
        then = _drift(learn, np.full(len(learn.y), learn.base), None if known is None else known[fold.learn])
        past, followed = learn.base, float(then.adjusted(learn.base, horizon))
        loss = [judge.weight @ (np.logaddexp(0.0, eta) - judge.y * eta) for eta in (past, followed)]
        better += float(loss[0] - loss[1])
    return better > 0


def _table(rows: Rowset, names: list[str], found: Stack | None) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame({"member": ["base rate"], "weight": [1.0], "log_loss": [np.nan]})
    return pd.DataFrame(
        {"member": ["base rate", *names, "blend"], "weight": [float("nan"), *found.weights, float("nan")],
         "log_loss": [found.base_loss, *found.losses, found.loss]}
    )  # fmt: skip
