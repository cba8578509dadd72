"""The pipeline exactly as it was known at the end of a day: the only source of model inputs.

A deal is in the pipeline of a day when it was created by then and not closed by then. The source keeps one closing
day per deal, the last one: a deal that was reopened counts as open until it was closed for good. A closed deal
without a closing day cannot be placed in time and is in no pipeline; a deal without a creation day is only in those
from the day of the extract on.

Without ``opportunity_history`` the values of past days are unknown, except columns that are settled when a deal is
created (``Tables.known_at_creation``); they are empty, never today's values in disguise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.deals import HISTORY_FIELDS
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.snapshots.context import account_history, belonging, load, people
from spm_models.snapshots.days import day_table, whole_days
from spm_models.snapshots.facts import Facts, with_facts
from spm_models.snapshots.past_values import History, number, place_of
from spm_models.snapshots.rates import with_rate
from spm_models.snapshots.schema import PIPELINE
from spm_models.snapshots.touches import touches

_DEALS = TABLES["opportunities"]
_UNDATED = ("competitor", "discount", "term_months")  # changing, and no history records it
_CREATION = ("account_id", "product_id", "source", "kind")
_FROM_HISTORY = ("push_count", "slip_days", "amount_changes", "amount_cuts", "stage_regressions", "owner_changes")
_PLACES = ("manager_id", "team", "region", "territory")
_RECORD = {
    "push_count": "expected_close_on", "slip_days": "expected_close_on", "amount_changes": "amount",
    "amount_cuts": "amount", "stage_regressions": "stage", "owner_changes": "rep_id",
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


def pipelines(tables: Tables, days: Iterable[date | str], *, every: int = 1) -> pd.DataFrame:
    """Pipelines of many days, stacked: one row a deal and day, sorted by ``as_of`` and ``opportunity_id``.

    Parameters
    ----------
    tables : Tables
    days : iterable of date or ISO text
        Days of the company's time zone, in any order; repeated days count once.
    every : int
        Keep only each ``every``-th week of a deal, the deals staggered by the day on which they began: fewer rows of
        the same deals, for learning. All counts over other deals are as with all rows.

    Returns
    -------
    DataFrame
        Columns as of :func:`pipeline`.
    """
    expression, kinds = pipeline_table(tables, days, every=every), _kinds(tables)
    fetched = frame(expression.select(*kinds))
    return fetched.astype(kinds).sort_values(["as_of", "opportunity_id"], ignore_index=True)


def _kinds(tables: Tables) -> dict[str, str]:
    """Columns of the pipeline and their types, custom fields last."""
    return PIPELINE | {f"field_{name}": _CUSTOM_TYPES[kind] for name, kind in sorted(tables.custom_fields.items())}


def pipeline_table(
    tables: Tables, days: Iterable[date | str], *, every: int = 1, columns: Collection[str] | None = None
) -> ir.Table:
    """The pipelines as an ibis expression, for work that stays in the database.

    With ``columns`` only tables are read that these need; others that the deals themselves have are there too.
    """
    at = day_table(tables, days)
    history = History.of(tables)
    deals = _open(tables, at)
    keys = _thinned(deals, every)
    grid = _with_values(tables, keys, history)
    own = [name for name in _kinds(tables) if name in grid.columns]
    grid = grid.select(*own, "cutoff")
    keys = keys.select("opportunity_id", "as_of", "cutoff", account_id=_dated(tables, keys, "account_id", history))
    places = Facts(belonging(tables, at), ("rep_id", "as_of"), values=_PLACES, kind="string")
    tenure = Facts(places.table, ("rep_id", "as_of"), values=("rep_tenure_days",))
    facts = [places, tenure, *_catalogues(tables), account_history(tables, keys), *load(_held(tables, deals, history))]
    facts += [*touches(tables, keys), *people(tables, keys)]
    if columns is not None:
        facts = [one for one in facts if not set(columns).isdisjoint((*one.counts, *one.values))]
    return with_facts(grid, facts)


def _held(tables: Tables, deals: ir.Table, history: History | None) -> ir.Table:
    """Owner and account, as known then, of all deals open on the days."""
    held = deals if history is None else _joined(deals, history.owners(deals), ["opportunity_id", "as_of"])
    return held.select(
        "as_of", rep_id=_then(tables, held, "rep_id", history), account_id=_dated(tables, held, "account_id", history)
    )


def _thinned(grid: ir.Table, every: int) -> ir.Table:
    """Each ``every``-th week of a deal, counted from a week that depends on the day on which it began."""
    if every <= 1:
        return grid
    place = (grid.as_of.epoch_days() / 7).floor().cast("int64") + grid.created_on.epoch_days().fill_null(0)
    return grid.filter(place % every == 0)


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
        return dict.fromkeys((*_FROM_HISTORY, "amount_ratio", "days_in_stage", "days_since_push"), empty)
    moved: dict[str, ir.Value] = {}
    for name in _FROM_HISTORY:
        count = g[name].fill_null(0).cast("float64")
        moved[name] = ibis.ifelse(history.recorded(_RECORD[name], g.cutoff), count, None)
    first = number(g.amount_first_old).coalesce(number(g.amount_first_new))
    now = number(g.amount_then)
    ratio = ibis.ifelse(g.amount_rows.fill_null(0) == 0, 1.0, now / first.nullif(0.0)).coalesce(1.0)
    moved["amount_ratio"] = ibis.ifelse(history.recorded("amount", g.cutoff), ratio, None)
    moved["days_since_push"] = whole_days(g.pushed_at, g.cutoff)
    dwell = whole_days(g.stage_since, g.cutoff)
    in_stage = dwell.coalesce(age)
    moved["days_in_stage"] = ibis.ifelse(history.recorded("stage", g.cutoff), in_stage, None)
    return moved


def _catalogues(tables: Tables) -> list[Facts]:
    """Segment and industry of a known account, family and list price (company currency) of a known product."""
    accounts = products = None
    if "accounts" in tables:
        accounts = tables["accounts"]
    if "products" in tables:
        products = tables["products"]
        if "list_price_company" in products.columns:
            products = products.mutate(list_price=products.list_price_company)
    return [
        Facts(accounts, ("account_id",), values=("segment", "industry"), kind="string"),
        Facts(products, ("product_id",), values=("family",), kind="string"),
        Facts(products, ("product_id",), values=("list_price",)),
    ]


def _joined(left: ir.Table, right: ir.Table, keys: list[str], drop: Iterable[str] = ()) -> ir.Table:
    """Left join that keeps the left table's columns and adds the right one's."""
    right = right.drop(*drop) if drop else right
    joined = left.left_join(right, keys)
    return joined.drop(*(f"{key}_right" for key in keys if f"{key}_right" in joined.columns))
