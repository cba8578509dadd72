"""Who was at work on which day, and how a new colleague's pace rises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
RAMP_DAYS = 60
#: Share of the full pace in each two months after the start, before anything was seen; 1 from then on.
USUAL_RAMP = (0.4, 0.7, 0.9)
_PRIOR_DEALS = 8.0
_LONG = 10_000
_STILL = 90  # days: who created deals in so many days past his last one has not left his desk


def at_work(
    people: pd.DataFrame, start: pd.Timestamp, days: int, deals: pd.DataFrame, leaf: Ints
) -> tuple[Ints, Flags]:
    """Days since the start of each leaf, and whether it could create deals, on each day; both (leaves, days).

    Parameters
    ----------
    people : DataFrame
        ``since, until`` of each leaf, empty where unknown (:class:`~spm_models.revenue_forecast.units.Units`).
    start : Timestamp
        The first day.
    days : int
    deals : DataFrame
        Deals with ``created_on``, of the leaves ``leaf``: who creates deals is at work, whatever the dates say.
    """
    n, day = len(people), np.arange(days)[None, :]
    created = (deals.created_on - start).dt.days.to_numpy()
    earliest, latest = np.full(n, _LONG), np.full(n, -_LONG)
    np.minimum.at(earliest, leaf, created)
    np.maximum.at(latest, leaf, created)
    since = (people.since - start).dt.days.fillna(-_LONG).to_numpy(dtype=np.int64)
    since = np.minimum(since, earliest)
    until = (people.until - start).dt.days.fillna(_LONG).to_numpy(dtype=np.int64)
    after = np.bincount(leaf, created > until[leaf] + 1, minlength=n)
    until = np.where((after >= 2) & (latest >= days - _STILL), _LONG, np.maximum(until, latest))
    return np.maximum(day - since[:, None], 0), (day >= since[:, None]) & (day <= until[:, None])


def learn_ramp(tenure: Ints, here: Flags, season: Floats, leaf: Ints, day: Ints) -> Floats:
    """Share of the full pace by two months of tenure: what new colleagues created over what the others would have.

    Parameters
    ----------
    tenure, here : ndarray, shape (leaves, days)
        As :func:`at_work` gives them.
    season : ndarray, shape (days,)
    leaf, day : ndarray, shape (deals,)
        Who created each deal, and when.
    """
    steps = len(USUAL_RAMP)
    place = np.minimum(tenure // RAMP_DAYS, steps)
    exposure = np.bincount(place[here], (here * season)[here], minlength=steps + 1)
    counts = np.bincount(place[leaf, day], minlength=steps + 1)
    usual = np.array([*USUAL_RAMP, 1.0])
    if exposure[-1] <= 0 or counts[-1] == 0:
        return usual
    expected = exposure * counts[-1] / exposure[-1]
    found = (counts + _PRIOR_DEALS * usual) / (expected + _PRIOR_DEALS)
    return np.append(np.minimum(np.maximum.accumulate(found[:-1]), 1.0), 1.0)  # nobody unlearns
