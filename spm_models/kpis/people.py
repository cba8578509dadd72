"""KPIs of the sales team itself: K31 retention and tenure, engagement; K32 first conversation and ramp-up."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from spm_models.database import frame
from spm_models.kpis.definition import MINIMUM_GROUP, Kpi, facts
from spm_models.kpis.dimensions import COMPANY
from spm_models.kpis.source import Source
from spm_models.kpis.survival import START
from spm_models.periods import Period
from spm_models.snapshots import outcomes_table

CONVERSATIONS = ("call", "meeting", "demo")
SETTLED_DAYS = 365  #: reps from here on say what full productivity is
IN_A_ROW = 2  #: whole quarters of full productivity that make it a sustained one


def _reps(s: Source) -> pd.DataFrame:
    people = s.people[s.people["role"] == "rep"]
    return people[["rep_id", "hired_on", "left_on"]].reset_index(drop=True)


def _table(rows: pd.DataFrame, schema: dict[str, str]) -> ir.Table:
    return ibis.memtable(rows[list(schema)], schema=schema)


@facts("rep_id")
def in_role_at_start(s: Source) -> ir.Table:
    """Reps who were in role on the eve of the period, and whether they still are at its end."""
    reps, parts = _reps(s), []
    for one in s.periods:
        first, last = pd.Timestamp(one.start), pd.Timestamp(s.end(one))
        there = ~(reps["hired_on"] >= first) & ~(reps["left_on"] < first)
        parts.append(reps[there].assign(period=one.label, stays=~(reps["left_on"] <= last)))
    return _table(pd.concat(parts), {"rep_id": "string", "period": "string", "stays": "boolean"})


@facts("rep_id")
def tenures(s: Source) -> ir.Table:
    """Everybody in role since the records begin: days in role, and whether they had left by the period's end.

    Who was hired before enters at the days that he had by then (left truncation): of his year, those who left early
    are not in the list.
    """
    reps, parts = _reps(s).dropna(subset="hired_on"), []
    began = pd.Timestamp(frame(s.tables["opportunities"].aggregate(day=ibis._.created_on.min()))["day"].iloc[0])
    before = (began - reps["hired_on"]).dt.days.astype("float64")
    entered = before.where(before > 0, START)
    for one in s.periods:
        last = pd.Timestamp(s.end(one))
        known = reps[reps["hired_on"] <= last]
        left = known["left_on"] <= last
        until = known["left_on"].where(left, last)
        days = (until - known["hired_on"]).dt.days
        parts.append(_spells(known, one, days, left).assign(entered=entered[known.index]))
    return _table(pd.concat(parts), _SPELLS)


@facts("rep_id", tables=("activities",))
def first_conversations(s: Source) -> ir.Table:
    """Reps hired since the records of activities began: days to the first conversation with a customer that took place.

    A conversation is a call, meeting or demo. Who has had none by the period's end (or until he left) is censored.
    """
    t = s.tables["activities"]
    t = t.filter(t.happened_at.notnull(), t.happened_at < s.cutoff)
    talked = t.filter(t.kind.isin(CONVERSATIONS))
    talked = talked.select("rep_id", day=s.local_day(talked.happened_at))
    began = frame(t.aggregate(day=s.local_day(t.happened_at).min()))["day"].iloc[0]
    reps = _reps(s)
    reps = reps[reps["hired_on"] >= pd.Timestamp(began)]
    hired = ibis.memtable(reps[["rep_id", "hired_on"]], schema={"rep_id": "string", "hired_on": "timestamp"})
    talked = talked.inner_join(hired, "rep_id").filter(ibis._.day >= ibis._.hired_on.cast("date"))
    first = frame(talked.group_by("rep_id").aggregate(first=talked.day.min())).set_index("rep_id")["first"]
    reached = pd.Series(first.reindex(reps["rep_id"]).to_numpy(), reps.index, dtype="datetime64[s]")
    return _table(_until(s, reps, reached), _SPELLS)


@facts("rep_id")
def ramp_ups(s: Source) -> ir.Table:
    """Reps hired since the first win: days until the end of the first of two full quarters in a row.

    A quarter is full when a rep's bookings reach the median of those who had been there for a year; the quarter of the
    hire does not count, and it takes the second one to know.
    """
    t = outcomes_table(s.tables, s.as_of)
    won = frame(t.filter(t.status == "won").select("rep_id", "closed_on", "amount"))
    reps = _reps(s)
    if won.empty:
        return _table(_until(s, reps.iloc[:0], pd.Series(dtype="datetime64[s]")), _SPELLS)
    began, last = won["closed_on"].min(), max(s.end(one) for one in s.periods)
    quarters = [one for one in s.calendar.quarters(began.date(), last) if one.end <= last]
    full = _full(reps, won, quarters)
    ends = np.array([np.datetime64(one.end) for one in quarters], dtype="datetime64[s]")
    sustained = full[:, :-1] & full[:, 1:] if len(quarters) >= IN_A_ROW else np.zeros((len(reps), 0), dtype=bool)
    found = sustained.any(axis=1)
    at = np.where(found, sustained.argmax(axis=1) if sustained.shape[1] else 0, 0)
    never = np.datetime64("NaT", "s")
    reached = pd.Series(np.where(found, ends[at] if len(ends) else never, never), reps.index)
    known = pd.Series(np.where(found, ends[at + 1] if len(ends) > 1 else never, never), reps.index)
    recent = reps["hired_on"] >= began
    return _table(_until(s, reps[recent], reached[recent], known[recent], ends), _SPELLS)


def _full(reps: pd.DataFrame, won: pd.DataFrame, quarters: list[Period]) -> np.ndarray:
    """Which of the quarters were full ones, by rep."""
    columns = []
    for one in quarters:
        first, last = pd.Timestamp(one.start), pd.Timestamp(one.end)
        booked = won[won["closed_on"].between(first, last)].groupby("rep_id")["amount"].sum()
        amount = reps["rep_id"].map(booked).fillna(0.0).astype("float64")
        whole = ~(reps["hired_on"] > first) & ~(reps["left_on"] <= last)
        settled = whole & ~((first - reps["hired_on"]).dt.days < SETTLED_DAYS)
        usual = amount[settled].median() if settled.sum() >= MINIMUM_GROUP else np.nan
        columns.append((whole & (amount >= usual)).to_numpy() if usual > 0 else np.zeros(len(reps), dtype=bool))
    return np.stack(columns, axis=1) if columns else np.zeros((len(reps), 0), dtype=bool)


_SPELLS = {"rep_id": "string", "period": "string", "entered": "float64", "ended": "float64", "event": "int64"}


def _spells(reps: pd.DataFrame, period: Period, days: pd.Series, event: pd.Series) -> pd.DataFrame:
    return reps[["rep_id"]].assign(
        period=period.label, entered=START, ended=days.clip(lower=0).astype("float64"), event=event.astype("int64")
    )


def _until(
    s: Source, reps: pd.DataFrame, reached: pd.Series, known: pd.Series | None = None, ends: np.ndarray | None = None
) -> pd.DataFrame:
    """Spells from the hire to a day that may not have come yet, as known (from ``known`` on) at each period's end.

    Where it takes the quarter after to know, nobody is watched beyond the last but one of the ``ends``: who had got
    there since would count as not there yet.
    """
    parts = [pd.DataFrame(columns=list(_SPELLS))]
    for one in s.periods:
        last = pd.Timestamp(s.end(one))
        here = reps["hired_on"] <= last
        event = (reached if known is None else known) <= last
        watched = last if ends is None else _last_known(ends, last)
        until = reached.where(event, reps["left_on"].where(reps["left_on"] <= watched, watched))
        days = (until - reps["hired_on"]).dt.days
        parts.append(_spells(reps[here], one, days[here], event[here]))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _last_known(ends: np.ndarray, last: pd.Timestamp) -> np.datetime64:
    """End of the last but one of the quarters that are over; NaT where there are fewer."""
    over = ends[ends <= last.to_datetime64()]
    return np.datetime64(over[-IN_A_ROW] if len(over) >= IN_A_ROW else "NaT", "s")


def _engagement(source: Source, period: Period) -> pd.DataFrame:
    """Mean of the anonymous answers, by team and for the company; smaller groups than five are not shown."""
    pulse = source.table("pulse")
    inside = pulse["answered_on"].between(pd.Timestamp(period.start), pd.Timestamp(source.end(period)))
    answers = pulse[inside & pulse["score"].notna()]
    levels = [("company", pd.Series(COMPANY, answers.index)), ("team", answers["team"])]
    parts = [
        answers.groupby(keys.rename("key"))["score"].agg(numerator="sum", denominator="size").reset_index().assign(
            level=level
        )
        for level, keys in levels
    ]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    shown = rows[rows["denominator"] >= MINIMUM_GROUP].sort_values(["level", "denominator", "key"], ignore_index=True)
    # what the teams leave of the company is a group as well: as long as it is small, the next smallest team joins it
    left = len(answers) - shown.loc[shown["level"] == "team", "denominator"].sum()
    while 0 < left < MINIMUM_GROUP and (shown["level"] == "team").any():
        smallest = shown.index[shown["level"] == "team"][0]
        left += shown.loc[smallest, "denominator"]
        shown = shown.drop(index=smallest)
    return shown.reset_index(drop=True)


KPIS = (
    Kpi(
        "team_retention", "K31", "share", "higher", "Reps in role at the period's start who still are at its end.",
        facts=in_role_at_start, numerator=_.stays.sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "tenure", "K31", "days", "higher",
        "Days in role after which half of the reps had left, those who are still there censored and those hired before "
        "the records begin counted from then on; empty while more than half stay.",
        facts=tenures, statistic="survival", interval="kaplan_meier", source="Kaplan and Meier (1958)",
    ),
    Kpi(
        "engagement", "K31", "points", "higher",
        f"Mean of the anonymous pulse answers of the quarter, 1 to 5 points; groups of fewer than {MINIMUM_GROUP} "
        "answers are not shown, nor teams from which such a group could be worked out.",
        rows=_engagement, tables=("pulse",), grains=("quarter",),
    ),
    Kpi(
        "time_to_first_conversation", "K32", "days", "lower",
        "Days from the hire after which half of the reps have had their first call, meeting or demo since; "
        "of those hired since the records begin.",
        facts=first_conversations, statistic="survival", interval="kaplan_meier", source="Kaplan and Meier (1958)",
    ),
    Kpi(
        "ramp_up", "K32", "days", "lower",
        "Days from the hire after which half of the reps are fully productive for good: at the end of the first of two "
        "whole quarters in a row in which they book what the median rep of a year or more books.",
        facts=ramp_ups, statistic="survival", interval="kaplan_meier", source="Kaplan and Meier (1958)",
    ),
)  # fmt: skip
