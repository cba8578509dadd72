"""Is a proposed action specific, measurable, achievable, relevant and time-bound? What is not is never proposed.

References
----------
Doran, "There's a S.M.A.R.T. way to write management's goals and objectives", Management Review 70(11), 1981.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.plans.peers import LEAST_REACHED, lower_is_better

#: Units in which colleagues' numbers are known; an input such as a session is agreed, not compared.
INPUTS = ("sessions", "blocks", "reviews")
LOWER = ("quiet_deals", "open_deals", "days")
LONGEST_DAYS = 140  #: the running quarter, or the next where it is nearly over
FIELDS = ("specific", "measurable", "achievable", "relevant", "time_bound")


def check_actions(plan: pd.DataFrame, verdicts: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Which of the five an action is.

    Parameters
    ----------
    plan : DataFrame
        ``coaching_plan``.
    verdicts : DataFrame
        ``coaching_verdicts``: an action is relevant when it is about the rep's topic.
    as_of : date

    Returns
    -------
    DataFrame
        ``rep_id``, ``rank`` and one column of bool for each of :data:`FIELDS`.

    Examples
    --------
    >>> row = {"rep_id": "a", "rank": 1, "remedy": "deal_review", "item": "follow_up", "signal": "follow_up",
    ...        "part": "", "unit": "share", "baseline": 0.4, "goal": 0.3, "reached_by": 6, "peers": 10,
    ...        "due_on": pd.Timestamp("2026-09-30"), "with_id": "", "opportunity_id": ""}
    >>> verdicts = pd.DataFrame({"rep_id": ["a"], "topic": ["follow_up"], "topic_part": [""]})
    >>> found = check_actions(pd.DataFrame([row]), verdicts, date(2026, 6, 30))
    >>> found[list(FIELDS)].iloc[0].astype(bool).tolist()  # a goal below today's value is none
    [True, False, True, True, True]
    """
    topics = verdicts.set_index("rep_id")[["topic", "topic_part"]].reindex(plan["rep_id"])
    lower = plan["unit"].isin(LOWER) | lower_is_better(plan["signal"]) & ~plan["unit"].isin(INPUTS)
    lower |= plan["remedy"].eq("target_update")
    gain = (plan["goal"] - plan["baseline"]) * np.where(lower, -1.0, 1.0)
    compared = ~plan["unit"].isin(INPUTS)
    days = (plan["due_on"] - pd.Timestamp(as_of)).dt.days
    return pd.DataFrame(
        {
            "rep_id": plan["rep_id"], "rank": plan["rank"],
            "specific": plan["item"].ne("") | plan["opportunity_id"].ne("") | plan["with_id"].ne(""),
            "measurable": plan["unit"].ne("") & gain.gt(0),
            "achievable": ~compared | plan["reached_by"].ge(LEAST_REACHED),
            "relevant": (plan["signal"] == topics["topic"].to_numpy())
            & (plan["part"] == topics["topic_part"].fillna("").to_numpy()),
            "time_bound": days.gt(0) & days.le(LONGEST_DAYS),
        }
    )  # fmt: skip
