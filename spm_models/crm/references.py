"""References between tables: unknown ones are told, with what was probably meant."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from spm_models.crm.conversion import Rule
from spm_models.crm.loading import Loading, Typed, shown
from spm_models.crm.mapping import MappedColumn
from spm_models.crm.parsing import name as q

#: Unknown values for which a likely meaning is looked up.
HINTS = 50


def check_references(loading: Loading) -> None:
    """Warn of values that are not in the table that they refer to; their rows are kept."""
    for typed in loading.typed.values():
        for column in typed.columns:
            if column.filled and column.facts["refers_to"]:
                _check(loading, typed, column)


def _check(loading: Loading, typed: Typed, column: MappedColumn) -> None:
    table, key = column.facts["refers_to"].split(".")
    target = loading.typed.get(table)
    if target is None or target.rows == 0:
        return
    known = f"SELECT {q(key)} FROM ({loading.good(target)}) WHERE {q(key)} IS NOT NULL"
    unknown = loading.con.execute(
        f"SELECT {q(column.name)}, count(*) AS n FROM ({loading.good(typed)}) WHERE {q(column.name)} IS NOT NULL "
        f"AND {q(column.name)} NOT IN ({known}) GROUP BY 1 ORDER BY n DESC, 1 LIMIT {HINTS}"
    ).fetchall()
    if not unknown:
        return
    lost = f"{loading.rejected(typed.name)}"
    condition = f"{q(column.name)} NOT IN ({known}) AND _line NOT IN ({lost})"
    loading.apply(typed, Rule("unknown_reference", column.name, "warning", condition), condition)
    value, count = unknown[0]
    names = [
        row[0]
        for row in loading.con.execute(f"SELECT DISTINCT {q(key)} FROM ({known}) ORDER BY 1 LIMIT 5000").fetchall()
    ]
    close = get_close_matches(value, names, 1, 0.75)
    hint = f"; did you mean {shown(close[0])}?" if close else ""
    finding = loading.findings[-1]
    example = f"{finding.example}; most often {shown(value)} ({count:,} rows), which is not in {table}{hint}"
    loading.findings[-1] = replace(finding, example=example)
