"""All that is said of targets and goals, from tables that the other rooms give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from spm_models.kpis import KPIS
from spm_models.kpis.proration import days_in_role
from spm_models.periods import FiscalCalendar, Period
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty
from spm_models.targets.attainment import attainability
from spm_models.targets.goal_chances import goal_chances
from spm_models.targets.ledger import UNITS, revision_history, target_table
from spm_models.targets.market import QUARTERS, last_quarters, market_trend, unit_trends
from spm_models.targets.okr import okr_progress
from spm_models.targets.smart import check_goals
from spm_models.targets.talk import acceptance
from spm_models.targets.why import account_holders, why_this_target

#: KPIs that add up over a period: progress towards a goal about them starts at nothing, not at the baseline.
FLOWS = frozenset(name for name, kpi in KPIS.items() if kpi.sums and not kpi.ahead)
NO_QUOTAS = "No targets: the source has no table quotas, and nobody has set one with `spm quotas revise`."
NO_GOALS = "No goals: the source has no table goals."


@dataclass(frozen=True, eq=False)
class Plans:
    """What targets are read from.

    ``standing`` and ``first``: ``period, level, key, tier, quota`` as they stand on the day, and as they were first
    set. ``ledger``: every row set by then. ``revisions``, ``said``: of :mod:`spm_models.journal.targets`. ``people``:
    the organisation. ``deals``: deals known on the day, ``opportunity_id, rep_id, account_id, segment, created_on,
    closed_on, amount, won``. The rest: published tables, ``past`` ``kpi, level, key, period, value`` of past quarters.
    """

    people: pd.DataFrame
    deals: pd.DataFrame
    standing: pd.DataFrame
    first: pd.DataFrame
    ledger: pd.DataFrame | None = None
    revisions: pd.DataFrame | None = None
    said: pd.DataFrame | None = None
    goals: pd.DataFrame | None = None
    absences: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    draws: pd.DataFrame | None = None
    chances: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    kpis: pd.DataFrame | None = None
    past: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class TargetReview:
    """Tables as they are published, by name, and what had to be left out."""

    as_of: date
    tables: dict[str, pd.DataFrame]
    notes: list[str] = field(default_factory=list)

    def of(self, name: str) -> pd.DataFrame:
        """A table by its published name; empty where it could not be made."""
        found = self.tables.get(name)
        return empty(TABLES[name]) if found is None else found

    def table(self, name: str, level: str) -> pd.DataFrame:
        """The rows of one level."""
        found = self.of(name)
        return found[found["level"] == level].reset_index(drop=True)

    def revised(self, level: str) -> pd.DataFrame:
        """Every revision of the units of one level, newest first; first settings are left out."""
        found = self.table("target_revisions", level)
        found = found[found["number"] > 0].sort_values(["set_on", "key", "tier"], ascending=[False, True, True])
        return found[["key", "tier", "period_start", "set_on", "quota", "change", "cause", "reason"]]

    def reasons(self, rep_id: str = "") -> pd.DataFrame:
        """The parts of one rep's first target that is told; without a name the first rep's."""
        found = self.of("target_reasons")
        found = found[found["rep_id"] == rep_id] if rep_id else found
        one: pd.DataFrame = found[
            (found["rep_id"] == found["rep_id"].min()) & (found["period"] == found["period"].min())
        ]
        return one

    def summary(self) -> pd.DataFrame:
        """Number of targets by verdict and tier."""
        found = self.tables.get("attainability")
        if found is None:
            return pd.DataFrame()
        return found.groupby(["period", "level", "tier", "verdict"]).size().rename("targets").reset_index()


def review(plans: Plans, periods: Sequence[Period], *, as_of: date, calendar: FiscalCalendar) -> TargetReview:
    """Look at all targets of some periods and at all goals.

    Parameters
    ----------
    plans : Plans
    periods : sequence of Period
        Each of them as the forecast has it.
    as_of : date
    calendar : FiscalCalendar

    Returns
    -------
    TargetReview
        Without quotas or without goals what needs them is left out, and a note says so.
    """
    tables: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    if plans.ledger is None or plans.ledger.empty:
        notes.append(NO_QUOTAS)
    else:
        tables |= _targets(plans, periods, as_of, calendar)
    goals = okr_progress(plans.goals, as_of, calendar, plans.kpis, flows=FLOWS)
    if goals.empty:
        notes.append(NO_GOALS)
    else:
        tables["goals"] = goals
        chances = goal_chances(goals, plans.draws, plans.standing, periods, plans.history)
        tables["goal_checks"] = check_goals(goals, KPIS, as_of, calendar, past=plans.past, chances=chances)
    return TargetReview(as_of, tables, notes)


def _targets(plans: Plans, periods: Sequence[Period], as_of: date, calendar: FiscalCalendar) -> dict[str, pd.DataFrame]:
    history = revision_history(plans.ledger, as_of, plans.revisions)
    won = plans.deals[plans.deals["won"]]
    records = plans.deals["created_on"].min()
    known_from = None if pd.isna(records) else pd.Timestamp(records).date()
    trends = market_trend(won, as_of, calendar, known_from=known_from, effort=_effort(plans.people, as_of, calendar))
    by_unit = unit_trends(won, _places(plans.people), trends)
    holders = account_holders(plans.deals)
    parts: dict[str, list[pd.DataFrame]] = {"targets": [], "target_reasons": [], "attainability": []}
    for period in periods:
        standing, first = (_of(table, period) for table in (plans.standing, plans.first))
        if standing.empty:
            continue
        days = days_in_role(plans.people, period, as_of, calendar, plans.absences)
        parts["targets"].append(target_table(standing, first, days, plans.people, history, period))
        parts["target_reasons"].append(
            why_this_target(standing, won, holders, by_unit, period, calendar, known_from=known_from)
        )
        if plans.chances is not None and plans.forecast is not None and plans.history is not None:
            told = attainability(standing, plans.chances, plans.forecast, plans.history, by_unit, period, calendar)
            parts["attainability"].append(told)
    found = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items() if frames}
    found |= {"target_revisions": history, "market_trends": trends}
    if plans.said is not None and "targets" in found:
        found |= {"target_talk": plans.said, "target_acceptance": acceptance(plans.said, found["targets"])}
    return found


def _effort(people: pd.DataFrame, as_of: date, calendar: FiscalCalendar) -> tuple[float, float]:
    """Working days of everybody in the four whole quarters before the last four, and in those."""
    last = last_quarters(as_of, calendar, 2 * QUARTERS)
    days = [float(days_in_role(people, quarter, as_of, calendar)["days"].sum()) for quarter in last]
    return sum(days[:QUARTERS]), sum(days[QUARTERS:])


def _of(table: pd.DataFrame, period: Period) -> pd.DataFrame:
    return table[table["period"] == period.label].drop(columns="period").reset_index(drop=True)


def _places(people: pd.DataFrame) -> pd.DataFrame:
    """Units to which each rep belongs: ``rep_id, level, key``."""
    parts = [
        pd.DataFrame({"rep_id": people["rep_id"], "level": level, "key": people[column]})
        for level, column in UNITS.items()
    ]
    company = pd.DataFrame({"rep_id": people["rep_id"], "level": "company", "key": ""})
    return pd.concat([*parts, company], ignore_index=True).dropna(subset="key").astype("str")
