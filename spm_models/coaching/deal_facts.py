"""Facts of deals that a coaching review looks at: closed ones, their stays in stages and silences, and open ones."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.source import Source
from spm_models.kpis.working_time import UNKNOWN, tenure_band
from spm_models.snapshots import stage_visits

#: In which circumstances a deal was sold; what is compared is compared within them.
DEAL_CONTEXT = ("region", "territory", "segment", "industry", "kind", "source", "family", "tenure", "period")
_OPEN = ["opportunity_id", "rep_id", "account_id", "amount", "stage", "age_days", "days_since_activity"]


def closed_deals(source: Source, outcomes: pd.DataFrame, reps: pd.DataFrame, since: date) -> pd.DataFrame:
    """Deals closed from ``since`` on, as ``Evidence.deals`` states."""
    tables, as_of = source.tables, source.as_of
    closed = outcomes["closed_on"].between(pd.Timestamp(since), pd.Timestamp(as_of))
    deals = outcomes.loc[closed, ["opportunity_id", "rep_id", "won", "amount", "created_on", "closed_on"]]
    deals = deals.merge(reps[["rep_id", "region", "territory", "hired_on"]], on="rep_id")
    deals = deals.merge(_settled(tables, as_of), on="opportunity_id", how="left")
    deals["days"] = (deals["closed_on"] - deals["created_on"]).dt.days.astype(float)
    deals["tenure"] = tenure_band(deals["hired_on"], deals["closed_on"])
    deals["period"] = source.calendar.quarter_labels(deals["closed_on"])
    deals["price_kept"] = 1.0 - deals["discount"].astype(float)
    deals = deals.merge(_contacts(source, deals), on="opportunity_id", how="left")
    if "activities" in tables or "calls" in tables:
        deals["activities"] = deals["activities"].fillna(0.0)
        deals["longest_silence"] = deals["longest_silence"].fillna(deals["days"].clip(lower=0))
    for column in ("product", *DEAL_CONTEXT):
        deals[column] = deals[column].astype("str").fillna(UNKNOWN).replace("", UNKNOWN)
    columns = ["opportunity_id", "rep_id", "won", "amount", "days", "activities", "created_on", "closed_on",
               "price_kept", "longest_silence", "product", *DEAL_CONTEXT]  # fmt: skip
    return deals[columns].sort_values("opportunity_id", ignore_index=True)


def stage_exits(tables: Tables, as_of: date, outcomes: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame | None:
    """Stages that the window's closed deals got beyond or were lost in; one row a deal and stage.

    A deal that falls back and comes again is counted once a stage, with its last stay.
    """
    if not tables.has_history or not tables.stages:
        return None
    known = frame(tables["opportunities"].select("opportunity_id", "rep_id", "created_on", "stage"))
    known = known[known["created_on"] <= pd.Timestamp(as_of)]
    ended = outcomes[["opportunity_id", "closed_on", "won"]]
    known = known.merge(ended, on="opportunity_id", how="left")
    known["status"] = np.where(known["won"].isna(), "open", np.where(known["won"].eq(True), "won", "lost"))
    visits = stage_visits(tables, as_of, known.drop(columns="won"))
    visits = visits[visits["ended"].isin(["advanced", "won", "lost"])]
    visits = visits.drop_duplicates(["opportunity_id", "stage"], keep="last")
    visits = visits.merge(deals, on="opportunity_id")
    visits["advanced"] = visits["ended"].ne("lost")
    columns = ["opportunity_id", "rep_id", "stage", "place", "advanced", "days", "left_on", *DEAL_CONTEXT]
    return visits[columns].sort_values(["opportunity_id", "place"], ignore_index=True)


def open_deals(pipeline: pd.DataFrame, deal_scores: pd.DataFrame | None) -> pd.DataFrame:
    """Deals open on the day, with their win probability where there are scores."""
    found = pipeline[_OPEN].reset_index(drop=True)
    if deal_scores is None:
        return found.assign(win_probability=np.nan)
    return found.merge(deal_scores[["opportunity_id", "win_probability"]], on="opportunity_id", how="left")


def touches(tables: Tables) -> ir.Table | None:
    """Contacts with customers, activities done and calls taken: ``rep_id``, ``opportunity_id``, ``at``."""
    parts = []
    if "activities" in tables:
        t = tables["activities"]
        parts.append(t.filter(t.happened_at.notnull()).select("rep_id", "opportunity_id", at=t.happened_at))
    if "calls" in tables:
        t = tables["calls"]
        taken = t.filter(~t.abandoned.fill_null(False), t.opportunity_id.notnull(), t.rep_id.notnull())
        parts.append(taken.select("rep_id", "opportunity_id", at=taken.offered_at))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def _contacts(source: Source, deals: pd.DataFrame) -> pd.DataFrame:
    """Number of contacts of each closed deal, and its longest time without one (days)."""
    done = touches(source.tables)
    if done is None or deals.empty:
        return pd.DataFrame({"opportunity_id": pd.Series(dtype="str"), "activities": pd.Series(dtype=float),
                             "longest_silence": pd.Series(dtype=float)})  # fmt: skip
    spans = deals[["opportunity_id", "created_on", "closed_on"]].drop_duplicates("opportunity_id")
    known = ibis.memtable(spans.astype({"opportunity_id": "str"}))
    t = done.filter(done["at"] < source.cutoff)
    t = t.mutate(day=source.local_day(t["at"])).inner_join(known, "opportunity_id")
    t = t.mutate(created=t.created_on.cast("date"), closed=t.closed_on.cast("date"))
    counted = t.group_by("opportunity_id").aggregate(activities=t.count().cast("float64"))
    t = t.filter(t.day <= t.closed)
    before = t.day.lag().over(group_by="opportunity_id", order_by=t.day)
    t = t.mutate(gap=t.day.epoch_days() - ibis.coalesce(before, t.created).epoch_days())
    silent = t.group_by("opportunity_id").aggregate(
        longest=t.gap.max(), last=(t.closed.epoch_days() - t.day.epoch_days()).min()
    )
    longest = ibis.greatest(silent.longest, silent.last, 0).cast("float64")
    silent = silent.select("opportunity_id", longest_silence=longest)
    return frame(counted.left_join(silent, "opportunity_id").drop("opportunity_id_right"))


def _settled(tables: Tables, as_of: date) -> pd.DataFrame:
    """What was settled when each deal was created; the discount, which nobody dates, from the extract on."""
    deals = tables["opportunities"]
    seen = as_of >= tables.extracted_on
    discount = deals.discount.cast("float64") if seen else ibis.null("float64")
    context: ir.Table = deals.select(
        "opportunity_id", "account_id", "product_id", "kind", "source", discount=discount, product=deals.product_id
    )
    if "accounts" in tables:
        context = context.left_join(tables["accounts"].select("account_id", "segment", "industry"), "account_id")
        context = context.drop("account_id_right")
    if "products" in tables:
        context = context.left_join(tables["products"].select("product_id", "family"), "product_id")
        context = context.drop("product_id_right")
    found = frame(context.drop("account_id", "product_id"))
    for column in ("segment", "industry", "family"):
        if column not in found:
            found[column] = UNKNOWN
    return found
