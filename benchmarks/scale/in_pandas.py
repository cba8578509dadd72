"""KPIs by rep and quarter in plain pandas, written without the registry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spm_models.periods import Period

ACTIVITIES = {"calls": "call", "meetings": "meeting", "emails": "email", "demos": "demo", "proposals": "proposal",
              "content_shared": "content"}  # fmt: skip


def values(folder: Path, periods: Sequence[Period], as_of: pd.Timestamp, zone: str) -> pd.DataFrame:
    """``kpi``, ``rep``, ``period``, ``value``."""
    deals = pd.read_parquet(folder / "opportunities.parquet").astype({"amount": "float64"})
    for day in ("created_on", "closed_on", "expected_close_on"):
        deals[day] = pd.to_datetime(deals[day])
    history = pd.read_parquet(folder / "opportunity_history.parquet")
    done = pd.read_parquet(folder / "activities.parquet", columns=["opportunity_id", "rep_id", "kind", "happened_at",
                                                                   "due_at"])  # fmt: skip
    done["day"], done["due"] = _local(done["happened_at"], zone), _local(done["due_at"], zone)
    first = pd.Series(pd.Timestamp(periods[0].start))
    edges = pd.to_datetime([one.start for one in periods] + [periods[-1].end + pd.Timedelta(days=1)])
    assert first[0] == edges[0]
    labels = [one.label for one in periods]

    def quarter(day: pd.Series) -> pd.Series:
        return pd.cut(day, edges, right=False, labels=labels).astype("str")

    found = {**_closed(deals, done, quarter), **_activities(done, quarter, as_of)}
    created = deals.assign(period=quarter(deals["created_on"]), won=deals["status"] == "won")
    created = created[created["period"] != "nan"].groupby(["rep_id", "period"])["won"]
    found |= {"new_opportunities": created.size(), "win_rate_of_cohort": created.mean()}
    found |= _open(deals, history, done, periods, zone)
    parts = [
        series.rename("value").reset_index().assign(kpi=name).rename(columns={"rep_id": "rep"})
        for name, series in found.items()
    ]
    return pd.concat(parts, ignore_index=True)[["kpi", "rep", "period", "value"]].astype({"value": "float64"})


def _local(instants: pd.Series, zone: str) -> pd.Series:
    return instants.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()


def _closed(deals: pd.DataFrame, done: pd.DataFrame, quarter: object) -> dict[str, pd.Series]:
    closed = deals[deals["status"].isin(["won", "lost"])]
    closed = closed.assign(period=quarter(closed["closed_on"]), won=closed["status"] == "won",
                           days=(closed["closed_on"] - closed["created_on"]).dt.days)  # fmt: skip
    closed = closed[closed["period"] != "nan"]
    met = done.loc[done["kind"] == "meeting", ["opportunity_id", "day"]]
    met = met.merge(closed[["opportunity_id", "closed_on"]], on="opportunity_id")
    met = met[met["day"] <= met["closed_on"]].groupby("opportunity_id").size()
    closed["meetings"] = closed["opportunity_id"].map(met).fillna(0)
    by, won = closed.groupby(["rep_id", "period"]), closed[closed["won"]].groupby(["rep_id", "period"])
    wins = won.size()
    meetings = by["meetings"].sum()
    return {
        "win_rate": by["won"].mean(), "loss_rate": 1 - by["won"].mean(), "deals_closed": by.size(), "deals_won": wins,
        "deals_lost": by.size() - wins.reindex(by.size().index, fill_value=0), "revenue": won["amount"].sum(),
        "average_deal_value": won["amount"].mean(), "sales_cycle_of_won": won["days"].median(),
        "average_ticket": won["amount"].sum() / won["account_id"].nunique(),
        "meetings_per_win": meetings.reindex(wins.index) / wins, "discount": won["discount"].mean(),
        "win_rate_after_meeting": closed[closed["meetings"] > 0].groupby(["rep_id", "period"])["won"].mean(),
    }  # fmt: skip


def _activities(done: pd.DataFrame, quarter: object, as_of: pd.Timestamp) -> dict[str, pd.Series]:
    t = done.assign(period=quarter(done["day"]))
    t = t[t["period"] != "nan"]
    found = {"activities": t.groupby(["rep_id", "period"]).size()}
    for name, kind in ACTIVITIES.items():
        found[name] = t[t["kind"] == kind].groupby(["rep_id", "period"]).size()
    planned = done[done["due"].notna()]
    planned = planned.assign(period=quarter(planned["due"]))
    planned = planned[planned["period"] != "nan"]
    over = planned["day"] <= as_of
    planned = planned.assign(done=over, in_time=over & (planned["day"] <= planned["due"]))
    by = planned.groupby(["rep_id", "period"])
    return found | {"plan_fulfilment": by["done"].mean(), "follow_up_in_time": by["in_time"].mean()}


def _open(
    deals: pd.DataFrame, history: pd.DataFrame, done: pd.DataFrame, periods: Sequence[Period], zone: str
) -> dict[str, pd.Series]:
    """Deals open at the end of each quarter, at the amount that stood there then."""
    amounts = history[history["field"] == "amount"].sort_values("changed_at", kind="stable")
    amounts = amounts.assign(day=_local(amounts["changed_at"], zone), amount=amounts["new"].astype("float64"))
    parts = []
    for one in periods:
        end = pd.Timestamp(one.end)
        is_open = (deals["created_on"] <= end) & ~(deals["closed_on"] <= end)
        here = deals.loc[is_open, ["opportunity_id", "rep_id", "created_on"]].assign(period=one.label, at=end)
        then = amounts[amounts["day"] <= end].groupby("opportunity_id")["amount"].last()
        touched = done[(done["day"] <= end) & done["opportunity_id"].isin(here["opportunity_id"])]
        last = touched.groupby("opportunity_id")["happened_at"].max()
        quiet = pd.Timestamp(end + pd.Timedelta(days=1)).tz_localize(zone).tz_convert("UTC").tz_localize(None) - last
        days = here["opportunity_id"].map(quiet).dt.days.fillna((end - here["created_on"]).dt.days)
        parts.append(here.assign(amount=here["opportunity_id"].map(then), days=days))
    t = pd.concat(parts)
    by = t.groupby(["rep_id", "period"])
    return {"open_deals": by.size(), "open_pipeline": by["amount"].sum(), "days_since_touch": by["days"].median()}
