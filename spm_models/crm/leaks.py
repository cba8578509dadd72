"""Columns of deals that give the outcome away: used to learn from, they would look wonderful and be worth nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spm_models.crm.parsing import name as q

_BLANKS_DIFFER = 0.25
_LEAST_DEALS, _LEAST_OF_A_KIND, _LEAST_OF_A_VALUE = 30, 5, 5
_NEARLY_ALL, _BEYOND_USUAL = 0.95, 0.05
_BINS = 20
_OWN = ("account_id", "product_id", "source", "kind", "competitor", "expected_close_on")
_REMEDY = "if it is filled in with the outcome, take it out of [tables.opportunities.custom_fields]"


def leaks(con: Any) -> Iterator[str]:
    """What `spm doctor` says of columns that tell open deals from closed ones, or won ones from lost ones.

    Parameters
    ----------
    con : duckdb connection
        To a loaded warehouse.
    """
    kinds = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE opportunities)").fetchall())
    fields = sorted(name for name in kinds if name.startswith("field_"))
    for column in (*_OWN, *fields):
        yield from _blanks(con, column)
    for column in fields:
        yield from _decides(con, column, kinds[column])


def _blanks(con: Any, column: str) -> Iterator[str]:
    """Blanks that tell open deals from closed ones."""
    open_, closed, some = con.execute(
        f"SELECT avg(({q(column)} IS NULL)::INT) FILTER (status = 'open'), "
        f"avg(({q(column)} IS NULL)::INT) FILTER (status <> 'open'), count({q(column)}) FROM opportunities"
    ).fetchone()
    if some and open_ is not None and closed is not None and abs(open_ - closed) > _BLANKS_DIFFER:
        told = f"; {_REMEDY}" if column.startswith("field_") and open_ > closed else ""
        yield (
            f"{column} is empty on {open_:.0%} of open and {closed:.0%} of closed deals: whether it is filled "
            f"gives away whether a deal was decided{told}"
        )


def _decides(con: Any, column: str, kind: str) -> Iterator[str]:
    """A field whose value, or whose being empty, sorts nearly all closed deals into won and lost.

    Numbers and days are cut into twentieths. A value counts once five deals have it: one of its own for each deal sorts
    all of them, and says nothing.
    """
    binned = f"ntile({_BINS}) OVER (PARTITION BY {q(column)} IS NULL ORDER BY {q(column)})"
    value = q(column) if kind in ("VARCHAR", "BOOLEAN") else f"CASE WHEN {q(column)} IS NOT NULL THEN {binned} END"
    deals, won, sorted_ = con.execute(
        f"""WITH closed AS (SELECT status = 'won' AS won, {value} AS value FROM opportunities WHERE status <> 'open'),
        counts AS (SELECT count(*) AS n, count(*) FILTER (won) AS won FROM closed GROUP BY value)
        SELECT sum(n), sum(won), sum(CASE WHEN n >= {_LEAST_OF_A_VALUE} THEN greatest(won, n - won) END) FROM counts"""
    ).fetchone()
    if not deals or deals < _LEAST_DEALS or min(won, deals - won) < _LEAST_OF_A_KIND or sorted_ is None:
        return
    share, usual = sorted_ / deals, max(won, deals - won) / deals
    if share >= _NEARLY_ALL and share >= usual + _BEYOND_USUAL:
        yield (
            f"{column} sorts {share:.0%} of closed deals into won and lost, where always saying the same sorts "
            f"{usual:.0%}: that is too good to have been known before; {_REMEDY}"
        )
