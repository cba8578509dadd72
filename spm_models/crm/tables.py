"""The validated tables of one source, held in one database, with what is known about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.columns import WAREHOUSE_TYPES
from spm_models.errors import MissingTableError
from spm_models.periods import FiscalCalendar
from spm_models.settings import Kpis


@dataclass(frozen=True)
class Tables(Mapping[str, ir.Table]):
    """Good rows only, one ibis table per CRM table that the source has.

    Parameters
    ----------
    backend : ibis backend
        Where the tables live.
    present : frozenset of str
        Names of the tables that the source has (with at least one good row).
    data_hash : str
        SHA-256 over source bytes and mapping: the same data have the same hash.
    extracted_on : datetime.date
        Day on which the source was written; undated values are known from the end of this day on.
    currency, time_zone : str
        Of the company. All amounts have been brought to this currency in ``amount_company`` columns.
    stages : tuple of str
        Open stages in the order of the sales process.
    known_at_creation : frozenset of str
        Columns of ``opportunities`` (custom fields included) that may be used as of any day after creation.
    custom_fields : Mapping[str, str]
        Custom opportunity columns and their kind (``text``, ``number`` …).
    calendar : FiscalCalendar
        The company's fiscal calendar.
    kpis : Kpis
        The company's settings of KPIs; thresholds and agreed words are part of what a KPI is.

    Examples
    --------
    >>> import ibis
    >>> from datetime import date
    >>> con = ibis.duckdb.connect()
    >>> _ = con.raw_sql("create table reps as select 'r1' as rep_id")
    >>> tables = Tables(con, frozenset({"reps"}), "0" * 64, date(2026, 6, 30))
    >>> tables["reps"].count().execute(), "calls" in tables
    (1, False)
    """

    backend: Any
    present: frozenset[str]
    data_hash: str
    extracted_on: date
    currency: str = "USD"
    time_zone: str = "UTC"
    stages: tuple[str, ...] = ()
    known_at_creation: frozenset[str] = frozenset()
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    calendar: FiscalCalendar = field(default_factory=FiscalCalendar)
    kpis: Kpis = field(default_factory=Kpis)
    joined: Mapping[str, ir.Table] = field(default_factory=dict, repr=False)  #: see :meth:`with_rows`

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self.present:
            cost = TABLES[name].without if name in TABLES else "unknown table"
            raise MissingTableError(
                f"The source has no table {name}", remedy=f"Check with `{name!r} in tables`; without it {cost}."
            )
        table: ir.Table = self.joined[name] if name in self.joined else self.backend.table(name)
        return table

    def with_rows(self, name: str, rows: pd.DataFrame) -> Tables:
        """The same tables, with rows that people wrote here after those of the source.

        Parameters
        ----------
        name : str
            A CRM table; the source need not have it.
        rows : DataFrame
            Columns of that table, ``<column>_company`` among them where there are any; absent ones are empty.
        """
        if rows.empty:
            return self
        own = self[name] if name in self.present else None
        kinds = {column: WAREHOUSE_TYPES[TABLES[name].facts(column)["kind"]] for column in TABLES[name].columns}
        kinds |= {str(column): "decimal(18, 4)" for column in rows if column not in kinds}
        wanted = {column: str(kind) for column, kind in own.schema().items()} if own is not None else kinds
        texts = rows.reindex(columns=list(wanted)).astype("str")
        added = ibis.memtable(texts.astype(object).where(texts.notna(), None), schema=dict.fromkeys(wanted, "string"))
        added = added.cast(wanted)
        together = added if own is None else own.select(list(wanted)).union(added)
        return replace(self, present=self.present | {name}, joined={**self.joined, name: together})

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.present))

    def __len__(self) -> int:
        return len(self.present)

    def __contains__(self, name: object) -> bool:
        return name in self.present

    @property
    def has_history(self) -> bool:
        """Whether the pipeline of past days can be seen as it was."""
        return "opportunity_history" in self.present
