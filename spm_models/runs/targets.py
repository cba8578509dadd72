"""Targets and goals as the weekly run publishes them, and as notebooks look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pandas as pd

from spm_models import kpis
from spm_models.database import frame
from spm_models.journal import Entry
from spm_models.journal.targets import revisions, talk
from spm_models.kpis.quota_ledger import standing
from spm_models.periods import Period
from spm_models.published.schemas import TABLES
from spm_models.revenue_forecast.quotas import quotas_of
from spm_models.revenue_forecast.units import Units
from spm_models.runs.known import Known
from spm_models.targets import TargetReview, review
from spm_models.targets.result import Plans
from spm_models.writing.overrides import known_before
from spm_models.writing.targets import target_entries

_PAST = 6  # quarters by which goals are judged
_EVER = date(1900, 1, 1)


def review_targets(
    known: Known, published: Mapping[str, pd.DataFrame], entries: list[Entry], before: datetime | None
) -> TargetReview:
    """Targets of the forecast periods and all goals.

    Parameters
    ----------
    known : Known
        Its tables hold the revisions (:func:`spm_models.writing.targets.with_revisions`).
    published : mapping of str to DataFrame
        What this run publishes, or the last one did: ``forecast``, ``forecast_draws``, ``quota_chances``,
        ``revenue_history``, ``kpis``. What is not there is left out.
    entries : list of Entry
        Of :func:`spm_models.writing.targets.target_entries`.
    before : datetime or None
        Look at the journal as it was at this instant.

    Returns
    -------
    TargetReview
        Tables as in :data:`spm_models.published.schemas.TABLES`.
    """
    goals = frame(known.tables["goals"]) if "goals" in known.tables else None
    absences = frame(known.tables["absences"]) if "absences" in known.tables else None
    plans = Plans(
        people=known.people[known.people["role"].fillna("rep") == "rep"], deals=_deals(known),
        standing=_of_periods(known, known.quotas), first=_of_periods(known, _first(known)), ledger=known.quotas,
        revisions=revisions(entries, before), said=talk(entries, before), goals=goals, absences=absences,
        forecast=published.get("forecast"), draws=published.get("forecast_draws"),
        chances=published.get("quota_chances"), history=published.get("revenue_history"), kpis=published.get("kpis"),
        past=_past_kpis(known, goals),
    )  # fmt: skip
    found = review(plans, known.periods, as_of=known.as_of, calendar=known.calendar)
    tables = {name: table[list(TABLES[name].columns)] for name, table in found.tables.items()}
    return replace(found, tables=tables)


def look_at_targets(known: Known, published: Mapping[str, pd.DataFrame]) -> TargetReview:
    """The same for notebooks: with all that is in the journal, and the published forecast of the last run."""
    before = known_before(known.workspace, known.as_of, known.tables.extracted_on)
    return review_targets(known, published, target_entries(known.workspace), before)


def _first(known: Known) -> pd.DataFrame | None:
    """The ledger as if nothing had been revised."""
    return None if known.quotas is None else standing(known.quotas, known.as_of, opening=_EVER)


def _of_periods(known: Known, ledger: pd.DataFrame | None) -> pd.DataFrame:
    units = Units.of(known.people, known.as_of)
    parts = [
        quotas_of(ledger, units, period, known.as_of).assign(period=period.label).astype({"period": "str"})
        for period in known.periods
    ]
    return pd.concat(parts, ignore_index=True)


def _deals(known: Known) -> pd.DataFrame:
    """Deals known on the day, with their accounts' segments."""
    columns = ["opportunity_id", "rep_id", "created_on"]
    closed = known.outcomes[[*columns, "closed_on", "amount", "won"]]
    opened = known.pipeline[columns].assign(won=False)
    deals = pd.concat([closed, opened], ignore_index=True)
    deals["won"] = deals["won"].astype("bool")
    accounts = frame(known.tables["opportunities"].select("opportunity_id", "account_id"))
    deals = deals.merge(accounts, on="opportunity_id", how="left")
    if "accounts" not in known.tables:
        return deals.assign(segment=pd.Series(None, index=deals.index, dtype="str"))
    segments = frame(known.tables["accounts"].select("account_id", "segment"))
    return deals.merge(segments, on="account_id", how="left")


def _past_kpis(known: Known, goals: pd.DataFrame | None) -> pd.DataFrame | None:
    """What owners reached in the last whole quarters, of the KPIs that goals name."""
    if goals is None:
        return None
    named = sorted(set(goals["metric"].dropna()) & set(kpis.KPIS))
    first = known.outcomes["created_on"].min()
    if not named or pd.isna(first):
        return None
    parts: list[pd.DataFrame] = []
    quarter: Period = known.calendar.quarter(known.as_of)
    while len(parts) < _PAST and quarter.previous().start >= first.date():
        quarter = quarter.previous()
        parts.append(kpis.levels(known.tables, quarter, as_of=quarter.end, kpis=named))
    return pd.concat(parts, ignore_index=True) if parts else None
