"""The pipeline exactly as it was known at the end of a day: the only source of model inputs.

A deal is in the pipeline of a day when it was created by then and not closed by then. The source keeps one closing
day per deal, the last one: a deal that was reopened counts as open until it was closed for good. A closed deal
without a closing day cannot be placed in time and is in no pipeline; a deal without a creation day is only in those
from the day of the extract on.

Without ``opportunity_history`` the values of past days are unknown, except columns that are settled when a deal is
created (``Tables.known_at_creation``); they are empty, never today's values in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.deals import HISTORY_FIELDS
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.snapshots.context import belonging, people, touches
from spm_models.snapshots.days import day_table, whole_days
from spm_models.snapshots.past_values import History, number, place_of
from spm_models.snapshots.rates import with_rate
from spm_models.snapshots.schema import PIPELINE

_DEALS = TABLES["opportunities"]
_UNDATED = ("competitor",)  # changing, and no history records it
_CREATION = ("account_id", "product_id", "source", "kind")
_FROM_HISTORY = ("push_count", "slip_days", "amount_changes", "stage_regressions", "owner_changes")
_FROM_ACTIVITIES = ("activities", "activities_30d", "meetings", "overdue_activities")
_RECORD = {
    "push_count": "expected_close_on", "slip_days": "expected_close_on", "amount_changes": "amount",
    "stage_regressions": "stage", "owner_changes": "rep_id",
}  # fmt: skip
_CUSTOM_TYPES = {"text": "str", "number": "float64", "date": "datetime64[s]", "flag": "boolean"}


def pipeline(tables: Tables, as_of: date | str) -> pd.DataFrame:
    """Deals open at the end of ``as_of``, as known then.

    Parameters
    ----------
    tables : Tables
    as_of : date or ISO text
        A day of the company's time zone; its end is meant.

    Returns
    -------
    DataFrame
        One row a deal, sorted by ``opportunity_id``: the columns of :data:`~spm_models.snapshots.schema.PIPELINE`
        and one ``field_<name>`` per custom field. Values that nobody can date to that day are empty.

    See Also
    --------
    pipelines : the same for many days at once.
    """
    return pipelines(tables, [as_of])


def pipelines(tables: Tables, days: Iterable[date | str]) -> pd.DataFrame:
    """Pipelines of many days, stacked: one row a deal and day, sorted by ``as_of`` and ``opportunity_id``.

    Parameters
    ----------
    tables : Tables
    days : iterable of date or ISO text
        Days of the company's time zone, in any order; repeated days count once.

    Returns
    -------
    DataFrame
        Columns as of :func:`pipeline`.
    """
    expression = pipeline_table(tables, days)
    kinds = PIPELINE | {f"field_{name}": _CUSTOM_TYPES[kind] for name, kind in sorted(tables.custom_fields.items())}
    fetched = frame(expression.select(*kinds))
    return fetched.astype(kinds).sort_values(["as_of", "opportunity_id"], ignore_index=True)


def pipeline_table(tables: Tables, days: Iterable[date | str]) -> ir.Table:
    """The pipelines as an ibis expression, for work that stays in the database."""
    at = day_table(tables, days)
    history = History.of(tables)
    grid = _with_values(tables, _open(tables, at), history)
    grid = _joined(grid, belonging(tables, at), ["rep_id", "as_of"])
    grid = _with_catalogues(tables, grid)
    return _with_touches(tables, grid)


def _open(tables: Tables, at: ir.Table) -> ir.Table:
    """Deals that were open on each day, with all columns as they are in the source today."""
    deals = tables["opportunities"]
    deals = deals.filter(deals.closed_on.notnull() | (deals.status == "open"))
    return deals.inner_join(
        at,
        [
            (deals.created_on <= at.as_of) | (deals.created_on.isnull() & at.extracted),
            deals.closed_on.isnull() | (deals.closed_on > at.as_of),
        ],
    )


def _with_values(tables: Tables, grid: ir.Table, history: History | None) -> ir.Table:
    """Replace today's values by those of the day, and add what the changes until then add up to."""
    if history is not None:
        past = history.as_of(grid, tables.stages)
        grid = with_rate(tables, _joined(grid, past, ["opportunity_id", "as_of"], drop=["cutoff"]), "created_on")
    g = grid
    known: dict[str, ir.Value] = {}
    for name in _CREATION + _UNDATED:
        known[name] = _dated(tables, g, name, history)
    for name in HISTORY_FIELDS:
        known[name] = _then(tables, g, name, history)
    for name in tables.custom_fields:
        known[f"field_{name}"] = _dated(tables, g, f"field_{name}", history)
    age = (g.as_of.epoch_days() - g.created_on.epoch_days()).cast("float64")
    known["age_days"] = age
    known |= _movements(g, history, age)
    order = {name: place for place, name in enumerate(tables.stages)}
    t = g.mutate(**known)
    remaining = t.expected_close_on.epoch_days() - t.as_of.epoch_days()
    return t.mutate(stage_order=place_of(t.stage, order), days_to_expected_close=remaining.cast("float64"))


def _dated(tables: Tables, g: ir.Table, name: str, history: History | None) -> ir.Value:
    """A column without recorded changes: known if settled at creation, else only from the extract on."""
    vouched = name in tables.known_at_creation or name.removeprefix("field_") in tables.known_at_creation
    at_creation = name in _CREATION and _DEALS.facts(name)["known"] == "creation" and history is not None
    return g[name] if vouched or at_creation else ibis.ifelse(g.extracted, g[name], None)


def _then(tables: Tables, g: ir.Table, name: str, history: History | None) -> ir.Value:
    """A column with recorded changes: its value on the day. Amounts are in the company's currency."""
    today = g.amount_company.cast("float64") if name == "amount" else g[name]
    if history is None or name in tables.known_at_creation:
        vouched = name in tables.known_at_creation
        return today if vouched else ibis.ifelse(g.extracted, today, None)
    text = g[f"{name}_then"]
    never_changed = g[f"{name}_rows"].fill_null(0) == 0
    value: ir.Value
    if name == "amount":
        value = ibis.ifelse(never_changed, g.amount.cast("float64"), number(text)) * g.rate
    elif name == "expected_close_on":
        value = ibis.ifelse(never_changed, g.expected_close_on, text.nullif("").try_cast("date"))
    else:
        value = ibis.ifelse(never_changed, g[name], text.nullif(""))
    return ibis.cases((g.extracted, today), (history.recorded(name, g.cutoff), value))


def _movements(g: ir.Table, history: History | None, age: ir.FloatingValue) -> dict[str, ir.Value]:
    """Pushes, slip, changes and dwell; empty where the history does not record the field."""
    if history is None:
        empty = ibis.null("float64")
        return dict.fromkeys((*_FROM_HISTORY, "amount_ratio", "days_in_stage"), empty)
    moved: dict[str, ir.Value] = {}
    for name in _FROM_HISTORY:
        count = g[name].fill_null(0).cast("float64")
        moved[name] = ibis.ifelse(history.recorded(_RECORD[name], g.cutoff), count, None)
    first = number(g.amount_first_old).coalesce(number(g.amount_first_new))
    now = number(g.amount_then)
    ratio = ibis.ifelse(g.amount_rows.fill_null(0) == 0, 1.0, now / first.nullif(0.0)).coalesce(1.0)
    moved["amount_ratio"] = ibis.ifelse(history.recorded("amount", g.cutoff), ratio, None)
    dwell = whole_days(g.stage_since, g.cutoff)
    in_stage = dwell.coalesce(age)
    moved["days_in_stage"] = ibis.ifelse(history.recorded("stage", g.cutoff), in_stage, None)
    return moved


def _with_catalogues(tables: Tables, grid: ir.Table) -> ir.Table:
    """Segment and industry of a known account, family and list price (company currency) of a known product."""
    wanted: dict[str, tuple[str, dict[str, str]]] = {
        "accounts": ("account_id", {"segment": "string", "industry": "string"}),
        "products": ("product_id", {"family": "string", "list_price": "float64"}),
    }
    for name, (key, columns) in wanted.items():
        if name in tables:
            t = tables[name]
            own = {"list_price": "list_price_company"} if "list_price_company" in t.columns else {}
            facts = {column: t[own.get(column, column)].cast(kind) for column, kind in columns.items()}
            grid = _joined(grid, t.select(key, **facts), [key])
        else:
            grid = grid.mutate(**{column: ibis.null(kind) for column, kind in columns.items()})
    return grid


def _with_touches(tables: Tables, grid: ir.Table) -> ir.Table:
    """Activities and contacts until the day; empty where the source has no such table."""
    done, added = touches(tables, grid), people(tables, grid)
    if done is None:
        names = (*_FROM_ACTIVITIES, "days_since_activity")
        grid = grid.mutate(**dict.fromkeys(names, ibis.null("float64")))
    else:
        grid = _joined(grid, done, ["opportunity_id", "as_of"])
        grid = grid.mutate(**{name: grid[name].fill_null(0).cast("float64") for name in _FROM_ACTIVITIES})
    if added is None:
        return grid.mutate(contacts=ibis.null("float64"))
    grid = _joined(grid, added, ["opportunity_id", "as_of"])
    return grid.mutate(contacts=grid.contacts.fill_null(0).cast("float64"))


def _joined(left: ir.Table, right: ir.Table, keys: list[str], drop: Iterable[str] = ()) -> ir.Table:
    """Left join that keeps the left table's columns and adds the right one's."""
    right = right.drop(*drop) if drop else right
    joined = left.left_join(right, keys)
    return joined.drop(*(f"{key}_right" for key in keys if f"{key}_right" in joined.columns))
