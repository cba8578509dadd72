"""How the pace of new business moves: a local level with a damped trend, as far as the record says that there is one.

Monthly counts over what the people there could have been expected to create are filtered on the log scale. How much
the level and the slope may move from month to month is not fixed: every pair of a grid is filtered at once and weighs
as much as it explains the record, times a prior for calm.

References
----------
Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, chapter 4.
Gardner and McKenzie (1985), Forecasting trends in time series, Management Science 31: damped trends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LEVELS = np.array([0.0, 0.03, 0.07, 0.15, 0.3])  # deviation of a month's change of the log level
_SLOPES = np.array([0.0, 0.004, 0.012])  # of a month's change of its slope
_CALM = np.array([0.25, 0.3, 0.25, 0.15, 0.05])[:, None] * np.array([0.5, 0.3, 0.2])
_FIRST_SLOPE = 0.02  # deviation of the slope at first: about a quarter a year
DAMPING = 0.93
_LEAST_MONTHS = 6


@dataclass(frozen=True, eq=False)
class Path:
    """Level of each month of the record and of months to come, relative to the last month on record.

    Parameters
    ----------
    past : ndarray, shape (months,)
        The last is 1.
    ahead : ndarray, shape (months,)
        Means of the factors to come.
    deviation : ndarray, shape (months,)
        Standard deviation of their logs.
    """

    past: Floats
    ahead: Floats
    deviation: Floats


def path(counts: Floats, expected: Floats, ahead: int, dispersion: float = 1.3) -> Path:
    """Filter and smooth.

    Parameters
    ----------
    counts : ndarray, shape (months,)
        Deals created in each month.
    expected : ndarray, shape (months,)
        The number that a steady pace would have brought: above 0.
    ahead : int
        Months to look ahead.
    dispersion : float
        Variance of counts over their mean.

    Examples
    --------
    >>> months = np.arange(24)
    >>> found = path(100 * 1.03**months, np.full(24, 100.0), 3)
    >>> bool(found.past[0] < 0.6), found.ahead.round(1).tolist()
    (True, [1.0, 1.0, 1.0])
    >>> path(np.full(24, 100.0), np.full(24, 100.0), 3).ahead.round(2).tolist()
    [1.0, 1.0, 1.0]
    """
    n = len(counts)
    if n < _LEAST_MONTHS or counts.sum() <= 0:
        return Path(np.ones(n), np.ones(ahead), np.zeros(ahead))
    scaled = expected * counts.sum() / expected.sum()
    y = np.log((counts + 0.5) / (scaled + 0.5))
    noise = dispersion / (0.5 * (counts + scaled) + 0.5)
    level, slope = (grid.ravel() for grid in np.meshgrid(_LEVELS**2, _SLOPES**2, indexing="ij"))
    logs, states, covariances, predicted = _filter(y, noise, level, slope)
    weights = np.exp(logs - logs.max()) * _CALM.ravel()
    weights /= weights.sum()
    step = np.array([[1.0, DAMPING], [0.0, DAMPING]])
    smooth = np.einsum("g,mg->m", weights, _smoothed(states, covariances, predicted, step))
    mean, covariance = states[-1], covariances[-1]
    moves = np.stack([level, slope], axis=1)[:, :, None] * np.eye(2)
    now, factors, spread = mean[:, 0], np.empty(ahead), np.empty(ahead)
    for month in range(ahead):
        mean, covariance = mean @ step.T, step @ covariance @ step.T + moves
        middle = float(weights @ mean[:, 0])
        variance = float(weights @ (covariance[:, 0, 0] + (mean[:, 0] - middle) ** 2))
        factors[month], spread[month] = np.exp(middle - float(weights @ now)), np.sqrt(variance)
    return Path(np.exp(smooth - smooth[-1]), factors, spread)


def _filter(
    y: Floats, noise: Floats, level: Floats, slope: Floats
) -> tuple[Floats, Floats, Floats, list[tuple[Floats, Floats]]]:
    """Kalman filter of every pair of variances at once: log likelihoods, states, covariances, predictions."""
    grid = len(level)
    step = np.array([[1.0, DAMPING], [0.0, DAMPING]])
    moves = np.stack([level, slope], axis=1)[:, :, None] * np.eye(2)
    mean = np.zeros((grid, 2))
    covariance = np.tile(np.diag([4.0, _FIRST_SLOPE**2]), (grid, 1, 1))
    logs, states, covariances, predicted = np.zeros(grid), [], [], []
    for month, value in enumerate(y):
        if month:
            mean, covariance = mean @ step.T, step @ covariance @ step.T + moves
        predicted.append((mean, covariance))
        variance = covariance[:, 0, 0] + noise[month]
        left = value - mean[:, 0]
        gain = covariance[:, :, 0] / variance[:, None]
        if month:  # the first month only says where the level is
            logs -= 0.5 * (np.log(variance) + left**2 / variance)
        mean = mean + gain * left[:, None]
        covariance = covariance - gain[:, :, None] * covariance[:, None, 0, :]
        states.append(mean)
        covariances.append(covariance)
    return logs, np.array(states), np.array(covariances), predicted


def _smoothed(states: Floats, covariances: Floats, predicted: list[tuple[Floats, Floats]], step: Floats) -> Floats:
    """Levels of all months in the light of all (Rauch, Tung and Striebel 1965), (months, grid)."""
    mean = states[-1]
    levels = [mean[:, 0]]
    for month in range(len(states) - 2, -1, -1):
        before, spread = predicted[month + 1]
        gain = covariances[month] @ step.T @ np.linalg.inv(spread + 1e-12 * np.eye(2))
        mean = states[month] + np.einsum("gij,gj->gi", gain, mean - before)
        levels.append(mean[:, 0])
    return np.array(levels[::-1])
