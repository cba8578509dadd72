"""ibis connections, DuckDB by default, and the one way from an ibis table to a pandas frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd


def connect(path: Path | str | None = None, *, read_only: bool = False, threads: int | None = None) -> Any:
    """Open a DuckDB database through ibis.

    Parameters
    ----------
    path : path, optional
        File of the warehouse; without it the database lives in memory.
    read_only : bool
        Open without the right to write (several readers may share a file).
    threads : int, optional
        Threads of the engine; all cores without it.

    Returns
    -------
    ibis.backends.duckdb.Backend

    Examples
    --------
    >>> connect().raw_sql("select 1 + 1").fetchone()
    (2,)
    """
    settings: dict[str, Any] = {"threads": threads} if threads else {}
    return ibis.duckdb.connect(str(path) if path else ":memory:", read_only=read_only, **settings)


def frame(expression: ir.Table) -> pd.DataFrame:
    """Fetch an ibis table as a pandas frame with plain NumPy types.

    Decimals become floats and dates become ``datetime64`` *in the database*, because Python objects in a
    column make pandas an order of magnitude slower. Use it for models and figures; sums of money that are
    shown to the cent stay in ibis.

    Examples
    --------
    >>> import ibis
    >>> frame(ibis.memtable({"a": [1, 2]})).a.tolist()
    [1, 2]
    """
    casts: dict[str, str] = {}
    for name, kind in expression.schema().items():
        if kind.is_decimal():
            casts[name] = "float64"
        elif kind.is_date():
            casts[name] = "timestamp"
    fetched: pd.DataFrame = (expression.cast(casts) if casts else expression).to_pandas()
    return fetched


def kept(expression: ir.Table) -> ir.Table:
    """The result of an expression, computed once and kept in its database for as long as it is used.

    Examples
    --------
    >>> import ibis
    >>> kept(ibis.memtable({"a": [1, 2]})).count().execute()
    2
    """
    backend = expression.get_backend()
    if backend.name == "pyspark":
        backend._run_pre_execute_hooks(expression)  # ibis 12 forgets frames within expressions that Spark is to keep
    found: ir.Table = expression.cache()
    return found
