"""Compute KPIs: by the levels of the organisation or any dimensions, for one or more periods, in one tidy frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.errors import PeriodError, SpmError
from spm_models.kpis.aggregation import from_facts, from_rows
from spm_models.kpis.comparison import check_targets, compared
from spm_models.kpis.definition import Facts, Kpi
from spm_models.kpis.dimensions import Dimensions, Grouping, Levels
from spm_models.kpis.formulas import from_parts
from spm_models.kpis.registry import KPIS
from spm_models.kpis.source import Source
from spm_models.periods import Period

_NUMBERS = ("value", "numerator", "denominator", "low", "high", "previous", "peers", "target")


def compute(
    tables: Tables,
    kpis: Sequence[str] | None = None,
    *,
    by: str | Sequence[str] = "company",
    period: Period | Sequence[Period],
    as_of: date,
    targets: Mapping[str, float] | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
    deal_scores: pd.DataFrame | None = None,
    past_forecasts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """KPIs for each combination of some dimensions, in one or more periods.

    Parameters
    ----------
    tables : Tables
    kpis : sequence of str, optional
        Names as in :data:`~spm_models.kpis.registry.KPIS`; all of them without it. KPIs whose tables are missing, and
        those that cannot be told by the dimensions asked for, are left out.
    by : str or sequence of str
        "company" (no dimension), or names from :data:`~spm_models.kpis.dimensions.DIMENSIONS`: rep, team, region,
        manager, segment, industry, product, family, source … People are counted where they belong on ``as_of``.
    period : Period or sequence of Period
        Facts after ``as_of`` are not seen, also in a period that still runs. Of one that has not begun there are only
        the KPIs that are known ahead. What is true of a day (the open pipeline) is that of the period's last visible
        day, as known then.
    as_of : date
    targets : mapping of str to float, optional
        What a KPI is to reach (or, where lower is better, not to exceed), in its own unit.
    bands : mapping of str to (low, high), optional
        Healthy bands of the company's own; see :mod:`spm_models.kpis.packs`.
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability`` of ``as_of``, for the weighted pipeline of that day.
    past_forecasts : DataFrame, optional
        What was forecast for finished quarters, as :class:`~spm_models.kpis.source.Source` takes it.

    Returns
    -------
    DataFrame
        One row a KPI, combination and period: ``kpi``, one column a dimension ("unknown" where it is not known),
        ``period``, ``value``, ``numerator``, ``denominator``, ``low`` and ``high`` (80 % interval, as the KPI states),
        ``previous`` (the period before), ``peers`` (all units of the frame together, from five on), ``target``,
        ``verdict`` and ``unit``. A count is 0 where nothing happened, and empty where what it counts was not recorded;
        a share of nothing has no row.

    Raises
    ------
    SpmError
        When a KPI or a dimension does not exist, when none of the named KPIs can be told by the dimensions, or a
        target is set for a KPI for which neither way is better.
    PeriodError
        When none of the KPIs can be known of a period that has not begun.
    """
    return _compute(tables, kpis, Dimensions.of(by), period, as_of, targets, bands, deal_scores, past_forecasts)


def levels(
    tables: Tables,
    period: Period | Sequence[Period],
    *,
    as_of: date,
    kpis: Sequence[str] | None = None,
    targets: Mapping[str, float] | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
    deal_scores: pd.DataFrame | None = None,
    past_forecasts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """KPIs of all levels of the organisation at once, published as ``kpis``.

    Arguments as of :func:`compute`; instead of dimensions the result has ``level`` (company, region, team, manager,
    rep) and ``key`` (empty for the company), and peers are the units of the same level.
    """
    return _compute(tables, kpis, Levels(), period, as_of, targets, bands, deal_scores, past_forecasts)


def _compute(
    tables: Tables, names: Sequence[str] | None, grouping: Grouping, period: Period | Sequence[Period], as_of: date,
    targets: Mapping[str, float] | None, bands: Mapping[str, tuple[float, float]] | None,
    deal_scores: pd.DataFrame | None, past_forecasts: pd.DataFrame | None,
) -> pd.DataFrame:  # fmt: skip
    check_targets(targets or {})
    asked = [period] if isinstance(period, Period) else list(period)
    if not asked:
        raise PeriodError("No period", where="kpis", found=asked, remedy="Give at least one period.")
    chosen = _of_day(_named(names), asked, as_of)
    periods = {one.label: one for period in asked for one in (period.previous(), period)}
    seen = tuple(sorted(periods.values(), key=lambda one: (one.start, one.label)))
    source = Source(tables, seen, as_of, deal_scores, past_forecasts)
    wanted = [kpi for kpi in _with_parts(chosen) if kpi.available(source) and grouping.serves(kpi)]
    wanted = [kpi for kpi in wanted if all(one.kind in kpi.grains for one in asked)]
    if names and not wanted and any(kpi.available(source) for kpi in chosen):
        raise SpmError(
            "These KPIs cannot be told so", where="kpis", found={"kpis": list(names), "by": list(grouping.columns)},
            remedy="`spm kpis list --json` says by which dimensions and periods each can be asked.",
        )  # fmt: skip
    rows = _values(source, wanted, grouping)
    rows = rows[rows["kpi"].isin([kpi.name for kpi in chosen])]
    columns = ["kpi", *grouping.columns, "period"]
    early = [(one.label) for one in source.periods if one.start > as_of]
    ahead = rows["kpi"].map(lambda name: KPIS[name].ahead).astype(bool)
    rows = rows[ahead | ~rows["period"].isin(early)]
    rows = rows.sort_values(columns, ignore_index=True)  # engines give rows in any order; sums of floats depend on it
    rows = compared(rows, grouping.columns, asked, targets or {}, bands or {})
    rows = rows.astype(dict.fromkeys((*columns, "verdict", "unit"), "str") | dict.fromkeys(_NUMBERS, "float64"))
    return rows.sort_values(columns, ignore_index=True)[[*columns, *_NUMBERS, "verdict", "unit"]]


def _values(source: Source, kpis: list[Kpi], grouping: Grouping) -> pd.DataFrame:
    parts = [part for kind, group in _by_facts(kpis) for part in from_facts(source, kind, group, grouping)]
    parts += [from_rows(source, kpi, grouping) for kpi in kpis if kpi.rows]
    columns = ["kpi", *grouping.columns, "period", "value", "numerator", "denominator", "low", "high", "unit"]
    parts = [part.reindex(columns=columns) for part in parts if len(part)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return from_parts(rows, [kpi for kpi in kpis if kpi.parts], ["period", *grouping.columns])


def _named(names: Sequence[str] | None) -> list[Kpi]:
    unknown = sorted(set(names or ()) - set(KPIS))
    if unknown:
        raise SpmError("No such KPI", where="kpis", found=unknown, remedy=f"Known are {', '.join(KPIS)}.")
    return [KPIS[name] for name in names] if names is not None else list(KPIS.values())


def _with_parts(kpis: list[Kpi]) -> list[Kpi]:
    """The KPIs, and those of which some of them are made."""
    found = dict.fromkeys([kpi.name for kpi in kpis])
    for kpi in kpis:
        found |= dict.fromkeys(kpi.parts)
    return [KPIS[name] for name in found]


def _of_day(kpis: list[Kpi], periods: list[Period], as_of: date) -> list[Kpi]:
    """Before the periods begin: those that are known ahead, and an error where none of them was asked for."""
    first = min(periods, key=lambda one: one.start)
    ahead = [kpi for kpi in kpis if as_of >= first.start or kpi.ahead]
    if kpis and not ahead:
        raise PeriodError(
            "The period has not begun", where=f"kpis {first.label}",
            found={"as_of": as_of.isoformat(), "kpis": [kpi.name for kpi in kpis]},
            remedy=f"Give a day from {first.start.isoformat()} on, or ask for KPIs that are known ahead, such as "
            "open_pipeline, quota and pipeline_coverage.",
        )  # fmt: skip
    return ahead


def _by_facts(kpis: list[Kpi]) -> list[tuple[Facts, list[Kpi]]]:
    groups: dict[str, tuple[Facts, list[Kpi]]] = {}
    for kpi in kpis:
        if kpi.facts is not None:
            groups.setdefault(kpi.facts.name, (kpi.facts, []))[1].append(kpi)
    return list(groups.values())
