"""Which file holds which table, how its text is to be read, and what identifies its contents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol, get_group_symbol

from spm_models.crm.schemas import TABLES
from spm_models.errors import SourceError, WorkspaceError
from spm_models.settings import TableSource
from spm_models.workspace import Workspace

#: Raise it when the same source would give other tables than before.
READER_VERSION = 1
ENDINGS: dict[str, Literal["csv", "parquet", "xlsx"]] = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".xlsx": "xlsx", ".xlsm": "xlsx",
}  # fmt: skip


@dataclass(frozen=True)
class TextFormats:
    """How numbers, days and instants are written in one file.

    Parameters
    ----------
    decimal, group : str
        Decimal separator and thousands separator.
    dates, instants : tuple of str
        Declared formats (``strptime``); ISO 8601 is understood besides.
    time_zone : str
        Zone of instants without an offset.
    company_zone : str
        Zone in which an instant falls on a day.
    excel_epoch : str, optional
        ISO day that stands for serial number 0; only set for spreadsheets.
    """

    decimal: str = "."
    group: str = ","
    dates: tuple[str, ...] = ("%Y-%m-%d",)
    instants: tuple[str, ...] = ("%Y-%m-%dT%H:%M:%S",)
    time_zone: str = "UTC"
    company_zone: str = "UTC"
    excel_epoch: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """The file of one table."""

    table: str
    path: Path
    kind: Literal["csv", "parquet", "xlsx"]
    encoding: str
    separator: str
    sheet: str | None
    formats: TextFormats
    settings: TableSource


def find(workspace: Workspace) -> dict[str, SourceFile]:
    """Find the file of every table that the source has.

    Raises
    ------
    SourceError
        When the source folder, a file named in the settings or a required table is missing.
    WorkspaceError
        When the settings name a table that does not exist.
    """
    folder, settings = workspace.source_dir, workspace.settings
    unknown = sorted(set(settings.tables) - set(TABLES))
    if unknown:
        raise WorkspaceError(
            "The settings map a table that does not exist", where=f"spm.toml [tables.{unknown[0]}]", found=unknown[0],
            remedy=f"Tables are {', '.join(TABLES)}.",
        )  # fmt: skip
    if not folder.is_dir():
        raise SourceError(
            "The source folder does not exist", where=str(folder),
            remedy="Set [source] path in spm.toml, or give --source DIR.",
        )  # fmt: skip
    files = {}
    for name in TABLES:
        table = settings.tables.get(name, TableSource())
        path = _path(folder, name, table)
        if path is not None:
            files[name] = _source_file(workspace, name, path, table)
    for name, schema in TABLES.items():
        if schema.required and name not in files:
            raise SourceError(
                f"The source has no table {name}, and nothing works without it", where=str(folder),
                found=", ".join(sorted(p.name for p in folder.iterdir() if p.is_file())[:12]) or "no files",
                remedy=f"Put {name}.csv there, or name the file under [tables.{name}] file in spm.toml.",
            )  # fmt: skip
    return files


def _path(folder: Path, name: str, table: TableSource) -> Path | None:
    if table.file is None:
        found = sorted(p for p in folder.iterdir() if p.stem.lower() == name and _is_readable(p))
        if len(found) > 1:
            raise SourceError(
                f"Several files could be the table {name}", where=str(folder), found=", ".join(p.name for p in found),
                remedy=f"Say which under [tables.{name}] file in spm.toml.",
            )  # fmt: skip
        return found[0] if found else None
    path = folder / table.file
    if not path.is_file():
        raise SourceError(
            f"The file of the table {name} does not exist", where=str(path),
            remedy=f"Correct [tables.{name}] file in spm.toml, or remove that section if you do not have the table.",
        )  # fmt: skip
    if path.suffix.lower() not in ENDINGS:
        raise SourceError(
            "This kind of file cannot be read", where=str(path), found=path.suffix or "no ending",
            remedy="Export it as .csv, .parquet or .xlsx.",
        )  # fmt: skip
    return path


def _is_readable(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith((".", "~$")) and path.is_file()


def unused(workspace: Workspace, files: Mapping[str, SourceFile]) -> list[str]:
    """Names of files in the source folder that could be tables and are none: a misspelt or renamed export."""
    used = {file.path for file in files.values()}
    return sorted(p.name for p in workspace.source_dir.iterdir() if _is_readable(p) and p not in used)


def _source_file(workspace: Workspace, name: str, path: Path, table: TableSource) -> SourceFile:
    source, company = workspace.settings.source, workspace.settings.company
    kind = ENDINGS[path.suffix.lower()]
    locale = table.locale or source.locale
    decimal, group = number_symbols(locale, where=f"spm.toml [tables.{name}] or [source] locale")
    formats = TextFormats(
        decimal=decimal,
        group=group,
        dates=_several(table.date_format or source.date_format),
        instants=_several(table.instant_format or source.instant_format),
        time_zone=source.time_zone or company.time_zone,
        company_zone=company.time_zone,
    )
    return SourceFile(
        name, path, kind, table.encoding or source.encoding, table.separator or source.separator, table.sheet,
        formats, table,
    )  # fmt: skip


def _several(formats: str | tuple[str, ...]) -> tuple[str, ...]:
    return (formats,) if isinstance(formats, str) else formats


def number_symbols(locale: str, *, where: str = "locale") -> tuple[str, str]:
    """Decimal and thousands separator of a locale.

    Examples
    --------
    >>> number_symbols("tr"), number_symbols("en_US")
    ((',', '.'), ('.', ','))
    """
    try:
        known = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise WorkspaceError(
            "The locale of numbers is not known",
            where=where,
            found=locale,
            remedy="Use a name such as tr, en or de_CH.",
        ) from error
    return (
        get_decimal_symbol(known, numbering_system="latn"),
        get_group_symbol(known, numbering_system="latn"),
    )


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def data_hash(workspace: Workspace, hashes: Mapping[str, str]) -> str:
    """SHA-256 over the source's bytes, the settings that shape the tables, and the schemas.

    Parameters
    ----------
    workspace : Workspace
        Its mapping, formats, currency, zone and stages count; where the files lie does not.
    hashes : Mapping[str, str]
        Table name to hash of its file.
    """
    settings = workspace.settings
    shaping = {
        "source": settings.source.model_dump(mode="json", exclude={"path"}),
        "tables": {n: t.model_dump(mode="json", exclude={"file"}) for n, t in sorted(settings.tables.items())},
        "stages": settings.stages.model_dump(mode="json"),
        "known_at_creation": settings.models.known_at_creation,
        "company": [settings.company.currency, settings.company.time_zone],
        "files": dict(sorted(hashes.items())),
        "schemas": {n: {c: s.facts(c) for c in s.columns} for n, s in TABLES.items()},
        "reader": READER_VERSION,
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True, default=str).encode()).hexdigest()
