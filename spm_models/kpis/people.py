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
    """Everybody hired by the period's end: days in role, and whether they had left by then."""
    reps, parts = _reps(s).dropna(subset="hired_on"), []
    for one in s.periods:
        last = pd.Timestamp(s.end(one))
        known = reps[reps["hired_on"] <= last]
        left = known["left_on"] <= last
        until = known["left_on"].where(left, last)
        parts.append(_spells(known, one, (until - known["hired_on"]).dt.days, left))
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
    first = frame(talked.group_by("rep_id").aggregate(first=talked.day.min())).set_index("rep_id")["first"]
    began = frame(t.aggregate(day=s.local_day(t.happened_at).min()))["day"].iloc[0]
    reps = _reps(s)
    reps = reps[reps["hired_on"] >= pd.Timestamp(began)]
    return _table(_until(s, reps, reps["rep_id"].map(first)), _SPELLS)


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
    return _table(_until(s, reps[recent], reached[recent], known[recent]), _SPELLS)


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


def _until(s: Source, reps: pd.DataFrame, reached: pd.Series, known: pd.Series | None = None) -> pd.DataFrame:
    """Spells from the hire to a day that may not have come yet, as known (from ``known`` on) at each period's end."""
    parts = [pd.DataFrame(columns=list(_SPELLS))]
    for one in s.periods:
        last = pd.Timestamp(s.end(one))
        here = reps["hired_on"] <= last
        event = (reached if known is None else known) <= last
        until = reached.where(event, reps["left_on"].where(reps["left_on"] <= last, last))
        days = (until - reps["hired_on"]).dt.days
        parts.append(_spells(reps[here], one, days[here], event[here]))
    return pd.concat(parts[1:] or parts, ignore_index=True)


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
    return rows[rows["denominator"] >= MINIMUM_GROUP].reset_index(drop=True)


KPIS = (
    Kpi(
        "team_retention", "K31", "share", "higher", "Reps in role at the period's start who still are at its end.",
        facts=in_role_at_start, numerator=_.stays.sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "tenure", "K31", "days", "higher",
        "Days in role after which half of all reps ever hired had left, those who are still there censored; empty "
        "while more than half stay.",
        facts=tenures, statistic="survival", interval="kaplan_meier", source="Kaplan and Meier (1958)",
    ),
    Kpi(
        "engagement", "K31", "points", "higher",
        f"Mean of the anonymous pulse answers of the period, 1 to 5 points; groups of fewer than {MINIMUM_GROUP} "
        "answers are not shown.",
        rows=_engagement, tables=("pulse",),
    ),
    Kpi(
        "time_to_first_conversation", "K32", "days", "lower",
        "Days from the hire after which half of the reps have had their first call, meeting or demo with a customer; "
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
