"""What reps did, by quarter and by week, beside the days on which they were at work; and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import pandas as pd

from spm_models.coaching.deal_facts import touches
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis import compute
from spm_models.kpis.source import Source
from spm_models.kpis.working_time import tenure_band, working_days
from spm_models.periods import Period
from spm_models.snapshots import cutoff

TIME_CONTEXT = ("region", "territory", "tenure", "period")
_FEW_WON = 5.0  # won deals of a product that weigh as much as the average of all products
RESULTS = ["rep_id", "quota", "won_amount", "open_pipeline", "quota_ahead"]


def created_deals(tables: Tables, as_of: date) -> pd.DataFrame:
    """Deals created by ``as_of`` with the rep who owned them first, as far as the history tells."""
    deals = tables["opportunities"]
    deals = deals.filter(deals.created_on <= ibis.literal(as_of))
    deals = deals.select("opportunity_id", "rep_id", "created_on", "product_id")
    if tables.has_history:
        changes = tables["opportunity_history"]
        changes = changes.filter(
            changes.field == "rep_id", changes.changed_at < ibis.literal(cutoff(as_of, tables.time_zone))
        )
        owner = changes.old.nullif("").coalesce(changes.new)
        first = changes.group_by("opportunity_id").aggregate(first_rep=owner.argmin(changes.changed_at))
        deals = deals.left_join(first, "opportunity_id").drop("opportunity_id_right")
        deals = deals.mutate(rep_id=deals.first_rep.coalesce(deals.rep_id)).drop("first_rep")
    return frame(deals.order_by("opportunity_id"))


def typical_size(created: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series:
    """What a won deal of each deal's product brings, in average deals; shrunk to 1 where few were won."""
    won = outcomes.loc[outcomes["won"] & outcomes["amount"].notna(), ["opportunity_id", "amount"]]
    won = won.merge(created[["opportunity_id", "product_id"]], on="opportunity_id")
    relative = won["amount"] / won["amount"].mean() if len(won) and won["amount"].sum() > 0 else won["amount"]
    by_product = relative.groupby(won["product_id"]).agg(["sum", "size"])
    size = (by_product["sum"] + _FEW_WON) / (by_product["size"] + _FEW_WON)
    return created["product_id"].map(size).fillna(1.0).astype(float)


def work_by_quarter(
    source: Source, reps: pd.DataFrame, periods: Sequence[Period], created: pd.DataFrame, absences: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """``pipeline_creation`` and ``activity`` by rep and quarter; ``created`` with its ``period`` and ``size``."""
    time = working_days(reps, periods, source.as_of, source.calendar, absences)
    time = time.merge(reps[["rep_id", "region", "territory", "hired_on"]], on="rep_id")
    time["tenure"] = tenure_band(time["hired_on"], time["middle"])
    work = {"pipeline_creation": _counted(time, created.groupby(["rep_id", "period"])["size"].sum())}
    if (done := _contacts(source, periods)) is not None:
        work["activity"] = _counted(time, done)
    return work


def work_by_week(
    source: Source, reps: pd.DataFrame, since: date, created: pd.DataFrame, deals: pd.DataFrame,
    absences: pd.DataFrame | None,
) -> pd.DataFrame:  # fmt: skip
    """One row a rep and week of the window, as ``Evidence.weeks`` states."""
    weeks = _weeks(source, since)
    rows = working_days(reps, weeks, source.as_of, source.calendar, absences)
    starts = {week.label: pd.Timestamp(week.start) for week in weeks}
    rows["week"] = rows["period"].map(starts).astype("datetime64[s]")
    counts = {
        "created": created.groupby(["rep_id", _week_of(created["created_on"], weeks)]).size(),
        "closed": deals.groupby(["rep_id", _week_of(deals["closed_on"], weeks)]).size(),
        "won": deals[deals["won"]].groupby(["rep_id", _week_of(deals["closed_on"], weeks)]).size(),
    }
    done = _contacts(source, weeks)
    counts["activity"] = pd.Series(dtype=float) if done is None else done
    keys = {"activity": pd.MultiIndex.from_frame(rows[["rep_id", "period"]])}
    by_day = pd.MultiIndex.from_frame(rows[["rep_id", "week"]])
    for name, counted in counts.items():
        rows[name] = counted.reindex(keys.get(name, by_day)).fillna(0.0).to_numpy(dtype=float)
    if done is None:
        rows["activity"] = float("nan")
    rows = rows[["rep_id", "week", "days", "activity", "created", "closed", "won"]].assign(expected_won=float("nan"))
    return rows.sort_values(["rep_id", "week"], ignore_index=True)


def targets(source: Source, periods: Sequence[Period], running: Sequence[Period]) -> pd.DataFrame:
    """Quota owed and bookings in the whole quarters of the window; pipeline and quota still to come."""
    tables, as_of = source.tables, source.as_of
    if "quotas" not in tables or not running:
        return pd.DataFrame({name: pd.Series(dtype="str" if name == "rep_id" else float) for name in RESULTS})
    whole = [period for period in periods if period.end <= as_of]
    past = compute(tables, ["quota_attainment"], by="rep", period=whole, as_of=as_of) if whole else None
    found = pd.DataFrame(columns=["quota", "won_amount"], dtype=float)
    if past is not None and len(past):
        sums = past.groupby("rep")[["denominator", "numerator"]].sum()
        found = sums.rename(columns={"denominator": "quota", "numerator": "won_amount"})
    ahead = compute(tables, ["pipeline_coverage"], by="rep", period=list(running), as_of=as_of)
    if len(ahead):
        sums = ahead.groupby("rep")[["numerator", "denominator"]].sum()
        found = found.join(
            sums.rename(columns={"numerator": "open_pipeline", "denominator": "quota_ahead"}), how="outer"
        )
    found = found.rename_axis("rep_id").reset_index().reindex(columns=RESULTS)
    return found.astype({"rep_id": "str"} | dict.fromkeys(RESULTS[1:], float)).sort_values("rep_id", ignore_index=True)


def _counted(time: pd.DataFrame, counts: pd.Series) -> pd.DataFrame:
    keys = pd.MultiIndex.from_frame(time[["rep_id", "period"]])
    rows = time.assign(count=counts.reindex(keys, fill_value=0).to_numpy(dtype=float))
    return rows.loc[rows["days"] > 0, ["rep_id", "count", "days", *TIME_CONTEXT]].reset_index(drop=True)


def _contacts(source: Source, periods: Sequence[Period]) -> pd.Series | None:
    """Contacts by rep and period (which do not overlap); counted in the database."""
    done = touches(source.tables)
    if done is None:
        return None
    zone = source.tables.time_zone
    bounds = [cutoff(period.start - timedelta(days=1), zone) for period in periods]
    done = done.filter(done["at"] >= ibis.literal(bounds[0]), done["at"] < source.cutoff)
    days = frame(done.mutate(day=source.local_day(done["at"])).group_by("rep_id", "day").aggregate(n=ibis._.count()))
    starts = pd.to_datetime([period.start for period in periods]).astype("datetime64[s]")
    place = starts.searchsorted(pd.to_datetime(days["day"]).astype("datetime64[s]"), side="right") - 1
    label = pd.Series([periods[int(at)].label for at in place], index=days.index, dtype="str")
    return days["n"].astype(float).groupby([days["rep_id"], label.rename("period")]).sum()


def _weeks(source: Source, since: date) -> list[Period]:
    """Weeks of the window up to the one in which ``as_of`` lies; the first may begin before the window."""
    found = [source.calendar.week(since)]
    while found[-1].end < source.as_of:
        found.append(found[-1].next())
    return found


def _week_of(days: pd.Series, weeks: Sequence[Period]) -> pd.Series:
    """First day of each day's week; empty before the first of them."""
    first = pd.Timestamp(weeks[0].start)
    start = first + pd.to_timedelta((days - first).dt.days // 7 * 7, unit="D")
    return start.where(days >= first).astype("datetime64[s]").rename("week")
