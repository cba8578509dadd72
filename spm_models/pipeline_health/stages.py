"""Each stage in figures: how many deals stand there, what they are worth, how long deals stay."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from spm_models.inference import wilson
from spm_models.kpis.working_time import UNKNOWN
from spm_models.pipeline_health.facts import PipelineFacts
from spm_models.pipeline_health.survival import kaplan_meier

LEVEL = 0.8
LEVELS = {"company": None, "region": "region", "team": "team", "rep": "rep_id"}
COLUMNS = (
    "level", "key", "segment", "stage", "place", "deals", "amount", "without_amount", "days_open", "visits", "left",
    "mean_days", "median_days", "km_median_days", "low", "high", "advanced", "lost", "conversion", "conversion_low",
    "conversion_high",
)  # fmt: skip


def stage_table(facts: PipelineFacts, *, days: int = 365) -> pd.DataFrame:
    """Count, value and dwell of each stage, for the company, regions, teams and reps, and by segment above the reps.

    Parameters
    ----------
    facts : PipelineFacts
    days : int
        Stays that began in so many days up to the day tell about dwell and conversion.

    Returns
    -------
    DataFrame
        One row a unit, segment (empty: all) and stage. ``deals``, ``amount``, ``days_open`` (mean days in the stage
        so far) of open deals. ``mean_days`` and ``median_days`` of the stays that ended; ``km_median_days`` with an
        80 % range (``low``, ``high``) lets those that have not ended count as lasting at least so long, and is empty
        where fewer than half have ended for certain. ``conversion``: share of the ended stays that went on to a later
        stage or were won, with its 80 % Wilson interval; a step back is neither.

    Notes
    -----
    The plain median looks at finished stays only, and the short ones finish first: beside the Kaplan–Meier median it
    is too short wherever deals pile up. That the two differ is itself a sign.
    """
    standing = _standing(facts)
    since = pd.Timestamp(facts.as_of) - pd.Timedelta(days=days - 1)
    visits = facts.visits[facts.visits["entered_on"] >= since]
    rows = []
    for level, key, segment, here, stays in _groups(standing, visits):
        of_stage = dict(list(stays.groupby("stage")))
        for place, stage in enumerate(facts.stages):
            open_here = here[here["stage"] == stage]
            begun = of_stage.get(stage, visits.iloc[:0])
            if len(open_here) or len(begun):
                rows.append((level, key, segment, stage, place, *_open(open_here), *_dwell(begun)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _standing(facts: PipelineFacts) -> pd.DataFrame:
    deals = facts.deals[facts.deals["status"] == "open"]
    days = facts.open_deals.set_index("opportunity_id")["days_in_stage"]
    return deals.assign(days_in_stage=deals["opportunity_id"].map(days).astype("float64"))


def _groups(standing: pd.DataFrame, visits: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame, pd.DataFrame]]:
    for level, column in LEVELS.items():
        units = [""] if column is None else sorted({*standing[column].dropna(), *visits[column].dropna()} - {UNKNOWN})
        deals_of = {"": standing} if column is None else dict(list(standing.groupby(column)))
        visits_of = {"": visits} if column is None else dict(list(visits.groupby(column)))
        for key in units:
            here, stays = deals_of.get(key, standing.iloc[:0]), visits_of.get(key, visits.iloc[:0])
            yield level, key, "", here, stays
            if level == "rep":
                continue
            for segment in sorted({*here["segment"], *stays["segment"]} - {UNKNOWN}):
                yield level, key, segment, here[here["segment"] == segment], stays[stays["segment"] == segment]


def _open(deals: pd.DataFrame) -> tuple[int, float, int, float]:
    amount = deals["amount"]
    worth = float(amount.sum()) if amount.notna().any() or amount.empty else float("nan")
    return len(deals), worth, int(amount.isna().sum()), float(deals["days_in_stage"].mean())


def _dwell(stays: pd.DataFrame) -> tuple[float, ...]:
    ended = stays["ended"].notna()
    finished = stays.loc[ended, "days"]
    on, lost = stays["ended"].isin(["advanced", "won"]).sum(), (stays["ended"] == "lost").sum()
    nothing = float("nan")
    mean, median = (float(finished.mean()), float(finished.median())) if len(finished) else (nothing, nothing)
    share, low, high = nothing, nothing, nothing
    if on + lost:
        share = float(on / (on + lost))
        low, high = (float(end) for end in wilson(on, on + lost, LEVEL))
    if stays.empty:
        return 0, 0, mean, median, nothing, nothing, nothing, 0, 0, share, low, high
    curve = kaplan_meier(stays["days"], ended)
    typical = (curve.quantile(0.5), *curve.quantile_interval(0.5, LEVEL))
    return len(stays), int(np.sum(ended)), mean, median, *typical, int(on), int(lost), share, low, high
