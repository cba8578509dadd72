"""Deals to talk about: what went well and what did not, for the one topic of each rep."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings, empty_table


@dataclass(frozen=True)
class _Choice:
    """Closed deals to take: won or lost ones, ordered by a column."""

    won: bool
    by: str
    smallest: bool = False


_LARGEST_WON = _Choice(True, "amount")
#: Per signal: examples of how it goes well, and counter-examples.
_CHOICES: dict[str, dict[str, _Choice]] = {
    "win_rate": {"example": _LARGEST_WON, "counter_example": _Choice(False, "amount")},
    "stage_conversion": {"example": _LARGEST_WON, "counter_example": _Choice(False, "amount")},
    "cycle": {"example": _Choice(True, "days", smallest=True), "counter_example": _Choice(True, "days")},
    "pipeline_creation": {"example": _LARGEST_WON},
    "activity": {
        "example": _Choice(True, "activities"),
        "counter_example": _Choice(False, "activities", smallest=True),
    },
    "trend": {"example": _Choice(True, "activities")},
    "deal_size": {"example": _LARGEST_WON, "counter_example": _Choice(True, "amount", smallest=True)},
    "price_kept": {
        "example": _Choice(True, "price_kept"),
        "counter_example": _Choice(True, "price_kept", smallest=True),
    },
    "follow_up": {
        "example": _Choice(True, "longest_silence", smallest=True),
        "counter_example": _Choice(False, "longest_silence"),
    },
    "focus": {"example": _Choice(True, "pace"), "counter_example": _Choice(False, "pace")},
}


def examples(findings: CoachingFindings, evidence: Evidence, *, number: int = 3) -> pd.DataFrame:
    """Up to ``number`` deals of each rep as examples and counter-examples for the topic.

    ================== =============================== ============================================
    topic              example                         counter-example
    ================== =============================== ============================================
    win rate           largest won deals               largest lost deals
    stage conversion   largest won deals               largest deals lost in that stage
    cycle              won fastest                     won slowest
    creation, trend    largest won; won, most contacts none: what was not done has no name
    activity           won with most contacts          lost with fewest contacts
    deal size          largest won deals               smallest won deals
    price kept         won at the highest price        won at the lowest price
    follow-up          won without a long silence      lost after the longest silence
    focus              won, most contacts a week       lost, most contacts a week
    ================== =============================== ============================================

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
        Published as ``coaching_examples``: ``rep_id``, ``signal``, ``part``, ``kind``, ``rank`` (from 1),
        ``opportunity_id``, ``value`` (amount, days, contacts, contacts a week or share).
    """
    topics = findings.verdicts.dropna(subset=["topic"])[["rep_id", "topic", "topic_part"]]
    deals = evidence.deals.merge(topics, on="rep_id")
    deals["pace"] = deals["activities"] / deals["days"].clip(lower=7) * 7
    parts = []
    for signal, kinds in _CHOICES.items():
        of_topic = deals[deals["topic"] == signal]
        taken = of_topic.iloc[:0]
        for kind, choice in kinds.items():
            rows = of_topic[(of_topic["won"] == choice.won) & of_topic[choice.by].notna()]
            if signal == "stage_conversion" and not choice.won:
                rows = _lost_in_the_stage(rows, evidence)
            rows = rows[~rows["opportunity_id"].isin(taken["opportunity_id"])]
            rows = rows.sort_values([choice.by, "opportunity_id"], ascending=[choice.smallest, True], kind="stable")
            taken = rows.groupby("rep_id").head(number)
            place = taken.groupby("rep_id").cumcount() + 1
            value = taken[choice.by].astype(float)
            parts.append(taken.assign(signal=signal, part=taken["topic_part"], kind=kind, rank=place, value=value))
    schema = empty_table("coaching_examples")
    found = pd.concat(parts)[list(schema)].astype(schema.dtypes.to_dict())
    return found.sort_values(["rep_id", "signal", "kind", "rank"], ignore_index=True)


def _lost_in_the_stage(rows: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    if evidence.stages is None:
        return rows.iloc[:0]
    ended = evidence.stages.loc[~evidence.stages["advanced"], ["opportunity_id", "stage"]]
    ended = ended.drop_duplicates("opportunity_id", keep="last")
    kept: pd.DataFrame = rows[
        rows["topic_part"] == rows["opportunity_id"].map(ended.set_index("opportunity_id")["stage"])
    ]
    return kept
