"""A past month end, looked at again: learn what could be learned then, and score the deals open that evening."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.snapshots.days import plain
from spm_models.snapshots.schema import PIPELINE
from spm_models.win_probability.backtest import said
from spm_models.win_probability.features import GROUPS, deal_features, learnable
from spm_models.win_probability.judgement import PLAIN
from spm_models.win_probability.past_rates import closed_with_keys
from spm_models.win_probability.peers import PEERS, Peers
from spm_models.win_probability.training import learning_set

FORECASTS = ("model", *PLAIN, *PEERS)
#: What a scored deal was, for a breakdown: text, and numbers.
TEXTS = ("opportunity_id", "rep_id", "stage", "segment", "product_id", "family", "region", "kind")
NUMBERS = ("stage_order", "rep_tenure_days", "amount")
SCORED = {
    "as_of": "datetime64[s]", **dict.fromkeys(TEXTS, "str"), **dict.fromkeys(NUMBERS, "float64"),
    **dict.fromkeys(FORECASTS, "float64"), "low": "float64", "high": "float64", "learned_deals": "int64",
}  # fmt: skip


def score_month(snapshots: pd.DataFrame, outcomes: pd.DataFrame, as_of: date | str, *, seed: int = 0) -> pd.DataFrame:
    """Score the pipeline of a past day with what was known at its end, by the model and by all that it must beat.

    Parameters
    ----------
    snapshots : DataFrame
        Stacked pipelines; those after ``as_of`` are not looked at.
    outcomes : DataFrame
        Deals closed by ``as_of``, as known then (:func:`spm_models.snapshots.outcomes` of that day); later ones are
        not looked at.
    as_of : date or ISO text
        A day of which there is a pipeline.
    seed : int

    Returns
    -------
    DataFrame
        One row an open deal, sorted by ``opportunity_id``: what it was, a column of probabilities for each of
        :data:`FORECASTS` (empty where there was too little to learn), the ends ``low`` and ``high`` of the model's
        interval, and ``learned_deals``.
    """
    from spm_models.win_probability.model import LEAST_FOR_RATE, WinProbability

    day = pd.Timestamp(plain(as_of))
    past = _complete(snapshots[snapshots["as_of"] <= day])
    decided = outcomes[outcomes["closed_on"] <= day]
    pipeline = past[past["as_of"] == day].sort_values("opportunity_id", ignore_index=True)
    table = pd.DataFrame({name: pipeline.get(name, np.nan) for name in (*TEXTS, *NUMBERS)}, index=pipeline.index)
    rows = learning_set(past, decided, plain(as_of), seed=seed)
    deals = int(rows["opportunity_id"].nunique())
    table = table.assign(as_of=day, learned_deals=deals, **dict.fromkeys((*FORECASTS, "low", "high"), np.nan))
    if deals >= LEAST_FOR_RATE and len(pipeline):
        fitted = WinProbability(seed, method="model", timing=False).fit(past, decided, plain(as_of))
        found = said(fitted, pipeline)
        found = found.assign(**Peers(seed).fit(rows, closed_with_keys(past, decided)).predict(pipeline))
        table[found.columns] = found
        if fitted.method_ == "model":
            ends = fitted.predict(pipeline, explain=False).table.set_index("opportunity_id")[["low", "high"]]
            table[["low", "high"]] = ends.loc[table["opportunity_id"]].to_numpy()
    return table[list(SCORED)].astype(SCORED)


def changed_columns(snapshots: pd.DataFrame, as_of: date | str, *, seed: int = 0) -> pd.DataFrame:
    """Do the deals of the latest three months look like those of the year before? Most changed first.

    Pipelines are compared with pipelines, as decided deals differ from open ones whatever happens, and a whole quarter
    with a whole year, as one day has its place in month and week. Each deal counts once in each. What the calendar
    moves by itself (season, time in the company) is left out, and so are columns that have been empty.
    """
    from spm_models.win_probability.classifier.covariates import covariate_drift

    rows = _complete(snapshots)
    day = pd.Timestamp(plain(as_of))
    since, begin = day - pd.DateOffset(months=3), day - pd.DateOffset(months=15)
    now = rows[(rows["as_of"] > since) & (rows["as_of"] <= day)]
    before = rows[(rows["as_of"] > begin) & (rows["as_of"] <= since)]
    then, latest = (deal_features(_one_each(part, seed)) for part in (before, now))
    kept = [name for name in learnable(then) if GROUPS.get(name) not in ("season", "tenure")]
    return covariate_drift(then[kept], latest[kept])


def _one_each(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One snapshot of each deal, by chance."""
    return rows.sample(frac=1, random_state=seed).drop_duplicates("opportunity_id").sort_index()


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    absent = {name: pd.Series(index=rows.index, dtype=kind) for name, kind in PIPELINE.items() if name not in rows}
    return rows.assign(**absent)
