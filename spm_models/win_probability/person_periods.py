"""From snapshots of deals to person-period rows: one for each stretch of time that a deal was seen to be open in.

References
----------
Tutz and Schmid (2016), Modeling Discrete Time-to-Event Data, chapters 3 and 8: the likelihood of a discrete hazard
with competing events is that of a multinomial response on person-period rows; censored deals end without an event.
van Houwelingen and Putter (2012), Dynamic Prediction in Clinical Survival Analysis: every snapshot is a landmark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

OPEN, WON, LOST = 0, 1, 2
#: Days since the snapshot between which hazards may change: fine at first, weekly to half a year, then four-weekly.
EDGES: Floats = np.concatenate([[0, 2, 4, 7, 10], np.arange(14, 183, 7), np.arange(210, 745, 28)]).astype(float)
BINS = len(EDGES) - 1
WIDTHS: Floats = np.diff(EDGES)
MIDDLES: Floats = np.floor((EDGES[:-1] + EDGES[1:]) / 2)
MAX_SNAPSHOTS = 24_000
MAX_QUIET = 90_000


@dataclass(frozen=True, eq=False)
class PersonPeriods:
    """Stretches at risk: the row of its snapshot, the bin, what happened in it, and how much it counts."""

    row: Codes
    bin: Codes
    event: Codes
    weight: Floats


def landmarks(snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Snapshots before ``as_of`` with the days until the deal closed, or until ``as_of`` where it is still open.

    Returns
    -------
    DataFrame
        The snapshots, sorted, with ``days`` (at least 1), ``event`` (:data:`OPEN`, :data:`WON`, :data:`LOST`) and
        ``entry``: days after the snapshot on which the record of closes begins, 0 if it had begun.

    Notes
    -----
    Closes after ``as_of`` are not looked at. Many exports hold older deals only if they were still open on a day; time
    before the first close on record is therefore no time at risk (late entry).
    """
    known = outcomes.loc[outcomes.closed_on <= as_of, ["opportunity_id", "closed_on", "won"]]
    past = snapshots[snapshots.as_of < as_of]
    rows = past.drop(columns=["closed_on", "won"], errors="ignore").merge(known, on="opportunity_id", how="left")
    rows = rows[~(rows.closed_on <= rows.as_of)].sort_values(["as_of", "opportunity_id"], ignore_index=True)
    event = np.where(rows.closed_on.isna(), OPEN, np.where(rows.won.eq(True), WON, LOST))
    days = (rows.closed_on.fillna(as_of) - rows.as_of).dt.days.astype("float64")
    first = known.closed_on.min() if len(known) else as_of
    entry = (first - rows.as_of).dt.days.astype("float64").clip(lower=0) - 1
    return rows.drop(columns="won").assign(event=event, days=days, entry=entry.clip(lower=0))


def person_periods(rows: pd.DataFrame, seed: int = 0) -> PersonPeriods:
    """Stretches at risk of landmarks, thinned where they are many.

    Notes
    -----
    Snapshots of one deal repeat each other; all weights together count as the effective number of deals (Kish 1965).
    At most 24,000 snapshots are taken. All stretches with an event are kept; of the quiet ones a sample of 90,000,
    weighted up (case-control sampling in time; Tutz and Schmid, section 3.5). The stretch in which a deal was censored
    counts by the part of it that was seen.
    """
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(rows))
    if len(rows) > MAX_SNAPSHOTS:
        chosen = np.sort(rng.choice(len(rows), MAX_SNAPSHOTS, replace=False))
    days, event, entry = (rows[name].to_numpy()[chosen] for name in ("days", "event", "entry"))
    last = bin_of(days)
    beyond = days > EDGES[-1]
    size = last + 1
    row = np.repeat(np.arange(len(chosen)), size)
    place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    ending = place == last[row]
    what = np.where(ending & ~beyond[row], event[row], OPEN)
    seen = np.where(ending & (event[row] == OPEN), (days[row] - EDGES[place]) / WIDTHS[place], 1.0)
    unseen = np.clip((entry[row] - EDGES[place]) / WIDTHS[place], 0.0, 1.0)
    weight = np.where(what == OPEN, np.clip(seen - unseen, 0.0, 1.0), 1.0)
    keep = weight > 0
    quiet = keep & (what == OPEN)
    share = min(MAX_QUIET / max(int(quiet.sum()), 1), 1.0)
    if share < 1:
        keep &= (what != OPEN) | (rng.random(len(keep)) < share)
        weight = np.where(what == OPEN, weight / share, weight)
    of_deal = rows.opportunity_id.iloc[chosen].value_counts().to_numpy()
    effective = float(of_deal.sum()) / max(float((of_deal**2).sum()), 1.0)
    return PersonPeriods(chosen[row[keep]], place[keep], what[keep].astype(np.int64), weight[keep] * effective)


def bin_of(days: npt.ArrayLike) -> Codes:
    """Bin that ends on or after each day."""
    place = np.searchsorted(EDGES, np.maximum(np.asarray(days, dtype=float), 0.5), side="left") - 1
    return np.asarray(np.clip(place, 0, BINS - 1), dtype=np.int64)
