"""Targets of a period as they stand, as they were first set, and what of them is owed; every revision with its reason.

How the ledger is read stands in :mod:`spm_models.kpis.quota_ledger`, how working days are counted in
:mod:`spm_models.kpis.proration`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.kpis.proration import EXCUSED, prorated
from spm_models.kpis.quota_ledger import TARGET, entries
from spm_models.periods import Period

UNITS = {"rep": "rep_id", "team": "team", "region": "region", "manager": "manager_id"}
IMPORTED = "imported"


def revision_history(ledger: pd.DataFrame | None, as_of: date, revisions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every setting of every target by a day, each with what it changed.

    Parameters
    ----------
    ledger : DataFrame or None
        The whole ledger: rows of the table ``quotas`` and revisions after them.
    as_of : date
        Rows set later are unknown.
    revisions : DataFrame, optional
        Of :func:`spm_models.journal.targets.revisions`: cause, reason and author. Rows of the table are ``imported``.

    Returns
    -------
    DataFrame
        Published as ``target_revisions``: ``level, key, tier, period_start, period_end, number`` (0: first setting),
        ``set_on, quota, change, cause, reason, author``.

    Examples
    --------
    >>> row = {"owner_kind": "rep", "owner_id": "a", "tier": "standard",
    ...        "period_start": "2026-01-01", "period_end": "2026-03-31"}
    >>> ledger = pd.DataFrame([{**row, "amount": 100, "set_on": "2025-12-15"},
    ...                        {**row, "amount": 90, "set_on": "2026-02-10"}])
    >>> revision_history(ledger, date(2026, 3, 31))[["number", "quota", "change"]].values.tolist()
    [[0.0, 100.0, nan], [1.0, 90.0, -10.0]]
    """
    columns = ["level", "key", "tier", "period_start", "period_end", "number", "set_on", "quota", "change", "cause",
               "reason", "author"]  # fmt: skip
    if ledger is None or ledger.empty:
        return pd.DataFrame(columns=columns)
    rows = entries(ledger)
    rows = rows[rows["set_on"].isna() | (rows["set_on"] <= pd.Timestamp(as_of))].reset_index(drop=True)
    grouped = rows.groupby(TARGET)
    rows["number"] = grouped.cumcount()
    rows["change"] = rows["amount"] - grouped["amount"].shift()
    rows = _with_reasons(rows, revisions)
    return rows.rename(columns={"owner_kind": "level", "owner_id": "key", "amount": "quota"})[columns]


def _with_reasons(rows: pd.DataFrame, revisions: pd.DataFrame | None) -> pd.DataFrame:
    """Cause, reason and author of each row: those written in the journal come last among the rows of their day."""
    if revisions is None or revisions.empty:
        return rows.assign(cause=IMPORTED, reason="", author="")
    same = [*TARGET, "set_on"]
    written = revisions.assign(from_end=revisions.groupby(same).cumcount(ascending=False))
    rows = rows.assign(from_end=rows.groupby(same, dropna=False).cumcount(ascending=False))
    told = rows.merge(written[[*same, "from_end", "cause", "reason", "author"]], on=[*same, "from_end"], how="left")
    return told.fillna({"cause": IMPORTED, "reason": "", "author": ""})


def target_table(
    standing: pd.DataFrame, first: pd.DataFrame, days: pd.DataFrame, people: pd.DataFrame, history: pd.DataFrame,
    period: Period,
) -> pd.DataFrame:  # fmt: skip
    """Targets of one period: as they stand, as they were first set, how often they were revised, what is owed.

    Parameters
    ----------
    standing, first : DataFrame
        ``level, key, tier, quota``: as they stand, and as they would without any revision.
    days : DataFrame
        Of :func:`spm_models.kpis.proration.days_in_role`.
    people : DataFrame
        The organisation: ``rep_id, team, region, manager_id``.
    history : DataFrame
        Of :func:`revision_history`.
    period : Period

    Returns
    -------
    DataFrame
        Published as ``targets``: ``period, level, key, tier, quota, first_quota, revisions, set_on, owed, excused,
        days, not_yet, gone, away, whole``. ``owed + excused`` is ``quota`` to the cent. Units above the reps owe the
        share that their reps with a quota owe together; days are empty there.
    """
    keys = ["level", "key", "tier"]
    table = standing.assign(period=period.label, quota=standing["quota"].round(2))
    table = table.merge(first.rename(columns={"quota": "first_quota"}), on=keys, how="left")
    table["first_quota"] = table["first_quota"].round(2)
    inside = (history["period_start"] <= pd.Timestamp(period.end)) & (
        history["period_end"] >= pd.Timestamp(period.start)
    )
    mine = (
        history[inside].groupby(keys).agg(set_on=("set_on", "max"), revisions=("number", lambda n: int((n > 0).sum())))
    )
    table = table.merge(mine.reset_index(), on=keys, how="left")
    table["revisions"] = table["revisions"].fillna(0).astype("int64")
    table = table.merge(days.rename(columns={"rep_id": "key"}).assign(level="rep"), on=["level", "key"], how="left")
    whole = table["whole"].fillna(1.0)
    table["owed"] = prorated(table["quota"], table["days"].fillna(whole), whole)
    table["owed"] = table["owed"].where(table["level"] == "rep", _owed_above(table, people))
    table["excused"] = (table["quota"] - table["owed"]).round(2)
    columns = ["period", *keys, "quota", "first_quota", "revisions", "set_on", "owed", "excused", "days", *EXCUSED]
    return table[[*columns, "whole"]].sort_values(keys, ignore_index=True)


def _owed_above(table: pd.DataFrame, people: pd.DataFrame) -> pd.Series:
    """What units above the reps owe: their quota in the proportion in which their reps' quotas are owed."""
    reps = table.loc[table["level"] == "rep", ["key", "tier", "quota", "owed"]].rename(columns={"key": "rep_id"})
    places = people[["rep_id", *(column for column in UNITS.values() if column != "rep_id")]].drop_duplicates("rep_id")
    reps = reps.merge(places, on="rep_id", how="left").assign(company="")
    parts = [
        reps.rename(columns={column: "key"}).groupby(["key", "tier"])[["quota", "owed"]].sum().reset_index()
        .assign(level=level)
        for level, column in {**UNITS, "company": "company"}.items()
        if level != "rep"
    ]  # fmt: skip
    sums = pd.concat(parts, ignore_index=True).rename(columns={"quota": "sum_quota", "owed": "sum_owed"})
    found = table[["level", "key", "tier"]].merge(sums, on=["level", "key", "tier"], how="left")
    known = (found["sum_quota"] > 0).to_numpy()
    share = np.where(known, found["sum_owed"] / found["sum_quota"].where(known, 1.0), 1.0)
    return pd.Series((table["quota"].to_numpy() * share).round(2), index=table.index)
