"""Stays of deals in stages, from the history of stage changes, as known at the end of a day."""

from __future__ import annotations

from datetime import date

import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.snapshots.days import cutoff

#: One row a stay; ``ended`` is empty while the deal is still there.
VISITS: dict[str, str] = {
    "opportunity_id": "str",
    "stage": "str",
    "place": "int64",  # 0 = first open stage
    "entered_on": "datetime64[s]",
    "left_on": "datetime64[s]",
    "ended": "str",  # advanced | back | won | lost | other
    "days": "float64",  # until it was left, or until as_of
}


def stage_visits(tables: Tables, as_of: date, deals: pd.DataFrame) -> pd.DataFrame:
    """Every stay of every deal in an open stage.

    Parameters
    ----------
    tables : Tables
        Without ``opportunity_history`` nothing is known and the frame is empty.
    as_of : datetime.date
    deals : DataFrame
        Deals created by ``as_of``, as known then: ``opportunity_id``, ``created_on``, ``closed_on`` (empty while
        open), ``status`` and ``stage`` (of open deals).

    Returns
    -------
    DataFrame
        Columns of :data:`VISITS`, sorted by deal and day. A stay that began before stage changes were recorded is
        left out: nobody knows how long it had lasted. Changes dated after the closing day are edits and count not.
    """
    if not tables.has_history or not tables.stages or deals.empty:
        return _empty()
    raw = tables["opportunity_history"]
    raw = raw.filter(raw.field == "stage").select("opportunity_id", "changed_at", "old", "new")
    changes = frame(raw)
    if changes.empty:
        return _empty()
    changes = changes.sort_values(["opportunity_id", "changed_at"], kind="stable")
    past = changes[changes["changed_at"] < pd.Timestamp(cutoff(as_of, tables.time_zone))]
    steps = _steps(past, deals, tables.time_zone)
    since = _local_day(changes["changed_at"].min(), tables.time_zone)
    return _visits(steps[steps["entered_on"] >= since], deals, tables.stages, as_of)


def _steps(past: pd.DataFrame, deals: pd.DataFrame, zone: str) -> pd.DataFrame:
    """One row a stage that a deal came into, closed stages included, in order of time."""
    days = past["changed_at"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    came = pd.DataFrame({"opportunity_id": past["opportunity_id"], "stage": past["new"], "entered_on": days, "nth": 1})
    first = past.drop_duplicates("opportunity_id").dropna(subset=["old"])
    begun = first[["opportunity_id", "old"]].rename(columns={"old": "stage"})
    still = deals[(deals["status"] == "open") & ~deals["opportunity_id"].isin(past["opportunity_id"])]
    begun = pd.concat([begun, still[["opportunity_id", "stage"]]], ignore_index=True)
    created = deals.set_index("opportunity_id")["created_on"]
    begun = begun.assign(entered_on=begun["opportunity_id"].map(created), nth=0)
    steps = pd.concat([begun, came.assign(nth=1)], ignore_index=True)
    steps = steps[steps["opportunity_id"].isin(deals["opportunity_id"]) & steps["entered_on"].notna()]
    steps = steps.sort_values(["opportunity_id", "nth"], kind="stable")  # changes are in order already
    changed = (steps["stage"] != steps["stage"].shift()) | (steps["opportunity_id"] != steps["opportunity_id"].shift())
    return steps[changed & (steps["stage"].fillna("") != "")]


def _visits(steps: pd.DataFrame, deals: pd.DataFrame, stages: tuple[str, ...], as_of: date) -> pd.DataFrame:
    steps = steps.merge(deals[["opportunity_id", "closed_on", "status"]], on="opportunity_id")
    by_deal = steps.groupby("opportunity_id", sort=False)
    order = {name: place for place, name in enumerate(stages)}
    place = steps["stage"].map(order)
    following, left = by_deal["stage"].shift(-1), by_deal["entered_on"].shift(-1)
    after = following.map(order)
    closed = steps["closed_on"]
    late = left.isna() | (left > closed)  # edits after the close are no moves
    ended = pd.Series(pd.NA, steps.index, dtype="str")
    ended = ended.mask(after.notna() & (after > place), "advanced").mask(after.notna() & (after < place), "back")
    ended = ended.mask(following.notna() & after.isna(), "other")
    last = closed.notna() & (late | after.isna())
    ended = ended.mask(last, steps["status"])
    left = left.mask(closed.notna() & late, closed)
    entered = steps["entered_on"]
    found = pd.DataFrame(
        {"opportunity_id": steps["opportunity_id"], "stage": steps["stage"], "place": place, "entered_on": entered,
         "left_on": left, "ended": ended,
         "days": (left.fillna(pd.Timestamp(as_of)) - entered).dt.days.clip(lower=0).astype(float)}
    )  # fmt: skip
    kept = found["place"].notna() & ~(entered > closed)
    return found[kept].astype(VISITS).reset_index(drop=True)


def _local_day(instant: pd.Timestamp, zone: str) -> pd.Timestamp:
    return instant.tz_localize("UTC").tz_convert(zone).tz_localize(None).normalize()


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in VISITS.items()})
