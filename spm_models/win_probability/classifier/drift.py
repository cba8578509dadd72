"""Does the level drift? Win rates of successive blocks against binomial noise, and how sure the level is later on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from spm_models.errors import StatisticsError
from spm_models.inference.intervals import wilson

Floats = npt.NDArray[np.float64]
SIGNIFICANT = 0.05
MOST_BLOCKS, ROWS_A_BLOCK, RARE_A_BLOCK = 24, 20, 5
REACH, STEP = 4.0, 0.04  # of the grid of levels around the common one, log-odds
SPREADS = tuple(np.geomspace(0.15, 5.0, 8))  # of the level over the whole time, log-odds
SWINGS = (0.15, 0.3, 0.6, 1.0)  # of a level that returns to its mean
LENGTHS = (0.02, 0.05, 0.1, 0.2)  # share of the time after which little of a swing is left


@dataclass(frozen=True, eq=False)
class Drift:
    """What is known of the level's drift.

    Parameters
    ----------
    table : DataFrame
        One row a block of rows seen one after another: ``block``, ``start``, ``end`` (first and last moment), ``n``
        (rows), ``rate`` (share won), ``low``, ``high`` (its Wilson interval), ``expected`` (by the log-odds given).
    drifting : bool
        Whether block rates differ by more than chance.
    p_value : float
        How often chance alone makes them differ as much; NaN with fewer than three blocks.
    common : float
        What the rows as a whole lack: to be added to the log-odds so that they agree with all labels together.
    walks : ndarray, shape (walks, 5)
        Ways in which the level may move, given the blocks: probability, mean and variance of the level at the end of
        the table (log-odds beside ``common``), length of time after which a swing is over (infinite for a level that
        stays where it is), and variance that the level gains in the long run (returning) or per unit of time
        (staying). Empty without drift. A unit of time is a day if times are dates.
    """

    table: pd.DataFrame
    drifting: bool = False
    p_value: float = float("nan")
    common: float = 0.0
    walks: Floats = field(default_factory=lambda: np.zeros((0, 5)))

    @property
    def shift(self) -> float:
        """What to add to the log-odds for the level at the end of the table; exactly 0 without drift."""
        return self.after(0.0)[0]

    @property
    def variance(self) -> float:
        """Variance of that shift, in squared log-odds; 0 without drift."""
        return self.after(0.0)[1]

    def after(self, horizon: float) -> tuple[float, float]:
        """Shift and its variance ``horizon`` days (or units of time) after the end of the table."""
        if not len(self.walks):
            return 0.0, 0.0
        share, mean, variance, length, gain = self.walks.T
        stays = ~np.isfinite(length)
        left = np.exp(-max(horizon, 0.0) / length)
        means = mean * left
        grown = np.where(stays, gain * max(horizon, 0.0), gain * (1 - left**2))
        variances = variance * left**2 + grown
        shift = float(share @ means)
        return self.common + shift, float(share @ (variances + np.square(means - shift)))

    def dated(self) -> Drift:
        """The same with days since 1970 as dates."""
        days = {name: pd.to_datetime(self.table[name].astype(float), unit="D") for name in ("start", "end")}
        return replace(self, table=self.table.assign(**days))

    def adjusted(self, log_odds: npt.ArrayLike, horizon: float = 0.0) -> Floats:
        """Log-odds at the coming level, drawn towards even by what is not known of it; unchanged without drift."""
        eta = np.asarray(log_odds, dtype=float)
        shift, variance = self.after(horizon)
        return (eta + shift) * attenuation(variance) if self.drifting else eta


def attenuation(variance: npt.ArrayLike) -> Any:
    """Factor on log-odds for a normal uncertainty around them.

    Notes
    -----
    The mean of sigmoid(eta + e), e ~ N(0, v), is close to sigmoid(eta / sqrt(1 + pi v / 8)) (D. J. C. MacKay, The
    evidence framework applied to classification networks, Neural Computation 4, 1992). One factor for all rows keeps
    contributions to the log-odds additive.

    Examples
    --------
    >>> float(attenuation(0.0)), round(float(attenuation(2.0)), 3)
    (1.0, 0.748)
    """
    return 1 / np.sqrt(1 + np.pi / 8 * np.asarray(variance, dtype=float))


def find_drift(
    y: npt.ArrayLike,
    log_odds: npt.ArrayLike | None = None,
    time: npt.ArrayLike | None = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    blocks: int | None = None,
    level: float = 0.8,
) -> Drift:
    """Compare blocks of rows in the order of time, and follow the level if they differ.

    Parameters
    ----------
    y : array-like of 0 and 1, shape (n,)
        Labels that have matured.
    log_odds : array-like, shape (n,), optional
        What one and the same model says of each row, best out of fold, so that a changed mix of rows is no drift of
        the level. The log-odds of the common rate without it. (Not forward-chained
        ones: each fold has a level of its own.)
    time : array-like of datetimes or numbers, shape (n,), optional
        When each row was seen; the row number without it.
    sample_weight, groups : array-like, shape (n,), optional
        Rows of one group (snapshots of one deal) depend on each other: the noise is then that of groups.
    blocks : int, optional
        How many; without it as many as have 20 rows and 5 of the rarer kind each, at most 24.
    level : float
        Of the intervals in the table.

    Notes
    -----
    Either the level walks and stays where it got (random walk), or it swings around a mean and returns (an
    Ornstein-Uhlenbeck process); blocks are binomial given it. The likelihood is computed on a grid (G. Kitagawa,
    Non-Gaussian state-space modeling of nonstationary time series, JASA 82, 1987), so that blocks without a win need
    no correction. Drift is found when a moving level explains the blocks better than a constant by a likelihood-ratio
    test, taken as chi-squared with two degrees of freedom: cautious, as the spread lies on its boundary (Self and
    Liang, JASA 82, 1987). All ways of moving are averaged by their marginal likelihood: after a jump that stays the
    shift stays, after swings it fades.
    With groups, the log-likelihood is divided by their design effect (Kish, Survey Sampling, 1965).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> steady = find_drift(rng.random(2000) < 0.3)
    >>> steady.drifting, steady.shift
    (False, 0.0)
    >>> moved = find_drift(rng.random(2000) < np.repeat([0.1, 0.3], 1000))
    >>> moved.drifting, 0.3 < moved.shift < 1.0
    (True, True)
    """
    rows = _Rows.of(y, log_odds, time, sample_weight, groups, blocks)
    table = rows.table(level)
    if len(table) < 3:
        return Drift(table)
    grid = rows.common + np.arange(-REACH, REACH + STEP / 2, STEP)
    likelihood = rows.likelihood(grid)
    offsets = grid - rows.common
    none = _filtered(likelihood, np.ones(len(grid)) * (np.abs(offsets) < STEP / 2), [])
    kinds = [(spread, np.inf) for spread in SPREADS] + [(swing, length) for length in LENGTHS for swing in SWINGS]
    found = [_followed(likelihood, offsets, rows.gaps, spread, length) for spread, length in kinds]
    evidence = np.array([each[0] for each in found])
    ratio = 2 * max(float(evidence.max() - none[0]), 0.0)
    p_value = float(stats.chi2.sf(ratio, 2))
    if p_value >= SIGNIFICANT:
        return Drift(table, False, p_value)
    staying = np.array([not np.isfinite(length) for _, length in kinds])
    prior = np.where(staying, 0.5 / staying.sum(), 0.5 / (~staying).sum())
    share = special.softmax(evidence + np.log(prior))
    walks = np.zeros((len(kinds), 5))
    for place, ((spread, length), (_, belief)) in enumerate(zip(kinds, found, strict=True)):
        mean = float(belief @ offsets)
        stays = not np.isfinite(length)
        gain = spread**2 / rows.span if stays else spread**2
        length = length if stays else length * rows.span
        walks[place] = share[place], mean, float(belief @ np.square(offsets - mean)), length, gain
    return Drift(table, True, p_value, rows.common, walks[share > 1e-4] * [1 / share[share > 1e-4].sum(), 1, 1, 1, 1])


def _followed(likelihood: Floats, offsets: Floats, gaps: Floats, spread: float, length: float) -> tuple[float, Floats]:
    """A level that moves by ``spread`` over the whole time and stays, or swings by as much and returns."""
    kernels: dict[float, Floats] = {}
    steps = []
    for gap in (float(f"{each:.2g}") for each in gaps):  # few different gaps, few kernels to make
        if gap not in kernels:
            left = 1.0 if not np.isfinite(length) else float(np.exp(-gap / length))
            variance = spread**2 * (gap if left == 1.0 else 1 - left**2)
            kernels[gap] = _kernel(offsets, left, max(variance, STEP**2))
        steps.append(kernels[gap])
    swing = np.exp(-0.5 * np.square(offsets / spread)) if np.isfinite(length) else np.ones(len(offsets))
    return _filtered(likelihood, swing, steps)


def _kernel(offsets: Floats, left: float, variance: float) -> Floats:
    kernel = np.exp(-0.5 * np.square(offsets[None, :] - left * offsets[:, None]) / variance)
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def _filtered(likelihood: Floats, first: Floats, steps: list[Floats]) -> tuple[float, Floats]:
    """Log marginal likelihood, and the level's distribution at the end; ``steps`` follow the blocks, none: constant."""
    belief = first / first.sum()
    evidence = 0.0
    for b, block in enumerate(likelihood):
        top = block.max()
        joint = belief * np.exp(block - top)
        evidence += top + float(np.log(joint.sum()))
        belief = joint / joint.sum()
        belief = belief @ steps[b] if steps else belief
    return evidence, belief


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows in the order of time, cut into blocks of about equal number."""

    y: Floats
    eta: Floats
    weight: Floats
    moments: pd.Series
    when: Floats
    block: npt.NDArray[np.int64]
    common: float
    effect: float  # design effect: how many times the noise of independent rows

    @classmethod
    def of(cls, y: Any, log_odds: Any, time: Any, sample_weight: Any, groups: Any, blocks: int | None) -> _Rows:
        won = np.asarray(y, dtype=float)
        n = len(won)
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        eta = np.zeros(n) if log_odds is None else np.asarray(log_odds, dtype=float)
        moments = pd.Series(np.arange(n) if time is None else time).reset_index(drop=True)
        when = as_numbers(moments)
        _check(won, eta, weight, when)
        order = np.argsort(when, kind="stable")
        won, eta, weight, moments, when = won[order], eta[order], weight[order], moments.iloc[order], when[order]
        weight = weight * (n / weight.sum()) if n else weight
        common = common_level(won, eta, weight)
        if log_odds is None:
            eta, common = eta + common, 0.0
        code = None if groups is None else pd.factorize(np.asarray(groups)[order])[0]
        effect = 1.0 if code is None and sample_weight is None else _effect(won, eta + common, weight, code)
        rare = min(float(weight @ won), float(weight @ (1 - won))) / effect
        many = blocks or int(np.clip(min(n / effect / ROWS_A_BLOCK, rare / RARE_A_BLOCK), 1, MOST_BLOCKS))
        block = np.arange(n) * min(many, max(n, 1)) // max(n, 1)
        return cls(won, eta, weight, moments, when, block, common, effect)

    @property
    def span(self) -> float:
        """Time from the first row to the last; their number if all were seen at once."""
        length = float(self.when[-1] - self.when[0])
        return length if length > 0 else float(len(self.when))

    @property
    def gaps(self) -> Floats:
        """Time from each block's middle to the next, and from the last to the end, as shares of the whole."""
        when = self.when if self.when[-1] > self.when[0] else np.arange(len(self.when), dtype=float)
        middle = np.bincount(self.block, when) / np.bincount(self.block)
        return np.asarray(np.diff(np.append(middle, when[-1])) / (when[-1] - when[0]))

    def likelihood(self, grid: Floats) -> Floats:
        """Log-likelihood of each block at each level, shape (blocks, levels); log-odds in 64 bins are exact enough."""
        bins = np.minimum(pd.Series(self.eta).rank(pct=True, method="max").to_numpy() * 64, 63).astype(np.int64)
        cell = self.block * 64 + bins
        size = 64 * (int(self.block[-1]) + 1)
        mass = np.bincount(cell, self.weight, size)
        middle = np.bincount(cell, self.weight * self.eta, size) / np.maximum(mass, 1e-300)
        loss = np.stack([mass.reshape(-1, 64) * np.logaddexp(0, middle + d).reshape(-1, 64) for d in grid], axis=-1)
        won = np.bincount(self.block, self.weight * self.y)
        return np.asarray((won[:, None] * grid - loss.sum(axis=1)) / self.effect)

    def table(self, level: float) -> pd.DataFrame:
        count = np.bincount(self.block)
        mass = np.bincount(self.block, self.weight)
        rate = np.bincount(self.block, self.weight * self.y) / mass
        low, high = wilson(rate * mass / self.effect, mass / self.effect, level)
        first = np.searchsorted(self.block, np.arange(len(count)))
        moments = self.moments.to_numpy()
        return pd.DataFrame(
            {"block": np.arange(1, len(count) + 1), "start": moments[first], "end": moments[first + count - 1],
             "n": count, "rate": rate, "low": low, "high": high,
             "expected": np.bincount(self.block, self.weight * special.expit(self.eta)) / mass}
        )  # fmt: skip


def is_dated(moments: npt.ArrayLike) -> bool:
    """Whether times are dates and not numbers."""
    values: Any = pd.Series(moments)
    return bool(values.dtype == object or pd.api.types.is_datetime64_any_dtype(values))


def as_numbers(moments: npt.ArrayLike) -> Floats:
    """Times as numbers: days for dates, else as they are; NaN where missing.

    Examples
    --------
    >>> as_numbers(pd.to_datetime(["1970-01-02", "1970-01-05"])).tolist()
    [1.0, 4.0]
    """
    values: Any = pd.Series(moments)
    if values.dtype == object:  # days as Python's dates, times with a zone
        values = pd.to_datetime(values, utc=True)
    if pd.api.types.is_datetime64_any_dtype(values):
        values = (values - pd.Timestamp(0, tz=values.dt.tz)) / pd.Timedelta("1D")
    return np.asarray(values, dtype=np.float64)


def common_level(won: Floats, eta: Floats, weight: Floats) -> float:
    """Common shift of the log-odds, by Newton's method; half a win and half a loss keep it finite."""
    shift, goal = 0.0, float(weight @ won)
    for _ in range(50):
        p = special.expit(eta + shift)
        slope = float(weight @ (p * (1 - p))) + 0.25
        step = (goal - float(weight @ p) + 0.5 - special.expit(shift)) / slope
        shift += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return shift


def _effect(won: Floats, eta: Floats, weight: Floats, code: npt.NDArray[np.int64] | None) -> float:
    """Variance of the weighted number of wins over that of as many independent rows; never below 1."""
    p = special.expit(eta)
    rest = weight * (won - p)
    together = rest if code is None else np.bincount(code, rest)
    return max(float(together @ together) / float(weight @ (p * (1 - p))), 1.0)


def _check(won: Floats, eta: Floats, weight: Floats, when: Floats) -> None:
    where = "find_drift"
    if not len(won) == len(eta) == len(weight) == len(when):
        found = f"y {len(won)}, log_odds {len(eta)}, weights {len(weight)}, time {len(when)} rows"
        raise StatisticsError("Rows differ in number", where=where, found=found)
    if not len(won):
        raise StatisticsError("There are no labels", where=where, remedy="Give at least one matured row.")
    if not np.isin(won, (0.0, 1.0)).all():
        raise StatisticsError("Labels are 0 or 1", where=where)
    if not (np.isfinite(eta).all() and np.isfinite(when).all() and (weight >= 0).all() and weight.sum() > 0):
        raise StatisticsError("Log-odds, times and weights are finite, weights not negative", where=where)
