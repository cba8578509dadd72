"""Deals to talk about: what went well and what did not, for the one topic of each rep."""

from __future__ import annotations

import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings, empty_table

#: Per signal: which closed deals to take (won, lost or all), by what, and whether the largest value is the example.
_RULES: dict[str, dict[str, tuple[bool, str, bool]]] = {
    "win_rate": {"example": (True, "amount", False), "counter_example": (False, "amount", False)},
    "cycle": {"example": (True, "days", True), "counter_example": (True, "days", False)},
    "pipeline_creation": {"example": (True, "amount", False)},
    "activity": {"example": (True, "activities", False), "counter_example": (False, "activities", True)},
}


def examples(findings: CoachingFindings, evidence: Evidence, *, number: int = 3) -> pd.DataFrame:
    """Up to ``number`` deals of each rep as examples and counter-examples for the topic.

    ============== ======================== ============================
    topic          example                  counter-example
    ============== ======================== ============================
    win rate       largest won deals        largest lost deals
    cycle          won fastest              won slowest
    creation       largest won deals        none: what was not created has no name
    activity       won with most activities lost with fewest activities
    ============== ======================== ============================

    No deal is both. They are places to begin a talk, not evidence: the finding rests on all deals.

    Parameters
    ----------
    findings : CoachingFindings
    evidence : Evidence
        What the findings were made from.
    number : int
        Deals of each kind at most.

    Returns
    -------
    DataFrame
        Published as ``coaching_examples``: ``rep_id``, ``signal``, ``kind``, ``rank`` (from 1), ``opportunity_id``,
        ``value`` (amount, days or activities).
    """
    topics = findings.verdicts.dropna(subset=["topic"])[["rep_id", "topic"]]
    deals = evidence.deals.merge(topics, on="rep_id")
    parts = []
    for signal, kinds in _RULES.items():
        taken = deals.iloc[:0]
        for kind, (won, column, smallest) in kinds.items():
            rows = deals[(deals["topic"] == signal) & (deals["won"] == won) & deals[column].notna()]
            rows = rows[~rows["opportunity_id"].isin(taken["opportunity_id"])]
            rows = rows.sort_values([column, "opportunity_id"], ascending=[smallest, True], kind="stable")
            taken = rows.groupby("rep_id").head(number)
            place = taken.groupby("rep_id").cumcount() + 1
            parts.append(taken.assign(signal=signal, part="", kind=kind, rank=place, value=taken[column].astype(float)))
    schema = empty_table("coaching_examples")
    found = pd.concat(parts)[list(schema)].astype(schema.dtypes.to_dict())
    return found.sort_values(["rep_id", "signal", "kind", "rank"], ignore_index=True)
