"""Recalibration by labels that arrive after fitting, and late: experts at several paces, mixed by how they did."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from spm_models.errors import StatisticsError
from spm_models.win_probability.classifier.drift import as_numbers
from spm_models.win_probability.classifier.dynamic import DynamicLogistic

Floats = npt.NDArray[np.float64]
PACES = (2e-6, 2e-5, 2e-4, 2e-3)  # variance of the level per label: forgets in about 5000, 1500, 500, 150 labels
COLUMN_PACES = (1e-6, 1e-5, 1e-4)
SLOWER_SLOPE = 0.1
PRIOR = {"as fitted": 0.4, "level": 0.15, "level and slope": 0.15, "last rate": 0.1, "all columns": 0.2}
SHARE = 1e-3  # chance per label that another expert becomes the best
RATES = (1.0, 0.2)  # learning rates of the weights, averaged: late losses want slower ones too
BLOCK = 50
SNAPSHOTS = 64
MOST_COLUMNS = 100
FARTHEST = 5.0  # standard deviations
MEMORY = 2000.0  # labels behind the mean features


@dataclass(eq=False)
class OnlineCalibration:
    """Log-odds after recalibration: ``shift`` + ``slope`` × log-odds given + design columns × ``coefficients``.

    Experts are dynamic logistic regressions (:class:`DynamicLogistic`): the log-odds as fitted; a level that wanders;
    level and slope; the last known rate alone; level, slope and a correction of every design column: each at several
    paces. They are mixed by the losses of their own earlier predictions, once labels have matured.

    Notes
    -----
    Weights by fixed share (M. Herbster and M. K. Warmuth, Tracking the best expert, Machine Learning 32, 1998). The
    mixture is one of log-odds, not of probabilities: log loss is convex in them, so it is at most the weighted mean of
    the experts' losses, and a weighted sum of linear experts is linear, so that contributions still add up exactly.
    Losses that come late make fast weights follow a swing that is over (P. Joulani, A. György and C. Szepesvári, Online
    learning under delayed feedback, ICML 2013): a quick and a slow learning rate are averaged.
    An expert is judged by what it would have said when a row was seen, never by what it learned since.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> eta = rng.normal(-1, 1, 3000)
    >>> y = rng.random(3000) < 1 / (1 + np.exp(-eta - np.repeat([0, 2], [1000, 2000])))
    >>> online = OnlineCalibration.start(eta[:1000], y[:1000])
    >>> online.log_odds(eta[:2]).tolist() == eta[:2].tolist()
    True
    >>> online = online.update(eta[1000:], y[1000:])
    >>> 1.5 < online.shift < 2.5
    True
    """

    filters: list[DynamicLogistic]
    weights: Floats  # (rates, experts)
    prior: Floats  # (experts,)
    moments: Floats  # (features, features)
    chosen: npt.NDArray[np.int64]  # design columns in use
    centre: Floats
    scale: Floats
    labels: float = 0.0
    lag: float = 0.0  # labels that come between seeing a row and knowing its own
    losses: Floats = field(default_factory=lambda: np.zeros(0))  # (experts,), sums
    known: list[float] = field(default_factory=list)  # moment of each snapshot
    counts: list[float] = field(default_factory=list)
    said: list[Floats] = field(default_factory=list)  # coefficients of all experts, (experts, features)

    @classmethod
    def start(
        cls,
        log_odds: npt.ArrayLike,
        y: npt.ArrayLike,
        design: npt.ArrayLike | None = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Before the first late label: log-odds stay exactly as given.

        Parameters
        ----------
        log_odds, y : array-like, shape (n,)
            Of the rows learned from; log-odds best out of fold.
        design : array-like, shape (n, columns), optional
            Columns that may get corrections, standardised. The 100 that go most with y are used.
        """
        base, won, w = _rows(log_odds, y, sample_weight)
        Z = np.zeros((len(base), 0)) if design is None else np.asarray(design, dtype=float)
        chosen, centre, scale = _columns(Z, won, w)
        information = float(w.sum()) * _rate(won, w) * (1 - _rate(won, w))
        filters = _filters(len(chosen), _rate(won, w), information)
        prior = np.concatenate([np.full(len(f.pace), PRIOR[f.name] / len(f.pace)) for f in filters])
        prior /= prior.sum()
        made = cls(filters, np.tile(prior, (len(RATES), 1)), prior, np.eye(2 + len(chosen)), chosen, centre, scale)
        made.losses = np.zeros(len(prior))
        features = made._features(base, Z)
        made.moments = (features * w[:, None]).T @ features / w.sum()
        made._remember(-np.inf)
        return made

    def update(
        self,
        log_odds: npt.ArrayLike,
        y: npt.ArrayLike,
        design: npt.ArrayLike | None = None,
        *,
        time: npt.ArrayLike | None = None,
        matured: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from labels, in the order in which they became known.

        Parameters
        ----------
        log_odds, y : array-like, shape (n,)
            Log-odds by the model as fitted.
        design : array-like, shape (n, columns), optional
            The same columns as at the start.
        time : array-like of datetimes or numbers, shape (n,), optional
            When each row was seen. Without it experts are judged by what they knew before its block.
        matured : array-like like ``time``, optional
            When each label became known; without it not before those of earlier rows had been seen.
        """
        base, won, w = _rows(log_odds, y, sample_weight)
        features = self._features(base, design)
        seen = np.full(len(won), np.inf) if time is None else as_numbers(time)
        known = np.maximum.accumulate(seen) if matured is None else as_numbers(matured)
        order = np.argsort(known, kind="stable")
        for part in np.array_split(order, max(-(-len(order) // BLOCK), 1)) if len(order) else []:
            self._judge(features[part], won[part], w[part], seen[part])
            for each in self.filters:
                each.learn(features[part], won[part], w[part])
            share = min(1.0, w[part].sum() / MEMORY)
            mean = (features[part] * w[part][:, None]).T @ features[part] / w[part].sum()
            self.moments = (1 - share) * self.moments + share * mean
            self.labels += float(w[part].sum())
            self._remember(float(known[part[-1]]) if time is not None else -np.inf)
        return self

    def log_odds(self, log_odds: npt.ArrayLike, design: npt.ArrayLike | None = None) -> Floats:
        """Recalibrated log-odds, shape (n,); exactly those given before the first update."""
        base = np.asarray(log_odds, dtype=float)
        return base if not self.labels else np.asarray(self._features(base, design) @ self._said())

    def additions(self, design: npt.ArrayLike) -> Floats:
        """What each design column adds to the log-odds, shape (n, columns).

        ``shift + slope * log_odds + additions.sum(axis=1)`` are the recalibrated log-odds.
        """
        Z = np.asarray(design, dtype=float)
        added = np.zeros(Z.shape)
        added[:, self.chosen] = self._scaled(Z) * self._said()[2:]
        return added

    def state(self) -> dict[str, Any]:
        """Plain values and arrays."""
        return deepcopy({**vars(self), "filters": [vars(each) for each in self.filters]})

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """What :meth:`state` described: it predicts and learns the same."""
        own = deepcopy(state)
        return cls(**{**own, "filters": [DynamicLogistic(**each) for each in own["filters"]]})

    @property
    def shift(self) -> float:
        """Added to the log-odds of every row."""
        return float(self._said()[0])

    @property
    def slope(self) -> float:
        """Factor on the log-odds given."""
        return float(self._said()[1])

    @property
    def experts(self) -> pd.DataFrame:
        """One row an expert: ``expert``, ``pace`` (of its level), ``weight``, ``log_loss`` (mean over late labels)."""
        names = [(f.name, float(pace[0])) for f in self.filters for pace in f.pace]
        table = pd.DataFrame(names, columns=["expert", "pace"])
        loss = self.losses / self.labels if self.labels else np.full(len(names), np.nan)
        return table.assign(weight=self.weights.mean(axis=0), log_loss=loss)

    def variance(self, log_odds: npt.ArrayLike, design: npt.ArrayLike | None = None) -> Floats:
        """Variance of the recalibrated log-odds, within and between experts, shape (n,); 0 before an update."""
        base = np.asarray(log_odds, dtype=float)
        if not self.labels:
            return np.zeros(len(base))
        features = self._features(base, design)
        weight = self.weights.mean(axis=0)
        each = features @ self.said[-1].T
        within = np.vstack([f.variance(features, self.lag) for f in self.filters]).T
        return np.asarray((within + np.square(each - (each @ weight)[:, None])) @ weight)

    def _said(self) -> Floats:
        if not self.labels:
            return np.asarray(np.eye(len(self.moments))[1])
        return np.asarray(self.weights.mean(axis=0) @ self.said[-1])

    def _judge(self, features: Floats, won: Floats, w: Floats, seen: Floats) -> None:
        """Weigh the experts by what they said of these rows when they were seen."""
        moments = np.array(self.known)
        place = np.maximum(np.searchsorted(moments, seen, side="right") - 1, 0)
        eta = np.empty((len(self.prior), len(won)))
        for p in np.unique(place):
            rows = place == p
            eta[:, rows] = self.said[p] @ features[rows].T
        losses = (np.logaddexp(0, eta) - won * eta) @ w
        self.losses = self.losses + losses
        share = 1 - (1 - SHARE) ** w.sum()
        fresh = special.softmax(np.log(self.weights) - np.array(RATES)[:, None] * losses, axis=1)
        self.weights = (1 - share) * fresh + share * self.prior
        waited = self.labels - np.array(self.counts)[place] + w.sum() / 2
        step = w.sum() / min(self.labels + w.sum(), MEMORY)
        self.lag += float(step * (np.average(waited, weights=w) - self.lag))

    def _remember(self, moment: float) -> None:
        """Keep what the experts say now; older snapshots are thinned, which only makes judgements staler."""
        if self.known and moment == -np.inf:
            self.known, self.counts, self.said = [], [], []
        self.known.append(max([moment, *self.known[-1:]]))  # labels of an earlier moment may come in a later call
        self.counts.append(self.labels)
        self.said.append(np.vstack([f.coefficients(self.moments, self.lag) for f in self.filters]))
        if len(self.known) > SNAPSHOTS:
            kept = [*range(0, SNAPSHOTS // 2, 2), *range(SNAPSHOTS // 2, len(self.known))]
            self.known, self.counts = [self.known[i] for i in kept], [self.counts[i] for i in kept]
            self.said = [self.said[i] for i in kept]

    def _features(self, base: Floats, design: npt.ArrayLike | None) -> Floats:
        if not len(self.chosen):
            return np.column_stack([np.ones(len(base)), base])
        if design is None:
            raise StatisticsError(
                "The columns to correct are missing", where="OnlineCalibration", remedy="Give design."
            )
        return np.column_stack([np.ones(len(base)), base, self._scaled(np.asarray(design, dtype=float))])

    def _scaled(self, Z: Floats) -> Floats:
        return np.asarray(np.clip((Z[:, self.chosen] - self.centre) / self.scale, -FARTHEST, FARTHEST))


def _filters(columns: int, rate: float, information: float) -> list[DynamicLogistic]:
    """The experts' starting points: narrow where much has been learned already."""
    level = min(1 / information, 0.05) + 1e-3
    pace = np.array(PACES)[:, None]
    both = pace * [1.0, SLOWER_SLOPE]
    made = [
        DynamicLogistic.start("as fitted", [0], [0.0], [1e-9], [[0.0]], offset=True),
        DynamicLogistic.start("level", [0], [0.0], [level], pace, offset=True),
        DynamicLogistic.start("level and slope", [0, 1], [0.0, 1.0], [level, 4 * level], both),
        DynamicLogistic.start("last rate", [0], [np.log(rate / (1 - rate))], [level], pace),
    ]
    if columns:
        variance = [level, 4 * level, *[min(4 / information, 0.1)] * columns]
        paces = [[p, p * SLOWER_SLOPE, *[c] * columns] for p in PACES[1:] for c in COLUMN_PACES]
        mean = [0.0, 1.0, *[0.0] * columns]
        made.append(DynamicLogistic.start("all columns", np.arange(2 + columns), mean, variance, paces))
    return made


def _columns(Z: Floats, won: Floats, w: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Columns worth correcting, their means and scales (1, or their deviation where it is larger)."""
    centre = np.average(Z, axis=0, weights=w) if Z.shape[1] else np.zeros(0)
    spread = np.sqrt(np.average(np.square(Z - centre), axis=0, weights=w)) if Z.shape[1] else np.zeros(0)
    together = np.abs(((won - np.average(won, weights=w)) * w) @ (Z - centre)) / np.maximum(spread, 1e-12)
    chosen = np.flatnonzero(spread > 0)
    if len(chosen) > MOST_COLUMNS:
        chosen = np.sort(chosen[np.argsort(-together[chosen], kind="stable")[:MOST_COLUMNS]])
    return chosen, centre[chosen], np.maximum(spread[chosen], 1.0)


def _rate(won: Floats, w: Floats) -> float:
    return float((w @ won + 0.5) / (w.sum() + 1))


def _rows(log_odds: Any, y: Any, sample_weight: Any) -> tuple[Floats, Floats, Floats]:
    base, won = np.asarray(log_odds, dtype=float), np.asarray(y, dtype=float)
    w = np.ones(len(won)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if not len(base) == len(won) == len(w):
        found = f"log-odds {len(base)}, y {len(won)}, weights {len(w)} rows"
        raise StatisticsError("Rows differ in number", where="OnlineCalibration", found=found)
    if not (np.isfinite(base).all() and np.isin(won, (0.0, 1.0)).all() and (w > 0).all()):
        raise StatisticsError("Log-odds are finite, labels 0 or 1, weights positive", where="OnlineCalibration")
    return base, won, w
