"""What the definition of a KPI consists of: meaning, unit, healthy band, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir
import pandas as pd

from spm_models.kpis.source import Source

Unit = Literal["share", "money", "days", "count", "ratio", "per_week"]
Direction = Literal["higher", "lower", "context"]
Facts = Literal["closed", "credited", "created", "open", "done"]
Value = Callable[[ir.Table, Source], ir.Value]


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    Parameters
    ----------
    name : str
        Key in published tables and catalogues.
    id : str
        Number in the inventory of features; several KPIs may belong to one.
    unit : str
        "share" (0 to 1), "money" (company currency), "days", "count", "ratio", "per_week".
    direction : {"higher", "lower", "context"}
        Which way is better; "context" says that it depends.
    definition : str
        One sentence: numerator over denominator, and by which date.
    facts : str, optional
        The method of :class:`~spm_models.kpis.source.Source` that gives one row an event.
    numerator, denominator : callable, optional
        Aggregates over the facts as ibis expressions. Without a denominator the value is the numerator, and 0 where
        there are no events.
    median : str, optional
        Instead of numerator and denominator: the value is the median of this column over the facts that ``only``
        keeps.
    rows : callable, optional
        Instead of facts: a frame of ``level``, ``key``, ``numerator``, ``denominator`` (quotas have levels of their
        own).
    interval : {"wilson", "mean", None}
        80 % interval of a share, or of a mean (needs ``square``: the sum of squares). Medians always have one.
    needs : tuple of str
        Tables beside ``reps`` and ``opportunities``; the KPI is left out without them.
    ahead : bool
        Whether it is known before the period begins: the open pipeline, a quota, and what is made of them.
    healthy : (low, high), optional
        What practitioners call healthy: context, never a verdict.
    source : str
        Where the definition or the band comes from.
    """

    name: str
    id: str
    unit: Unit
    direction: Direction
    definition: str
    facts: Facts | None = None
    numerator: Value | None = None
    denominator: Value | None = None
    square: Value | None = None
    median: str | None = None
    only: Callable[[ir.Table], ir.BooleanValue] | None = None
    rows: Callable[[Source], pd.DataFrame] | None = None
    interval: Literal["wilson", "mean"] | None = None
    needs: tuple[str, ...] = ()
    needs_scores: bool = False
    ahead: bool = False
    grains: tuple[str, ...] = ("week", "month", "quarter", "year")
    healthy: tuple[float, float] | None = None
    source: str = "feature inventory"

    @property
    def sums(self) -> bool:
        """Whether the value is the numerator itself."""
        return self.unit in ("money", "count") and self.denominator is None

    def available(self, source: Source) -> bool:
        """Whether the tables (and deal scores) that it needs are there."""
        scored = source.deal_scores is not None or not self.needs_scores
        return scored and all(name in source.tables for name in self.needs)
