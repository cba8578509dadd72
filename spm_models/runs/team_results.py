"""What a team shares and celebrates, in the weekly run: leaderboard, badges, team board; empty where turned off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from spm_models.coaching import CoachingFindings, Evidence
from spm_models.coaching.people.actions import agreed_actions
from spm_models.coaching.team.badges import Facts, badges
from spm_models.coaching.team.board import deal_parts, team_board, team_goals
from spm_models.coaching.team.leaderboard import leaderboard
from spm_models.database import frame
from spm_models.journal import Entry
from spm_models.runs.known import Known

Frames = dict[str, pd.DataFrame]


def team_results(known: Known, seen: Evidence, findings: CoachingFindings, written: Sequence[Entry] = ()) -> Frames:
    """Tables of the team as of a day: those that ``[team]`` of the workspace turns on, and no others.

    Parameters
    ----------
    known : Known
    seen : Evidence
    findings : CoachingFindings
    written : sequence of Entry
        What people had written about coaching by then: the last word on agreed actions.

    Returns
    -------
    dict of str to DataFrame
        ``leaderboard``, ``badges``, ``team_board``; what is left out is published empty.
    """
    chosen = known.workspace.settings.team
    found: Frames = {}
    if chosen.leaderboard:
        found["leaderboard"] = leaderboard(findings, chosen.leaderboard, seed=known.seed, calendar=known.calendar)
    if chosen.badges:
        rate = known.workspace.settings.models.false_discovery_rate
        found["badges"] = badges(_facts(known, seen, findings, written), rate=rate)
    if chosen.board:
        quarter = known.calendar.quarter(known.as_of)
        won = _won(known)
        won = won[won["closed_on"].ge(pd.Timestamp(quarter.start))]
        goals = team_goals(known.tables, quarter, known.as_of, chosen.goals)
        found["team_board"] = team_board(
            won, known.people, quarter, contributors=_table(known, "deal_contributors"), goals=goals
        )
    return found


def _facts(known: Known, seen: Evidence, findings: CoachingFindings, written: Sequence[Entry]) -> Facts:
    ends = known.snapshots[known.snapshots["as_of"] <= pd.Timestamp(known.as_of)]
    deals = ["opportunity_id", "rep_id", "created_on", "closed_on"]
    still = known.pipeline.reindex(columns=deals).astype({"closed_on": "datetime64[s]"})
    parts = _table(known, "deal_contributors")
    return Facts(
        findings, seen, known.calendar, tables=known.tables,
        deals=pd.concat([still, known.outcomes[deals]], ignore_index=True),
        absences=_table(known, "absences"), snapshots=ends if known.tables.has_history else None,
        parts=None if parts is None else deal_parts(_won(known), parts),
        actions=None if seen.sessions is None else agreed_actions(seen.sessions, written, known.as_of),
    )  # fmt: skip


def _won(known: Known) -> pd.DataFrame:
    return known.outcomes[known.outcomes["won"]]


def _table(known: Known, name: str) -> pd.DataFrame | None:
    return frame(known.tables[name]) if name in known.tables else None
