"""Win probabilities for the benchmark: a quick one from pooled rates, or the workbench's own model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from spm_models.revenue_forecast import Scored
from spm_models.win_probability import WinProbability

_PRIOR_DEALS = 15.0
_AGE_SHARES = (0.33, 0.67)


def quick_score(snapshots: pd.DataFrame, outcomes: pd.DataFrame, pipeline: pd.DataFrame) -> Scored:
    """Share won of the decided deals by stage and age, then by segment and stage, each drawn towards the coarser.

    A deal counts once in each cell that it was seen in. Only deals old enough to be decided count, quick losses
    would else be seen before slow wins.
    """
    now = pipeline["as_of"].iloc[0] if len(pipeline) else snapshots["as_of"].max()
    ends = outcomes.loc[outcomes["closed_on"] <= now, ["opportunity_id", "won", "closed_on", "created_on"]]
    slow = (ends["closed_on"] - ends["created_on"]).quantile(0.9)
    seen = snapshots[(snapshots["as_of"] < now) & (snapshots["as_of"] >= now - pd.Timedelta(days=730))]
    rows = seen.drop(columns="created_on").merge(ends, on="opportunity_id")
    rows = rows[rows["created_on"] <= now - slow] if (rows["created_on"] <= now - slow).sum() >= 30 else rows
    edges = rows["age_days"].quantile(list(_AGE_SHARES)).to_numpy() if len(rows) else np.zeros(2)

    def keys(frame: pd.DataFrame) -> list[pd.Series]:
        age = pd.Series(np.searchsorted(edges, frame["age_days"]), index=frame.index).astype("str")
        stage = frame["stage"].astype("str")
        return [stage, stage + age, stage + age + frame["segment"].fillna("").astype("str")]

    common = float(outcomes["won"].mean()) if len(outcomes) else 0.0
    said = pd.Series(common, index=pipeline.index)
    chance = pd.Series(common, index=rows.index)
    for mine, theirs in zip(keys(rows), keys(pipeline), strict=True):
        once = pd.DataFrame({"key": mine, "deal": rows["opportunity_id"], "won": rows["won"], "coarse": chance})
        once = once.drop_duplicates(["key", "deal"]).groupby("key").agg(
            k=("won", "sum"), n=("won", "size"), coarse=("coarse", "mean")
        )  # fmt: skip
        rate = (once["k"] + _PRIOR_DEALS * once["coarse"]) / (once["n"] + _PRIOR_DEALS)
        chance, said = mine.map(rate).astype(float), theirs.map(rate).astype(float).fillna(said)
    return Scored(pd.DataFrame({"opportunity_id": pipeline["opportunity_id"], "win_probability": said}))


def learn_full(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> Callable[[pd.DataFrame], Scored]:
    """The model of the weekly run, with its timing, ready to score pipelines."""
    model = WinProbability(seed=1, method="model").fit(snapshots, outcomes)

    def score(pipeline: pd.DataFrame) -> Scored:
        scores = model.predict(pipeline, explain=False)
        return Scored(scores.table, scores.timing.table if scores.timing is not None else None)

    return score


def full_score(snapshots: pd.DataFrame, outcomes: pd.DataFrame, pipeline: pd.DataFrame) -> Scored:
    """The same, learned and asked at once."""
    return learn_full(snapshots, outcomes)(pipeline)


SCORES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], Scored]] = {
    "quick": quick_score, "full": full_score,
}  # fmt: skip
