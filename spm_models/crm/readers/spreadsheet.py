"""XLSX workbooks: cells become text as the file's declared locale would write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from spm_models.crm.readers.staged import Broken, Staged, create, insert, insert_broken
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError


def stage(con: Any, file: SourceFile) -> Staged:
    """Stage one sheet of a workbook; ``line`` is the row number that Excel shows."""
    try:
        book = load_workbook(file.path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise SourceError(
            "The workbook cannot be read", where=str(file.path), found=str(error) or type(error).__name__,
            remedy="Open it in a spreadsheet program and save it as .xlsx without a password.",
        ) from error  # fmt: skip
    try:
        if file.sheet is not None and file.sheet not in book.sheetnames:
            raise SourceError(
                "The workbook has no such sheet", where=f"{file.path} [tables.{file.table}] sheet", found=file.sheet,
                remedy=f"Its sheets are {', '.join(book.sheetnames)}.",
            )  # fmt: skip
        rows = _rows(book[file.sheet] if file.sheet else book.worksheets[0], file.formats.decimal)
        _, header = next(rows, (0, []))
        while header and header[-1] == "":
            header.pop()
        name, broken = create(con, file.table, len(header)), list[Broken]()
        if header:
            insert(con, name, _fit(rows, len(header), broken), len(header))
        insert_broken(con, file.table, broken)
        formats = replace(file.formats, excel_epoch=book.epoch.date().isoformat())
    finally:
        book.close()
    return Staged(tuple(header), ("VARCHAR",) * len(header), name, len(broken), formats)


def _rows(sheet: Any, decimal: str) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        row = [_text(cell, decimal) for cell in cells]
        if any(row):  # a wholly empty row is no row
            yield number, row


def _fit(rows: Iterator[tuple[int, list[str]]], width: int, broken: list[Broken]) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        if any(row[width:]):
            found = f"{len(row)} cells instead of {width}"
            broken.append(Broken(number, "\t".join(row), "too_many_fields", found))
        else:
            yield number, (row + [""] * width)[:width]


def _text(cell: object, decimal: str) -> str:
    """Write a cell as text.

    Examples
    --------
    >>> from datetime import datetime
    >>> _text(1234.5, ","), _text(12.0, "."), _text(datetime(2026, 6, 30), "."), _text(None, ".")
    ('1234,5', '12', '2026-06-30', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        exact = Decimal(repr(cell))
        text = format(exact.to_integral_value() if exact == exact.to_integral_value() else exact, "f")
        return text.replace(".", decimal)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell.total_seconds()).replace(".", decimal)
    return str(cell)
