"""How fast the past loses its worth: a half-life of the rows' weights, chosen on later rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.classifier.drift import as_numbers, common_level

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
#: Given rows to learn from, their weights and later rows: the log-odds of the later rows.
Predict = Callable[[Rows, Floats, Rows], Floats]

HALF_LIVES = (np.inf, 0.4, 0.15, 0.05)  # shares of the time learned from, longest first
CUTS = (0.4, 0.55, 0.7, 0.85)  # shares of the rows before which each fold learns
LEAST_ROWS = 40
PARTS = 5  # blocks of each fold's later rows, for the standard error


@dataclass(frozen=True, eq=False)
class HalfLife:
    """The half-life that foretold later rows well.

    Parameters
    ----------
    value : float
        In the unit of time (days for dates); infinite: all rows count alike.
    table : DataFrame
        One row a candidate, longest first: ``half_life``, ``log_loss`` on later rows, ``worse`` (than the best),
        ``error`` (standard error of that difference).
    """

    value: float
    table: pd.DataFrame

    def weights(self, time: npt.ArrayLike) -> Floats:
        """Weight of each row, 1 for the last one."""
        return recency_weights(time, self.value)


def recency_weights(time: npt.ArrayLike, half_life: float) -> Floats:
    """Weights that halve with every ``half_life`` before the last row.

    Parameters
    ----------
    time : array-like of datetimes or numbers, shape (n,)
    half_life : float
        In days for dates, in their unit for numbers; infinite for weights of 1.

    Examples
    --------
    >>> recency_weights([0, 10, 20], 10).tolist()
    [0.25, 0.5, 1.0]
    """
    when = as_numbers(time)
    return np.asarray(np.exp2((when - when.max()) / half_life)) if len(when) else when


def choose_half_life(
    predict: Predict,
    y: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    matured: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    half_lives: Sequence[float] = HALF_LIVES,
    own_level: bool = False,
) -> HalfLife:
    """Try half-lives on rows that were seen after what they learn from.

    Parameters
    ----------
    predict : callable (learn, weights, later) -> log-odds of the later rows
        Row numbers of y; the weights contain ``sample_weight``.
    y : array-like of 0 and 1, shape (n,)
    time, matured : array-like of datetimes or numbers, shape (n,)
        When each row was seen and its label known. A fold learns from labels that were known when it begins.
    half_lives : sequence of float
        Shares of the whole time, longest first.
    own_level : bool
        Judge each block of later rows at a level of its own: how the columns matter, not how the level moves, which
        :func:`~spm_models.win_probability.classifier.drift.find_drift` follows.

    Returns
    -------
    HalfLife
        The longest one that is not worse than the best by more than a standard error (the one-standard-error rule;
        Breiman et al., CART, 1984), errors by blocks of successive rows. Infinite where there are too few rows.

    Examples
    --------
    >>> y = (np.random.default_rng(0).random(1500) < np.repeat([0.1, 0.6], 750)).astype(float)
    >>> def rate(learn, weights, later):
    ...     p = np.average(y[learn], weights=weights)
    ...     return np.full(len(later), np.log(p / (1 - p)))
    >>> bool(choose_half_life(rate, y, np.arange(1500)).value < 1500)
    True
    """
    won, when = np.asarray(y, dtype=float), as_numbers(time)
    known = when if matured is None else as_numbers(matured)
    weight = np.ones(len(won)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    span = float(when.max() - when.min()) if len(when) else 0.0
    folds = _folds(won, when, known) if span > 0 else []
    if not folds:
        return HalfLife(float("inf"), pd.DataFrame(columns=["half_life", "log_loss", "worse", "error"], dtype=float))
    lives = np.asarray(half_lives, dtype=float) * span
    losses = [_losses(predict, won, when, weight, lives, learn, later, own_level) for learn, later in folds]
    blocks = np.concatenate(losses)  # (blocks, half-lives)
    mean = blocks.mean(axis=0)
    worse = blocks - blocks[:, [int(mean.argmin())]]
    error = worse.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    table = pd.DataFrame({"half_life": lives, "log_loss": mean, "worse": worse.mean(axis=0), "error": error})
    return HalfLife(float(lives[int((table["worse"] <= table["error"]).to_numpy().argmax())]), table)


def _folds(won: Floats, when: Floats, known: Floats) -> list[tuple[Rows, Rows]]:
    """Rows known before each cut, and the rows seen from then on to the next cut."""
    order = np.sort(when)
    edges = [order[int(cut * (len(order) - 1))] for cut in CUTS] if len(order) else []
    found = []
    for start, end in zip(edges, [*edges[1:], np.inf], strict=True):
        learn = np.flatnonzero((known <= start) & (when < start))
        later = np.flatnonzero((when >= start) & (when < end))
        if len(learn) >= LEAST_ROWS and len(later) >= PARTS and 0 < won[learn].mean() < 1:
            found.append((learn, later[np.argsort(when[later], kind="stable")]))
    return found


def _losses(
    predict: Predict, won: Floats, when: Floats, weight: Floats, lives: Floats, learn: Rows, later: Rows, own: bool
) -> Floats:
    """Mean log loss of blocks of the later rows, shape (PARTS, half-lives)."""
    found = np.empty((PARTS, len(lives)))
    parts = np.array_split(np.arange(len(later)), PARTS)
    for column, life in enumerate(lives):
        eta = predict(learn, weight[learn] * recency_weights(when[learn], life), later)
        for row, part in enumerate(parts):
            y, w, said = won[later[part]], weight[later[part]], eta[part]
            said = said + common_level(y, said, w) if own else said
            found[row, column] = w @ (np.logaddexp(0, said) - y * said) / max(w.sum(), 1e-12)
    return found
