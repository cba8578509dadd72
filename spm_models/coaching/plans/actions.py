"""Actions with numbers: what each remedy asks for, from where to where, by when, and how many colleagues are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.plans.peers import FEWEST, LEAST_REACHED, nearest, rounded
from spm_models.coaching.signals import SILENT_DAYS

PROMISING = 5  #: open deals that are looked at for focus
RECENT_DAYS = 7
_SESSION_DAYS = 91
#: Sessions that a remedy asks for, and as what the CRM records them.
_SESSIONS = {"learning": ("training", 1), "role_play": ("role_play", 2), "call_review": ("coaching", 2),
             "shadowing": ("shadowing", 1), "mentoring": ("mentoring", 2), "talk": ("one_to_one", 1),
             "territory_review": ("one_to_one", 1)}  # fmt: skip
_ABOUT_TIME = ("follow_up", "cycle", "activity", "trend", "focus")
_BLOCKS = 2.0  # fixed hours a week
_FAIR = 0.1  # a target is talked about when a typical colleague would sell so much less there
Action = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """One rep's topic, and what is known for its plan."""

    rep_id: str
    signal: str
    part: str
    mentor: str
    next_talk: date
    talk_after: date
    quarter_end: date


@dataclass(frozen=True)
class Facts:
    """What all plans of a company look at."""

    evidence: Evidence
    table: pd.DataFrame
    near: pd.DataFrame

    @cached_property
    def open_deals(self) -> pd.DataFrame:
        """Open deals of people who are in role."""
        found = self.evidence.open_deals
        return found[found["rep_id"].isin(self.near.index)] if len(found) else found

    def sessions(self, kind: str) -> pd.Series | None:
        """Sessions of a kind a rep in the last three months; None where none are recorded anywhere."""
        held = self.evidence.sessions
        if held is None or held.empty:
            return None
        recent = held["held_on"] > pd.Timestamp(self.evidence.as_of) - pd.Timedelta(days=_SESSION_DAYS)
        counts = held[recent & held["kind"].eq(kind)].groupby("rep_id").size()
        return counts.reindex(self.near.index, fill_value=0).astype(float)


def action(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """The action of a remedy, or None where it does not fit this rep."""
    return _BUILDERS[remedy](facts, wish, remedy)


def _sessions(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    kind, number = _SESSIONS[remedy]
    if remedy == "mentoring" and not wish.mentor:
        return None
    counts = facts.sessions(kind)
    due = wish.talk_after if remedy in ("mentoring", "shadowing", "role_play") else wish.next_talk
    found: Action = {"unit": "sessions", "baseline": 0.0, "goal": float(number), "due_on": due}
    if counts is not None and remedy in ("learning", "role_play", "shadowing", "mentoring"):
        others = counts.reindex(nearest(facts.near, wish.rep_id, counts.index))
        found |= {"reached_by": int((others >= number).sum()), "peers": len(others)}
    if remedy == "mentoring":
        found["with_id"] = wish.mentor
    return found


def _blocks(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    return {"unit": "blocks", "baseline": 0.0, "goal": _BLOCKS, "due_on": wish.next_talk}


def _review(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """Quiet deals where time is the topic; else the largest open deal (of the stage), gone through together."""
    if wish.signal in _ABOUT_TIME and (quiet := _quiet_deals(facts, wish, remedy)) is not None:
        return quiet
    deals = facts.open_deals
    own = deals[deals["rep_id"] == wish.rep_id] if len(deals) else deals
    if own.empty:
        return None
    there = own[own["stage"] == wish.part]
    own = there if wish.part and len(there) else own
    first = own.sort_values(["amount", "opportunity_id"], ascending=[False, True])["opportunity_id"].iloc[0]
    return {"unit": "reviews", "baseline": 0.0, "goal": float(min(2, len(own))), "due_on": wish.next_talk,
            "opportunity_id": first}  # fmt: skip


def _quiet_deals(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """Bring open deals that nobody has touched for three weeks down to what colleagues have."""
    deals = facts.open_deals
    if deals.empty or deals["days_since_activity"].isna().all():
        return None
    quiet = deals["days_since_activity"] > SILENT_DAYS
    share = quiet.astype(float).groupby(deals["rep_id"]).mean()
    own = deals[(deals["rep_id"] == wish.rep_id) & quiet]
    others = share.reindex(nearest(facts.near, wish.rep_id, share.index)).dropna()
    if own.empty or len(others) < FEWEST:
        return None
    number = int((deals["rep_id"] == wish.rep_id).sum())
    for quantile in (0.5, 0.75):
        target = float(np.ceil(float(others.quantile(quantile)) * number - 1e-9))
        reached = int((others * number <= target + 1e-9).sum())
        if target < len(own) and reached >= LEAST_REACHED:
            largest = own.sort_values(["amount", "opportunity_id"], ascending=[False, True])["opportunity_id"].iloc[0]
            return {"unit": "quiet_deals", "baseline": float(len(own)), "goal": target, "reached_by": reached,
                    "peers": len(others), "due_on": wish.next_talk, "opportunity_id": largest}  # fmt: skip
    return None


def _promising(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """Of the five most promising open deals, how many were touched in the last week."""
    deals = facts.open_deals
    if deals.empty or deals["win_probability"].isna().all() or deals["days_since_activity"].isna().all():
        return None
    deals = deals.assign(worth=deals["amount"] * deals["win_probability"]).dropna(subset="worth")
    deals = deals.sort_values(["worth", "opportunity_id"], ascending=[False, True])
    first = deals.groupby("rep_id").head(PROMISING)
    counts = first.groupby("rep_id").agg(
        n=("worth", "size"), touched=("days_since_activity", lambda x: x.le(RECENT_DAYS).sum())
    )
    touched = counts.loc[counts["n"] == PROMISING, "touched"].astype(float)
    if wish.rep_id not in touched.index:
        return None
    others = touched.reindex(nearest(facts.near, wish.rep_id, touched.index))
    if len(others) < FEWEST:
        return None
    today = float(touched[wish.rep_id])
    waiting = first[(first["rep_id"] == wish.rep_id) & first["days_since_activity"].gt(RECENT_DAYS)]
    for quantile in (0.5, 0.75):
        target = float(np.floor(others.quantile(quantile)))
        reached = int((others >= target).sum())
        if target > today and reached >= LEAST_REACHED and len(waiting):
            return {"unit": "promising_deals", "baseline": today, "goal": target, "reached_by": reached,
                    "peers": len(others), "due_on": wish.next_talk,
                    "opportunity_id": waiting["opportunity_id"].iloc[0]}  # fmt: skip
    return None


def _fewer(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """Fewer deals at once, where a rep has clearly more of them open than colleagues with similar deals."""
    counts = (
        facts.open_deals.groupby("rep_id").size().astype(float) if len(facts.open_deals) else pd.Series(dtype=float)
    )
    if wish.rep_id not in counts.index:
        return None
    others = counts.reindex(nearest(facts.near, wish.rep_id, counts.index)).dropna()
    if len(others) < FEWEST:
        return None
    target, today = float(np.ceil(others.quantile(0.75))), float(counts[wish.rep_id])
    if today <= 1.25 * target:
        return None
    return {"unit": "open_deals", "baseline": today, "goal": target, "reached_by": int((others <= target).sum()),
            "peers": len(others), "due_on": wish.quarter_end}  # fmt: skip


def _target(facts: Facts, wish: Wish, remedy: str) -> Action | None:
    """The target beside what a typical colleague would sell there in a quarter."""
    results = facts.evidence.results
    own = results[results["rep_id"] == wish.rep_id] if len(results) else results
    typical = _typical(facts, wish.rep_id)
    if own.empty or not own["quota_ahead"].iloc[0] > 0 or typical is None:
        return None
    quota = float(own["quota_ahead"].iloc[0])
    fair = rounded(typical, "money", up=False)
    if fair > quota * (1 - _FAIR):
        return None
    others = results.set_index("rep_id")["won_amount"].dropna() / max(facts.evidence.quarters, 1.0)
    others = others.reindex(nearest(facts.near, wish.rep_id, others.index)).dropna()
    return {"unit": "money", "baseline": quota, "goal": fair, "reached_by": int((others >= fair).sum()),
            "peers": len(others), "due_on": wish.next_talk}  # fmt: skip


def _typical(facts: Facts, rep_id: str) -> float | None:
    """What a typical colleague would book with the rep's number of closed deals, a quarter."""
    rows = facts.table[(facts.table["rep_id"] == rep_id) & (facts.table["part"] == "")].set_index("signal")
    won = facts.evidence.deals[facts.evidence.deals["won"] & facts.evidence.deals["amount"].gt(0)]
    if not {"win_rate", "deal_size"} <= set(rows.index) or won.empty:
        return None
    # expected sizes are geometric means; bookings add up by arithmetic ones
    skewed = float(won["amount"].mean() / np.exp(np.log(won["amount"]).mean()))
    expected: Any = rows["expected"]
    wins = float(expected["win_rate"]) * float(rows["n"].to_dict()["win_rate"])
    return wins * float(expected["deal_size"]) * skewed / facts.evidence.quarters


_BUILDERS: dict[str, Callable[[Facts, Wish, str], Action | None]] = {
    **dict.fromkeys(_SESSIONS, _sessions), "time_blocks": _blocks, "deal_review": _review,
    "focus_deals": _promising, "fewer_deals": _fewer, "target_update": _target,
}  # fmt: skip
