"""Who stands where by what a company chose to rank by: with the places that are possible, and ties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from spm_models.coaching.result import CoachingFindings, Posterior, empty_table
from spm_models.coaching.team.change import change, whole_quarters
from spm_models.coaching.team.ranks import ranks
from spm_models.errors import StatisticsError
from spm_models.periods import FiscalCalendar

MEASURES = ("attainment", "win_rate", "deal_size", "price_kept", "follow_up", "pipeline_creation", "improvement")
LEVEL = 0.9  #: that no range of places of a measure is wrong
RANGE = 0.8  #: of the value
LEAST_REPS = 5  #: a place among fewer says who the others are
LEAST = {"win_rate": 10, "deal_size": 5, "price_kept": 5, "follow_up": 10, "pipeline_creation": 20, "attainment": 3,
         "improvement": 10}  # fmt: skip
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class _Estimates:
    """On a scale on which errors hardly depend on the value, and how to get back."""

    rep_id: pd.Index
    scaled: Floats
    error: Floats
    back: Callable[[Floats], Floats]


def leaderboard(
    findings: CoachingFindings, measures: Sequence[str], *, seed: int, calendar: FiscalCalendar | None = None
) -> pd.DataFrame:
    """Published table ``leaderboard``: one row a rep and measure.

    Parameters
    ----------
    findings : CoachingFindings
        Reps in role on the day; newcomers on their ramp and reps with little data have no place.
    measures : sequence of str
        Some of :data:`MEASURES`; none: an empty table.
    seed : int
    calendar : FiscalCalendar, optional
        For ``improvement``, which compares the last two whole quarters with the two before.

    Returns
    -------
    DataFrame
        ``value`` with its 80 % range: beside a typical colleague in the same context (1 is typical);
        ``attainment`` in shares of the quota; ``improvement`` as the ratio of the win rate beside what was expected,
        now over before. ``rank``, ``tied_with``, and ``rank_low`` to ``rank_high`` as of :func:`.ranks`, among
        ``reps``.

    Raises
    ------
    StatisticsError
        For a measure that does not exist. Contacts, cycle and days are none on purpose: who is ranked by contacts
        makes contacts.
    """
    unknown = sorted(set(measures) - set(MEASURES))
    if unknown:
        raise StatisticsError("These are no measures to rank by", found=unknown, remedy=f"Use {', '.join(MEASURES)}.")
    parts = [empty_table("leaderboard")]
    for place, measure in enumerate(dict.fromkeys(measures)):
        found = _estimates(findings, measure, calendar or FiscalCalendar())
        if found is not None and len(found.rep_id) >= LEAST_REPS:
            parts.append(_placed(measure, found, seed + place))
    types = empty_table("leaderboard").dtypes.to_dict()
    table = pd.concat(parts[1:] or parts, ignore_index=True)
    return table[list(types)].astype(types).sort_values(["rep_id", "measure"], ignore_index=True)


def _placed(measure: str, found: _Estimates, seed: int) -> pd.DataFrame:
    placed = ranks(found.scaled, found.error, level=LEVEL, seed=seed)
    reach = NormalDist().inv_cdf((1 + RANGE) / 2) * found.error
    return pd.DataFrame({
        "rep_id": found.rep_id, "measure": measure, "value": found.back(found.scaled),
        "low": found.back(found.scaled - reach), "high": found.back(found.scaled + reach), "rank": placed.rank,
        "rank_low": placed.low, "rank_high": placed.high, "tied_with": placed.tied_with, "reps": len(found.rep_id),
    })  # fmt: skip


def _estimates(findings: CoachingFindings, measure: str, calendar: FiscalCalendar) -> _Estimates | None:
    signal = "win_rate" if measure == "improvement" else measure
    posterior = findings.posteriors.get((signal, ""))
    if posterior is None or findings.verdicts.empty:
        return None
    here = _in_place(findings)
    if measure != "improvement":
        return _beside(posterior, here, LEAST[measure])
    quarters = [one.label for one in whole_quarters(findings.verdicts["as_of"].iloc[0], calendar)]
    if len(quarters) < 4:
        return None
    found = change(posterior, quarters[:2], quarters[2:])
    found = found[found.index.isin(here) & found[["n_now", "n_before"]].min(axis=1).ge(LEAST[measure])]
    return _Estimates(found.index, found["change"].to_numpy(float), found["error"].to_numpy(float), np.exp)


def _in_place(findings: CoachingFindings) -> set[str]:
    """Reps who are judged by anything at all: past their ramp, still here."""
    table = findings.table[findings.table["verdict"] != "not_enough_data"]
    return set(table["rep_id"])


def _beside(posterior: Posterior, here: set[str], least: int) -> _Estimates:
    """Seen beside expected. Square roots of ratios of counts and sums, logarithms of the others.

    Where every rep has a territory of his own, part of what differs is the territory's: nobody knows which part, so it
    stands in the error.
    """
    known = posterior.rep_id.isin(here).to_numpy() & (posterior.n >= least) & (posterior.expected != 0)
    reps = pd.Index(posterior.rep_id[known], name="rep_id")
    place = np.sqrt((1 - posterior.own) / posterior.own) * posterior.pooled.spread
    error = np.sqrt(np.square(posterior.error) + np.square(posterior.doubt) + place**2)
    error = np.broadcast_to(error, posterior.n.shape)[known]
    actual, expected = posterior.actual[known], posterior.expected[known]
    if posterior.log:
        return _Estimates(reps, actual - expected, error, np.exp)
    share, scale = actual / expected, 1.0
    if posterior.signal == "attainment":
        scale = float(expected[0]) if len(expected) else 1.0
    if posterior.signal == "price_kept":
        return _Estimates(reps, np.log(np.maximum(share, 1e-9)), error, np.exp)
    if posterior.pooled.family == "beta":  # a share far from the usual one is more or less certain than at it
        usual = np.clip(posterior.pooled.mean[known], 0.01, 0.99)
        error = error * np.sqrt((1 - usual) / (1 - expected))
    return _Estimates(reps, 2 * np.sqrt(share), error, lambda x: scale * np.square(np.maximum(x, 0.0) / 2))
