"""Who could show whom how it is done: mentors who are strong exactly where a colleague wants to grow.

Nobody is ranked: what comes out are pairs, without a score, and a pair says only that two people have something to
talk about.

References
----------
Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2, 1955; scipy's
``linear_sum_assignment`` after Crouse, IEEE Transactions on Aerospace and Electronic Systems 52, 2016.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from spm_models.coaching.plans.nearness import nearness
from spm_models.coaching.plans.peers import lower_is_better, relative

CAPACITY = 2  #: colleagues that one mentor accompanies at most
IN_ROLE_DAYS = 180  #: a mentor has been in role at least so long
_LEAST_NEAR = 0.2
_NEAR_WEIGHT = 0.5
_NEVER = 1e6
COLUMNS = ("rep_id", "signal", "part", "mentor_id")


def mentors(
    table: pd.DataFrame, wanted: pd.DataFrame, deals: pd.DataFrame, reps: pd.DataFrame, as_of: pd.Timestamp, *,
    managers: pd.DataFrame | None = None, capacity: int = CAPACITY,
) -> pd.DataFrame:  # fmt: skip
    """Pairs over the whole company that together bring the most strength and nearness.

    Parameters
    ----------
    table : DataFrame
        ``coaching_findings``. A mentor's range (80 %) lies above what is expected of him in the signal and stage.
    wanted : DataFrame
        ``rep_id``, ``signal``, ``part``: who would gain from a mentor, in what.
    deals : DataFrame
        ``Evidence.deals``.
    reps : DataFrame
        ``Evidence.reps``: a mentor is in role for half a year and has not left.
    as_of : Timestamp
    managers : DataFrame, optional
        ``rep_id``, ``manager_id``: nobody's own manager is his mentor.
    capacity : int
        Colleagues that one mentor accompanies at most.

    Returns
    -------
    DataFrame
        ``rep_id``, ``signal``, ``part``, ``mentor_id``; who finds no mentor has no row.
    """
    able = _able(table, reps, as_of)
    wanted = wanted.sort_values(["rep_id", "signal", "part"], ignore_index=True)
    ids = pd.Index(sorted(able["rep_id"].unique()))
    if wanted.empty or ids.empty:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
    near = nearness(deals, ids.union(pd.Index(wanted["rep_id"].unique())))
    cost = np.full((len(wanted), len(ids)), _NEVER)
    above = {key: rows.set_index("rep_id")["above"] for key, rows in able.groupby(["signal", "part"])}
    bosses = dict(zip(managers["rep_id"], managers["manager_id"], strict=True)) if managers is not None else {}
    for row, (rep, signal, part) in enumerate(wanted[["rep_id", "signal", "part"]].itertuples(index=False)):
        if (signal, part) not in above:
            continue
        strength = above[signal, part].reindex(ids).to_numpy(dtype=float)
        beside = near.loc[rep, ids].to_numpy(dtype=float)
        fits = ~np.isnan(strength) & (beside >= _LEAST_NEAR) & (ids != rep) & (ids != bosses.get(rep))
        worth = np.minimum(strength, 1.0) + _NEAR_WEIGHT * beside
        cost[row, fits] = -worth[fits]
    places = np.repeat(np.arange(len(ids)), capacity)
    chosen, seats = linear_sum_assignment(np.hstack([cost[:, places], np.zeros((len(wanted), len(wanted)))]))
    rows = [(row, places[seat]) for row, seat in zip(chosen, seats, strict=True) if seat < len(places)]
    rows = [(row, at) for row, at in rows if cost[row, at] < 0]
    pairs = wanted.iloc[[row for row, _ in rows]].assign(mentor_id=[ids[at] for _, at in rows])
    return pairs[list(COLUMNS)].reset_index(drop=True)


def _able(table: pd.DataFrame, reps: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Reps and signals in which they surely do better than expected, and by how much (logarithm)."""
    there = reps[(reps["start_on"] <= as_of - pd.Timedelta(days=IN_ROLE_DAYS)) & ~(reps["left_on"] <= as_of)]
    sure = (table["low"] > table["expected"]).mask(lower_is_better(table["signal"]), table["high"] < table["expected"])
    sure &= (table["verdict"] != "not_enough_data") & table["rep_id"].isin(there["rep_id"])
    able = table[sure & (relative(table) > 1)]
    return able.assign(above=np.log(relative(able)))[["rep_id", "signal", "part", "above"]]
