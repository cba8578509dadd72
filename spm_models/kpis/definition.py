"""What the definition of a KPI consists of: meaning, unit, healthy band, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import ibis.expr.types as ir
import pandas as pd

from spm_models.kpis.source import Source
from spm_models.periods import Period

Unit = Literal[
    "share",
    "money",
    "days",
    "hours",
    "minutes",
    "seconds",
    "count",
    "ratio",
    "points",
    "per_week",
    "per_call",
    "money_per_day",
]
Direction = Literal["higher", "lower", "context"]
Interval = Literal["wilson", "mean", "bootstrap", "order_statistics", "kaplan_meier"]
Statistic = Literal["mean", "median", "survival", "incidence", "incidence_share"]
Expression = Any  #: of ibis: an aggregate such as ``_.won.sum()``, or a value of one row such as ``_.amount``
#: In a smaller group nobody's average is shown: it would tell of single people.
MINIMUM_GROUP = 5
GRAINS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Facts:
    """One kind of event: an ibis table with one row an event and period, made by ``build``.

    Parameters
    ----------
    name : str
        Name of the function that makes it.
    build : callable
        Takes a :class:`~spm_models.kpis.source.Source`, gives a table with a column ``period`` (the label), the
        ``keys`` and whatever the KPIs read.
    keys : tuple of str
        Columns by which the facts can be grouped, as in :data:`~spm_models.kpis.dimensions.DIMENSIONS`.
    tables : tuple of str
        CRM tables beside ``reps`` and ``opportunities`` without which there are no such facts.
    """

    name: str
    build: Callable[[Source], ir.Table]
    keys: tuple[str, ...]
    tables: tuple[str, ...] = ()


def facts(*keys: str, tables: tuple[str, ...] = ()) -> Callable[[Callable[[Source], ir.Table]], Facts]:
    """Declare the function below as a kind of facts; see :class:`Facts`."""
    return lambda build: Facts(build.__name__, build, keys, tables)


@dataclass(frozen=True)
class Kpi:
    """One KPI: its meaning, and one of four ways to compute it.

    Parameters
    ----------
    name : str
        Key in published tables and catalogues; ``kpi.<name>`` of the catalogues is its title in three languages.
    id : str
        Number in the inventory of features; several KPIs may belong to one.
    unit : str
        "share" (0 to 1), "money" (company currency), "days", "hours", "minutes", "seconds", "count", "ratio",
        "points", "per_week", "per_call", "money_per_day".
    direction : {"higher", "lower", "context"}
        Which way is better; "context" says that it depends.
    definition : str
        One sentence: numerator over denominator, and by which date.
    facts : Facts, optional
        The events that it is computed from.
    numerator, denominator : ibis aggregate, optional
        First way: aggregates over the facts, such as ``_.won.sum()`` and ``_.count()``. Without a denominator the
        value is the numerator, and 0 where there are no events.
    of, only : ibis expression, optional
        Second way: the ``statistic`` of this value of each row, over the rows for which ``only`` holds.
    statistic : {"mean", "median", "survival", "incidence", "incidence_share"}
        Of ``of``. The last three are of facts with ``entered``, ``ended`` and ``event``
        (:mod:`spm_models.kpis.survival`): median time to the event; median time of those to whom it comes before
        another outcome; the share to whom it comes.
    rows : callable, optional
        Third way: a function of source and period that gives ``level``, ``key``, ``numerator``, ``denominator``
        (quotas have levels of their own).
    parts, formula : tuple of str and callable, optional
        Fourth way: ``formula`` takes a mapping from the names of other KPIs to arrays of their values. Its interval is
        made of theirs.
    interval : str, optional
        How its 80 % interval is made: "wilson" (shares), "mean" (normal), "bootstrap" (means of skewed values),
        "order_statistics" (medians, always), "kaplan_meier" (times to an event, always).
    tables : tuple of str
        Tables that it needs beside those of its facts; it is left out without them.
    grains : tuple of str
        Periods by which it can be asked.
    ahead : bool
        Whether it is known before the period begins: the open pipeline, a quota, and what is made of them.
    matures : bool
        Whether what happens after the period still counts ("by now"): young periods are not to be laid beside old ones.
    minimum : int
        With fewer events a share, mean or median has a width and no verdict.
    healthy : (low, high), optional
        What practitioners call healthy: context, never a verdict on a person.
    source : str
        Where the definition or the band comes from.
    """

    name: str
    id: str
    unit: Unit
    direction: Direction
    definition: str
    facts: Facts | None = None
    numerator: Expression | None = None
    denominator: Expression | None = None
    of: Expression | None = None
    only: Expression | None = None
    statistic: Statistic | None = None
    rows: Callable[[Source, Period], pd.DataFrame] | None = None
    parts: tuple[str, ...] = ()
    formula: Callable[[Mapping[str, Any]], Any] | None = None
    interval: Interval | None = None
    tables: tuple[str, ...] = ()
    needs_scores: bool = False
    needs_forecasts: bool = False
    ahead: bool = False
    grains: tuple[str, ...] = GRAINS
    matures: bool = False
    minimum: int = 5
    healthy: tuple[float, float] | None = None
    source: str = "feature inventory"

    @property
    def needs(self) -> tuple[str, ...]:
        """Tables beside ``reps`` and ``opportunities``; the KPI is left out without them."""
        of_facts = self.facts.tables if self.facts else ()
        return tuple(dict.fromkeys((*of_facts, *self.tables)))

    @property
    def sums(self) -> bool:
        """Whether the value is the numerator itself: parts of the company add up to it."""
        return self.numerator is not None and self.denominator is None

    @property
    def estimated(self) -> bool:
        """Whether it is a share, mean or median of events, which a few of them cannot settle."""
        return self.interval is not None

    def available(self, source: Source) -> bool:
        """Whether the tables (and deal scores, past forecasts) that it needs are there."""
        scored = source.deal_scores is not None or not self.needs_scores
        forecast = source.past_forecasts is not None or not self.needs_forecasts
        return scored and forecast and all(name in source.tables for name in self.needs)
