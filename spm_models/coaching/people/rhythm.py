"""A manager's own coaching: whether talks come when they are due, and what became of what was agreed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from spm_models.inference.intervals import wilson

EVERY_DAYS = 14
GRACE_DAYS = 3  # a talk that comes so much later is still on time
WEEKS = 13


def cadence(
    sessions: pd.DataFrame, actions: pd.DataFrame, people: pd.DataFrame, as_of: date, *,
    absences: pd.DataFrame | None = None, every_days: int = EVERY_DAYS, weeks: int = WEEKS,
) -> pd.DataFrame:  # fmt: skip
    """One row a manager: one-to-ones due and held, and actions agreed, over the last weeks.

    Parameters
    ----------
    sessions : DataFrame
        Columns of ``coaching_sessions``.
    actions : DataFrame
        Of :func:`spm_models.coaching.people.agreed_actions`.
    people : DataFrame
        The organisation on ``as_of``: ``rep_id, manager_id, role, hired_on, left_on``.
    as_of : datetime.date
    absences : DataFrame, optional
        ``rep_id, starts_on, ends_on``; days away do not count.
    every_days : int
        How often one-to-ones are due.
    weeks : int
        How far to look back.

    Returns
    -------
    DataFrame
        Published table ``coaching_cadence``. ``due``: one-to-ones that were due; ``held``: those that took place;
        ``on_time``: share of the due ones that came at most three days late, with its 80 % range (Wilson);
        ``overdue``: actions past their day on which nobody has said a word; ``longest_without``: most days at work
        that a rep is without a one-to-one by now. Whoever held a talk with a rep, it counts for his manager today:
        nobody is said to be neglected because he changed team.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-05-20", "2026-06-03", "2026-06-26"])
    >>> held = pd.DataFrame({"session_id": list("abc"), "rep_id": "r1", "held_on": days, "kind": "one_to_one"})
    >>> people = pd.DataFrame({"rep_id": ["r1"], "manager_id": ["m1"], "role": ["rep"],
    ...     "hired_on": [pd.Timestamp("2026-05-06")], "left_on": [pd.NaT]})
    >>> none = pd.DataFrame({"rep_id": [], "held_on": [], "due_on": [], "state": []})
    >>> cadence(held, none, people, date(2026, 6, 30))[["due", "held", "on_time", "longest_without"]].values.tolist()
    [[4.0, 3.0, 0.5, 4.0]]
    """
    end, start = pd.Timestamp(as_of), pd.Timestamp(as_of - timedelta(weeks=weeks))
    staff = people[people["manager_id"].notna() & ~people["role"].isin(["executive", "analyst"])]
    staff = staff[staff["left_on"].isna() | (staff["left_on"] > end)][["rep_id", "manager_id", "hired_on"]]
    gaps = _gaps(sessions, staff, start, end)
    gaps["days"] = (gaps["until"] - gaps["since"]).dt.days - _away(gaps, absences)
    gaps["due"] = np.where(
        gaps["open"], np.maximum((gaps["days"] - GRACE_DAYS - 1) // every_days, 0),
        np.maximum(np.floor(gaps["days"] / every_days + 0.5 - 1e-9), 1),
    )  # fmt: skip
    gaps["timely"] = ~gaps["open"] & (gaps["days"] <= every_days + GRACE_DAYS)
    by = gaps.assign(held=~gaps["open"]).groupby("manager_id")
    table = pd.DataFrame({
        "reps": by["rep_id"].nunique(), "due": by["due"].sum(), "held": by["held"].sum(), "timely": by["timely"].sum(),
        "longest_without": gaps[gaps["open"]].groupby("manager_id")["days"].max().clip(lower=0),
    })  # fmt: skip
    low, high = wilson(table["timely"], table["due"])
    none = table["due"] == 0
    table["on_time"] = (table["timely"] / table["due"].where(~none)).astype("float64")
    table["low"], table["high"] = np.where(none, np.nan, low), np.where(none, np.nan, high)
    table = table.join(_kept(actions, staff, start, end)).rename_axis("key").reset_index()
    counts = dict.fromkeys(["reps", "due", "held", "actions", "closed", "overdue", "longest_without"], "int64")
    table = table.fillna(dict.fromkeys(counts, 0)).assign(level="manager").astype(counts | {"key": "str"})
    columns = ["level", "key", "reps", "due", "held", "on_time", "low", "high", *list(counts)[3:]]
    return table[columns].astype({"level": "str"}).sort_values("key", ignore_index=True)


def _gaps(sessions: pd.DataFrame, staff: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Stretches between one-to-ones that end within the window, and the one that has not ended."""
    talks = sessions.loc[(sessions["kind"] == "one_to_one") & (sessions["held_on"] <= end), ["rep_id", "held_on"]]
    talks = staff.merge(talks.drop_duplicates(), on="rep_id")[["rep_id", "manager_id", "held_on"]]
    talks = talks.rename(columns={"held_on": "until"}).assign(open=False)
    now = staff[["rep_id", "manager_id"]].assign(until=end, open=True)
    rows = pd.concat([talks, now], ignore_index=True).astype({"until": "datetime64[s]"})
    rows = rows.sort_values(["rep_id", "until", "open"], ignore_index=True)
    since = rows.groupby("rep_id")["until"].shift()
    hired = rows[["rep_id"]].merge(staff[["rep_id", "hired_on"]], how="left")["hired_on"].astype("datetime64[s]")
    first = hired.where(hired > start, start)  # before any talk: from the first day, at most from the window's
    rows["since"] = since.where(since.notna(), first.where(first <= rows["until"], rows["until"]))
    return rows[rows["until"] > start].copy()


def _away(gaps: pd.DataFrame, absences: pd.DataFrame | None) -> pd.Series:
    """Days of each stretch on which the rep was away; absences that overlap count once at most."""
    nothing = pd.Series(0, index=gaps.index)
    if absences is None or absences.empty or gaps.empty:
        return nothing
    rows = gaps.reset_index()[["index", "rep_id", "since", "until"]]
    pairs = rows.merge(absences[["rep_id", "starts_on", "ends_on"]], on="rep_id")
    low = pairs["starts_on"].where(pairs["starts_on"] > pairs["since"], pairs["since"] + pd.Timedelta(days=1))
    high = pairs["ends_on"].where(pairs["ends_on"] < pairs["until"], pairs["until"])
    spans = pd.DataFrame({"index": pairs["index"], "low": low, "high": high}).sort_values(["index", "low"])
    reached = spans.groupby("index")["high"].cummax().groupby(spans["index"]).shift()
    after = reached + pd.Timedelta(days=1)
    begins = spans["low"].where(reached.isna() | (spans["low"] > reached), after)
    days = ((spans["high"] - begins).dt.days + 1).clip(lower=0)
    away = days.groupby(spans["index"]).sum().reindex(gaps.index).fillna(0).astype("int64")
    return away


def _kept(actions: pd.DataFrame, staff: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    agreed = actions.merge(staff[["rep_id", "manager_id"]], on="rep_id", suffixes=("_then", ""))
    agreed = agreed[pd.to_datetime(agreed["held_on"]).gt(start) & pd.to_datetime(agreed["held_on"]).le(end)]
    closed = agreed["state"].isin(["done", "dropped"])
    late = ~closed & pd.to_datetime(agreed["due_on"]).lt(end)
    by = agreed["manager_id"]
    return pd.DataFrame({"actions": by.groupby(by).size(), "closed": closed.groupby(by).sum(),
                         "overdue": late.groupby(by).sum()})  # fmt: skip
