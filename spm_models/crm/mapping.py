"""Which column of a file becomes which column of ours."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from spm_models.crm.parsing import folded
from spm_models.crm.readers import Staged
from spm_models.crm.schemas import TABLES, TableSchema
from spm_models.crm.schemas.columns import Kind
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError, WorkspaceError

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class MappedColumn:
    """One of our columns and where its values come from.

    Parameters
    ----------
    name : str
        Our name (``field_<name>`` for a custom field).
    facts : Mapping
        Kind, key, unit, accepted values, limits and reference (see ``crm.schemas``).
    required : bool
        Whether a row without a value is rejected.
    cell : str, optional
        Staged column (``c3``); None if the file does not have it.
    source_name, source_type : str
        The column's name and engine type in the file.
    values : Mapping[str, str]
        Value mapping on cleaned text.
    default : str, optional
        Text for an empty or absent value.
    """

    name: str
    facts: Mapping[str, Any]
    required: bool
    cell: str | None = None
    source_name: str = ""
    source_type: str = "VARCHAR"
    values: Mapping[str, str] | None = None
    default: str | None = None

    @property
    def kind(self) -> Kind:
        """What the text is parsed into."""
        kind: Kind = self.facts["kind"]
        return kind

    @property
    def filled(self) -> bool:
        """Whether there is anything to read."""
        return self.cell is not None or self.default is not None


def columns_of(file: SourceFile, staged: Staged, *, derived: Sequence[str] = ()) -> list[MappedColumn]:
    """Map the columns of a staged file to those of its table.

    A column of ours that ``[tables.<name>.columns]`` does not mention is taken from a column of the same name, if
    there is one; ``""`` there means "do not read it".

    Parameters
    ----------
    file : SourceFile
        The file and its settings.
    staged : Staged
        Its header and types.
    derived : sequence of str
        Required columns that will be worked out from others, so the file may lack them.

    Raises
    ------
    SourceError
        When a mapped or required column is not in the file, or a column that is read occurs twice.
    WorkspaceError
        When the settings mention a column that the table does not have.
    """
    schema = TABLES[file.table]
    wanted = _wanted(file, schema)
    header = [_header_name(name) for name in staged.header]
    mapped = []
    for name, (facts, required) in wanted.items():
        at = _position(file, name, header)
        column = MappedColumn(
            name, facts, required, values=_setting(file.settings.values, name),
            default=_setting(file.settings.defaults, name),
        )  # fmt: skip
        if at is not None:
            column = MappedColumn(
                name, facts, required, f"c{at}", header[at], staged.types[at], column.values, column.default
            )
        elif required and column.default is None and name not in derived:
            raise SourceError(
                f"The table {file.table} needs the column {name}, and its file has none that is called so",
                where=str(file.path), found=", ".join(header) or "an empty file",
                remedy=_separator_remedy(header)
                or f'Say what it is called there: [tables.{file.table}.columns] {name} = "…" in spm.toml.',
            )  # fmt: skip
        mapped.append(column)
    return mapped


def _separator_remedy(header: Sequence[str]) -> str | None:
    """What to do about a header that was read as one name but holds several."""
    other = next((mark for mark in ";\t|," if len(header) == 1 and mark in header[0]), None)
    if other is None:
        return None
    shown = "\\t" if other == "\t" else other
    return f'The columns seem to be separated otherwise: set [source] separator = "{shown}" in spm.toml.'


def _wanted(file: SourceFile, schema: TableSchema) -> dict[str, tuple[dict[str, Any], bool]]:
    wanted = {
        name: (schema.facts(name), bool(schema.facts(name)["key"] or not column.nullable))
        for name, column in schema.columns.items()
    }
    nothing = {"key": False, "unit": None, "accepted": None, "low": None, "high": None, "refers_to": None}
    if file.settings.custom_fields and file.table != "opportunities":
        raise WorkspaceError(
            "Only opportunities have custom fields", where=f"spm.toml [tables.{file.table}.custom_fields]",
            found=", ".join(file.settings.custom_fields), remedy="Move them to [tables.opportunities.custom_fields].",
        )  # fmt: skip
    for name, custom in file.settings.custom_fields.items():
        wanted[f"field_{name}"] = ({**nothing, "kind": custom.kind, "known": custom.known}, False)
    for part in ("columns", "values", "defaults"):
        for name in getattr(file.settings, part):
            if name not in wanted and f"field_{name}" not in wanted:
                close = get_close_matches(name, wanted, 1)
                raise WorkspaceError(
                    f"The table {file.table} has no such column", where=f"spm.toml [tables.{file.table}.{part}]",
                    found=name, remedy=(f"Did you mean {close[0]}? " if close else "")
                    + f"Its columns are {', '.join(wanted)}.",
                )  # fmt: skip
    return wanted


def _position(file: SourceFile, name: str, header: list[str]) -> int | None:
    plain = name.removeprefix("field_")
    columns = file.settings.columns
    theirs = columns.get(name, columns.get(plain) if plain != name else None)
    if theirs == "":
        return None
    declared = theirs is not None
    for candidate in (theirs,) if theirs is not None else (name, plain):
        wanted = _header_name(candidate)
        found = [i for i, label in enumerate(header) if label == wanted]
        found = found or [i for i, label in enumerate(header) if folded(label) == folded(wanted)]
        if len(found) > 1:
            raise SourceError(
                "A column that is read occurs more than once", where=str(file.path), found=candidate,
                remedy="Rename or remove one of them in the export.",
            )  # fmt: skip
        if found:
            return found[0]
    if declared or plain != name:
        close = get_close_matches(str(theirs or plain), header, 1, 0.5)
        raise SourceError(
            f"The file has no column {theirs or plain!r}", where=str(file.path), found=", ".join(header),
            remedy=(f"Did you mean {close[0]!r}? " if close else "")
            + f"Correct [tables.{file.table}.columns] {name} in spm.toml.",
        )  # fmt: skip
    return None


def _setting(settings: Mapping[str, _Value], name: str) -> _Value | None:
    """A setting of one column; a custom field may go by its own name or by ours."""
    return settings.get(name, settings.get(name.removeprefix("field_")) if name.startswith("field_") else None)


def _header_name(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip("\ufeff\u200b\u200e\u200f \t\r\n\u00a0")
