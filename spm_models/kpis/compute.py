"""Compute KPIs for one period and all levels of the organisation at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from statistics import NormalDist

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.errors import PeriodError, SpmError
from spm_models.inference import wilson
from spm_models.kpis.definition import Kpi
from spm_models.kpis.quota import COMPANY
from spm_models.kpis.registry import KPIS
from spm_models.kpis.source import Source
from spm_models.periods import Period

LEVELS = ("company", "region", "team", "manager", "rep")
COLUMNS = {
    "kpi": "str", "level": "str", "key": "str", "period": "str", "value": "float64", "numerator": "float64",
    "denominator": "float64", "low": "float64", "high": "float64", "unit": "str",
}  # fmt: skip
_LEVEL = 0.8


def compute(
    tables: Tables,
    kpis: Sequence[str] | None = None,
    *,
    by: str = "company",
    period: Period,
    as_of: date,
    deal_scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """KPIs of one level of the organisation in one period.

    Parameters
    ----------
    tables : Tables
    kpis : sequence of str, optional
        Names as in :data:`~spm_models.kpis.registry.KPIS`; all of them without it. KPIs whose tables are missing are
        left out.
    by : {"company", "region", "team", "manager", "rep"}
        Level; people belong where they belong on ``as_of``.
    period : Period
        Facts after ``as_of`` are not seen, also in a period that is still running. Of one that has not begun there are
        only the KPIs that are known ahead.
    as_of : date
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability``, for the weighted pipeline.

    Returns
    -------
    DataFrame
        Published as ``kpis``: one row a KPI and unit. ``low`` and ``high`` are the 80 % interval of shares (Wilson),
        means and medians; empty for sums. A count is 0 where nothing happened, and empty where what it counts was
        not recorded; a share of nothing has no row.
    """
    if by not in LEVELS:
        raise SpmError("No such level", where="kpis.compute", found=by, remedy=f"Use one of {', '.join(LEVELS)}.")
    found = levels(tables, period, as_of=as_of, kpis=kpis, deal_scores=deal_scores)
    return found[found["level"] == by].reset_index(drop=True)


def levels(
    tables: Tables,
    period: Period,
    *,
    as_of: date,
    kpis: Sequence[str] | None = None,
    deal_scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """KPIs of all levels in one period; arguments and result as in :func:`compute`."""
    source = Source(tables, period, as_of, deal_scores)
    wanted = [kpi for kpi in _of_day(_named(kpis), period, as_of) if kpi.available(source)]
    parts = [_from_facts(source, facts, group) for facts, group in _by_facts(wanted)]
    parts += [_median(source, kpi) for kpi in wanted if kpi.median]
    parts += [_finish(kpi, kpi.rows(source)) for kpi in wanted if kpi.rows]
    rows = (
        pd.concat([part for part in parts if len(part)]) if any(map(len, parts)) else pd.DataFrame(columns=[*COLUMNS])
    )
    rows = rows.assign(period=period.label)[list(COLUMNS)].astype(COLUMNS)
    return rows.sort_values(["kpi", "level", "key"], ignore_index=True)


def _named(names: Sequence[str] | None) -> list[Kpi]:
    unknown = sorted(set(names or ()) - set(KPIS))
    if unknown:
        raise SpmError("No such KPI", where="kpis", found=unknown, remedy=f"Known are {', '.join(KPIS)}.")
    return [KPIS[name] for name in names] if names is not None else list(KPIS.values())


def _of_day(kpis: list[Kpi], period: Period, as_of: date) -> list[Kpi]:
    """Before a period begins: those that are known ahead of it, and an error where none of them was asked for."""
    ahead = [kpi for kpi in kpis if as_of >= period.start or kpi.ahead]
    if kpis and not ahead:
        raise PeriodError(
            "The period has not begun", where=f"kpis {period.label}",
            found={"as_of": as_of.isoformat(), "kpis": [kpi.name for kpi in kpis]},
            remedy=f"Give a day from {period.start.isoformat()} on, or ask for KPIs that are known ahead, such as "
            "open_pipeline, quota and pipeline_coverage.",
        )  # fmt: skip
    return ahead


def _by_facts(kpis: Iterable[Kpi]) -> list[tuple[str, list[Kpi]]]:
    groups: dict[str, list[Kpi]] = {}
    for kpi in kpis:
        if kpi.facts and not kpi.median:
            groups.setdefault(kpi.facts, []).append(kpi)
    return list(groups.items())


def _from_facts(source: Source, facts: str, kpis: list[Kpi]) -> pd.DataFrame:
    """Aggregate all KPIs of one kind of fact in two queries: the company, and every other level."""
    t = source.facts(facts)
    if "amount" in t.columns:
        t = t.mutate(amount=t.amount.cast("decimal(18, 4)"))  # exact: float sums differ from thread to thread
    units = ibis.memtable(source.units.astype("str").rename(columns={"rep_id": "unit_rep"}))
    joined = t.inner_join(units, t.rep_id == units.unit_rep)
    below = frame(joined.group_by("level", "key").aggregate(**_aggregates(source, joined, kpis)))
    company = frame(t.aggregate(owned=t.rep_id.count(), **_aggregates(source, t, kpis)))
    # a source without history knows of a past day's deals, but not whose they were: then nobody's count is 0
    nothing = np.nan if company["events"].item() and not company["owned"].item() else 0.0
    company = company.assign(level="company", key=COMPANY)
    rows = pd.concat([below, company], ignore_index=True)
    rows = source.units[["level", "key"]].drop_duplicates().merge(rows, how="outer", on=["level", "key"])
    parts = []
    for kpi in kpis:
        found = rows[["level", "key"]].assign(numerator=rows[f"{kpi.name}__n"].astype(float), denominator=np.nan)
        if kpi.square is not None:  # before rows are left out: a column given to a frame without rows would add some
            found["square"] = rows[f"{kpi.name}__s"].astype(float)
        if kpi.denominator is None:
            found["numerator"] = found["numerator"].mask(rows["events"].isna(), nothing)
        else:
            found["denominator"] = rows[f"{kpi.name}__d"].astype(float)
            found = found[found["denominator"] > 0]
        parts.append(_finish(kpi, found))
    return pd.concat(parts)


def _aggregates(source: Source, t: ir.Table, kpis: list[Kpi]) -> dict[str, ir.Value]:
    found: dict[str, ir.Value] = {"events": t.count()}
    for kpi in kpis:
        for suffix, expression in (("n", kpi.numerator), ("d", kpi.denominator), ("s", kpi.square)):
            if expression is not None:
                found[f"{kpi.name}__{suffix}"] = expression(t, source).cast("float64")
    return found


def _median(source: Source, kpi: Kpi) -> pd.DataFrame:
    """Medians with distribution-free intervals from order statistics (Conover 1999, section 3.2)."""
    assert kpi.facts and kpi.median
    t = source.facts(kpi.facts)
    t = t.filter(kpi.only(t)) if kpi.only else t
    values = frame(t.select("rep_id", value=t[kpi.median].cast("float64")))
    everybody = values.assign(level="company", key=COMPANY)
    rows = pd.concat([values.merge(source.units, on="rep_id"), everybody]).sort_values(["level", "key", "value"])
    grouped = rows.groupby(["level", "key"], sort=True)["value"]
    found = grouped.agg(value="median", denominator="size").reset_index()
    first = found["denominator"].cumsum().to_numpy() - found["denominator"].to_numpy()
    n = found["denominator"].to_numpy(dtype=float)
    half = NormalDist().inv_cdf(0.5 + _LEVEL / 2) * np.sqrt(n) / 2
    low, high = np.floor(n / 2 - half).astype(int) - 1, np.ceil(n / 2 + half).astype(int)
    known = (low >= 0) & (high < n)
    ordered = rows["value"].to_numpy()
    last = max(len(ordered) - 1, 0)
    for name, place in (("low", low), ("high", high)):
        found[name] = np.where(known, ordered[np.clip(first + place, 0, last)] if len(ordered) else np.nan, np.nan)
    return found.assign(kpi=kpi.name, unit=kpi.unit, numerator=np.nan)


def _finish(kpi: Kpi, rows: pd.DataFrame) -> pd.DataFrame:
    """Value and interval from numerator and denominator."""
    rows = rows.assign(kpi=kpi.name, unit=kpi.unit, low=np.nan, high=np.nan)
    n, d = rows["numerator"].to_numpy(dtype=float), rows["denominator"].to_numpy(dtype=float)
    if kpi.sums:
        return rows.assign(value=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(d > 0, n / d, np.nan)
        rows["value"] = value
        if kpi.interval == "wilson":
            rows["low"], rows["high"] = wilson(n, d, _LEVEL)
        elif kpi.interval == "mean":
            variance = np.where(d > 1, (rows["square"].to_numpy() - d * value**2) / (d - 1), np.nan)
            half = NormalDist().inv_cdf(0.5 + _LEVEL / 2) * np.sqrt(np.maximum(variance, 0) / d)
            rows["low"], rows["high"] = value - half, value + half
    return rows
