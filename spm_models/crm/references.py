"""References between tables: other spellings of a key are mended and told, unknown ones are told."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from spm_models.crm.conversion import Rule
from spm_models.crm.loading import Loading, Typed, shown
from spm_models.crm.parsing import caseless
from spm_models.crm.parsing import name as q

#: Keys among which a likely meaning of an unknown value is looked up.
COMPARED = 5000


def mend_references(loading: Loading) -> None:
    """Read references that are written differently from their key as that key.

    Two differences are mended, and only where exactly one key fits: capitals (İ, I, ı and i count as one letter),
    and Salesforce identifiers of 15 characters for 18 or the reverse.
    """
    for typed, column, target in _references(loading):
        _mend(loading, typed, column, target, "true")
        if (typed.name, column) == ("opportunities", "rep_id") and "opportunity_history" in loading.typed:
            history = loading.typed["opportunity_history"]
            for value in ("old", "new"):
                _mend(loading, history, value, target, "field = 'rep_id'")


def warn_of_unknown(loading: Loading) -> None:
    """Warn of values that are not in the table that they refer to; their rows are kept.

    An empty cell refers to nothing; without being told, SQL would miss it in an empty list.
    """
    for typed, column, target in _references(loading):
        known = _known(loading, target)
        unknown = f"{q(column)} IS NOT NULL AND {q(column)} NOT IN ({known})"
        condition = f"{unknown} AND _line NOT IN ({loading.left_out(typed.name)})"
        if loading.apply(typed, Rule("unknown_reference", column, "warning", ""), condition) == 0:
            continue
        value, count = loading.con.execute(
            f"SELECT {q(column)}, count(*) AS n FROM {typed.relation} WHERE {condition} GROUP BY 1 ORDER BY n DESC, 1"
        ).fetchone()
        names = loading.con.execute(f"SELECT DISTINCT * FROM ({known}) ORDER BY 1 LIMIT {COMPARED}").fetchall()
        close = get_close_matches(value, [row[0] for row in names], 1, 0.75)
        hint = f"; did you mean {shown(close[0])}?" if close else ""
        said = f"; most often {shown(value)} ({count:,} rows), which is not in {target[0]}{hint}"
        loading.findings[-1] = replace(loading.findings[-1], example=loading.findings[-1].example + said)


def _references(loading: Loading) -> list[tuple[Typed, str, tuple[str, str]]]:
    """Every table, column and (table, column) that it refers to, where both are there."""
    found = []
    for typed in loading.typed.values():
        for column in typed.columns:
            if column.filled and column.facts["refers_to"]:
                table, key = column.facts["refers_to"].split(".")
                target = loading.typed.get(table)
                to_column = target.column(key) if target is not None and target.rows else None
                if to_column is not None and to_column.filled:
                    found.append((typed, column.name, (table, key)))
    return found


def _known(loading: Loading, target: tuple[str, str]) -> str:
    table, key = target
    return f"SELECT {q(key)} AS k FROM ({loading.good(loading.typed[table])}) WHERE {q(key)} IS NOT NULL"


def _mend(loading: Loading, typed: Typed, column: str, target: tuple[str, str], where: str) -> None:
    con, known = loading.con, _known(loading, target)
    unknown = (
        f"SELECT DISTINCT {q(column)} AS v FROM {typed.relation} "
        f"WHERE {where} AND {q(column)} IS NOT NULL AND {q(column)} NOT IN ({known})"
    )
    salesforce = "regexp_full_match({0}, '[A-Za-z0-9]{{15}}(?:[A-Z0-5]{{3}})?')"
    con.execute(
        f"CREATE OR REPLACE TABLE stage.spellings AS SELECT v, min(k) AS k FROM ("
        f"SELECT v, k FROM ({unknown}) JOIN (SELECT DISTINCT k FROM ({known})) ON {caseless('v')} = {caseless('k')} "
        f"UNION SELECT v, k FROM (SELECT v FROM ({unknown}) WHERE {salesforce.format('v')}) "
        f"JOIN (SELECT DISTINCT k FROM ({known}) WHERE {salesforce.format('k')}) ON left(v, 15) = left(k, 15)"
        f") GROUP BY v HAVING count(DISTINCT k) = 1"
    )
    condition = f"{where} AND {q(column)} IN (SELECT v FROM stage.spellings)"
    if loading.apply(typed, Rule("written_differently", column, "warning", ""), condition):
        con.execute(
            f"UPDATE {typed.relation} SET {q(column)} = s.k FROM stage.spellings s WHERE {where} AND {q(column)} = s.v"
        )
