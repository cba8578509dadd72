"""Objectives and key results from the company to teams to people: whom each goal serves, how far it is, at what pace.

Progress runs from 0 (baseline) to 1 (target), also where a lower value is better. Pace is progress over the share of
the time that has passed; the projection goes on at the same pace.

References
----------
Doerr, *Measure What Matters* (2018): scores of key results from 0 to 1, objectives as the plain mean of theirs.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar

COLUMNS = ["goal_id", "level", "key", "parent_goal_id", "place", "depth", "objective", "key_result", "metric",
           "baseline", "target", "value", "value_from", "progress", "elapsed", "pace", "projected", "reached_on",
           "rolled_up", "children", "set_on", "due_on", "verdict"]  # fmt: skip
_RANK = {"company": 0, "team": 1, "rep": 2}
ON_TRACK, SLOW = 0.9, 0.6  # pace from which a goal is on track, and below which it is at risk
_EARLY = 0.1  # of the time: too early to tell a pace


def okr_progress(
    goals: pd.DataFrame | None,
    as_of: date,
    calendar: FiscalCalendar,
    measured: pd.DataFrame | None = None,
    *,
    flows: Collection[str] = (),
) -> pd.DataFrame:
    """The tree of goals with progress and pace.

    Parameters
    ----------
    goals : DataFrame or None
        The table ``goals``; those agreed after ``as_of`` are unknown.
    as_of : date
    calendar : FiscalCalendar
        A goal without ``set_on`` began with the quarter of its due day.
    measured : DataFrame, optional
        ``kpi, level, key, value``: used for goals whose ``progress`` nobody filled in.
    flows : collection of str
        KPIs that add up over the time of a goal, such as revenue: their way begins at 0, the baseline is what one
        compares with.

    Returns
    -------
    DataFrame
        Published as ``goals``. ``place``: ``root`` (the company's), ``child``, ``no_parent``, ``orphan`` (the parent
        does not exist), ``upside_down`` (the parent stands lower), ``cycle`` (it serves itself by way of others).
        ``depth`` counts from the root and is empty in and below a cycle. ``rolled_up``: mean progress of the goals
        right below, each by its own roll-up where it has no progress of its own. ``projected``: the value on the due
        day; ``reached_on``: the day on which the target is met. ``verdict``: ``reached, missed, on_track, slow,
        at_risk, too_early, not_enough_data``.

    Examples
    --------
    >>> goals = pd.DataFrame([
    ...     {"goal_id": "c", "owner_kind": "company", "baseline": 0.0, "target": 10.0, "progress": None},
    ...     {"goal_id": "r", "owner_kind": "rep", "owner_id": "a", "parent_goal_id": "c", "baseline": 40.0,
    ...      "target": 30.0, "progress": 35.0}]).assign(set_on="2026-04-01", due_on="2026-06-30")
    >>> found = okr_progress(goals, date(2026, 5, 15), FiscalCalendar()).set_index("goal_id")
    >>> found.loc["r", ["progress", "elapsed"]].astype(float).round(3).tolist(), found["verdict"].tolist()
    ([0.5, 0.495], ['not_enough_data', 'on_track'])
    >>> found.loc["c", "rolled_up"].item()
    0.5
    """
    known = _known(goals, as_of, calendar)
    if known.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = _placed(_measured(known, measured))
    table = _paced(table, as_of, flows)
    return _rolled_up(table)[COLUMNS].sort_values("goal_id", ignore_index=True)


def _known(goals: pd.DataFrame | None, as_of: date, calendar: FiscalCalendar) -> pd.DataFrame:
    if goals is None or goals.empty:
        return pd.DataFrame(columns=COLUMNS)
    texts = ["goal_id", "owner_kind", "owner_id", "parent_goal_id", "objective", "key_result", "metric"]
    table = goals.reindex(columns=[*texts, "baseline", "target", "progress", "set_on", "due_on"])
    for name in texts:
        text = table[name].astype("str").str.strip()
        table[name] = text.where(text.notna() & (text != ""), None)
    for name in ("set_on", "due_on"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
    for name in ("baseline", "target", "progress"):
        table[name] = pd.to_numeric(table[name]).astype("float64")
    table = table[table["set_on"].isna() | (table["set_on"] <= pd.Timestamp(as_of))].drop_duplicates("goal_id")
    start = calendar.period_starts(table["due_on"])
    key = table["owner_id"].where(table["owner_kind"] != "company", "").fillna("")
    return table.assign(level=table["owner_kind"], key=key, begins_on=table["set_on"].fillna(start)).reset_index(
        drop=True
    )


def _measured(table: pd.DataFrame, measured: pd.DataFrame | None) -> pd.DataFrame:
    """What somebody filled in, else the KPI of the owner."""
    table = table.rename(columns={"progress": "filled"})
    if measured is None or measured.empty:
        return table.assign(value=table["filled"], value_from=np.where(table["filled"].notna(), "filled_in", ""))
    kpis = measured.drop_duplicates(["kpi", "level", "key"])[["kpi", "level", "key", "value"]]
    table = table.merge(kpis, left_on=["metric", "level", "key"], right_on=["kpi", "level", "key"], how="left")
    source = np.select([table["filled"].notna(), table["value"].notna()], ["filled_in", "kpi"], "")
    return table.assign(value=table["filled"].fillna(table["value"]), value_from=source)


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """Depth below a root, and what is wrong with the parent."""
    index = pd.Index(table["goal_id"])
    parent = index.get_indexer(pd.Index(table["parent_goal_id"].fillna("")))
    named = table["parent_goal_id"].notna().to_numpy()
    depth, at, circle = np.zeros(len(table)), parent.copy(), np.zeros(len(table), bool)
    for _ in range(len(table)):
        if (at < 0).all():
            break
        depth += at >= 0
        circle |= at == np.arange(len(table))
        at = np.where(at >= 0, parent[at], -1)
    endless = at >= 0
    rank = table["level"].map(_RANK).to_numpy(dtype=float)
    above = np.where(parent >= 0, rank[parent], np.nan)
    place = np.select(
        [circle, named & (parent < 0), above > rank, parent >= 0, rank == 0],
        ["cycle", "orphan", "upside_down", "child", "root"], "no_parent",
    )  # fmt: skip
    return table.assign(depth=np.where(endless, np.nan, depth), place=place, parent=np.where(circle, -1, parent))


def _paced(table: pd.DataFrame, as_of: date, flows: Collection[str]) -> pd.DataFrame:
    begin = table["baseline"].mask(table["metric"].isin(list(flows)), 0.0)
    way = (table["target"] - begin).where(lambda gap: gap != 0)
    progress = (table["value"] - begin) / way
    whole = (table["due_on"] - table["begins_on"]).dt.days + 1
    passed = (pd.Timestamp(as_of) - table["begins_on"]).dt.days + 1
    elapsed = (passed / whole.where(whole > 0)).clip(0, 1)
    pace = (progress / elapsed.where(elapsed > 0)).where(elapsed >= _EARLY)
    projected = begin + pace.clip(lower=0) * way
    ahead = (passed / progress.where(progress > 0)).where(elapsed >= _EARLY)
    ahead = ahead.where(ahead < 36_500)  # a century is "never"
    reached = table["begins_on"] + pd.to_timedelta(np.ceil(ahead) - 1, unit="D")
    over = table["due_on"] <= pd.Timestamp(as_of)
    verdict = np.select(
        [progress.isna() | elapsed.isna(), progress >= 1, over, elapsed < _EARLY, pace >= ON_TRACK, pace >= SLOW],
        ["not_enough_data", "reached", "missed", "too_early", "on_track", "slow"], "at_risk",
    )  # fmt: skip
    return table.assign(
        progress=progress.round(6), elapsed=elapsed.round(6), pace=pace.round(6), projected=projected.round(6),
        reached_on=reached.where(progress < 1).astype("datetime64[s]"), verdict=verdict,
    )  # fmt: skip


def _rolled_up(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the goals right below, from the deepest up; goals in a cycle hand nothing up."""
    parent = table["parent"].to_numpy()
    own = table["progress"].clip(0, 1).to_numpy(dtype=float)
    rolled = np.full(len(table), np.nan)
    children = np.bincount(parent[parent >= 0], minlength=len(table))
    depth = table["depth"].to_numpy(dtype=float)
    for level in sorted(set(depth[~np.isnan(depth)]), reverse=True):
        worth = np.where(np.isnan(own), rolled, own)
        here = (depth == level) & (parent >= 0) & ~np.isnan(worth)
        total = np.bincount(parent[here], worth[here], minlength=len(table))
        number = np.bincount(parent[here], minlength=len(table))
        with np.errstate(invalid="ignore", divide="ignore"):
            rolled = np.where(number > 0, total / number, rolled)
    return table.assign(rolled_up=np.round(rolled, 6), children=children.astype("int64"))
