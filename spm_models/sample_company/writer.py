"""Files that grow while a company is simulated: one per table, CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from spm_models.sample_company.columns import as_text

ROWS = 50_000  #: of a Parquet row group


class Writer:
    """Appends tables to files, and keeps nothing in memory but the rows of an unfinished row group.

    Row groups are filled up across calls, so that the bytes do not depend on how the rows were cut into parts.
    """

    def __init__(self, folder: Path, format: Literal["csv", "parquet"]) -> None:  # noqa: A002
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._format = folder, format
        self._files: dict[str, Any] = {}
        self._waiting: dict[str, pa.Table] = {}

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, rest in self._waiting.items():
            if kind is None and rest.num_rows:
                self._files[name].write_table(rest.combine_chunks(), row_group_size=ROWS)
        for file in self._files.values():
            file.close()

    def add(self, name: str, table: pa.Table) -> None:
        """Append rows to a table's file."""
        table = as_text(table) if self._format == "csv" else table
        if name not in self._files:
            self._files[name] = self._open(name, table.schema)
        if self._format == "csv":
            self._files[name].write_table(table)
            return
        waiting = pa.concat_tables([self._waiting[name], table]) if name in self._waiting else table
        whole = waiting.num_rows // ROWS * ROWS
        if whole:
            self._files[name].write_table(waiting.slice(0, whole).combine_chunks(), row_group_size=ROWS)
        self._waiting[name] = waiting.slice(whole)

    def _open(self, name: str, schema: pa.Schema) -> Any:
        path = self._folder / f"{name}.{self._format}"
        if self._format == "csv":
            return csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="none"))
        return pq.ParquetWriter(path, schema, compression="zstd")
