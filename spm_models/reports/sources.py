"""What reports tell beside the models' results, taken from the source: closed deals by name, agreements."""

from __future__ import annotations

from datetime import date

import ibis
import pandas as pd

from spm_models.crm import Tables
from spm_models.database import frame
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty

QUARTERS = 4


def background(
    tables: Tables, outcomes: pd.DataFrame, as_of: date, *, calendar: FiscalCalendar
) -> dict[str, pd.DataFrame]:
    """The published tables ``closed_deals`` and ``coaching_sessions``.

    Parameters
    ----------
    tables : Tables
    outcomes : DataFrame
        ``snapshots.outcomes(tables, as_of)``.
    as_of : datetime.date
        Nothing later is told.
    calendar : FiscalCalendar

    Returns
    -------
    dict of str to DataFrame
        Closed deals of the running quarter and the four before; all sessions held by ``as_of``.
    """
    return {"closed_deals": _closed(tables, outcomes, as_of, calendar), "coaching_sessions": _sessions(tables, as_of)}


def _closed(tables: Tables, outcomes: pd.DataFrame, as_of: date, calendar: FiscalCalendar) -> pd.DataFrame:
    quarter = calendar.quarter(as_of)
    for _ in range(QUARTERS):
        quarter = quarter.previous()
    recent = outcomes[outcomes["closed_on"].between(pd.Timestamp(quarter.start), pd.Timestamp(as_of))]
    deals = tables["opportunities"].select("opportunity_id", "account_id")
    if "accounts" in tables:
        names = tables["accounts"].select("account_id", account_name="name")
        deals = deals.left_join(names, "account_id").select("opportunity_id", "account_id", "account_name")
    known = frame(deals).set_index("opportunity_id")
    name = known["account_name"].fillna(known["account_id"]) if "account_name" in known else known["account_id"]
    table = recent.assign(account_name=recent["opportunity_id"].map(name))
    return table[list(TABLES["closed_deals"].columns)]


def _sessions(tables: Tables, as_of: date) -> pd.DataFrame:
    schema = TABLES["coaching_sessions"]
    if "coaching_sessions" not in tables:
        return empty(schema)
    held = tables["coaching_sessions"]
    return frame(held.filter(held.held_on <= ibis.literal(as_of)).select(*schema.columns))
