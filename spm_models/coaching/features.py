"""What each rep did in the last quarters, in which context: the evidence of a coaching review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.working_time import UNKNOWN, quarters_until, tenure_band, working_days
from spm_models.periods import FiscalCalendar, Period
from spm_models.snapshots import cutoff

#: Signals and the tables that each needs beside ``reps`` and ``opportunities``.
SIGNALS: dict[str, tuple[str, ...]] = {
    "win_rate": (),
    "cycle": (),
    "pipeline_creation": (),
    "activity": ("activities",),
}
DEAL_CONTEXT = ("region", "territory", "segment", "industry", "kind", "source", "family", "tenure", "period")
_FEW_WON = 5.0  # won deals of a product that weigh as much as the average of all products
TIME_CONTEXT = ("region", "territory", "tenure", "period")


@dataclass(frozen=True)
class Evidence:
    """What a review looks at; every frame holds only what was known at the end of ``as_of``.

    Parameters
    ----------
    as_of, since : date
        The window, both days included.
    reps : DataFrame
        One row a rep (people with another role are left out): ``rep_id``, ``region``, ``territory``, ``hired_on``,
        ``left_on``, ``start_on`` (hired, or first seen where that is unknown).
    deals : DataFrame
        One row a deal closed in the window: ``opportunity_id``, ``rep_id`` (owner at the close), ``won``,
        ``amount``, ``days`` (creation to close), ``activities`` (empty without that table) and the context.
    work : dict of str to DataFrame
        ``pipeline_creation`` and ``activity``: one row a rep and quarter with ``count``, ``days`` worked and the
        context. New deals count in average deals: one of a product whose won deals bring twice the average is 2, so
        that few large deals are not taken for little pipeline.
    working_week : int
        Working days of a week.
    """

    as_of: date
    since: date
    reps: pd.DataFrame
    deals: pd.DataFrame
    work: dict[str, pd.DataFrame]
    working_week: int = 5

    @property
    def quarters(self) -> float:
        """Length of the window in quarters."""
        return ((self.as_of - self.since).days + 1) / 91.3125


def evidence(
    tables: Tables,
    outcomes: pd.DataFrame,
    organisation: pd.DataFrame,
    as_of: date,
    *,
    calendar: FiscalCalendar | None = None,
    quarters: int = 4,
) -> Evidence:
    """Gather the evidence of the last quarters.

    Parameters
    ----------
    tables : Tables
        Tables that are missing take their signals away, nothing else.
    outcomes : DataFrame
        ``snapshots.outcomes(tables, as_of)``.
    organisation : DataFrame
        ``crm.organisation(tables, as_of)``: everybody's place on that day.
    as_of : date
    calendar : FiscalCalendar, optional
        Calendar quarters and a Monday-to-Friday week without it.
    quarters : int
        Whole quarters to look back; the running one comes on top.

    Returns
    -------
    Evidence
    """
    calendar = calendar or FiscalCalendar()
    periods = quarters_until(as_of, calendar, quarters)
    people = organisation[organisation["role"].isna() | (organisation["role"] == "rep")]
    created = _created(tables, as_of)
    reps = _in_role(people, outcomes, created)
    absences = frame(tables["absences"].select("rep_id", "starts_on", "ends_on")) if "absences" in tables else None
    time = working_days(reps, periods, as_of, calendar, absences)
    time = time.merge(reps[["rep_id", "region", "territory", "hired_on"]], on="rep_id")
    time["tenure"] = tenure_band(time["hired_on"], time["middle"])
    created = created.assign(
        period=calendar.quarter_labels(created["created_on"]), size=_typical_size(created, outcomes)
    )
    work = {"pipeline_creation": _counted(time, created.groupby(["rep_id", "period"])["size"].sum())}
    if "activities" in tables:
        work["activity"] = _counted(time, _activities(tables, periods, as_of))
    deals = _closed_deals(tables, outcomes, reps, periods[0].start, as_of, calendar)
    return Evidence(as_of, periods[0].start, reps, deals, work, 7 - len(calendar.weekend))


def _created(tables: Tables, as_of: date) -> pd.DataFrame:
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


def _typical_size(created: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series:
    """What a won deal of each deal's product brings, in average deals; shrunk to 1 where few were won."""
    won = outcomes.loc[outcomes["won"] & outcomes["amount"].notna(), ["opportunity_id", "amount"]]
    won = won.merge(created[["opportunity_id", "product_id"]], on="opportunity_id")
    relative = won["amount"] / won["amount"].mean() if len(won) and won["amount"].sum() > 0 else won["amount"]
    by_product = relative.groupby(won["product_id"]).agg(["sum", "size"])
    size = (by_product["sum"] + _FEW_WON) / (by_product["size"] + _FEW_WON)
    return created["product_id"].map(size).fillna(1.0).astype(float)


def _in_role(people: pd.DataFrame, outcomes: pd.DataFrame, created: pd.DataFrame) -> pd.DataFrame:
    seen = pd.concat([created[["rep_id", "created_on"]], outcomes[["rep_id", "created_on"]]])
    first = seen.groupby("rep_id")["created_on"].min()
    reps = people[["rep_id", "region", "territory", "hired_on", "left_on"]].sort_values("rep_id", ignore_index=True)
    for column in ("hired_on", "left_on"):
        reps[column] = pd.to_datetime(reps[column]).astype("datetime64[s]")
    for column in ("region", "territory"):
        reps[column] = reps[column].astype("str").fillna(UNKNOWN)
    begun = pd.Series(first.reindex(reps["rep_id"]).to_numpy(), index=reps.index).astype("datetime64[s]")
    reps["start_on"] = reps["hired_on"].fillna(begun)
    return reps


def _activities(tables: Tables, periods: list[Period], as_of: date) -> pd.Series:
    """Activities that took place, by rep and quarter; counted in the database."""
    done = tables["activities"]
    bounds = [cutoff(period.start - timedelta(days=1), tables.time_zone) for period in periods]
    end = cutoff(as_of, tables.time_zone)
    done = done.filter(done.happened_at >= ibis.literal(bounds[0]), done.happened_at < ibis.literal(end))
    cases = [
        (done.happened_at >= ibis.literal(bound), ibis.literal(period.label))
        for bound, period in zip(reversed(bounds), reversed(periods), strict=True)
    ]
    counted = done.mutate(period=ibis.cases(*cases)).group_by("rep_id", "period").aggregate(count=ibis._.count())
    return frame(counted).set_index(["rep_id", "period"])["count"]


def _counted(time: pd.DataFrame, counts: pd.Series) -> pd.DataFrame:
    keys = pd.MultiIndex.from_frame(time[["rep_id", "period"]])
    rows = time.assign(count=counts.reindex(keys, fill_value=0).to_numpy(dtype=float))
    return rows.loc[rows["days"] > 0, ["rep_id", "count", "days", *TIME_CONTEXT]].reset_index(drop=True)


def _closed_deals(
    tables: Tables, outcomes: pd.DataFrame, reps: pd.DataFrame, since: date, as_of: date, calendar: FiscalCalendar
) -> pd.DataFrame:
    closed = outcomes["closed_on"].between(pd.Timestamp(since), pd.Timestamp(as_of))
    deals = outcomes.loc[closed, ["opportunity_id", "rep_id", "won", "amount", "created_on", "closed_on"]]
    deals = deals.merge(reps[["rep_id", "region", "territory", "hired_on"]], on="rep_id")
    deals = deals.merge(_deal_context(tables, as_of), on="opportunity_id", how="left")
    deals["days"] = (deals["closed_on"] - deals["created_on"]).dt.days.astype(float)
    deals["tenure"] = tenure_band(deals["hired_on"], deals["closed_on"])
    deals["period"] = calendar.quarter_labels(deals["closed_on"])
    for column in DEAL_CONTEXT:
        deals[column] = deals[column].astype("str").fillna(UNKNOWN).replace("", UNKNOWN)
    columns = ["opportunity_id", "rep_id", "won", "amount", "days", "activities", *DEAL_CONTEXT]
    return deals[columns].sort_values("opportunity_id", ignore_index=True)


def _deal_context(tables: Tables, as_of: date) -> pd.DataFrame:
    """What was settled when each deal was created, and how often it was worked on since."""
    deals = tables["opportunities"]
    context: ir.Table = deals.select("opportunity_id", "account_id", "product_id", "kind", "source")
    if "accounts" in tables:
        context = context.left_join(tables["accounts"].select("account_id", "segment", "industry"), "account_id")
        context = context.drop("account_id_right")
    if "products" in tables:
        context = context.left_join(tables["products"].select("product_id", "family"), "product_id")
        context = context.drop("product_id_right")
    if "activities" in tables:
        done = tables["activities"]
        done = done.filter(done.happened_at < ibis.literal(cutoff(as_of, tables.time_zone)))
        touched = done.group_by("opportunity_id").aggregate(activities=ibis._.count().cast("float64"))
        context = context.left_join(touched, "opportunity_id").drop("opportunity_id_right")
        context = context.mutate(activities=context.activities.fill_null(0.0))
    found = frame(context.drop("account_id", "product_id"))
    for column, empty in (("segment", UNKNOWN), ("industry", UNKNOWN), ("family", UNKNOWN), ("activities", np.nan)):
        if column not in found:
            found[column] = empty
    return found
