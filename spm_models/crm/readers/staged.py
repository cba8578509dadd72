"""What every reader leaves behind, and how rows get there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from spm_models.crm.sources import TextFormats

CHUNK = 50_000


@dataclass(frozen=True)
class Staged:
    """Rows of one file in the staging database.

    Parameters
    ----------
    header : tuple of str
        Column names as the file has them; column i is staged as ``c<i>``.
    types : tuple of str
        DuckDB types of the staged columns; ``VARCHAR`` for text.
    relation : str
        SQL that can stand after FROM; has ``_line`` and the columns.
    broken : int
        Rows that could not be split into cells; they are in ``stage.broken``.
    formats : TextFormats
        How text in the columns is to be read.
    """

    header: tuple[str, ...]
    types: tuple[str, ...]
    relation: str
    broken: int
    formats: TextFormats


@dataclass(frozen=True)
class Broken:
    """A row that is no row."""

    line: int
    raw: str
    rule: str
    found: str


def create(con: Any, table: str, width: int) -> str:
    """Make an empty staging table of text columns; its name."""
    name = f'stage."raw_{table}"'
    columns = "".join(f", c{i} VARCHAR" for i in range(width))
    con.execute(f"CREATE OR REPLACE TABLE {name} (_line BIGINT{columns})")
    return name


def insert(con: Any, name: str, rows: Iterable[tuple[int, Sequence[str | None]]], width: int) -> None:
    """Append rows of text with their line numbers, in chunks."""
    schema = pa.schema([("_line", pa.int64())] + [(f"c{i}", pa.string()) for i in range(width)])
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        lines, cells = zip(*chunk, strict=True)
        columns = [pa.array(lines, pa.int64())]
        columns += [pa.array(values, pa.string()) for values in zip(*cells, strict=True)]
        arrow = pa.Table.from_arrays(columns, schema=schema)
        con.register("chunk", arrow)
        con.execute(f"INSERT INTO {name} SELECT * FROM chunk")
        con.unregister("chunk")


def insert_broken(con: Any, table: str, broken: Sequence[Broken]) -> None:
    """Keep rows that could not be split into cells."""
    if not broken:
        return
    arrow = pa.table(
        {
            "tbl": pa.array([table] * len(broken)),
            "line": pa.array([b.line for b in broken], pa.int64()),
            "raw": pa.array([b.raw for b in broken]),
            "rule": pa.array([b.rule for b in broken]),
            "found": pa.array([b.found for b in broken]),
        }
    )
    con.register("chunk", arrow)
    con.execute("INSERT INTO stage.broken SELECT * FROM chunk")
    con.unregister("chunk")
