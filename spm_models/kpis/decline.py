"""Has a count fallen, or is it only as uneven as it always was?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

ALARM = 0.05  #: chance of an alarm when nothing has changed
_LEAST = 4  #: earlier periods without which nothing is said


@dataclass(frozen=True)
class Decline:
    """A last count beside what was to be expected.

    ``expected``: mean of the earlier periods; ``low``: the last count below which there is an alarm; ``trend``: change
    from period to period (share, log-linear, all periods); ``p``: chance of so low a count if nothing had changed;
    ``alarm``: ``p`` below 5 %. All empty, and no alarm, with fewer than four earlier periods or none of the events.
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
    degrees of freedom (P. McCullagh and J. A. Nelder, *Generalized Linear Models*, 1989, section 6.2).

    Examples
    --------
    >>> decline([100, 104, 97, 101, 99, 60]).alarm, decline([100, 104, 97, 101, 99, 93]).alarm
    (True, False)
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
    p = float(stats.t.cdf((last - mean) / spread, n - 1))
    low = mean + spread * float(stats.t.ppf(ALARM, n - 1))
    slope = float(np.polyfit(np.arange(n + 1), np.log(np.maximum(values, 0.5)), 1)[0])
    return Decline(last, mean, max(low, 0.0), float(np.expm1(slope)), p, p < ALARM)
