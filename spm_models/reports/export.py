"""Tables as CSV and Excel files in which nothing from the data is taken for a formula or a link."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = datetime(1980, 1, 1)  # the earliest time that a ZIP archive can hold
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


@dataclass(frozen=True)
class Column:
    """One column of a table: where its values are, what it is called, how they read."""

    name: str
    label: str
    text: Callable[[Any], str] = str
    number: bool = False
    format_from: str = ""  #: column of the table that holds each number's format, as Excel writes it


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook; ``name`` loses what Excel does not allow in it."""

    name: str
    frame: pd.DataFrame
    columns: Sequence[Column]
    widths: Sequence[float] = ()


def csv_text(frame: pd.DataFrame, columns: Sequence[Column]) -> str:
    """A table as CSV that no spreadsheet takes for formulas: text that begins like one is led by an apostrophe.

    Examples
    --------
    >>> frame = pd.DataFrame({"name": ["=1+1"], "amount": [-2.5]})
    >>> csv_text(frame, [Column("name", "Name"), Column("amount", "Amount")]).splitlines()
    ['Name,Amount', "'=1+1,-2.5"]
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(column.label) for column in columns])
    picked = frame[[column.name for column in columns]]
    writer.writerows([[_safe(value) for value in row] for row in picked.itertuples(index=False, name=None)])
    return out.getvalue()


def to_csv(frame: pd.DataFrame, columns: Sequence[Column], path: Path) -> Path:
    """Write a table as CSV in UTF-8 with the mark by which spreadsheets recognise it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\ufeff" + csv_text(frame, columns), encoding="utf-8", newline="")
    return path


def to_xlsx(frame: pd.DataFrame, columns: Sequence[Column], path: Path, *, sheet: str = "1", rtl: bool = False) -> Path:
    """Write a table as an Excel file: numbers as numbers, days as days, all text as plain text.

    Parameters
    ----------
    frame : DataFrame
    columns : sequence of Column
        Which columns, in order, and their labels.
    path : Path
    sheet : str
        Name of the sheet; what Excel does not allow in it is left out.
    rtl : bool
        Whether the first column stands on the right.

    Notes
    -----
    The same table gives the same bytes: the archive carries no time.
    """
    return to_workbook([Sheet(sheet, frame, columns)], path, rtl=rtl)


def to_workbook(sheets: Sequence[Sheet], path: Path, *, rtl: bool = False) -> Path:
    """Write tables as the sheets of one Excel file, each as :func:`to_xlsx` does."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _fill(book.create_sheet(_allowed(sheet.name, book.sheetnames)), sheet, rtl)
    book.properties.created = book.properties.modified = _EPOCH
    out = io.BytesIO()
    book.save(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_timeless(out.getvalue()))
    return path


def _allowed(name: str, taken: Sequence[str]) -> str:
    """A sheet's name: what Excel allows of it, and never that of another sheet."""
    clean = "".join(char for char in name if char not in r"[]:*?/\'").translate(_NOT_IN_XML)[:31] or "1"
    return clean if clean not in taken else f"{clean[:28]} {len(taken) + 1}"


def _fill(page: Any, sheet: Sheet, rtl: bool) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    page.sheet_view.rightToLeft = rtl
    page.freeze_panes = "A2"
    for place, column in enumerate(sheet.columns, start=1):
        _write(page.cell(1, place), column.label)
        page.cell(1, place).font = Font(bold=True)
        formats = sheet.frame[column.format_from] if column.format_from else None
        for row, value in enumerate(sheet.frame[column.name], start=2):
            _write(page.cell(row, place), value)
            if formats is not None and formats.iloc[row - 2]:
                page.cell(row, place).number_format = formats.iloc[row - 2]
    for place, width in enumerate(sheet.widths, start=1):
        page.column_dimensions[get_column_letter(place)].width = width


def _write(cell: Any, value: Any) -> None:
    if isinstance(value, str):
        cell.value = value.translate(_NOT_IN_XML)
        cell.data_type = "s"  # whatever it looks like
    elif isinstance(value, pd.Timestamp):
        cell.value, cell.number_format = value.to_pydatetime(), "yyyy-mm-dd"
    elif not pd.isna(value):
        cell.value = value.item() if hasattr(value, "item") else value


def _timeless(archive: bytes) -> bytes:
    """The same archive with every file's time set to the earliest, and the time of saving with it."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(archive)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _without_time(content)
            new.writestr(ZipInfo(name, _EPOCH.timetuple()[:6]), content, ZIP_DEFLATED)
    return out.getvalue()


def _without_time(core: bytes) -> bytes:
    stamp = f"{_EPOCH:%Y-%m-%dT%H:%M:%SZ}".encode()
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, core)


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" \u00a0\u200e\u200f").startswith(_RISKY) else value
    if pd.isna(value):
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value
