"""One thing to work on, unchanged until it was talked about: the topic holds until the next one-to-one was held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from spm_models.coaching.plans.one_to_one import EVERY_DAYS, TALKS
from spm_models.coaching.result import CoachingFindings

_EPOCH = pd.Timestamp(2024, 1, 1)  # a Monday


def keep_topics(
    findings: CoachingFindings, previous: pd.DataFrame | None, sessions: pd.DataFrame | None, as_of: date, *,
    every_days: int = EVERY_DAYS,
) -> CoachingFindings:  # fmt: skip
    """Findings whose verdicts keep the topic that was published last, where no one-to-one has been held since.

    A topic holds although its figures have moved, in either direction: what was agreed is worked on until it was
    talked about. It ends when a one-to-one was held after the day on which it was published, when its data are gone
    or no longer suffice, or when the rep has no findings any more. Who had no topic may get one at once.

    Parameters
    ----------
    findings : CoachingFindings
    previous : DataFrame, optional
        ``coaching_verdicts`` as published last.
    sessions : DataFrame, optional
        Coaching sessions. Where a company records none, one-to-ones are taken to be held every ``every_days``, on the
        same day for everybody.
    as_of : date
    every_days : int

    Returns
    -------
    CoachingFindings
        With ``topic``, ``topic_part`` and ``money_at_stake`` of the verdicts as they hold.
    """
    if previous is None or previous.empty:
        return findings
    verdicts = findings.verdicts
    known = findings.table[findings.table["verdict"] != "not_enough_data"]
    money = known.set_index(["rep_id", "signal", "part"])["money_at_stake"]
    old = previous.loc[
        previous["topic"].notna() & previous["topic"].ne("") & (previous["as_of"] <= pd.Timestamp(as_of))
    ]
    old = old[old["rep_id"].isin(verdicts["rep_id"])].fillna({"topic_part": ""})
    old = old[~_talked(old, sessions, as_of, every_days)]
    keys = pd.MultiIndex.from_frame(old[["rep_id", "topic", "topic_part"]])
    old = old[keys.isin(money.index)].set_index("rep_id")
    held = verdicts["rep_id"].isin(old.index)
    kept = verdicts.copy()
    for column in ("topic", "topic_part"):
        kept.loc[held, column] = verdicts.loc[held, "rep_id"].map(old[column]).astype("str")
    keys = pd.MultiIndex.from_frame(kept.loc[held, ["rep_id", "topic", "topic_part"]])
    kept.loc[held, "money_at_stake"] = money.reindex(keys).to_numpy()
    return replace(findings, verdicts=kept)


def _talked(old: pd.DataFrame, sessions: pd.DataFrame | None, as_of: date, every_days: int) -> pd.Series:
    """Whether a one-to-one was held after the day on which a topic was published, up to today."""
    today = pd.Timestamp(as_of)
    if sessions is None or sessions.empty:
        return (old["as_of"] - _EPOCH).dt.days // every_days != (today - _EPOCH).days // every_days
    held = sessions[(sessions["kind"].isna() | sessions["kind"].isin(TALKS)) & (sessions["held_on"] <= today)]
    last = pd.to_datetime(old["rep_id"].map(held.groupby("rep_id")["held_on"].max().to_dict()))
    return last > old["as_of"]
