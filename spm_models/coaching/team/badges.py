"""Badges: something to celebrate in what somebody did, or did better than before; never for a place on a list.

Nothing here looks at lateness, hours or transcripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.result import CoachingFindings, empty_table
from spm_models.coaching.team import behaviour
from spm_models.coaching.team.change import whole_quarters
from spm_models.coaching.team.improvement import IMPROVEMENTS, improvements
from spm_models.crm.tables import Tables
from spm_models.periods import FiscalCalendar

BEHAVIOURS = ("followed_up", "crm_current", "steady_pipeline", "helped_colleagues", "actions_closed", "first_win")
BADGES = (*BEHAVIOURS, *(one.badge for one in IMPROVEMENTS.values()))


@dataclass(frozen=True, eq=False)
class Facts:
    """What badges are given for; what is missing takes its badges away and nothing else.

    Parameters
    ----------
    findings : CoachingFindings
    evidence : Evidence
    calendar : FiscalCalendar
    tables : Tables, optional
        Contacts with customers.
    deals : DataFrame, optional
        Open and closed deals: ``opportunity_id``, ``rep_id``, ``created_on``, ``closed_on``.
    absences : DataFrame, optional
    snapshots : DataFrame, optional
        Pipelines of month ends, where the source has a history.
    parts : DataFrame, optional
        Parts in won deals, of :func:`spm_models.coaching.team.board.deal_parts`.
    actions : DataFrame, optional
        Published table ``agreed_actions``.
    """

    findings: CoachingFindings
    evidence: Evidence
    calendar: FiscalCalendar
    tables: Tables | None = None
    deals: pd.DataFrame | None = None
    absences: pd.DataFrame | None = None
    snapshots: pd.DataFrame | None = None
    parts: pd.DataFrame | None = None
    actions: pd.DataFrame | None = None


def badges(facts: Facts, *, rate: float = 0.1) -> pd.DataFrame:
    """Published table ``badges``: one row a rep and badge.

    Parameters
    ----------
    facts : Facts
    rate : float
        Share of the badges for improvement that may be chance.

    Returns
    -------
    DataFrame
        Of reps who are judged at all. Badges for improvement and for a whole quarter are those of the last one that
        is over; others of the last 91 days. ``value`` and ``beside`` as each rule says.
    """
    here = set(facts.findings.verdicts["rep_id"])
    types = empty_table("badges").dtypes.to_dict()
    parts = [part for part in _earned(facts, rate) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else empty_table("badges")
    table = table[table["rep_id"].isin(here)]
    return table[list(types)].astype(types).sort_values(["rep_id", "badge", "part"], ignore_index=True)


def _earned(facts: Facts, rate: float) -> Iterator[pd.DataFrame]:
    as_of = facts.evidence.as_of
    quarters = whole_quarters(pd.Timestamp(as_of), facts.calendar)
    yield improvements(facts.findings.posteriors, facts.evidence, quarters, rate=rate)
    yield behaviour.first_win(facts.evidence, _expected(facts.findings))
    if facts.actions is not None:
        yield behaviour.actions_closed(facts.actions, as_of)
    if not quarters:
        return
    last = quarters[-1]
    yield behaviour.steady_pipeline(facts.evidence, last)
    if facts.tables is not None and facts.deals is not None:
        yield behaviour.kept_in_touch(facts.tables, facts.deals, last, facts.absences)
    if facts.snapshots is not None:
        yield behaviour.kept_current(facts.snapshots, last)
    if facts.parts is not None:
        yield behaviour.helped(facts.parts, quarters[-2:])


def _expected(findings: CoachingFindings) -> pd.Series:
    posterior: Any = findings.posteriors.get(("win_rate", ""))
    if posterior is None:
        return pd.Series(dtype=float)
    return pd.Series(posterior.expected, index=pd.Index(posterior.rep_id))
