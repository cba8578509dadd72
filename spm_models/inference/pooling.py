"""Partial pooling: what is known about each of many groups when they may resemble each other.

Each function takes one number per group and returns a :class:`Pooled`. How much the groups differ (the spread) is
not fixed at one estimate, which would say that nobody differs whenever the estimate is zero; it is averaged over a
grid, weighted by how well each value explains all groups together. Given the spread everything is in closed form.

With ``tails`` a share of the groups may differ ``WIDE`` times as much: one group far from all others is then not drawn
in by their being alike.

References
----------
West (1987), On scale mixtures of normal distributions, Biometrika 74 (tails).
Efron and Morris (1975), Data analysis using Stein's estimator and its generalizations, JASA 70.
Morris (1983), Parametric empirical Bayes inference, JASA 78.
Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., chapter 5 (the grid and its flat prior on the spread).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from spm_models.errors import StatisticsError

Floats = NDArray[np.float64]
WIDE = 3.0  #: how much more the groups in the tails differ
_GRID = 32
_BISECTIONS = 40


@dataclass(frozen=True, eq=False)
class Pooled:
    """What is known about every group: a mixture of Beta, Gamma or normal distributions.

    Parameters
    ----------
    mean, low, high : ndarray, shape (groups,)
        Posterior mean and central interval.
    level : float
        Probability inside ``low`` to ``high``.
    spread : float
        Posterior mean of the standard deviation between groups: relative to the mean for rates, absolute for
        normal values.
    """

    mean: Floats
    low: Floats
    high: Floats
    level: float
    spread: float
    family: Literal["beta", "gamma", "normal"]
    weights: Floats  # (components, groups), or (components, 1) where the same for all groups
    first: Floats  # (components, groups): alpha, shape, mean
    second: Floats  # (components, groups): beta, rate, standard deviation

    def below(self, threshold: ArrayLike) -> Floats:
        """Posterior probability that the true value of each group is at most ``threshold``.

        Examples
        --------
        >>> pooled = beta_binomial([30, 10], [100, 100])
        >>> bool(pooled.below(0.2)[1] > 0.9), bool(pooled.below(0.2)[0] < 0.1)
        (True, True)
        """
        bound = np.broadcast_to(np.asarray(threshold, dtype=float), self.mean.shape)
        return _cdf(self.family, self.weights, self.first, self.second, bound)

    def draws(self, random: np.random.Generator, number: int) -> Floats:
        """Values of every group drawn from what is known about it, shape (number, groups).

        Examples
        --------
        >>> pooled = beta_binomial([30, 10], [100, 100])
        >>> drawn = pooled.draws(np.random.default_rng(1), 4000)
        >>> bool(np.abs(drawn.mean(axis=0) - pooled.mean).max() < 0.01)
        True
        """
        groups = self.mean.size
        upto = np.cumsum(np.broadcast_to(self.weights, (len(self.weights), groups)), axis=0)
        u = random.random((number, groups)) * upto[-1]
        chosen = np.stack([upto[:, group].searchsorted(u[:, group], side="right") for group in range(groups)], axis=1)
        chosen = np.minimum(chosen, len(upto) - 1)
        first, second = (part[chosen, np.arange(groups)] for part in (self.first, self.second))
        if self.family == "beta":
            return np.asarray(random.beta(first, second))
        return np.asarray(random.gamma(first) / second if self.family == "gamma" else random.normal(first, second))


def beta_binomial(
    successes: ArrayLike,
    trials: ArrayLike,
    expected: ArrayLike | None = None,
    *,
    level: float = 0.8,
    spread: float | None = None,
    tails: float = 0.0,
) -> Pooled:
    """Partial pooling of rates.

    Parameters
    ----------
    successes, trials : array-like, shape (groups,)
        Counts; groups without trials get what the others suggest.
    expected : array-like, optional
        The rate to pool each group towards, strictly between 0 and 1 (from its context). Without it the common
        rate is unknown too and averaged over, as in BDA3 section 5.3.
    level : float
        Of the central interval.
    spread : float, optional
        Scale of a half-normal prior on the relative standard deviation between groups. Without it the prior is
        flat in ``(alpha + beta) ** -0.5``, as in BDA3; with fewer than three groups give it.
    tails : float
        Share of groups that may differ :data:`WIDE` times as much.

    Raises
    ------
    StatisticsError
        When counts are negative, missing, or more succeed than were tried.

    Examples
    --------
    >>> beta_binomial([18, 14, 12, 10, 7], [45, 45, 45, 45, 45]).mean.round(2).tolist()
    [0.34, 0.3, 0.27, 0.25, 0.21]
    """
    k, n = _counts(successes, trials)
    inverse_root, step = _grid(0.003, 1.4)
    concentration = inverse_root**-2.0
    rates, prior = _expected_rates(k, n, expected)  # (rates, groups), (rates,)
    shape = (len(rates) * concentration.size, k.size)
    typical = rates.mean(axis=1) if k.size else np.full(len(rates), 0.5)
    relative = np.sqrt((1 - typical)[:, None] / typical[:, None] / (concentration[None, :] + 1)).ravel()
    log_prior = (np.log(prior)[:, None] + np.log(step)[None, :]).ravel() + _half_normal(relative, spread)
    parts = []
    for share, wide in _shares(tails):
        size = np.maximum(concentration / wide**2, 0.5)
        alpha = (rates[:, None, :] * size[None, :, None]).reshape(shape)
        beta = ((1 - rates)[:, None, :] * size[None, :, None]).reshape(shape)
        likelihood = special.betaln(alpha + k, beta + n - k) - special.betaln(alpha, beta)
        parts.append((share, likelihood, alpha + k, beta + n - k))
    return _mixed("beta", parts, log_prior, relative, level)


def gamma_poisson(
    counts: ArrayLike,
    exposure: ArrayLike,
    expected: ArrayLike | None = None,
    *,
    dispersion: float = 1.0,
    level: float = 0.8,
    spread: float | None = None,
    tails: float = 0.0,
) -> Pooled:
    """Partial pooling of counts per exposure (activities per working day, deals per month).

    Parameters
    ----------
    counts, exposure : array-like, shape (groups,)
        Events and the time (or other size) in which they could happen.
    expected : array-like, optional
        Events per unit of exposure to pool each group towards; without it the rate of all groups together.
    dispersion : float
        Variance of a group's count over its mean; 1 is Poisson. Clustered events have more: they say less.
    level, spread, tails
        As in :func:`beta_binomial`.

    Returns
    -------
    Pooled
        In events per unit of exposure.

    Examples
    --------
    >>> gamma_poisson([50, 150, 100], [100, 100, 100]).mean.round(2).tolist()
    [0.52, 1.48, 1.0]
    """
    x, size = _nonnegative(counts, "counts"), _nonnegative(exposure, "exposure")
    if expected is None:
        rate = np.full(x.shape, max(x.sum(), 0.5) / size.sum() if size.sum() > 0 else np.nan)
    else:
        rate = np.broadcast_to(_nonnegative(expected, "expected"), x.shape)
    if ((rate <= 0) | np.isnan(rate)).any() and x.size:
        raise StatisticsError("Nothing can be expected", where="gamma_poisson", remedy="Give exposure and a rate > 0.")
    x, mean = x / dispersion, rate * size / dispersion
    relative, step = _grid(0.003, 1.5)
    parts = []
    for share, wide in _shares(tails):
        shape = (np.minimum(wide * relative, 1.5)[:, None]) ** -2.0
        terms = special.gammaln(shape + x) - special.gammaln(shape) + shape * np.log(shape)
        likelihood = terms - (shape + x) * np.log(shape + mean)
        parts.append((share, likelihood, shape + x, (shape + mean) / rate))
    return _mixed("gamma", parts, np.log(step) + _half_normal(relative, spread), relative, level)


def normal_normal(
    values: ArrayLike,
    standard_errors: ArrayLike,
    expected: ArrayLike | None = None,
    *,
    level: float = 0.8,
    spread: float | None = None,
    tails: float = 0.0,
) -> Pooled:
    """Partial pooling of means with known standard errors.

    Parameters
    ----------
    values, standard_errors : array-like, shape (groups,)
        Estimates and their standard errors; an infinite error says that nothing is known (the value is ignored).
    expected : array-like, optional
        The value to pool each group towards. Without it the common mean is unknown and integrated out
        (BDA3 section 5.4).
    level : float
        Of the central interval.
    spread : float, optional
        Scale of a half-normal prior on the standard deviation between groups, in the unit of the values; flat
        without it.
    tails : float
        As in :func:`beta_binomial`; needs ``expected``.

    Examples
    --------
    >>> schools = normal_normal([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])
    >>> schools.mean.round(0).tolist()  # BDA3 table 5.3
    [11.0, 8.0, 6.0, 8.0, 5.0, 6.0, 11.0, 8.0]
    """
    y, error = np.asarray(values, dtype=float), np.asarray(standard_errors, dtype=float)
    known = np.isfinite(error)
    if y.shape != error.shape or not np.isfinite(y[known]).all() or (error <= 0).any() or np.isnan(error).any():
        raise StatisticsError(
            "Values and standard errors do not fit", where="normal_normal",
            found=f"{y.shape} values, {error.shape} errors, least {error.min(initial=np.inf)}",
            remedy="Give one finite value and one error above 0 for each group.",
        )  # fmt: skip
    centre = 0.0 if expected is None else np.broadcast_to(np.asarray(expected, dtype=float), y.shape)
    y = np.where(known, y - centre, 0.0)
    size = max(float(np.std(y[known])), float(np.median(error[known]))) if known.any() else spread or 1.0
    tau, step = _grid(size * 1e-3, size * 5)
    parts = []
    for share, wide in _shares(tails if expected is not None else 0.0):
        reach = wide * tau
        precision = np.where(known, 1 / (error**2 + reach[:, None] ** 2), 0.0)
        total = precision.sum(axis=1)
        mean, mean_variance = np.zeros(tau.size), np.zeros(tau.size)
        if expected is None and known.any():
            mean, mean_variance = (precision * y).sum(axis=1) / total, 1 / total
        log_precision = np.log(np.where(precision > 0, precision, 1.0))
        likelihood = 0.5 * (log_precision - precision * (y - mean[:, None]) ** 2)
        likelihood += (0.5 * np.log(np.where(mean_variance > 0, mean_variance, 1.0)) / max(y.size, 1))[:, None]
        own = reach[:, None] ** 2 * precision  # weight of a group's own value, 0 to 1
        variance = reach[:, None] ** 2 * (1 - own) + (1 - own) ** 2 * mean_variance[:, None]
        parts.append((share, likelihood, mean[:, None] * (1 - own) + own * y + centre, np.sqrt(variance)))
    return _mixed("normal", parts, np.log(step) + _half_normal(tau, spread), tau, level)


def james_stein(values: ArrayLike, variance: float) -> Floats:
    """Shrink means of equal known variance towards their own mean (positive part).

    The plain point estimate of Efron and Morris (1975); for intervals use :func:`normal_normal`.

    Examples
    --------
    >>> james_stein([1.0, 2.0, 3.0, 4.0, 10.0], 1.0).round(2).tolist()
    [1.12, 2.08, 3.04, 4.0, 9.76]
    """
    y = np.asarray(values, dtype=float)
    if y.size < 4:
        return y.copy()
    squares = float(((y - y.mean()) ** 2).sum())
    keep = max(0.0, 1 - (y.size - 3) * variance / squares) if squares > 0 else 0.0
    return np.asarray(y.mean() + keep * (y - y.mean()), dtype=float)


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    k, n = _nonnegative(successes, "successes"), _nonnegative(trials, "trials")
    if k.shape != n.shape or (k > n + 1e-9).any():
        raise StatisticsError(
            "Successes and trials do not fit", where="beta_binomial", found=f"{k.shape} and {n.shape}",
            remedy="Give one pair for each group, with no more successes than trials.",
        )  # fmt: skip
    return k, n


def _nonnegative(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=float)
    if not (np.isfinite(array) & (array >= 0)).all():
        raise StatisticsError(
            f"Negative or missing {name}", found=array[~(np.isfinite(array) & (array >= 0))][:3].tolist(),
            remedy="Leave such groups out or count them as 0.",
        )  # fmt: skip
    return array


def _grid(low: float, high: float) -> tuple[Floats, Floats]:
    """Points that are denser near zero, and the width that each stands for."""
    points = low + (high - low) * np.linspace(0, 1, _GRID) ** 2
    return points, np.gradient(points)


def _expected_rates(k: Floats, n: Floats, expected: ArrayLike | None) -> tuple[Floats, Floats]:
    if expected is not None:
        given = np.broadcast_to(np.asarray(expected, dtype=float), k.shape)
        if not ((given > 0) & (given < 1)).all():
            raise StatisticsError("An expected rate is not between 0 and 1", found=given.tolist()[:3])
        return given[None, :], np.ones(1)
    total, groups = max(n.sum(), 1.0), max(k.size, 1)
    common = (k.sum() + 0.5) / (n.sum() + 1)
    unit = common * (1 - common)
    width = 5 * np.sqrt(1 / (total * unit) + 0.3 / (groups * unit))
    rates = special.expit(special.logit(common) + np.linspace(-width, width, 17))
    return np.repeat(rates[:, None], k.size, axis=1), rates * (1 - rates)  # flat in the rate


def _half_normal(values: Floats, scale: float | None) -> Floats:
    return np.zeros_like(values) if scale is None else -0.5 * (values / scale) ** 2


def _shares(tails: float) -> list[tuple[float, float]]:
    """Share of the groups, and how many times the common spread they have."""
    if not 0 <= tails < 1:
        raise StatisticsError("The share of outlying groups lies between 0 and 1", where="tails", found=tails)
    return [(1 - tails, 1.0), (tails, WIDE)] if tails else [(1.0, 1.0)]


def _mixed(
    family: Literal["beta", "gamma", "normal"], parts: list[tuple[float, Floats, Floats, Floats]], log_prior: Floats,
    spread: Floats, level: float,
) -> Pooled:  # fmt: skip
    """Average over the spread, and over whether each group is one of the outlying ones."""
    logged = np.stack([np.log(share) + likelihood for share, likelihood, _, _ in parts])
    both = np.asarray(special.logsumexp(logged, axis=0), dtype=float)  # (components, groups)
    weights, kept = _weights(both.sum(axis=1) + log_prior)
    belongs = np.exp(logged[:, kept] - both[kept]) * weights[:, None]
    if len(parts) == 1:
        belongs = belongs[:, :, :1] if belongs.shape[2] else weights[None, :, None]
    first = np.concatenate([one[kept] for _, _, one, _ in parts])
    second = np.concatenate([one[kept] for _, _, _, one in parts])
    return _pooled(family, np.concatenate(list(belongs)), first, second, level, float(weights @ spread[kept]))


def _weights(log_posterior: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Normalised weights of the components that matter, and which they are."""
    weights = np.exp(log_posterior - log_posterior.max())
    kept = np.flatnonzero(weights > 1e-4 * weights.max())
    return weights[kept] / weights[kept].sum(), kept


def _pooled(
    family: Literal["beta", "gamma", "normal"], weights: Floats, first: Floats, second: Floats, level: float,
    spread: float,
) -> Pooled:  # fmt: skip
    if not 0 < level < 1:
        raise StatisticsError("An interval needs a level between 0 and 1", found=level)
    means: Floats = first
    if family != "normal":
        means = first / (first + second) if family == "beta" else first / second
    mean = np.asarray((weights * means).sum(axis=0), dtype=float)
    tail = (1 - level) / 2
    low = _quantile(family, weights, first, second, tail)
    high = _quantile(family, weights, first, second, 1 - tail)
    return Pooled(mean, low, high, level, spread, family, weights, first, second)


def _cdf(family: str, weights: Floats, first: Floats, second: Floats, x: Floats) -> Floats:
    if family == "beta":
        inside = special.betainc(first, second, np.clip(x, 0, 1))
    elif family == "gamma":
        inside = special.gammainc(first, second * np.maximum(x, 0))
    else:
        inside = special.ndtr((x - first) / np.maximum(second, 1e-300))
    return np.asarray(np.clip((weights * inside).sum(axis=0), 0, 1), dtype=float)


def _quantile(family: str, weights: Floats, first: Floats, second: Floats, probability: float) -> Floats:
    """Quantiles of mixtures by bisection, all groups at once; brackets are the components' own far tails."""
    if family == "beta":
        low, high = np.zeros(first.shape[1]), np.ones(first.shape[1])
    elif family == "gamma":
        low, high = np.zeros(first.shape[1]), ((first + 12 * np.sqrt(first) + 40) / second).max(axis=0)
    else:
        low, high = (first - 12 * second).min(axis=0), (first + 12 * second).max(axis=0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = _cdf(family, weights, first, second, middle) > probability
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2, dtype=float)
