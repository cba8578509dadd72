"""SMART: is a goal specific, measurable, achievable, relevant, time-bound? By field, with what to write instead.

A verdict is about the wording and the numbers of a goal, never about whose it is. ``reason`` is a code; the catalogues
hold the sentence in each language, with ``found`` and ``instead`` inserted.

References
----------
Doran, "There's a S.M.A.R.T. way to write management's goals and objectives", Management Review 70(11), 1981.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Protocol

import numpy as np
import pandas as pd

from spm_models.periods import FiscalCalendar

FIELDS = ("specific", "measurable", "achievable", "relevant", "time_bound")
#: Reason → verdict; every reason has a sentence ``targets.checks.<reason>`` in each catalogue.
REASONS: dict[str, str] = {
    "says_what": "ok", "no_key_result": "missing", "same_as_objective": "improve", "no_number": "improve",
    "measured": "ok", "no_metric": "missing", "unknown_metric": "improve", "no_target": "missing",
    "no_baseline": "improve", "no_way_to_go": "improve", "wrong_way": "improve", "not_a_share": "improve",
    "within_reach": "ok", "beyond_best": "improve", "out_of_reach": "improve", "reached_already": "improve",
    "no_past": "cannot_tell", "serves_parent": "ok", "company_goal": "ok", "no_parent": "missing",
    "orphan": "improve", "upside_down": "improve", "cycle": "improve", "in_time": "ok", "no_due_day": "missing",
    "due_before_start": "improve", "too_far": "improve", "overdue": "improve",
}  # fmt: skip
_LONGEST = 380  # days: a goal of more than a year and two weeks is a strategy
_LEAST_PAST = 3  # values of the past by which a target is judged
_UNLIKELY = 0.1
_QUARTER = (60, 130)  # days: sums of past quarters say something about goals of about a quarter only


class Metric(Protocol):
    """What is read of a KPI of the registry."""

    @property
    def unit(self) -> str:
        """Such as "share"."""

    @property
    def direction(self) -> str:
        """Such as "higher"."""


def check_goals(
    goals: pd.DataFrame, metrics: Mapping[str, Metric], as_of: date, calendar: FiscalCalendar, *,
    past: pd.DataFrame | None = None, chances: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Judge each goal field by field.

    Parameters
    ----------
    goals : DataFrame
        Of :func:`spm_models.targets.okr.okr_progress`.
    metrics : mapping of str to Metric
        The KPI registry.
    as_of : date
    calendar : FiscalCalendar
    past : DataFrame, optional
        ``kpi, level, key, period, value``: what owners reached in past quarters.
    chances : DataFrame, optional
        ``goal_id, probability`` from the forecast, where the metric is revenue or its attainment.

    Returns
    -------
    DataFrame
        Published as ``goal_checks``: one row a goal and field: ``goal_id, level, key, field, place, verdict`` (``ok``,
        ``improve, missing, cannot_tell``), ``reason`` (one of :data:`REASONS`), ``found`` and ``instead`` as text.

    Examples
    --------
    >>> from spm_models.targets.okr import okr_progress
    >>> goal = {"goal_id": "g", "owner_kind": "rep", "owner_id": "a", "objective": "Sell better", "metric": "win rate",
    ...         "key_result": "Sell better", "set_on": "2026-04-01"}
    >>> tree = okr_progress(pd.DataFrame([goal]), date(2026, 4, 2), FiscalCalendar())
    >>> from spm_models.kpis import KPIS
    >>> found = check_goals(tree, KPIS, date(2026, 4, 2), FiscalCalendar())
    >>> found.set_index("field")[["reason", "instead"]].loc[["measurable", "time_bound"]].values.tolist()
    [['unknown_metric', 'win_rate'], ['no_due_day', '2026-06-30']]
    """
    if goals.empty:
        return pd.DataFrame(
            columns=["goal_id", "level", "key", "field", "place", "verdict", "reason", "found", "instead"]
        )
    found = [
        _specific(goals), _measurable(goals, metrics), _achievable(goals, metrics, past, chances), _relevant(goals),
        _time_bound(goals, as_of, calendar),
    ]  # fmt: skip
    rows = []
    for place, (field, part) in enumerate(zip(FIELDS, found, strict=True)):
        named = part.assign(field=field, place=place)
        rows.append(pd.concat([goals[["goal_id", "level", "key"]].reset_index(drop=True), named], axis=1))
    table = pd.concat(rows, ignore_index=True)
    table["verdict"] = table["reason"].map(REASONS)
    columns = ["goal_id", "level", "key", "field", "place", "verdict", "reason", "found", "instead"]
    return table[columns].sort_values(["goal_id", "place"], ignore_index=True)


def _rows(reason: Iterable[str], found: object = "", instead: object = "") -> pd.DataFrame:
    reasons = pd.Series(reason, dtype="str")
    table = pd.DataFrame({"reason": reasons}).assign(
        found=np.asarray(found, dtype=object) if not isinstance(found, str) else found,
        instead=np.asarray(instead, dtype=object) if not isinstance(instead, str) else instead,
    )
    return table.fillna("").astype("str")


def _specific(goals: pd.DataFrame) -> pd.DataFrame:
    said, objective = (goals[name].fillna("").astype("str") for name in ("key_result", "objective"))
    folded = [text.str.normalize("NFKC").str.casefold().str.strip() for text in (said, objective)]
    number = said.str.contains(r"\d", regex=True)  # in any script
    reason = np.select(
        [said == "", folded[0] == folded[1], ~number & goals["target"].isna().to_numpy()],
        ["no_key_result", "same_as_objective", "no_number"], "says_what",
    )  # fmt: skip
    return _rows(reason, said, goals["metric"].fillna(""))


def _measurable(goals: pd.DataFrame, metrics: Mapping[str, Metric]) -> pd.DataFrame:
    metric = goals["metric"].fillna("").astype("str")
    near = {name: _nearest(name, metrics) for name in metric.unique()}
    unit = metric.map({name: kpi.unit for name, kpi in metrics.items()})
    better = metric.map({name: kpi.direction for name, kpi in metrics.items()})
    way = goals["target"] - goals["baseline"]
    wrong = ((better == "higher") & (way < 0)) | ((better == "lower") & (way > 0))
    share = (unit == "share") & ((goals["target"].abs() > 1) | (goals["baseline"].abs() > 1))
    cases = {
        "no_metric": metric == "", "unknown_metric": ~metric.isin(list(metrics)), "no_target": goals["target"].isna(),
        "not_a_share": share, "no_baseline": goals["baseline"].isna(), "no_way_to_go": way == 0, "wrong_way": wrong,
    }  # fmt: skip
    reason = np.select([case.to_numpy() for case in cases.values()], list(cases), "measured")
    target, hundredth = goals["target"].map(_number), (goals["target"] / 100).map(_number)
    value = goals["value"].map(_number)
    instead = np.select(
        [reason == "unknown_metric", reason == "no_metric", reason == "not_a_share", reason == "no_baseline"],
        [metric.map(near), metric.map(near), hundredth, value], "",
    )  # fmt: skip
    return _rows(reason, np.where(reason == "unknown_metric", metric, target), instead)


def _nearest(name: str, metrics: Mapping[str, Metric]) -> str:
    """The KPI that was probably meant, else the two that most goals are about."""
    words = name.casefold().replace(" ", "_").replace("-", "_")
    found = get_close_matches(words, list(metrics), n=1, cutoff=0.5)
    return found[0] if found else ", ".join([known for known in ("win_rate", "revenue") if known in metrics])


def _achievable(
    goals: pd.DataFrame, metrics: Mapping[str, Metric], past: pd.DataFrame | None, chances: pd.DataFrame | None
) -> pd.DataFrame:
    table = goals[["goal_id", "level", "key", "metric", "target", "baseline"]].reset_index(drop=True)
    lower = table["metric"].map({name: kpi.direction == "lower" for name, kpi in metrics.items()}).eq(True)
    sign = np.where(lower, -1.0, 1.0)
    table["best"], table["usual"], table["number"] = np.nan, np.nan, 0
    if past is not None and len(past):
        values = past.dropna(subset="value").rename(columns={"kpi": "metric"})
        grouped = values.groupby(["metric", "level", "key"])["value"]
        facts = grouped.agg(most="max", least="min", middle="median", size="size").reset_index()
        joined = table.merge(facts, on=["metric", "level", "key"], how="left")
        table["best"] = joined["least"].where(lower, joined["most"])
        table["usual"], table["number"] = joined["middle"], joined["size"].fillna(0)
    chance = pd.Series(np.nan, index=table.index)
    if chances is not None and len(chances):
        chance = table["goal_id"].map(chances.set_index("goal_id")["probability"]).astype("float64")
    span = (goals["due_on"] - goals["set_on"]).dt.days.reset_index(drop=True)
    adds_up = table["metric"].map({name: kpi.unit in ("money", "count") for name, kpi in metrics.items()}).eq(True)
    comparable = ~adds_up | span.between(*_QUARTER)
    goal, enough = table["target"] * sign, (table["number"] >= _LEAST_PAST) & comparable
    cases = {
        "no_past": goal.isna() | (chance.isna() & ~enough),
        "out_of_reach": chance < _UNLIKELY,
        "within_reach": chance.notna(),
        "beyond_best": goal > table["best"] * sign,
        "reached_already": goal <= table["usual"] * sign,
    }
    reason = np.select([case.to_numpy() for case in cases.values()], list(cases), "within_reach")
    percent = chance.mul(100).round().map(_number)
    found = np.where(chance.notna(), percent, table["usual"].map(_number))
    return _rows(reason, found, table["best"].map(_number))


def _relevant(goals: pd.DataFrame) -> pd.DataFrame:
    reason = goals["place"].map({"root": "company_goal", "child": "serves_parent"}).fillna(goals["place"])
    return _rows(reason, goals["parent_goal_id"].fillna("").astype("str"), _candidates(goals))


def _candidates(goals: pd.DataFrame) -> pd.Series:
    """A goal that could be the parent: of the company, measured by the same KPI if there is one."""
    roots = goals[goals["place"] == "root"].sort_values("goal_id")
    same = goals["metric"].map(roots.dropna(subset="metric").drop_duplicates("metric").set_index("metric")["goal_id"])
    usual = roots["goal_id"].iloc[0] if len(roots) else ""
    return same.astype("str").fillna(usual).where(~goals["place"].isin(["root", "child"]), "")


def _time_bound(goals: pd.DataFrame, as_of: date, calendar: FiscalCalendar) -> pd.DataFrame:
    due, begun = goals["due_on"], goals["set_on"]
    cases = {
        "no_due_day": due.isna(),
        "due_before_start": due < begun,
        "overdue": (due <= pd.Timestamp(as_of)) & ~goals["verdict"].eq("reached"),
        "too_far": (due - begun.fillna(pd.Timestamp(as_of))).dt.days > _LONGEST,
    }
    reason = np.select([case.to_numpy() for case in cases.values()], list(cases), "in_time")
    end = calendar.quarter(as_of).end.isoformat()
    year = calendar.year(as_of).end.isoformat()
    instead = np.select([reason == "too_far", reason == "in_time"], [year, ""], end)
    return _rows(reason, due.dt.strftime("%Y-%m-%d").fillna(""), instead)


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.6g}"
