"""How a column of a CRM table is declared: one short call that yields a pandera column with its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandera.pandas as pa

Kind = Literal["text", "integer", "number", "money", "date", "instant", "flag"]
Known = Literal["creation", "changing", "closing"]

#: pandas types of validated columns. Money is an exact decimal in the warehouse (18 digits, 4 after the point).
DTYPES: dict[str, str] = {
    "text": "str",
    "integer": "Int64",
    "number": "Float64",
    "money": "object",
    "date": "datetime64[s]",
    "instant": "datetime64[us]",
    "flag": "boolean",
}
#: The same types in the warehouse. Instants are UTC without an offset.
WAREHOUSE_TYPES: dict[str, str] = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "money": "decimal(18, 4)",
    "date": "date",
    "instant": "timestamp(6)",
    "flag": "boolean",
}


def column(
    kind: Kind,
    description: str,
    *,
    key: bool = False,
    required: bool = False,
    unit: str | None = None,
    accepted: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    refers_to: str | None = None,
    known: Known | None = None,
) -> pa.Column:
    """One column with everything that validation and the data dictionary need.

    Parameters
    ----------
    kind : {"text", "integer", "number", "money", "date", "instant", "flag"}
        What the raw text is parsed into.
    description : str
        One sentence for the data dictionary.
    key : bool
        Part of the table's key; keys are required and unique together.
    required : bool
        A row without a value is quarantined (and a file without the column refused).
    unit : str, optional
        "minutes", "days", "share 0-1" …; money is in the row's ``currency``.
    accepted : sequence of str, optional
        The only values allowed.
    low, high : float, optional
        Inclusive limits for numbers and money.
    refers_to : str, optional
        ``table.column`` that should hold this value; an unknown one is a warning, the row is kept.
    known : {"creation", "changing", "closing"}, optional
        For opportunities: when the value is settled. "changing" and "closing" values may be used as of an
        earlier day only through ``opportunity_history``.
    """
    facts: dict[str, Any] = {
        "kind": kind, "key": key, "unit": unit, "accepted": tuple(accepted) if accepted else None,
        "low": low, "high": high, "refers_to": refers_to, "known": known,
    }  # fmt: skip
    checks = [pa.Check.isin(list(accepted))] if accepted else []
    if kind in ("integer", "number") and (low is not None or high is not None):
        checks.append(pa.Check.in_range(low if low is not None else -1e300, high if high is not None else 1e300))
    return pa.Column(
        DTYPES[kind] if kind != "money" else None,
        checks=checks,
        nullable=not (key or required),
        required=key or required,
        description=description,
        metadata=facts,
    )


@dataclass(frozen=True)
class TableSchema:
    """A CRM table: its grain, its columns, and what the workbench cannot do without it."""

    name: str
    grain: str
    description: str
    columns: dict[str, pa.Column]
    without: str  #: what a missing table switches off, in words for ``spm doctor``
    required: bool = False
    dated_by: str | None = None  #: the column that says when a row came to be known
    frame: pa.DataFrameSchema = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        schema = pa.DataFrameSchema(
            self.columns, name=self.name, unique=self.key or None, strict=False, description=self.description
        )
        object.__setattr__(self, "frame", schema)

    @property
    def key(self) -> list[str]:
        """Names of the columns that identify a row."""
        return [name for name, col in self.columns.items() if self.facts(name)["key"]]

    def facts(self, column_name: str) -> dict[str, Any]:
        """Kind, key, unit, accepted values, limits, reference and ``known`` of one column."""
        facts = self.columns[column_name].metadata
        assert facts is not None
        return dict(facts)
