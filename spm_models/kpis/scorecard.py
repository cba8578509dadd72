"""KPIs of several levels and periods beside the period before, a target and the healthy band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.errors import SpmError
from spm_models.kpis.compute import COLUMNS, LEVELS, levels
from spm_models.kpis.registry import KPIS
from spm_models.periods import Period

#: Fewer events than this say too little for a verdict.
MINIMUM_EVENTS = 5


def scorecard(
    tables: Tables,
    kpis: Sequence[str] | None = None,
    *,
    by: str | Sequence[str] = "company",
    period: Period | Sequence[Period],
    as_of: date,
    targets: Mapping[str, float] | None = None,
    deal_scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """KPIs by level and period, each seen on the last day of its period, or on ``as_of`` while that is yet to come.

    Parameters
    ----------
    tables : Tables
    kpis : sequence of str, optional
        As for :func:`~spm_models.kpis.compute.levels`.
    by : str or sequence of str
        Levels: company, region, team, manager, rep. People are counted where they belonged on the day.
    period : Period or sequence of Period
    as_of : date
    targets : mapping of str to float, optional
        What a KPI is to reach (or, where lower is better, not to exceed), in its own unit.
    deal_scores : DataFrame, optional
        Scores of ``as_of``: used for that day only.

    Returns
    -------
    DataFrame
        The columns of ``levels`` and ``previous`` (value of the same unit in the period before), ``target`` and
        ``verdict``: "reached" or "missed" where there is a target, else "below", "within" or "above" the healthy band,
        "too_few" where a share, mean or median rests on fewer than five events; empty where there is nothing to
        compare with. A verdict puts a number beside another; it does not judge a person.

    Raises
    ------
    SpmError
        When a level or a KPI does not exist, or a target is set for a KPI for which neither way is better.
    PeriodError
        When none of the KPIs can be known of a period that has not begun.
    """
    wanted = [by] if isinstance(by, str) else list(by)
    periods = [period] if isinstance(period, Period) else list(period)
    _check(wanted, targets or {})
    seen: dict[str, pd.DataFrame] = {}
    for one in {found.label: found for period in periods for found in (period.previous(), period)}.values():
        day = min(one.end, as_of)
        scores = deal_scores if day == as_of else None
        seen[one.label] = levels(tables, one, as_of=day, kpis=kpis, deal_scores=scores)
    parts = [_beside(seen[one.label], seen[one.previous().label]) for one in periods]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["level"].isin(wanted)]
    rows["target"] = rows["kpi"].map(dict(targets or {})).astype("float64")
    rows["verdict"] = _verdicts(rows)
    return rows[[*_COLUMNS]].astype(_COLUMNS).reset_index(drop=True)


_COLUMNS = {**COLUMNS, "previous": "float64", "target": "float64", "verdict": "str"}


def _check(wanted: Sequence[str], targets: Mapping[str, float]) -> None:
    if unknown := sorted(set(wanted) - set(LEVELS)):
        raise SpmError(
            "No such level", where="kpis.scorecard", found=unknown, remedy=f"Use some of {', '.join(LEVELS)}."
        )
    if unknown := sorted(set(targets) - set(KPIS)):
        raise SpmError("No such KPI", where="kpis targets", found=unknown, remedy=f"Known are {', '.join(KPIS)}.")
    if vague := sorted(name for name in targets if KPIS[name].direction == "context"):
        raise SpmError(
            "A target needs a better side", where="kpis targets", found=vague,
            remedy="Set targets for KPIs of which more, or less, is better; `spm kpis list --json` says so.",
        )  # fmt: skip


def _beside(rows: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    key = ["kpi", "level", "key"]
    previous = before[[*key, "value"]].rename(columns={"value": "previous"})
    return rows.merge(previous, on=key, how="left", validate="one_to_one")


def _verdicts(rows: pd.DataFrame) -> np.ndarray:
    """A verdict for each row; conditions in the order in which they count."""
    kpis = rows["kpi"].map(KPIS)
    value, target = rows["value"].to_numpy(), rows["target"].to_numpy()
    counted = np.array([kpi.interval is not None or kpi.median is not None for kpi in kpis], dtype=bool)
    lower = np.array([kpi.direction == "lower" for kpi in kpis], dtype=bool)
    band = np.array([kpi.healthy or (np.nan, np.nan) for kpi in kpis], dtype="float64").reshape(-1, 2)
    reached = np.where(lower, value <= target, value >= target)
    return np.select(
        [
            np.isnan(value),
            counted & (rows["denominator"].to_numpy() < MINIMUM_EVENTS),
            ~np.isnan(target) & reached,
            ~np.isnan(target),
            value < band[:, 0],
            value > band[:, 1],
            ~np.isnan(band[:, 0]),
        ],
        ["", "too_few", "reached", "missed", "below", "above", "within"],
        default="",
    )
