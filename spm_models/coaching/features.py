"""What each rep did in the last quarters, in which context: the evidence of a coaching review."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.deal_facts import DEAL_CONTEXT, closed_deals, open_deals, stage_exits
from spm_models.coaching.work_facts import (
    RESULTS,
    TIME_CONTEXT,
    created_deals,
    targets,
    typical_size,
    work_by_quarter,
    work_by_week,
)
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.source import Source
from spm_models.kpis.working_time import UNKNOWN, quarters_until
from spm_models.periods import FiscalCalendar
from spm_models.snapshots import pipeline

__all__ = ["DEAL_CONTEXT", "TIME_CONTEXT", "Evidence", "evidence"]


def _none() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True)
class Evidence:
    """What a review looks at; every frame holds only what was known at the end of ``as_of``.

    Parameters
    ----------
    as_of, since : date
        The window, both days included.
    reps : DataFrame
        One row a rep (people with another role are left out): ``rep_id``, ``region``, ``territory``, ``hired_on``,
        ``left_on``, ``start_on`` (hired, or first seen where that is unknown).
    deals : DataFrame
        One row a deal closed in the window: ``opportunity_id``, ``rep_id`` (owner at the close), ``won``, ``amount``,
        ``days`` (creation to close), ``activities`` (contacts; empty where none are recorded), ``created_on``,
        ``closed_on``, ``price_kept`` (1 − discount, empty where unknown), ``longest_silence`` (days without a
        contact), ``product``, ``chance`` (to be won, as it looked when the deal was new; empty where nobody could
        say) and the context.
    work : dict of str to DataFrame
        ``pipeline_creation`` and ``activity``: one row a rep and quarter with ``count``, ``days`` worked and the
        context. New deals count in average deals: one of a product whose won deals bring twice the average is 2, so
        that few large deals are not taken for little pipeline.
    working_week : int
        Working days of a week.
    stages : DataFrame, optional
        One row a closed deal and stage that it got beyond or was lost in: ``opportunity_id``, ``rep_id``, ``stage``,
        ``place`` (0 is the first), ``advanced`` (or lost), ``days`` in it, ``left_on`` and the context. None without
        history.
    open_deals : DataFrame
        ``opportunity_id``, ``rep_id``, ``account_id``, ``amount``, ``stage``, ``age_days``, ``days_since_activity``,
        ``win_probability`` (empty without scores).
    weeks : DataFrame
        One row a rep and week: ``rep_id``, ``week`` (first day), ``days`` worked, ``activity``, ``created``,
        ``closed``, ``won`` and ``expected_won`` (empty until a review says what was to be expected).
    results : DataFrame
        One row a rep with a quota: ``rep_id``, ``quota`` owed and ``won_amount`` credited in the window's whole
        quarters, ``open_pipeline`` and ``quota_ahead`` of the quarter to come.
    sessions : DataFrame, optional
        Coaching sessions held by the day, as in the CRM table.
    """

    as_of: date
    since: date
    reps: pd.DataFrame
    deals: pd.DataFrame
    work: dict[str, pd.DataFrame]
    working_week: int = 5
    stages: pd.DataFrame | None = None
    open_deals: pd.DataFrame = field(default_factory=_none)
    weeks: pd.DataFrame = field(default_factory=_none)
    results: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=RESULTS))
    sessions: pd.DataFrame | None = None

    @property
    def quarters(self) -> float:
        """Length of the window in quarters."""
        return ((self.as_of - self.since).days + 1) / 91.3125


def evidence(
    tables: Tables, outcomes: pd.DataFrame, organisation: pd.DataFrame, as_of: date, *,
    calendar: FiscalCalendar | None = None, quarters: int = 4, open_pipeline: pd.DataFrame | None = None,
    deal_scores: pd.DataFrame | None = None, chances: pd.Series | None = None, with_targets: bool = True,
) -> Evidence:  # fmt: skip
    """Gather the evidence of the last quarters.

    Parameters
    ----------
    tables : Tables
        Tables that are missing take their signals away, nothing else.
    outcomes : DataFrame
        ``snapshots.outcomes(tables, as_of)``.
    organisation : DataFrame
        ``crm.organisation(tables, as_of)``: everybody's place on that day.
    as_of : date
    calendar : FiscalCalendar, optional
        Calendar quarters and a Monday-to-Friday week without it.
    quarters : int
        Whole quarters to look back; the running one comes on top.
    open_pipeline, deal_scores : DataFrame, optional
        ``snapshots.pipeline`` of the day where it is at hand, and the scores of its deals.
    chances : Series, optional
        By ``opportunity_id``: win probability of closed deals as they looked when they were new, from a model that
        knew nothing of the window. Deals are then compared with deals that promised as much.
    with_targets : bool
        Whether ``results`` are asked for: what is asked of the past alone needs none.

    Returns
    -------
    Evidence
    """
    calendar = calendar or FiscalCalendar()
    periods = quarters_until(as_of, calendar, quarters)
    source = Source(tables, tuple(periods), as_of)
    since = periods[0].start
    people = organisation[organisation["role"].isna() | (organisation["role"] == "rep")]
    created = created_deals(tables, as_of)
    reps = _in_role(people, outcomes, created)
    absences = frame(tables["absences"].select("rep_id", "starts_on", "ends_on")) if "absences" in tables else None
    created = created.assign(
        period=calendar.quarter_labels(created["created_on"]), size=typical_size(created, outcomes)
    )
    deals = closed_deals(source, outcomes, reps, since)
    deals["chance"] = np.nan if chances is None else deals["opportunity_id"].map(chances).astype(float)
    context = deals[["opportunity_id", "rep_id", *DEAL_CONTEXT]]
    ahead = pipeline(tables, as_of) if open_pipeline is None else open_pipeline
    running = calendar.quarter(as_of)
    running = running.next() if as_of == running.end else running
    return Evidence(
        as_of, since, reps, deals, work_by_quarter(source, reps, periods, created, absences),
        7 - len(calendar.weekend), stage_exits(tables, as_of, outcomes, context), open_deals(ahead, deal_scores),
        work_by_week(source, reps, since, created, deals, absences),
        targets(source, periods if with_targets else [], [running] if with_targets else []),
        _sessions(tables, as_of),
    )  # fmt: skip


def _in_role(people: pd.DataFrame, outcomes: pd.DataFrame, created: pd.DataFrame) -> pd.DataFrame:
    seen = pd.concat([created[["rep_id", "created_on"]], outcomes[["rep_id", "created_on"]]])
    first = seen.groupby("rep_id")["created_on"].min()
    reps = people[["rep_id", "region", "territory", "hired_on", "left_on"]].sort_values("rep_id", ignore_index=True)
    for column in ("hired_on", "left_on"):
        reps[column] = pd.to_datetime(reps[column]).astype("datetime64[s]")
    for column in ("region", "territory"):
        reps[column] = reps[column].astype("str").fillna(UNKNOWN)
    begun = pd.Series(first.reindex(reps["rep_id"]).to_numpy(), index=reps.index).astype("datetime64[s]")
    reps["start_on"] = reps["hired_on"].fillna(begun)
    return reps


def _sessions(tables: Tables, as_of: date) -> pd.DataFrame | None:
    if "coaching_sessions" not in tables:
        return None
    held = frame(tables["coaching_sessions"])
    return held[held["held_on"] <= pd.Timestamp(as_of)].sort_values("session_id", ignore_index=True)
