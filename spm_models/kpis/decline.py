"""Has a count fallen, or is it only as uneven as it always was?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ALARM = 0.05  #: chance of an alarm when nothing has changed
_LEAST = 4  #: earlier periods without which nothing is said
_SHARE = 0.8  #: of that chance, what the last count alone may use; the rest is for a steady fall


@dataclass(frozen=True)
class Decline:
    """A last count beside what was to be expected.

    ``expected``: mean of the earlier periods; ``low``: the last count below which it alone is an alarm; ``trend``:
    change from period to period (share, log-linear, all periods); ``p``: chance of so low a count, or of so steady a
    fall, if nothing had changed; ``alarm``: ``p`` below 5 %. All empty, and no alarm, with fewer than four earlier
    periods or none of the events.
    """

    last: float
    expected: float
    low: float
    trend: float
    p: float
    alarm: bool


def decline(counts: Any) -> Decline:
    """Compare the last count with the earlier ones.

    Parameters
    ----------
    counts : array-like of float, shape (periods,)
        Oldest first.

    Returns
    -------
    Decline

    Notes
    -----
    The earlier counts tell a mean m and how much more uneven than Poisson they are (Pearson dispersion, at least 1);
    the last one is compared with a prediction of variance dispersion · m · (1 + 1 / n) by Student's t with n - 1
    degrees of freedom (P. McCullagh and J. A. Nelder, *Generalized Linear Models*, 1989, section 6.2). A steady fall
    makes the earlier counts uneven and hides in that; it is seen by the slope of all counts on the scale of
    sqrt(count + 3/8), whose variance is at least 1/4 (F. J. Anscombe, 1948, Biometrika 35). Of the chance of a false
    alarm the first has four fifths, the second one fifth (weighted Bonferroni). A fall after growth is an alarm only
    below what the earlier periods had on average.

    Examples
    --------
    >>> decline([100, 104, 97, 101, 99, 60]).alarm, decline([100, 104, 97, 101, 99, 93]).alarm
    (True, False)
    >>> decline([100, 90, 80, 70, 60, 50]).alarm
    True
    """
    from scipy import stats  # pages read KPIs' definitions and must not load it

    values = np.asarray(counts, dtype=float)
    last = float(values[-1]) if len(values) else np.nan
    past = values[:-1]
    n, mean = len(past), float(past.mean()) if len(past) else 0.0
    if n < _LEAST or mean <= 0:
        return Decline(last, np.nan, np.nan, np.nan, np.nan, False)
    dispersion = max(1.0, float(((past - mean) ** 2).sum()) / mean / (n - 1))
    spread = float(np.sqrt(dispersion * mean * (1 + 1 / n)))
    fallen = float(stats.t.cdf((last - mean) / spread, n - 1))
    p = min(1.0, fallen / _SHARE, _falling(values) / (1 - _SHARE))
    low = mean + spread * float(stats.t.ppf(ALARM * _SHARE, n - 1))
    slope = float(np.polyfit(np.arange(n + 1), np.log(np.maximum(values, 0.5)), 1)[0])
    return Decline(last, mean, max(low, 0.0), float(np.expm1(slope)), p, p < ALARM)


def _falling(values: npt.NDArray[np.float64]) -> float:
    """Chance of so steep a slope downwards if there were none."""
    from scipy import stats

    times, roots = np.arange(len(values)) - (len(values) - 1) / 2, np.sqrt(values + 0.375)
    squares = float((times**2).sum())
    slope = float((times * roots).sum()) / squares
    rest = roots - roots.mean() - slope * times
    variance = max(0.25, float((rest**2).sum()) / (len(values) - 2))
    return float(stats.t.cdf(slope / np.sqrt(variance / squares), len(values) - 2))
