"""From staged cells to typed columns, with one flag a row for every rule that it breaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spm_models.crm import parsing
from spm_models.crm.mapping import MappedColumn
from spm_models.crm.parsing import name as q
from spm_models.crm.parsing import text
from spm_models.crm.schemas.deals import HISTORY_FIELDS
from spm_models.crm.sources import TextFormats

SQL_TYPES = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "money": "DECIMAL(18, 4)",
    "date": "DATE", "instant": "TIMESTAMP", "flag": "BOOLEAN",
}  # fmt: skip
Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True)
class Rule:
    """A condition that a row should not meet.

    Parameters
    ----------
    name : str
        Stable name of the rule.
    column : str
        Our column that it is about.
    severity : {"error", "warning", "notice"}
        An error puts the row into quarantine, a warning keeps it.
    condition : str
        SQL over ``t_<column>`` (cleaned text) and the typed columns; a NULL counts as false.
    """

    name: str
    column: str
    severity: Severity
    condition: str


@dataclass(frozen=True)
class Conversion:
    """SQL of a typed table with flags ``f0``, ``f1`` … in the order of ``rules``."""

    sql: str
    rules: tuple[Rule, ...]
    columns: tuple[MappedColumn, ...] = field(repr=False)


def convert(
    columns: Sequence[MappedColumn],
    relation: str,
    formats: TextFormats,
    rules: Sequence[Rule],
    texts: Mapping[str, str] | None = None,
    parsed: Mapping[str, str] | None = None,
) -> Conversion:
    """Build the query that types one staged table.

    Parameters
    ----------
    columns : sequence of MappedColumn
        All columns of the table.
    relation : str
        What stands after FROM; has ``_line`` and the cells.
    formats : TextFormats
        How its text is written.
    rules : sequence of Rule
        Rules of the table itself; those of single columns are added here.
    texts : Mapping[str, str], optional
        Text of columns that is worked out from the text of others (``t_<column>``).
    parsed : Mapping[str, str], optional
        Typed value of columns that need more than their kind says.

    Returns
    -------
    Conversion
        Each typed column is NULL where its text does not fit.
    """
    texts, parsed = texts or {}, parsed or {}
    cleaned = [f"{_text(c)} AS {q('t_' + c.name)}" for c in columns if c.name not in texts]
    worked_out = [f"{sql} AS {q('t_' + name)}" for name, sql in texts.items()]
    worked_out += [
        f"{parsing.local_instant(q('t_' + c.name), _formats(c, formats))} AS {q('n_' + c.name)}"
        for c in columns
        if c.kind == "instant" and c.filled
    ]
    values = [f"{_value(c, formats, parsed, texts)} AS {q('p_' + c.name)}" for c in columns]
    typed = [f"{_bounded(c)} AS {q(c.name)}" for c in columns]
    every = [*(rule for c in columns for rule in _column_rules(c, formats)), *rules]
    flags = [f"coalesce({rule.condition}, false) AS f{i}" for i, rule in enumerate(every)]
    sql = f"SELECT *, {', '.join(cleaned)} FROM {relation}"
    for layer in (worked_out, values, typed):
        sql = f"SELECT *, {', '.join(layer)} FROM ({sql})" if layer else sql
    names = [q(c.name) for c in columns]
    return Conversion(f"SELECT {', '.join(['_line', *names, *flags])} FROM ({sql})", tuple(every), tuple(columns))


def _formats(column: MappedColumn, formats: TextFormats) -> TextFormats:
    """Typed cells (Parquet) become canonical text; their naive instants are still in the source's zone."""
    if column.source_type == "VARCHAR":
        return formats
    return TextFormats(time_zone=formats.time_zone, company_zone=formats.company_zone)


def _text(column: MappedColumn) -> str:
    if column.cell is None:
        return f"{text(column.default)}::VARCHAR" if column.default is not None else "NULL::VARCHAR"
    cell = parsing.clean(column.cell) if column.source_type == "VARCHAR" else _canonical(column)
    mapped = parsing.recode(f"({cell})", column.values or {})
    return f"coalesce({mapped}, {text(column.default)})" if column.default is not None else mapped


def _canonical(column: MappedColumn) -> str:
    cell, kind = str(column.cell), column.source_type
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"CAST(TRY_CAST({cell} AS BIGINT) AS VARCHAR)"
        inner = f"TRY_CAST({cell} AS DECIMAL(38, 12))" if column.kind == "money" else cell
        exact = f"CAST({inner} AS VARCHAR)"
        return (
            f"CASE WHEN isnan({cell}) THEN NULL WHEN abs({cell}) < 1e15 AND trunc({cell}) = {cell} THEN {whole} "
            f"ELSE {exact} END"
        )
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"strftime(timezone('UTC', {cell}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind.startswith("TIMESTAMP"):
        return f"strftime(CAST({cell} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')"
    return f"NULLIF(CAST({cell} AS VARCHAR), '')"


def _value(column: MappedColumn, formats: TextFormats, parsed: Mapping[str, str], derived: Collection[str]) -> str:
    """Typed value of the cleaned text, before limits."""
    if column.name in parsed:
        return parsed[column.name]
    x, own = q("t_" + column.name), _formats(column, formats)
    if not column.filled and column.name not in derived:
        return f"CAST(NULL AS {SQL_TYPES[column.kind]})"
    if column.facts["accepted"]:
        return parsing.one_of(x, column.facts["accepted"])
    if column.name == "currency":
        return f"CASE WHEN regexp_full_match(upper({x}), '[A-Z]{{3}}') THEN upper({x}) END"
    if column.kind in ("integer", "number", "money"):
        percent = column.facts["unit"] == "share 0-1"
        return parsing.number(x, own, kind=column.kind, percent=percent)
    if column.kind == "date":
        return parsing.date(x, own)
    if column.kind == "instant":
        local = parsing.to_utc(q("n_" + column.name), own.time_zone)
        return f"CASE WHEN {q('n_' + column.name)} IS NOT NULL THEN {local} ELSE {parsing.offset_instant(x, own)} END"
    if column.kind == "flag":
        return parsing.flag(x)
    return x


def _bounded(column: MappedColumn) -> str:
    value = q("p_" + column.name)
    if column.kind in ("date", "instant"):
        return parsing.plausible(value, SQL_TYPES[column.kind])
    return value


def _column_rules(column: MappedColumn, formats: TextFormats) -> list[Rule]:
    x, value, facts = q("t_" + column.name), q(column.name), column.facts
    rules = []
    if column.required and (column.filled or column.name != "status"):  # a derived status is the stage's affair
        rules.append(Rule("missing", column.name, "error", f"{x} IS NULL"))
    if not column.filled:
        return rules
    unfit = f"{x} IS NOT NULL AND {value} IS NULL"
    if facts["accepted"] == HISTORY_FIELDS:
        pass  # fields of the history that nothing uses are left out, not rejected
    elif facts["accepted"] or column.name == "currency":
        rules.append(Rule("not_accepted", column.name, "error", unfit))
    elif column.kind == "date":
        swapped = f"{parsing.date_with_day_and_month_swapped(x, _formats(column, formats))} IS NOT NULL"
        rules.append(Rule("day_and_month_swapped", column.name, "error", f"{unfit} AND {swapped}"))
        rules.append(Rule("unparsable", column.name, "error", f"{unfit} AND NOT coalesce({swapped}, false)"))
    else:
        rules.append(Rule("unparsable", column.name, "error", unfit))
    limits = [f"{value} < {facts['low']}"] if facts["low"] is not None else []
    limits += [f"{value} > {facts['high']}"] if facts["high"] is not None else []
    if limits:
        rules.append(Rule("out_of_limits", column.name, "error", " OR ".join(limits)))
    if column.source_type == "VARCHAR" and column.cell:
        rules.append(Rule("undecodable", column.name, "error", f"contains({x}, chr(65533))"))
        rules.append(Rule("hidden_characters", column.name, "warning", parsing.has_hidden(column.cell)))
    if column.kind == "instant":
        gap = parsing.skipped(q("n_" + column.name), formats.time_zone)
        rules.append(Rule("skipped_by_clock_change", column.name, "warning", gap))
    return rules
