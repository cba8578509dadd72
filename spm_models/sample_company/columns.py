"""Columns of the written tables: from the simulation's numbers to text, days and instants, a whole column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.columns import DTYPES

Mask = NDArray[np.bool_] | None


def code(prefix: str, number: Any, width: int = 0, *, empty: Mask = None) -> pa.Array:
    """Identifiers such as ``R0007``; empty where the mask says so."""
    digits = pc.cast(pa.array(np.asarray(number, dtype=np.int64), mask=empty), pa.string())
    if width:
        digits = pc.utf8_lpad(digits, width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def glued(*parts: Any, between: str = "") -> pa.Array:
    """Columns of text put together, row by row."""
    return pc.binary_join_element_wise(*parts, between)


def word(codes: Any, words: Sequence[str], *, empty: Mask = None) -> pa.Array:
    """Words by their position; a negative position is empty."""
    codes = np.asarray(codes, dtype=np.int64)
    missing = codes < 0 if empty is None else (codes < 0) | empty
    return pa.array(list(words), pa.string()).take(pa.array(np.where(missing, 0, codes), mask=missing))


def day(number: Any, *, empty: Mask = None) -> pa.Array:
    """Days from day numbers."""
    return pa.array(np.asarray(number, dtype=np.int32), pa.int32(), mask=empty).cast(pa.date32())


def instant(seconds: Any, *, empty: Mask = None) -> pa.Array:
    """Instants (UTC) from seconds since 1970."""
    return pa.array(np.asarray(seconds, dtype=np.int64), pa.int64(), mask=empty).cast(pa.timestamp("s"))


def number(values: Any, digits: int = 2, *, empty: Mask = None) -> pa.Array:
    """Rounded numbers."""
    return pa.array(np.round(np.asarray(values, dtype=np.float64), digits), mask=empty)


def money(values: Any, *, empty: Mask = None) -> pa.Array:
    """Amounts in whole units of their currency."""
    return pa.array(np.round(np.asarray(values)).astype(np.int64), mask=empty)


def typed(name: str, table: pa.Table) -> pd.DataFrame:
    """The table with the pandas types of its schema (amounts as numbers)."""
    frame = table.to_pandas(date_as_object=False)
    schema = TABLES[name]
    for column in frame.columns:
        kind = schema.facts(column)["kind"] if column in schema.columns else "text"
        frame[column] = frame[column].astype("float64" if kind == "money" else DTYPES[kind])
    found: pd.DataFrame = frame
    return found


def as_text(table: pa.Table) -> pa.Table:
    """The same table with instants as ISO text, ready for CSV."""
    for position, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            text = pc.strftime(table.column(position), format="%Y-%m-%dT%H:%M:%S")
            table = table.set_column(position, column.name, text)
    return table
