"""Scorecards: the KPIs that a company chose, of every unit, over the last periods, in the order in which it chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast, get_args

import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.errors import PeriodError, SpmError
from spm_models.kpis.compute import compute, levels
from spm_models.kpis.dimensions import LEVELS
from spm_models.kpis.packs import Choice
from spm_models.periods import FiscalCalendar, Kind, Period

#: dimension -> table, key and name of what its values are ids of
_NAMES = {
    "rep": ("reps", "rep_id"), "manager": ("reps", "rep_id"), "account": ("accounts", "account_id"),
    "product": ("products", "product_id"),
}  # fmt: skip


@dataclass(frozen=True)
class Scorecard:
    """KPIs of some units over some periods.

    Parameters
    ----------
    table : DataFrame
        As :func:`spm_models.kpis.compute` gives it, with ``running`` (whether the period still runs) and one column
        ``<dimension>_name`` for each dimension; in the order of the choice, then of units and periods.
    by : tuple of str
        The dimensions; none of them is the whole company.
    periods : tuple of Period
        The newest last.
    as_of : date
    choice : Choice
    """

    table: pd.DataFrame
    by: tuple[str, ...]
    periods: tuple[Period, ...]
    as_of: date
    choice: Choice

    @property
    def kpis(self) -> list[str]:
        """The KPIs of which there are values, in order."""
        return list(dict.fromkeys(self.table["kpi"]))

    def rows(self, *, kpi: str = "", unit: str = "", period: str = "") -> pd.DataFrame:
        """Rows of one KPI, one unit (its id or name) or one period; empty text means all.

        Raises
        ------
        SpmError
            When there is nothing of that KPI or unit at all, or several units have that name.
        """
        found = self.table
        if kpi:
            found = found[found["kpi"] == kpi]
            _there(found, kpi, "KPI", self.kpis)
        if unit:
            columns = [column for name in self.by for column in (name, f"{name}_name")]
            held = found[(found[columns] == unit).any(axis=1)]
            _there(held, unit, "unit", sorted(set(found[columns].to_numpy().ravel())) or ["the whole company only"])
            _one_of_that_name(held, unit, self.by)
            found = held
        return (found[found["period"] == period] if period else found).reset_index(drop=True)


def scorecard(
    tables: Tables,
    periods: Sequence[Period],
    *,
    as_of: date,
    by: str | Sequence[str] = "company",
    choice: Choice | None = None,
    kpis: Sequence[str] = (),
    deal_scores: pd.DataFrame | None = None,
    past_forecasts: pd.DataFrame | None = None,
) -> Scorecard:
    """The chosen KPIs of every unit in some periods.

    Parameters
    ----------
    tables : Tables
    periods : sequence of Period
        As :func:`last_periods` gives them.
    as_of : date
    by : str or sequence of str
        "company", or dimensions as of :func:`~spm_models.kpis.compute`.
    choice : Choice, optional
        Which KPIs, bands and targets; all KPIs of the registry without it.
    kpis : sequence of str
        These instead of the chosen ones; bands and targets stay.
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability`` of ``as_of``.
    past_forecasts : DataFrame, optional
        As of :func:`~spm_models.kpis.compute`.

    Raises
    ------
    SpmError, PeriodError
        As of :func:`~spm_models.kpis.compute`.
    """
    chosen, names = choice or Choice(), list(dict.fromkeys(kpis))
    how: dict[str, Any] = {"deal_scores": deal_scores, "past_forecasts": past_forecasts, **_held(chosen, names)}
    found = compute(tables, names or chosen.kpis, by=by, period=periods, as_of=as_of, **how)
    return _ordered(tables, found, periods, as_of, chosen, names)


def level_scorecards(
    tables: Tables,
    periods: Sequence[Period],
    *,
    as_of: date,
    choice: Choice | None = None,
    kpis: Sequence[str] = (),
    deal_scores: pd.DataFrame | None = None,
    past_forecasts: pd.DataFrame | None = None,
) -> dict[str, Scorecard]:
    """A scorecard for each level of the organisation, "company" to "rep", all computed at once.

    Arguments as of :func:`scorecard`. Who belongs to no team (region, manager) is in no row of that level.
    """
    chosen, names = choice or Choice(), list(dict.fromkeys(kpis))
    how: dict[str, Any] = {"deal_scores": deal_scores, "past_forecasts": past_forecasts, **_held(chosen, names)}
    found = levels(tables, periods, as_of=as_of, kpis=names or chosen.kpis, **how)

    def card(level: str) -> Scorecard:
        rows = found[found["level"] == level].drop(columns="level")
        rows = rows.drop(columns="key") if level == "company" else rows.rename(columns={"key": level})
        return _ordered(tables, rows, periods, as_of, chosen, names)

    return {level: card(level) for level in LEVELS}


def _held(choice: Choice, names: Sequence[str]) -> dict[str, Any]:
    targets = {name: value for name, value in choice.targets.items() if name in (names or choice.kpis)}
    return {"targets": targets, "bands": choice.bands}


def _ordered(
    tables: Tables, found: pd.DataFrame, periods: Sequence[Period], as_of: date, choice: Choice, names: Sequence[str]
) -> Scorecard:
    """The rows in the order of the choice, with names; a scorecard of them."""
    columns = [str(name) for name in found if name not in _VALUES]
    dimensions = tuple(columns[1:-1])  # kpi, the dimensions, period
    table = found.assign(**{f"{name}_name": _names(tables, name, found[name]) for name in dimensions})
    places = {name: place for place, name in enumerate(names or choice.kpis)}
    spans = {one.label: one for one in periods}
    table["running"] = table["period"].map(lambda label: spans[label].end > as_of).astype("bool")
    table["_place"] = table["kpi"].map(places)
    table["_start"] = table["period"].map(lambda label: pd.Timestamp(spans[label].start))
    units = [column for name in dimensions for column in (f"{name}_name", name)]
    table = table.sort_values(["_place", *units, "_start"], ignore_index=True).drop(columns=["_place", "_start"])
    return Scorecard(table, dimensions, tuple(periods), as_of, choice)


def last_periods(
    calendar: FiscalCalendar, as_of: date, *, period: str = "", grain: str = "", last: int = 1
) -> list[Period]:
    """The last periods of one kind, the newest last.

    Parameters
    ----------
    calendar : FiscalCalendar
    as_of : date
        The newest is the one that runs on this day …
    period : str
        … or this one, such as ``2026-Q2``; its kind is then the grain.
    grain : {"day", "week", "month", "quarter", "year"}
        Quarters where neither it nor a period is given.
    last : int
        How many.

    Raises
    ------
    PeriodError
        When a period or grain does not exist, the two do not agree, or fewer than one is asked for.

    Examples
    --------
    >>> [one.label for one in last_periods(FiscalCalendar(), date(2026, 1, 20), grain="month", last=3)]
    ['2025-11', '2025-12', '2026-01']
    >>> [one.label for one in last_periods(FiscalCalendar(), date(2026, 1, 20), period="2025-Q3", last=2)]
    ['2025-Q2', '2025-Q3']
    """
    if grain and grain not in get_args(Kind):
        raise PeriodError("There is no such grain", found=grain, remedy=f"Use {', '.join(get_args(Kind))}.")
    if last < 1:
        raise PeriodError("At least one period is needed", found=last, remedy="Ask for the last 1 or more.")
    newest = calendar.parse(period) if period else calendar.period(cast(Kind, grain or "quarter"), as_of)
    if grain and newest.kind != grain:
        raise PeriodError(
            "Period and grain do not agree",
            found=f"{period}, {grain}",
            remedy="Give one of the two: a period has a grain.",
        )
    found = [newest]
    while len(found) < last:
        found.append(found[-1].previous())
    return found[::-1]


_VALUES = (
    "value", "numerator", "denominator", "low", "high", "previous", "peers", "target", "verdict", "unit",
)  # fmt: skip


def _names(tables: Tables, dimension: str, values: pd.Series) -> pd.Series:
    """What a reader calls each value: the name behind an id, else the value itself."""
    table, key = _NAMES.get(dimension, ("", ""))
    if not table or table not in tables:
        return values
    known = frame(tables[table].select(key, "name"))
    known = known[known["name"].notna()].drop_duplicates(key)
    return values.map(dict(zip(known[key], known["name"], strict=True))).fillna(values).astype("str")


def _there(rows: pd.DataFrame, found: str, what: str, known: list[str]) -> None:
    if rows.empty:
        raise SpmError(
            f"The scorecard has no such {what}", where="kpi scorecard", found=found,
            remedy=f"It has {', '.join(known[:20])}{' …' if len(known) > 20 else ''}.",
        )  # fmt: skip


def _one_of_that_name(rows: pd.DataFrame, found: str, by: Sequence[str]) -> None:
    """A name that two people share would mix their figures."""
    for name in by:
        ids = sorted(set(rows.loc[rows[f"{name}_name"] == found, name]))
        if len(ids) > 1:
            raise SpmError(
                "Several units have this name",
                where="kpi scorecard",
                found=found,
                remedy=f"Say which by id: {', '.join(ids)}.",
            )
