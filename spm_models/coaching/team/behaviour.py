"""Badges for behaviour: things that somebody did throughout a quarter, each with the least that makes it one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd

from spm_models.coaching.deal_facts import touches
from spm_models.coaching.features import Evidence
from spm_models.coaching.signals import SILENT_DAYS
from spm_models.coaching.team.improvement import COLUMNS
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.source import Source
from spm_models.periods import Period

LEAST_DEALS = 5
LEAST_ACTIONS = 3
LEAST_WEEKS = 8
LEAST_HELP, LEAST_HELPED = 3, 2  # deals of others, and colleagues
LEAST_LOOKS = 15
HARD = 0.01  # chance of as long a stretch without a win
RECENT_DAYS = 91


def kept_in_touch(
    tables: Tables, deals: pd.DataFrame, quarter: Period, absences: pd.DataFrame | None = None
) -> pd.DataFrame:
    """``followed_up``: no deal was silent for more than 21 days in the quarter; days away do not count.

    Parameters
    ----------
    tables : Tables
    deals : DataFrame
        Deals known at the end of the day: ``opportunity_id``, ``rep_id``, ``created_on``, ``closed_on`` (empty: open).
    quarter : Period
    absences : DataFrame, optional
        ``rep_id``, ``starts_on``, ``ends_on``.

    Returns
    -------
    DataFrame
        ``value``: deals that were open for more than 21 days of the quarter (at least five); ``beside``: the longest
        silence among them.
    """
    start, end = pd.Timestamp(quarter.start), pd.Timestamp(quarter.end)
    here = deals[(deals["created_on"] <= end) & (deals["closed_on"].isna() | (deals["closed_on"] >= start))]
    here = here.assign(
        begun=here["created_on"].where(here["created_on"] > start, start),
        ended=here["closed_on"].where(here["closed_on"] < end, end),
    )
    here = here[(here["ended"] - here["begun"]).dt.days > SILENT_DAYS]
    done = touches(tables)
    if done is None or here.empty:
        return _none()
    days = _contact_days(tables, done, here, quarter)
    gaps = _gaps(here, days, absences)
    by_deal = gaps.groupby(["rep_id", "opportunity_id"])["days"].max().reset_index()
    by_rep = by_deal.groupby("rep_id")["days"].agg(["size", "max"])
    won = by_rep[(by_rep["size"] >= LEAST_DEALS) & (by_rep["max"] <= SILENT_DAYS)]
    return _badge("followed_up", won.index, end, value=won["size"], beside=won["max"], n=won["size"])


def _contact_days(tables: Tables, done: Any, here: pd.DataFrame, quarter: Period) -> pd.DataFrame:
    known = ibis.memtable(here[["opportunity_id"]].drop_duplicates().astype({"opportunity_id": "str"}))
    local = Source(tables, (quarter,), quarter.end)
    t = done.mutate(day=local.local_day(done["at"])).semi_join(known, "opportunity_id")
    t = t.filter(t.day >= ibis.literal(quarter.start), t.day <= ibis.literal(quarter.end))
    found = frame(t.select("opportunity_id", "day").distinct())
    return found.assign(day=pd.to_datetime(found["day"]).astype("datetime64[s]"))


def _gaps(here: pd.DataFrame, days: pd.DataFrame, absences: pd.DataFrame | None) -> pd.DataFrame:
    """Days between contacts within the quarter, less the owner's days away."""
    owner = here[["opportunity_id", "rep_id"]]
    marks = [here[["opportunity_id", column]].rename(columns={column: "day"}) for column in ("begun", "ended")]
    inside = days.merge(here[["opportunity_id", "begun", "ended"]], on="opportunity_id")
    inside = inside[inside["day"].between(inside["begun"], inside["ended"])][["opportunity_id", "day"]]
    points = pd.concat([*marks, inside], ignore_index=True).sort_values(["opportunity_id", "day"], ignore_index=True)
    points["since"] = points.groupby("opportunity_id")["day"].shift()
    gaps = points.dropna(subset="since").merge(owner, on="opportunity_id")
    gaps["days"] = (gaps["day"] - gaps["since"]).dt.days.astype(float)
    long = gaps[gaps["days"] > SILENT_DAYS].reset_index()
    if absences is None or absences.empty or long.empty:
        return gaps
    away = long.merge(absences[["rep_id", "starts_on", "ends_on"]], on="rep_id")
    first = away["starts_on"].where(away["starts_on"] > away["since"], away["since"])
    last = away["ends_on"].where(away["ends_on"] < away["day"], away["day"])
    missed = ((last - first).dt.days + 1).clip(lower=0).groupby(away["index"]).sum()
    gaps["days"] = (gaps["days"] - missed.reindex(gaps.index, fill_value=0)).clip(lower=0)
    return gaps


def kept_current(snapshots: pd.DataFrame, quarter: Period) -> pd.DataFrame:
    """``crm_current``: at the quarter's month ends every open deal had an amount and a close date to come.

    Parameters
    ----------
    snapshots : DataFrame
        Pipelines as of month ends: ``as_of``, ``rep_id``, ``amount``, ``expected_close_on``. Only sources with a
        history can say what stood there.
    quarter : Period

    Returns
    -------
    DataFrame
        ``value``: looks at an open deal (at least fifteen); ``beside``: share of everybody's that were current.
    """
    inside = snapshots["as_of"].between(pd.Timestamp(quarter.start), pd.Timestamp(quarter.end))
    rows = snapshots[inside & (snapshots["as_of"].dt.is_month_end | (snapshots["as_of"] == pd.Timestamp(quarter.end)))]
    if rows.empty:
        return _none()
    fine = rows["amount"].notna() & rows["expected_close_on"].ge(rows["as_of"])
    by = fine.groupby(rows["rep_id"]).agg(["all", "size"])
    ends = rows.groupby("rep_id")["as_of"].nunique()
    won = by[by["all"] & by["size"].ge(LEAST_LOOKS) & ends.ge(3)]
    return _badge(
        "crm_current", won.index, pd.Timestamp(quarter.end), value=won["size"], beside=float(fine.mean()),
        n=won["size"],
    )  # fmt: skip


def steady_pipeline(evidence: Evidence, quarter: Period) -> pd.DataFrame:
    """``steady_pipeline``: never two weeks at work (three days or more) in a row without a new deal.

    ``value``: weeks of the quarter with a new deal; ``n``: weeks at work (at least eight); ``beside``: share of
    everybody's weeks with a new deal.
    """
    weeks = evidence.weeks
    if weeks.empty:
        return _none()
    last = pd.Timestamp(quarter.end) - pd.Timedelta(days=6)
    rows = weeks[weeks["week"].between(pd.Timestamp(quarter.start), last) & weeks["days"].ge(3)]
    if rows.empty:
        return _none()
    rows = rows.sort_values(["rep_id", "week"])
    new = rows["created"] > 0
    two = ~(new | new.groupby(rows["rep_id"]).shift(fill_value=True))
    by = pd.DataFrame({"rep_id": rows["rep_id"], "new": new, "two": two, "n": 1}).groupby("rep_id").sum()
    won = by[(by["two"] == 0) & (by["n"] >= LEAST_WEEKS)]
    return _badge(
        "steady_pipeline", won.index, pd.Timestamp(quarter.end), value=won["new"], beside=float(new.mean()), n=won["n"]
    )


def helped(parts: pd.DataFrame, quarters: Sequence[Period]) -> pd.DataFrame:
    """``helped_colleagues``: a part in at least three deals of at least two colleagues, won in the last half-year.

    Parameters
    ----------
    parts : DataFrame
        Of :func:`spm_models.coaching.team.board.deal_parts`, with ``closed_on``.
    quarters : sequence of Period
        The last two that are over.

    Returns
    -------
    DataFrame
        ``value``: deals; ``beside``: colleagues; earned on the day of the third deal.
    """
    inside = parts["closed_on"].between(pd.Timestamp(quarters[0].start), pd.Timestamp(quarters[-1].end))
    rows = parts[inside & (parts["rep_id"] != parts["owner"])].sort_values(["rep_id", "closed_on"])
    if rows.empty:
        return _none()
    by = rows.groupby("rep_id").agg(deals=("opportunity_id", "nunique"), colleagues=("owner", "nunique"))
    third = rows[rows.groupby("rep_id").cumcount() == LEAST_HELP - 1].set_index("rep_id")["closed_on"]
    by = by.join(third.rename("third"))
    won = by[(by["deals"] >= LEAST_HELP) & (by["colleagues"] >= LEAST_HELPED)]
    return _badge(
        "helped_colleagues", won.index, won["third"], value=won["deals"], beside=won["colleagues"], n=won["deals"]
    )


def actions_closed(actions: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """``actions_closed``: everything agreed and due in the last quarter is done (at least three actions).

    What was dropped by agreement does not count either way; ``value``: actions done.
    """
    today = pd.Timestamp(as_of)
    due = pd.to_datetime(actions["due_on"]).between(today - pd.Timedelta(days=RECENT_DAYS), today)
    rows = actions[due & (actions["state"] != "dropped")]
    if rows.empty:
        return _none()
    done = rows["state"].eq("done").groupby(rows["rep_id"]).agg(["sum", "size"])
    said = pd.to_datetime(rows["said_on"]).dt.normalize()
    last = said.fillna(pd.to_datetime(rows["due_on"])).groupby(rows["rep_id"]).max()
    won = done[(done["sum"] == done["size"]) & (done["size"] >= LEAST_ACTIONS)]
    earned = last.where(last < today, today).reindex(won.index)
    return _badge("actions_closed", won.index, earned, value=won["size"], beside=np.nan, n=won["size"])


def first_win(evidence: Evidence, expected: pd.Series) -> pd.DataFrame:
    """``first_win``: a deal won after a stretch without one that chance brings in one of a hundred cases.

    Parameters
    ----------
    evidence : Evidence
    expected : Series
        By rep: win rate that was to be expected of his deals; a deal's own ``chance`` counts where it is known.

    Returns
    -------
    DataFrame
        ``value``: deals that ended otherwise in a row; ``beside``: wins that were to be expected among them.
    """
    deals = evidence.deals.sort_values(["rep_id", "closed_on", "opportunity_id"])
    if deals.empty:
        return _none()
    own = deals["chance"] if "chance" in deals else pd.Series(np.nan, index=deals.index)
    chance = own.fillna(deals["rep_id"].map(expected).astype(float)).astype(float).clip(0.01, 0.99)
    wins = deals["won"].astype(int)
    rows = deals.assign(  # a stretch ends with the win that follows it
        stretch=wins.groupby(deals["rep_id"]).cumsum() - wins, lost=1 - wins, awaited=chance.where(wins == 0, 0.0),
        hard=pd.Series(np.log1p(-chance), index=deals.index).where(wins == 0, 0.0),
    ).dropna(subset="hard")  # fmt: skip
    by = rows.groupby(["rep_id", "stretch"]).agg(
        lost=("lost", "sum"), won=("won", "any"), hard=("hard", "sum"), awaited=("awaited", "sum"),
        day=("closed_on", "last"),
    ).reset_index()  # fmt: skip
    since = pd.Timestamp(evidence.as_of) - pd.Timedelta(days=RECENT_DAYS)
    known = by[by["won"] & by["hard"].le(np.log(HARD)) & by["lost"].ge(LEAST_DEALS) & by["day"].gt(since)]
    won = known.sort_values("day").drop_duplicates("rep_id", keep="last").set_index("rep_id")
    return _badge("first_win", won.index, won["day"], value=won["lost"], beside=won["awaited"], n=won["lost"])


def _badge(badge: str, reps: pd.Index, earned_on: Any, **columns: Any) -> pd.DataFrame:
    plain = {name: part.to_numpy() if isinstance(part, pd.Series) else part for name, part in columns.items()}
    day = earned_on.to_numpy() if isinstance(earned_on, pd.Series) else earned_on
    rows = pd.DataFrame({"rep_id": np.asarray(reps), "badge": badge, "part": "", "earned_on": day, **plain})
    return rows.assign(low=np.nan, high=np.nan)[COLUMNS]


def _none() -> pd.DataFrame:
    return pd.DataFrame(columns=COLUMNS)
