"""CSV and its relatives.

Two ways lead to the same table. The engine's own parallel parser is used when a file is well-formed UTF-8 and has
exactly one row a line (then the line number follows from the row's place); lines and separators are counted to be
sure of it. Everything else goes through Python's ``csv`` row by row, which is slower and can say on which line which
row is broken.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from spm_models.crm.readers.staged import Broken, Staged, create, insert, insert_broken
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError

#: A quoted cell may span this many lines; a longer one is an open quote.
MAX_LINES = 500
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def stage(con: Any, file: SourceFile, *, fast: bool = True) -> Staged:
    """Stage a delimited text file.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        With a database attached as ``stage``.
    file : SourceFile
        A byte order mark in the file wins over the declared encoding.
    fast : bool
        Try the parallel parser first (tests switch it off to compare).
    """
    encoding = _encoding(file)
    try:
        return _stage(con, file, encoding, fast=fast)
    except UnicodeError as error:
        raise SourceError(
            f"The file is not in the encoding {encoding}", where=str(file.path), found=str(error),
            remedy="Set encoding in spm.toml, for example utf-8 or cp1254.",
        ) from error  # fmt: skip


def _stage(con: Any, file: SourceFile, encoding: str, *, fast: bool) -> Staged:
    with file.path.open(encoding=encoding, errors="replace", newline="") as handle:
        header = _header(handle, file)
    if not header:
        return Staged((), (), create(con, file.table, 0), 0, file.formats)
    if fast and encoding in ("utf-8", "utf-8-sig") and _stage_fast(con, file, header):
        relation = f'(SELECT rowid + 2 AS _line, * FROM stage."raw_{file.table}")'
        return Staged(header, ("VARCHAR",) * len(header), relation, 0, file.formats)
    name = create(con, file.table, len(header))
    broken: list[Broken] = []
    insert(con, name, _rows(file, encoding, len(header), broken), len(header))
    insert_broken(con, file.table, broken)
    return Staged(header, ("VARCHAR",) * len(header), name, len(broken), file.formats)


def _encoding(file: SourceFile) -> str:
    with file.path.open("rb") as handle:
        start = handle.read(4)
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return encoding
    try:
        return codecs.lookup(file.encoding).name
    except LookupError as error:
        raise SourceError(
            "The encoding is not known", where=str(file.path), found=file.encoding,
            remedy="Use utf-8, utf-16, cp1254 (Turkish Windows) or cp1256 (Arabic Windows).",
        ) from error  # fmt: skip


def _header(handle: io.TextIOBase, file: SourceFile) -> tuple[str, ...]:
    if len(file.separator) != 1:
        raise SourceError(
            "The separator must be one character", where=str(file.path), found=file.separator,
            remedy=r'Use "," or ";" or "\t" in spm.toml.',
        )  # fmt: skip
    try:
        return tuple(next(csv.reader(handle, delimiter=file.separator, strict=True), []))
    except csv.Error as error:
        raise SourceError(
            "The first line, which names the columns, cannot be read", where=str(file.path), found=str(error),
            remedy="Check [source] separator and encoding in spm.toml.",
        ) from error  # fmt: skip


def _stage_fast(con: Any, file: SourceFile, header: tuple[str, ...]) -> bool:
    counts = _count(file.path, file.separator)
    if counts is None:
        return False
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header)))
    name = f'stage."raw_{file.table}"'
    sql = (
        f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_csv(?, auto_detect=false, header=true, "
        f"columns={{{columns}}}, delim=?, quote='\"', escape='\"', comment='', nullstr='', strict_mode=true, "
        f"null_padding=false, max_line_size=16777216, new_line='{counts.line_end}')"
    )
    try:
        con.execute(sql, [str(file.path), file.separator])
    except duckdb.Error:
        return False  # not well-formed: the other way finds out where, and keeps what is good
    inside = ""
    if counts.quoted:
        cells = (f"length(c{i}) - length(replace(c{i}, $1, ''))" for i in range(len(header)))
        inside = f", {', '.join(f'sum({cell})' for cell in cells)}"
    rows, *found = con.execute(f"SELECT count(*){inside} FROM {name}", [file.separator] if inside else []).fetchone()
    within = sum(int(n or 0) for n in found) + sum(cell.count(file.separator) for cell in header)
    one_row_a_line = rows + 1 == counts.lines
    return one_row_a_line and counts.separators == counts.lines * (len(header) - 1) + within


@dataclass(frozen=True)
class _Counts:
    lines: int
    separators: int
    quoted: bool
    line_end: str


def _count(path: Path, separator: str) -> _Counts | None:
    """Count a file's bytes of note; None if its lines end in more than one way."""
    lines = returns = both = separators = 0
    quoted, last = False, b"\n"
    with path.open("rb") as handle:
        while block := handle.read(1 << 22):
            lines += block.count(b"\n")
            returns += block.count(b"\r")
            both += block.count(b"\r\n") + (last == b"\r" and block[:1] == b"\n")
            separators += block.count(separator.encode())
            quoted = quoted or b'"' in block
            last = block[-1:]
    if returns not in (0, lines) or both != returns:
        return None
    return _Counts(lines + (last != b"\n"), separators, quoted, r"\r\n" if returns else r"\n")


class _Lines:
    """Physical lines with their numbers; a record that fails gives all but its first line back."""

    def __init__(self, handle: io.TextIOBase) -> None:
        self._handle, self._returned = handle, list[str]()
        self.number, self.record = 0, list[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.record) >= MAX_LINES:
            raise csv.Error(f"a quote is still open after {MAX_LINES} lines")
        line = self._returned.pop() if self._returned else next(self._handle)
        self.number += 1
        self.record.append(line)
        return line

    def give_back(self) -> str:
        first, rest = self.record[0], self.record[1:]
        self._returned.extend(reversed(rest))
        self.number -= len(rest)
        return first


def _rows(file: SourceFile, encoding: str, width: int, broken: list[Broken]) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(1 << 26)
    with file.path.open(encoding=encoding, errors="replace", newline="") as handle:
        lines = _Lines(handle)
        reader = csv.reader(lines, delimiter=file.separator, strict=True)
        next(reader, None)
        while True:
            lines.record.clear()
            begins = lines.number + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                broken.append(Broken(begins, lines.give_back().rstrip("\r\n"), "broken_quote", str(error)))
                reader = csv.reader(lines, delimiter=file.separator, strict=True)
                continue
            if len(row) == width:
                yield begins, row
            elif len(lines.record) > 1:  # an open quote has swallowed the next lines
                found = f"{len(row)} fields instead of {width} over {len(lines.record)} lines"
                broken.append(Broken(begins, lines.give_back().rstrip("\r\n"), "broken_quote", found))
            elif row:  # a wholly empty line is no row
                raw = "".join(lines.record)
                rule = "too_many_fields" if len(row) > width else "too_few_fields"
                if rule == "too_few_fields" and not raw.endswith(("\n", "\r")):
                    rule = "truncated_line"
                broken.append(Broken(begins, raw.rstrip("\r\n"), rule, f"{len(row)} fields instead of {width}"))
