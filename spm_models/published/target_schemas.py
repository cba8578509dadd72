"""Published tables of targets and goals; what the words mean stands in ``docs/targets.md``."""

from __future__ import annotations

from spm_models.published.table import INTERVAL, LEVEL, PublishedTable

_TIER = {**LEVEL, "tier": "str"}

TARGET_TABLES = (
    PublishedTable(
        "targets", "one target of one unit in one forecast period", ("period", "level", "key", "tier"),
        {"period": "str", **_TIER, "quota": "float64", "first_quota": "float64", "revisions": "int64",
         "set_on": "datetime64[s]", "owed": "float64", "excused": "float64", "days": "float64", "not_yet": "float64",
         "gone": "float64", "away": "float64", "whole": "float64"},
        "level", 2,
    ),  # owed + excused = quota; days (working days of reps): in the role, before the hire, after leaving, absent
    PublishedTable(
        "target_revisions", "one setting of one target, as it was written into the ledger",
        ("level", "key", "tier", "period_start", "period_end", "number"),
        {**_TIER, "period_start": "datetime64[s]", "period_end": "datetime64[s]", "number": "int64",
         "set_on": "datetime64[s]", "quota": "float64", "change": "float64", "cause": "str", "reason": "str",
         "author": "str"},
        "level", 2,
    ),  # number: 0 is the first setting; cause: imported | quarterly | ad_hoc | undo
    PublishedTable(
        "attainability", "one target of one unit in one forecast period", ("period", "level", "key", "tier"),
        {"period": "str", **_TIER, "quota": "float64", "probability": "float64", "in_hand": "float64",
         "creation": "float64", "capacity": "float64", "attainment": "float64", "quarters": "int64",
         "ability": "float64", **INTERVAL, "market": "float64", "tightest": "str", "verdict": "str"},
        "level",
    ),  # verdict: secure | reachable | ambitious | out_of_reach | not_enough_data; ratios: 1 is enough for the target
    PublishedTable(
        "target_reasons", "one part of one rep's standard target; the parts add up to it",
        ("period", "rep_id", "part"),
        {"period": "str", "rep_id": "str", "part": "str", "place": "int64", "value": "float64", "share": "float64",
         "basis": "float64"},
        "rep_id", 4,
    ),  # part: last_year | territory | market | plan
    PublishedTable(
        "market_trends", "one segment: the last four whole quarters beside the four before", ("segment",),
        {"segment": "str", "before": "float64", "now": "float64", "deals": "int64", "trend": "float64", **INTERVAL},
        "company",
    ),
    PublishedTable(
        "target_talk", "one thing said about one rep's target", ("entry",),
        {"entry": "int64", "period": "str", "rep_id": "str", "says": "str", "author": "str",
         "written_at": "datetime64[s]", "quota": "float64", "text": "str"},
        "rep_id", 2,
    ),  # says: question | answer | accept | decline; written_at: naive UTC; quota: the standard target then
    PublishedTable(
        "target_acceptance", "one rep's standard target in one forecast period", ("period", "rep_id"),
        {"period": "str", "rep_id": "str", "quota": "float64", "state": "str", "accepted_quota": "float64",
         "said_at": "datetime64[s]", "open_questions": "int64"},
        "rep_id", 2,
    ),  # state: silent | asked | answered | accepted | declined | revised (accepted, and revised since)
    PublishedTable(
        "goals", "one key result", ("goal_id",),
        {"goal_id": "str", **LEVEL, "parent_goal_id": "str", "place": "str", "depth": "float64", "objective": "str",
         "key_result": "str", "metric": "str", "baseline": "float64", "target": "float64", "value": "float64",
         "value_from": "str", "progress": "float64", "elapsed": "float64", "pace": "float64",
         "projected": "float64", "reached_on": "datetime64[s]", "rolled_up": "float64", "children": "int64",
         "set_on": "datetime64[s]", "due_on": "datetime64[s]", "verdict": "str"},
        "level",
    ),  # place: root | child | no_parent | orphan | upside_down | cycle; verdict: reached | missed | on_track | …
    PublishedTable(
        "goal_checks", "one field of one goal: specific, measurable, achievable, relevant, time-bound",
        ("goal_id", "field"),
        {"goal_id": "str", **LEVEL, "field": "str", "place": "int64", "verdict": "str", "reason": "str",
         "found": "str", "instead": "str"},
        "level",
    ),  # verdict: ok | improve | missing | cannot_tell; reason: code of a sentence in the catalogues
)  # fmt: skip
