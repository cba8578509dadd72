"""KPIs against a quota: K04 pipeline coverage, K07 attainment and share of reps at quota, K08 target against actual.

What holds on a day, and for which part of the period, says :mod:`.quota_ledger`; what of it a person owes,
:mod:`.proration`. A team, region or company has its own quota where one was set, else the sum of its reps'.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from spm_models.database import frame
from spm_models.kpis.definition import Facts, Kpi
from spm_models.kpis.dimensions import COMPANY
from spm_models.kpis.facts import credited, exact, open_deals
from spm_models.kpis.proration import prorated
from spm_models.kpis.quota_ledger import owner_quotas
from spm_models.kpis.source import Source
from spm_models.periods import Period

PAST_RAMP_DAYS = 90
TIERS = ("standard", "minimum", "maximum")


def quotas_of(source: Source, period: Period, known_on: date, tier: str = "standard") -> pd.DataFrame:
    """Quotas of the period by level and key: ``level``, ``key``, ``quota``.

    A quota that was first set after ``known_on`` (but by ``as_of``) counts with its first amount.
    """
    ledger = source.table("quotas")
    by_owner = owner_quotas(ledger[ledger["tier"] == tier], period, source.as_of, opening=known_on)
    reps = by_owner[by_owner["owner_kind"] == "rep"].rename(columns={"owner_id": "rep_id"})
    summed = roll_up(source, reps[["rep_id", "quota"]])
    own = by_owner[by_owner["owner_kind"] != "rep"].rename(columns={"owner_kind": "level", "owner_id": "key"})
    own.loc[own["level"] == "company", "key"] = COMPANY
    both: pd.DataFrame = pd.concat([own, summed[summed["quota"] > 0]])[["level", "key", "quota"]]
    return both.drop_duplicates(["level", "key"]).reset_index(drop=True)


def roll_up(source: Source, per_rep: pd.DataFrame) -> pd.DataFrame:
    """Sum the numbers of reps over every level; the company is everybody, known to the organisation or not."""
    numbers = [column for column in per_rep if column != "rep_id"]
    units = source.units.merge(per_rep, on="rep_id").groupby(["level", "key"], as_index=False)[numbers].sum()
    company = pd.DataFrame([{"level": "company", "key": COMPANY, **per_rep[numbers].sum().to_dict()}])
    return pd.concat([units, company], ignore_index=True)


def _amounts(source: Source, kind: Facts, period: Period) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        t = source.facts(kind)
        t = t.filter(t.due) if kind is open_deals else t
        return frame(t.group_by("period", "rep_id").aggregate(amount=exact(t.amount).sum()))

    found = source.keep(f"amounts {kind.name}", make)
    here = found.loc[found["period"] == period.label, ["rep_id", "amount"]]
    return roll_up(source, here.fillna({"amount": 0.0}))


def _against(source: Source, period: Period, kind: Facts, quotas: pd.DataFrame) -> pd.DataFrame:
    rows = quotas.merge(_amounts(source, kind, period), on=["level", "key"], how="left").fillna({"amount": 0.0})
    return rows.rename(columns={"amount": "numerator", "quota": "denominator"})


def _full_coverage(source: Source, period: Period) -> pd.DataFrame:
    return _against(source, period, open_deals, quotas_of(source, period, period.start))


def _remaining_coverage(source: Source, period: Period) -> pd.DataFrame:
    rows = _against(source, period, credited, quotas_of(source, period, source.as_of))
    rows["quota"] = rows["denominator"] - rows["numerator"]
    return _against(source, period, open_deals, rows[["level", "key", "quota"]])


def _prorated(source: Source, period: Period) -> pd.DataFrame:
    """Reps' quotas for the share of the period's working days on which they are there, and their bookings."""
    quotas = quotas_of(source, period, source.as_of)
    reps = quotas[quotas["level"] == "rep"].merge(source.worked(period), left_on="key", right_on="rep_id")
    reps["quota"] = prorated(reps["quota"], reps["days"], reps["whole"])
    booked = _amounts(source, credited, period)
    return reps.merge(booked, on=["level", "key"], how="left").fillna({"amount": 0.0})


def _attainment(source: Source, period: Period) -> pd.DataFrame:
    reps = _prorated(source, period)
    reps = reps[reps["quota"] > 0]
    rows = roll_up(source, reps[["rep_id", "amount", "quota"]])
    rows = rows[rows["quota"] > 0]
    return rows.rename(columns={"amount": "numerator", "quota": "denominator"})


def _at_quota(source: Source, period: Period) -> pd.DataFrame:
    reps = _prorated(source, period)
    last = pd.Timestamp(source.end(period))
    ramped = reps["hired_on"].isna() | ((last - reps["hired_on"]).dt.days >= PAST_RAMP_DAYS)
    reps = reps[ramped & reps["left_on"].isna() & (reps["quota"] > 0)]
    counted = reps.assign(numerator=(reps["amount"] >= reps["quota"] - 1e-6).astype(float), denominator=1.0)
    rows = roll_up(source, counted[["rep_id", "numerator", "denominator"]])
    return rows[(rows["level"] != "rep") & (rows["denominator"] > 0)]


def _deviation(tier: str) -> Callable[[Source, Period], pd.DataFrame]:
    def rows(source: Source, period: Period) -> pd.DataFrame:
        found = _against(source, period, credited, quotas_of(source, period, source.as_of, tier))
        return found.assign(numerator=found["numerator"] - found["denominator"])

    return rows


def _quota(tier: str) -> Callable[[Source, Period], pd.DataFrame]:
    def rows(source: Source, period: Period) -> pd.DataFrame:
        found = quotas_of(source, period, source.as_of, tier).rename(columns={"quota": "numerator"})
        return found.assign(denominator=np.nan)

    return rows


KPIS = (
    Kpi(
        "pipeline_coverage", "K04", "ratio", "higher",
        "Open pipeline due in the period / full standard quota as it stood at the period's start.",
        rows=_full_coverage, ahead=True, tables=("quotas",), healthy=(3, 4),
    ),
    Kpi(
        "remaining_coverage", "K04", "ratio", "higher",
        "Open pipeline due in the period / standard quota still to book; empty once nothing is left (target reached).",
        rows=_remaining_coverage, tables=("quotas",),
    ),
    Kpi(
        "quota_attainment", "K07", "share", "higher",
        "Credited bookings / standard quota of the period, prorated for hire, leaving and absence.",
        rows=_attainment, tables=("quotas",),
    ),
    Kpi(
        "reps_at_quota", "K07", "share", "higher",
        "Reps at 100 % or more of their prorated quota / reps with a quota who are past ramp (90 days).",
        rows=_at_quota, tables=("quotas",), interval="wilson", healthy=(0.60, 0.80),
    ),
    *(
        Kpi(
            "quota" if tier == "standard" else f"quota_{tier}", "K08", "money", "context",
            f"Quota of the period as it stands on the day, {tier} tier.",
            rows=_quota(tier), ahead=True, tables=("quotas",),
        )
        for tier in TIERS
    ),
    *(
        Kpi(
            "target_deviation" if tier == "standard" else f"deviation_from_{tier}", "K08", "share", "higher",
            f"(Credited bookings − quota) / quota of the period, {tier} tier.",
            rows=_deviation(tier), tables=("quotas",),
        )
        for tier in TIERS
    ),
)  # fmt: skip
