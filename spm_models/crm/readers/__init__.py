"""Readers, one per kind of file: each brings a file's cells into a staging table and loses no row.

A reader knows nothing of schemas. It stages what it read under positional column names (``c0``, ``c1`` …) with
the line on which each row began, and puts rows that have no cells to speak of (too many or too few fields, an
open quote, a truncated last line) into ``stage.broken``.
"""

from __future__ import annotations

from typing import Any

from spm_models.crm.readers import delimited, parquet, spreadsheet
from spm_models.crm.readers.staged import Staged
from spm_models.crm.sources import SourceFile


def stage(con: Any, file: SourceFile) -> Staged:
    """Stage the rows of one file in the attached database ``stage``.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        With a database attached as ``stage``.
    file : SourceFile
        What to read, and how.

    Raises
    ------
    SourceError
        When the file as a whole cannot be read.
    """
    readers = {"csv": delimited.stage, "parquet": parquet.stage, "xlsx": spreadsheet.stage}
    return readers[file.kind](con, file)


__all__ = ["Staged", "stage"]
