"""Feedback on behaviour, in deals: what went well first, then what could change, with numbers that anybody can count.

References
----------
Kluger and DeNisi, "The effects of feedback interventions on performance", Psychological Bulletin 119, 1996: feedback
helps when it is about the task and what to do next, and harms when it is about the person.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.plans.said import Rows, Said, comparable
from spm_models.coaching.plans.shortfalls import shortfalls
from spm_models.coaching.plans.strengths import strengths
from spm_models.coaching.result import CoachingFindings, empty_table


def feedback(evidence: Evidence, findings: CoachingFindings) -> pd.DataFrame:
    """Sentences about each rep: up to two of what went well, then up to two about the topic.

    Who has no topic hears what went well only; what could change is never said without something that went well.

    Returns
    -------
    DataFrame
        Published as ``coaching_feedback``: ``rep_id``, ``rank`` (from 1), ``stance`` (``well``, ``change``),
        ``sentence`` (key ``feedback.<stance>.<sentence>`` in the catalogues), ``signal``, ``part``, ``values`` (JSON),
        ``deals`` (ids joined by blanks). Words: :func:`~spm_models.coaching.plans.words.feedback_sentences`.
    """
    everybody = comparable(evidence.deals)
    deals = dict(tuple(everybody.groupby("rep_id")))
    stages = {} if evidence.stages is None else dict(tuple(evidence.stages.groupby("rep_id")))
    no_stages = pd.DataFrame(columns=["opportunity_id", "stage", "advanced", "days", "segment"])
    well = findings.table[findings.table["verdict"].eq("doing_well")]
    well = well.sort_values(["rep_id", "probability_above", "signal", "part"], ascending=[True, False, True, True])
    table = findings.table.set_index(["rep_id", "signal", "part"], drop=False).sort_index()
    out: list[dict[str, Any]] = []
    for rep, topic, part in findings.verdicts[["rep_id", "topic", "topic_part"]].itertuples(index=False):
        rows = Rows(evidence, rep, everybody, deals.get(rep, everybody.iloc[:0]), stages.get(rep, no_stages))
        good = list(strengths(rows, well[well["rep_id"] == rep]))
        change: list[Said] = []
        key: Any = (rep, topic, part if isinstance(part, str) else "")
        if good and isinstance(topic, str) and key in table.index:
            change = list(shortfalls(replace(rows, finding=table.loc[key])))
        for rank, (stance, said) in enumerate([("well", s) for s in good] + [("change", s) for s in change], start=1):
            out.append({"rep_id": rep, "rank": rank, "stance": stance, "sentence": said.sentence,
                        "signal": said.signal, "part": said.part, "deals": " ".join(said.deals),
                        "values": json.dumps(said.values, ensure_ascii=False, sort_keys=True)})  # fmt: skip
    schema = empty_table("coaching_feedback")
    found = pd.DataFrame(out, columns=list(schema)).astype(schema.dtypes.to_dict())
    return found.sort_values(["rep_id", "rank"], ignore_index=True)
