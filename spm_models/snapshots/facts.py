"""Facts that are joined to the deals of a day, all in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True)
class Facts:
    """A table of facts by key.

    Parameters
    ----------
    table : ibis table or None
        At most one row a key; None where the source cannot tell: all columns are empty then.
    keys : tuple of str
        Columns that the deals have as well.
    counts, values : tuple of str
        Columns: a count is 0 where a key has no row, a value is empty.
    known : callable, optional
        Given the deals, whether the counts are known there at all; elsewhere they are empty.
    kind : str
        Type of ``values``.
    """

    table: ir.Table | None
    keys: tuple[str, ...]
    counts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    known: Callable[[ir.Table], ir.BooleanValue] | None = None
    kind: str = "float64"


def with_facts(grid: ir.Table, facts: Iterable[Facts]) -> ir.Table:
    """Left-join all facts; one chain of joins and one selection, which databases plan best."""
    parts, joined = list(facts), grid
    for number, part in enumerate(parts):
        if part.table is not None:
            table = part.table.select(*part.keys, *part.counts, *part.values)
            joined = joined.left_join(table, list(part.keys), rname=f"{{name}}_{number}")
    columns: dict[str, ir.Value] = {}
    for part in parts:
        for name in (*part.counts, *part.values):
            columns[name] = _column(joined, part, name)
    return joined.select(*grid.columns, **columns)


def _column(joined: ir.Table, part: Facts, name: str) -> ir.Value:
    kind = "float64" if name in part.counts else part.kind
    if part.table is None:
        return ibis.null(kind)
    if name in part.values:
        return joined[name].cast(kind)
    count = joined[name].fill_null(0).cast(kind)
    return count if part.known is None else ibis.ifelse(part.known(joined), count, None)
