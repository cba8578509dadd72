"""By what KPIs are grouped: the levels of the organisation, or any dimensions that the facts have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.errors import SpmError
from spm_models.kpis.definition import Facts, Kpi
from spm_models.kpis.source import Source

LEVELS = ("company", "region", "team", "manager", "rep")
COMPANY = ""
UNKNOWN = "unknown"

#: dimension -> the key that facts must have, and the CRM table (and its column) that translates the key
DIMENSIONS: dict[str, tuple[str, str | None, str]] = {
    "rep": ("rep_id", None, "rep_id"),
    "team": ("rep_id", "people", "team"),
    "region": ("rep_id", "people", "region"),
    "manager": ("rep_id", "people", "manager_id"),
    "account": ("account_id", None, "account_id"),
    "segment": ("account_id", "accounts", "segment"),
    "industry": ("account_id", "accounts", "industry"),
    "product": ("product_id", None, "product_id"),
    "family": ("product_id", "products", "family"),
    "source": ("source", None, "source"),
    "kind": ("kind", None, "kind"),
    "stage": ("stage", None, "stage"),
    "loss_reason": ("loss_reason", None, "loss_reason"),
    "competitor": ("competitor", None, "competitor"),
    "activity": ("activity", None, "activity"),
    "queue": ("queue", None, "queue"),
    "category": ("category", None, "category"),
    "status": ("status", None, "status"),
    "term": ("term", None, "term"),
    "campaign": ("campaign", None, "campaign"),
}
_TABLE_KEYS = {"accounts": "account_id", "products": "product_id", "people": "rep_id"}


@dataclass(frozen=True)
class Levels:
    """Every level of the organisation at once: columns ``level`` and ``key``."""

    columns: tuple[str, ...] = ("level", "key")

    def serves(self, kpi: Kpi) -> bool:
        """Whether a KPI can be grouped so."""
        return True

    def grouped(self, source: Source, t: ir.Table) -> list[ir.Table]:
        """The facts with columns ``level`` and ``key``: once for every unit below the company, once for it.

        Facts that nobody owns (costs, customers) are of the company only.
        """
        company = t.mutate(level=ibis.literal("company"), key=ibis.literal(COMPANY))
        if "rep_id" not in t.columns:
            return [company]
        units = ibis.memtable(source.units.astype("str").rename(columns={"rep_id": "unit_rep"}))
        below = t.inner_join(units, t.rep_id == units.unit_rep).drop("unit_rep")
        return [below, company]

    def everybody(self, source: Source, t: ir.Table) -> pd.DataFrame | None:
        """Every unit that may have such facts, so that one without events has a 0."""
        company = pd.DataFrame({"level": ["company"], "key": [COMPANY]})
        if "rep_id" not in t.columns:
            return company
        return pd.concat([source.units[["level", "key"]].drop_duplicates(), company], ignore_index=True)

    def of_levels(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of a KPI that has levels of its own."""
        return rows


@dataclass(frozen=True)
class Dimensions:
    """One row for each combination of values of some dimensions that occurs; none of them is the company."""

    columns: tuple[str, ...]

    @classmethod
    def of(cls, by: str | Sequence[str]) -> Dimensions:
        """From names; "company" means no dimension at all.

        Raises
        ------
        SpmError
            When a dimension does not exist.
        """
        names = [by] if isinstance(by, str) else list(by)
        if unknown := sorted(set(names) - set(DIMENSIONS) - {"company"}):
            raise SpmError(
                "No such dimension", where="kpis.compute by", found=unknown,
                remedy=f"Use company, or some of {', '.join(DIMENSIONS)}.",
            )  # fmt: skip
        return cls(tuple(dict.fromkeys(name for name in names if name != "company")))

    def serves(self, kpi: Kpi) -> bool:
        """Whether a KPI can be grouped so: its facts have the keys, or it has levels of its own."""
        if kpi.facts is not None:
            return all(DIMENSIONS[name][0] in kpi.facts.keys for name in self.columns)
        return not self.columns or (len(self.columns) == 1 and self.columns[0] in LEVELS) or bool(kpi.parts)

    def grouped(self, source: Source, t: ir.Table) -> list[ir.Table]:
        """The facts with one column for each dimension."""
        return [_with_dimensions(source, t, self.columns)]

    def everybody(self, source: Source, t: ir.Table) -> pd.DataFrame | None:
        """Every unit of one level of the organisation; unknown for other dimensions."""
        if not self.columns:
            return pd.DataFrame(index=[0])
        if len(self.columns) > 1 or self.columns[0] not in LEVELS:
            return None
        name = self.columns[0]
        keys = source.units.loc[source.units["level"] == name, "key"].drop_duplicates()
        return pd.DataFrame({name: keys.to_numpy()})

    def of_levels(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of a KPI that has levels of its own: those of the one level that is asked for."""
        level = self.columns[0] if self.columns else "company"
        return rows[rows["level"] == level].rename(columns={"key": level}).drop(columns=["level"])


Grouping = Levels | Dimensions


def _with_dimensions(source: Source, t: ir.Table, names: Sequence[str]) -> ir.Table:
    """The facts with one text column a dimension; what is not known is "unknown"."""
    for table, key in _TABLE_KEYS.items():
        wanted = [name for name in names if DIMENSIONS[name][1] == table]
        if wanted and (looked_up := _lookup(source, table, wanted)) is not None:
            t = t.left_join(looked_up, t[key] == looked_up[f"{table}_key"]).drop(f"{table}_key")
    found: dict[str, ir.Value] = {}
    for name in names:
        key, table_name, _ = DIMENSIONS[name]
        direct = t[key] if table_name is None else ibis.null("string")
        value = t[f"by_{name}"] if f"by_{name}" in t.columns else direct
        found[name] = value.cast("string").fill_null(UNKNOWN)
    return t.mutate(**found)


def _lookup(source: Source, table: str, names: Sequence[str]) -> ir.Table | None:
    columns = {f"by_{name}": DIMENSIONS[name][2] for name in names}
    key = _TABLE_KEYS[table]
    if table == "people":
        people = source.people[[key, *columns.values()]].astype("str")
        rows = people.astype(object).where(people.notna(), None).rename(columns={key: "people_key"})
        rows = rows.rename(columns={column: name for name, column in columns.items()})
        return ibis.memtable(rows, schema=dict.fromkeys(rows.columns, "string"))
    if table not in source.tables:
        return None
    t = source.tables[table]
    return t.select(**{f"{table}_key": t[key]}, **{name: t[column] for name, column in columns.items()})


def keys_of(kind: Facts) -> list[str]:
    """Names of the dimensions by which facts can be grouped."""
    return [name for name, (key, _, _) in DIMENSIONS.items() if key in kind.keys]
