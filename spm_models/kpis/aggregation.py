"""From facts to values: each kind of facts is grouped once, however many KPIs are made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import NormalDist

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from spm_models.database import frame
from spm_models.inference import wilson
from spm_models.kpis import statistics, survival
from spm_models.kpis.definition import Facts, Kpi
from spm_models.kpis.dimensions import Grouping
from spm_models.kpis.source import Source

LEVEL = 0.8
_QUANTILE = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def from_facts(source: Source, kind: Facts, kpis: Sequence[Kpi], grouping: Grouping) -> list[pd.DataFrame]:
    """Values of all KPIs of one kind of facts: one query for their sums, one for those that need every value."""
    t = source.facts(kind)
    summed = [kpi for kpi in kpis if kpi.statistic is None or (kpi.statistic == "mean" and kpi.interval == "mean")]
    listed = [kpi for kpi in kpis if kpi not in summed]
    parts = _sums(source, t, summed, grouping) if summed else []
    if listed:
        parts += [_of_values(t, kpi, source, grouping) for kpi in listed]
    return parts


def _sums(source: Source, t: ir.Table, kpis: Sequence[Kpi], grouping: Grouping) -> list[pd.DataFrame]:
    columns = ["period", *grouping.columns]
    grouped = grouping.grouped(source, t)
    owned = {"owned": ibis._.rep_id.count()} if "rep_id" in t.columns else {"owned": ibis._.count()}
    aggregates = {"events": ibis._.count(), **owned} | {
        name: value.cast("float64") for kpi in kpis for name, value in _expressions(kpi).items()
    }
    found = pd.concat([frame(g.group_by(columns).aggregate(**aggregates)) for g in grouped], ignore_index=True)
    rows = _with_those_without_events(source, t, found, grouping)
    rows = rows.merge(_nobodys(found, columns), on="period", how="left")
    return [finished(kpi, _own(kpi, rows, columns)) for kpi in kpis]


def _own(kpi: Kpi, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Numerator and denominator of one KPI; sums are 0 where there were no events, shares of nothing have no row."""
    found = rows[columns].assign(numerator=rows[f"{kpi.name}__n"].astype("float64"), denominator=np.nan)
    if f"{kpi.name}__s" in rows:
        found["square"] = rows[f"{kpi.name}__s"].astype("float64")
    if kpi.sums:
        nothing = np.where(rows["nobodys"].fillna(False).astype(bool), np.nan, 0.0)
        found["numerator"] = found["numerator"].mask(rows["events"].isna(), pd.Series(nothing, index=rows.index))
        return found
    found["denominator"] = rows[f"{kpi.name}__d"].astype("float64")
    return found[found["denominator"] > 0]


def _nobodys(found: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Periods with events of which not one has an owner.

    A source without history knows of a past day's deals, but not whose they were: then nobody's count is 0.
    """
    total = found.groupby("period", as_index=False)[["events", "owned"]].max()
    return total.assign(nobodys=(total["events"] > 0) & (total["owned"] == 0))[["period", "nobodys"]]


def _with_those_without_events(source: Source, t: ir.Table, found: pd.DataFrame, grouping: Grouping) -> pd.DataFrame:
    everybody = grouping.everybody(source, t)
    if everybody is None:
        return found
    periods = pd.DataFrame({"period": [one.label for one in source.periods]})
    return periods.merge(everybody, how="cross").merge(found, how="outer", on=["period", *grouping.columns])


def _expressions(kpi: Kpi) -> dict[str, ibis.Deferred]:
    """Aggregates of one KPI: ``n``, ``d`` and, for the interval of a mean, ``s``."""
    if kpi.statistic is None:
        named = {"n": kpi.numerator, "d": kpi.denominator}
        return {f"{kpi.name}__{suffix}": value for suffix, value in named.items() if value is not None}
    assert kpi.of is not None
    value, only = kpi.of, kpi.only
    kept = value.notnull() if only is None else value.notnull() & only
    squares = value.cast("float64") * value.cast("float64")
    return {
        f"{kpi.name}__n": value.sum(where=kept),
        f"{kpi.name}__d": kept.sum(),
        f"{kpi.name}__s": squares.sum(where=kept),
    }


def _of_values(t: ir.Table, kpi: Kpi, source: Source, grouping: Grouping) -> pd.DataFrame:
    """A KPI that needs the value of every event: medians, bootstrap, times to an event."""
    columns = ["period", *grouping.columns]
    kept = t.filter(kpi.only) if kpi.only is not None else t
    if kpi.of is None:
        parts = [frame(g.select(*columns, "entered", "ended", "event")) for g in grouping.grouped(source, kept)]
    else:
        kept = kept.mutate(value=kpi.of.cast("float64")).filter(ibis._.value.notnull())
        parts = [frame(g.select(*columns, "value")) for g in grouping.grouped(source, kept)]
    values = pd.concat(parts, ignore_index=True)
    return _STATISTICS[kpi.statistic or "mean"](values, columns).assign(kpi=kpi.name, unit=kpi.unit)


_STATISTICS: dict[str, Callable[[pd.DataFrame, list[str]], pd.DataFrame]] = {
    "mean": statistics.means, "median": statistics.medians, "survival": survival.medians,
    "incidence": partial(survival.medians, conditional=True), "incidence_share": survival.shares,
}  # fmt: skip


def from_rows(source: Source, kpi: Kpi, grouping: Grouping) -> pd.DataFrame:
    """Values of a KPI that has levels of its own."""
    assert kpi.rows is not None
    begun = [one for one in source.periods if kpi.ahead or one.start <= source.as_of]
    parts = [kpi.rows(source, one).assign(period=one.label) for one in begun]
    empty = pd.DataFrame(columns=["level", "key", "numerator", "denominator", "period"])
    rows = pd.concat(parts, ignore_index=True) if parts else empty
    rows = grouping.of_levels(rows)
    wanted = ["period", *grouping.columns, "numerator", "denominator", *(n for n in ("low", "high") if n in rows)]
    return finished(kpi, rows[wanted])


def finished(kpi: Kpi, rows: pd.DataFrame) -> pd.DataFrame:
    """Value and 80 % interval from numerator and denominator."""
    given = {"low", "high"} <= set(rows)
    rows = rows.assign(kpi=kpi.name, unit=kpi.unit)
    rows = rows if given else rows.assign(low=np.nan, high=np.nan)
    n, d = rows["numerator"].to_numpy(dtype=float), rows["denominator"].to_numpy(dtype=float)
    if kpi.sums or (kpi.rows is not None and bool(len(d)) and np.isnan(d).all()):
        return rows.assign(value=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(d > 0, n / d, np.nan)
        rows["value"] = value
        if kpi.interval == "wilson":
            rows["low"], rows["high"] = wilson(n, d, LEVEL)
        elif kpi.interval == "mean" and "square" in rows:
            variance = np.where(d > 1, (rows["square"].to_numpy() - d * value**2) / (d - 1), np.nan)
            half = _QUANTILE * np.sqrt(np.maximum(variance, 0) / d)
            rows["low"], rows["high"] = value - half, value + half
    return rows
