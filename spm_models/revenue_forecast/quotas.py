"""What was expected of whom: quotas of a period as they were last set by a day."""

from __future__ import annotations

from datetime import date

import pandas as pd

from spm_models.kpis.quota_ledger import owner_quotas
from spm_models.periods import Period
from spm_models.revenue_forecast.units import Units

COLUMNS = ["level", "key", "tier", "quota"]


def quotas_of(quotas: pd.DataFrame | None, units: Units, period: Period, as_of: date) -> pd.DataFrame:
    """Quota of every unit and tier for a period.

    Parameters
    ----------
    quotas : DataFrame or None
        The ledger of quotas (``crm/schemas/plans``); ``amount_company`` counts where it is there, else ``amount``.
    units : Units
    period : Period
    as_of : date
        Rows set later are unknown.

    Returns
    -------
    DataFrame
        ``level, key, tier, quota``, sorted. A quota set for exactly this period holds; else those inside it are
        added up; else longer ones are shared out by days. A level above the reps without a quota of its own has
        the sum of its reps'; a team none of whose reps has one stands in for them, and a region for such teams. A
        quota is never shortened for somebody who was hired within its period: whoever set it knew the day.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> units = Units.of(pd.DataFrame({"rep_id": ["a", "b"], "team": ["x", "x"]}), date(2026, 3, 31))
    >>> row = {"owner_kind": "rep", "tier": "standard", "period_start": "2026-01-01", "period_end": "2026-12-31"}
    >>> ledger = pd.DataFrame([{**row, "owner_id": o, "amount": 365.0, "set_on": "2026-01-01"} for o in "ab"])
    >>> quotas = quotas_of(ledger, units, FiscalCalendar().quarter(date(2026, 4, 1)), date(2026, 3, 31))
    >>> quotas[quotas.level.isin(["rep", "team"])].quota.tolist()
    [91.0, 91.0, 182.0]
    """
    if quotas is None or quotas.empty:
        return pd.DataFrame({name: pd.Series(dtype="float64" if name == "quota" else "str") for name in COLUMNS})
    own = owner_quotas(quotas, period, as_of)
    own = own.rename(columns={"owner_kind": "level", "owner_id": "key"})[COLUMNS]
    reps = own[own.level == "rep"].merge(units.table, left_on="key", right_on="rep_id")
    for level in ("team", "region"):
        reps = pd.concat([reps, _standing_in(own, reps, units, level)], ignore_index=True)
    sums = []
    for level in ("company", "region", "team", "manager"):
        summed = reps.assign(level=level, key="" if level == "company" else reps[level])
        sums.append(summed.groupby(["level", "key", "tier"])["quota"].sum().reset_index())
    everything = pd.concat([own, *sums], ignore_index=True).drop_duplicates(["level", "key", "tier"])
    return everything[COLUMNS].sort_values(["level", "key", "tier"], ignore_index=True)


def _standing_in(own: pd.DataFrame, reps: pd.DataFrame, units: Units, level: str) -> pd.DataFrame:
    """Quotas of units in which nobody below has one, with the other units they lie wholly in; elsewhere empty."""
    mine = own[own.level == level]
    covered = pd.MultiIndex.from_frame(reps[[level, "tier"]])
    mine = mine[~pd.MultiIndex.from_frame(mine[["key", "tier"]]).isin(covered)]
    inside = units.table[units.table.sells].groupby(level)
    found = mine.assign(**{level: mine["key"]})
    for other in sorted({"region", "team", "manager"} - {level}):
        whole = inside[other].first().where(inside[other].nunique() == 1)
        found[other] = found["key"].map(whole)
    return found
