"""What can be learned on a day: past snapshots of deals whose outcome was known by then."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.snapshots.days import plain

LEAST_DEALS, LEAST_OF_A_KIND = 40, 10
HEAVIEST = 5.0  # a weight above this says more about luck than about slow deals


def learning_set(
    snapshots: pd.DataFrame,
    outcomes: pd.DataFrame,
    as_of: date | str | None = None,
    *,
    after: date | str | None = None,
    max_deals: int = 20_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Snapshots whose deal had been won or lost by ``as_of``, labelled and weighted.

    Parameters
    ----------
    snapshots : DataFrame
        Stacked pipelines of regular days (month ends), open deals included.
    outcomes : DataFrame
        Closed deals; those closed after ``as_of`` are ignored.
    as_of : date or ISO text, optional
        The day on which the learning takes place; the last day in the data without it.
    after : date or ISO text, optional
        Take only snapshots from this day on (to judge a model that learned by then).
    max_deals : int
        A larger company is sampled to this many deals.
    seed : int
        Of that sample.

    Returns
    -------
    DataFrame
        The snapshots with ``won`` (bool), ``closed_on`` and ``weight``, sorted by ``as_of`` and ``opportunity_id``.
        Weights sum to the effective number of deals.

    Notes
    -----
    Snapshots of one deal repeat each other: together they tell no more than the effective number of deals,
    ``(sum of W) ** 2 / sum of W ** 2`` over the deals' total weights W (Kish, Survey Sampling, 1965), and that is what
    all weights sum to. Among themselves the snapshots of a day count alike. Sharing a weight of 1 among the snapshots
    of each deal instead would count the slow deals of a day less than the quick ones; where the lost are decided
    sooner, it makes open deals look worse than they are.

    Quick deals are decided first, so that the decided deals of recent snapshots are the quick ones (length bias).
    Each row is therefore weighted by the inverse probability of having been decided by ``as_of``: a deal that took
    ``r`` more days could be seen only from snapshots at least ``r`` days old, and their share among all snapshots is
    that probability (inverse probability of censoring weighting; Robins and Rotnitzky 1992; Vock et al., J. Biomedical
    Informatics 61, 2016). Weights are capped at five times the smallest.
    """
    end = pd.Timestamp(plain(as_of)) if as_of is not None else _last_day(snapshots, outcomes)
    seen = snapshots[snapshots["as_of"] <= end]
    if after is not None:
        seen = seen[seen["as_of"] >= pd.Timestamp(plain(after))]
    known = outcomes.loc[outcomes["closed_on"] <= end, ["opportunity_id", "won", "closed_on"]]
    if len(known) > max_deals:
        known = known.sort_values("opportunity_id").sample(max_deals, random_state=seed)
    rows = seen.merge(known, on="opportunity_id", how="inner", validate="many_to_one")
    rows = rows[rows["closed_on"] > rows["as_of"]].sort_values(["as_of", "opportunity_id"], ignore_index=True)
    if rows.empty:
        return rows.assign(weight=pd.Series(dtype=float))
    chance = _chance_of_being_decided(rows, np.sort((end - seen["as_of"]).dt.days.to_numpy()))
    heavy = np.minimum(1 / chance, HEAVIEST * (1 / chance).min())
    by_deal = heavy.groupby(rows["opportunity_id"]).sum()
    effective = by_deal.sum() ** 2 / np.square(by_deal).sum()
    return rows.assign(weight=heavy * effective / heavy.sum())


def enough(rows: pd.DataFrame) -> bool:
    """Whether a model may be tried: 40 decided deals, 10 of each kind."""
    won = rows.drop_duplicates("opportunity_id")["won"]
    return len(won) >= LEAST_DEALS and LEAST_OF_A_KIND <= int(won.sum()) <= len(won) - LEAST_OF_A_KIND


def _chance_of_being_decided(rows: pd.DataFrame, ages: np.ndarray) -> pd.Series:
    """Share of all snapshots that are old enough to have seen each row's deal decided."""
    remaining = (rows["closed_on"] - rows["as_of"]).dt.days.to_numpy()
    older = len(ages) - np.searchsorted(ages, remaining, side="left")
    return pd.Series(np.maximum(older, 1) / len(ages), index=rows.index)


def _last_day(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Timestamp:
    days = [column.max() for column in (snapshots["as_of"], outcomes["closed_on"]) if len(column)]
    return max(days) if days else pd.Timestamp.min
