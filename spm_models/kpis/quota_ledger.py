"""The dated ledger of quotas: what was the target on a day, and how much of it falls into a period.

Rows are never changed: a revision is a later row, and what was the target on an earlier day stays what it was. This is
the one place that reads the ledger; KPIs, the forecast and the review of targets all start from here.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from spm_models.money import allocate
from spm_models.periods import Period

OWNER = ["owner_kind", "owner_id", "tier"]
TARGET = [*OWNER, "period_start", "period_end"]
_COLUMNS = [*TARGET, "amount", "set_on"]


def entries(ledger: pd.DataFrame) -> pd.DataFrame:
    """Every row of the ledger, by target and then in the order of setting.

    Parameters
    ----------
    ledger : DataFrame
        The table ``quotas``; ``amount_company`` counts where it is there, else ``amount``.

    Returns
    -------
    DataFrame
        ``owner_kind, owner_id`` (empty for the company), ``tier, period_start, period_end, amount`` (float),
        ``set_on``. Of two rows of one day the one further down is the later.
    """
    days = {name: pd.to_datetime(ledger[name]).astype("datetime64[s]") for name in (*TARGET[-2:], "set_on")}
    amount = ledger["amount_company" if "amount_company" in ledger else "amount"].astype("float64")
    owner = ledger["owner_id"].astype("str").where(ledger["owner_kind"] != "company", "")
    rows = ledger.assign(**days, amount=amount, owner_id=owner)[_COLUMNS]
    return rows.sort_values([*TARGET, "set_on"], na_position="first", ignore_index=True)


def standing(ledger: pd.DataFrame, day: date, *, opening: date | None = None) -> pd.DataFrame:
    """Each target as it stood at the end of a day: the latest row set by then.

    Parameters
    ----------
    ledger : DataFrame
        The table ``quotas``.
    day : date
        Rows set later are unknown; a row without ``set_on`` was always known.
    opening : date, optional
        Leave out what was revised after this day: a target first set later counts with its first amount.

    Returns
    -------
    DataFrame
        One row a target, columns as of :func:`entries`.

    Examples
    --------
    >>> row = {"owner_kind": "rep", "owner_id": "a", "tier": "standard",
    ...        "period_start": "2026-01-01", "period_end": "2026-03-31"}
    >>> ledger = pd.DataFrame([{**row, "amount": 100, "set_on": "2025-12-15"},
    ...                        {**row, "amount": 90, "set_on": "2026-02-10"}])
    >>> [standing(ledger, date(2026, month, 9)).amount.item() for month in (2, 3)]
    [100.0, 90.0]
    """
    rows = entries(ledger)
    rows = rows[rows["set_on"].isna() | (rows["set_on"] <= pd.Timestamp(day))]
    if opening is None:
        return rows.drop_duplicates(TARGET, keep="last").reset_index(drop=True)
    late = rows["set_on"] > pd.Timestamp(opening)
    chosen = [rows[~late].drop_duplicates(TARGET, keep="last"), rows[late].drop_duplicates(TARGET, keep="first")]
    return pd.concat(chosen).drop_duplicates(TARGET).sort_values(TARGET, ignore_index=True)


def owner_quotas(ledger: pd.DataFrame, period: Period, day: date, *, opening: date | None = None) -> pd.DataFrame:
    """What each owner's targets of a period add up to, as they stood on a day.

    A target set for exactly this period holds; else those that lie inside it are added up; else longer ones are shared
    out by calendar days. So a year's target beside its quarters' is not counted twice.

    Parameters
    ----------
    ledger, day, opening
        As for :func:`standing`.
    period : Period

    Returns
    -------
    DataFrame
        ``owner_kind, owner_id, tier, quota``, sorted.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> row = {"owner_kind": "rep", "owner_id": "a", "tier": "standard", "set_on": "2025-12-15"}
    >>> year = {**row, "period_start": "2026-01-01", "period_end": "2026-12-31", "amount": 365}
    >>> quarter = {**row, "period_start": "2026-04-01", "period_end": "2026-06-30", "amount": 120}
    >>> ask = lambda *rows: owner_quotas(pd.DataFrame(rows), FiscalCalendar().parse("2026-Q2"), date(2026, 6, 30))
    >>> ask(year).quota.item(), ask(year, quarter).quota.item()
    (91.0, 120.0)
    """
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    rows = standing(ledger, day, opening=opening)
    rows = rows[(rows["period_start"] <= end) & (rows["period_end"] >= start)]
    exact = (rows["period_start"] == start) & (rows["period_end"] == end)
    inside = (rows["period_start"] >= start) & (rows["period_end"] <= end)
    rank = 2 - inside.astype(int) - exact.astype(int)
    best = rank.groupby([rows[name] for name in OWNER]).transform("min") if len(rows) else rank
    rows = rows[rank == best]
    last = rows["period_end"].where(rows["period_end"] <= end, end)
    overlap = last - rows["period_start"].where(rows["period_start"] >= start, start)
    share = (overlap.dt.days + 1) / ((rows["period_end"] - rows["period_start"]).dt.days + 1)
    return rows.assign(quota=rows["amount"] * share).groupby(OWNER)["quota"].sum().reset_index()


def split(amount: Decimal, periods: list[Period]) -> list[Decimal]:
    """Share a target out to periods by their days, to the cent: the parts add up to it exactly.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> quarter = FiscalCalendar().parse("2026-Q2")
    >>> months = FiscalCalendar().periods("month", quarter.start, quarter.end)
    >>> [str(part) for part in split(Decimal("100.00"), months)]
    ['32.97', '34.06', '32.97']
    """
    return allocate(amount, [period.days for period in periods])
