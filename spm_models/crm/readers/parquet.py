"""Parquet files: typed columns stay typed, text columns are read like any other text."""

from __future__ import annotations

from typing import Any

import duckdb

from spm_models.crm.readers.staged import Staged
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError


def stage(con: Any, file: SourceFile) -> Staged:
    """Stage a Parquet file; ``line`` is the row's number, from 1."""
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file.path)]).fetchall()
        header, types = tuple(row[0] for row in described), tuple(row[1] for row in described)
        columns = "".join(f', "{name.replace(chr(34), chr(34) * 2)}" AS c{i}' for i, name in enumerate(header))
        con.execute(
            f'CREATE OR REPLACE TABLE stage."raw_{file.table}" AS '
            f"SELECT file_row_number + 1 AS _line{columns} FROM read_parquet(?, file_row_number=true)",
            [str(file.path)],
        )
    except duckdb.Error as error:
        raise SourceError(
            "The Parquet file cannot be read", where=str(file.path), found=str(error).splitlines()[0],
            remedy="Write it again; it may be damaged or only half copied.",
        ) from error  # fmt: skip
    types = tuple("VARCHAR" if kind.startswith("ENUM") else kind for kind in types)
    return Staged(header, types, f'stage."raw_{file.table}"', 0, file.formats)
