"""What a pipeline review looks at: deals, their stays in stages and touches, known at the end of a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm import organisation
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.kpis.working_time import UNKNOWN
from spm_models.snapshots import cutoff, outcomes, pipeline, stage_visits

#: What decides what kind of deal it is; settled when a deal is created.
CONTEXT = ("segment", "kind", "source")
_PLACES = ("team", "region")
_TOUCHES = {"opportunity_id": "str", "kind": "str", "at": "datetime64[us]"}
_CONTACTS = {"opportunity_id": "str", "role": "str", "added_on": "datetime64[s]"}
_LEADS = {"rep_id": "str", "source": "str", "created_at": "datetime64[us]", "first_response_at": "datetime64[us]"}
_PLANS = {"opportunity_id": "str", "rep_id": "str", "due_at": "datetime64[us]", "happened_at": "datetime64[us]"}


@dataclass(frozen=True)
class PipelineFacts:
    """Everything that the review may look at; nothing in it was known later than the end of ``as_of``.

    Parameters
    ----------
    as_of : datetime.date
    stages : tuple of str
        Open stages in order.
    open_deals : DataFrame
        The pipeline of the day (``snapshots.pipeline``).
    deals : DataFrame
        One row a deal created by then: ``opportunity_id``, ``rep_id``, ``team``, ``region``, ``segment``, ``kind``,
        ``source``, ``amount``, ``created_on``, ``closed_on``, ``status``, ``stage`` (open deals),
        ``loss_reason``, ``competitor`` and ``discount`` (from the day of the extract on; empty before).
    visits : DataFrame
        Stays in stages (:data:`~spm_models.snapshots.visits.VISITS`), with the deal's ``rep_id``, ``team``,
        ``region``, ``segment``, ``kind``, ``source`` and ``created_on``.
    touches : DataFrame
        Activities done and calls not abandoned: ``opportunity_id``, ``kind``, ``at`` (naive UTC).
    pushes : Series
        Times that the expected close date was moved later before the close, by deal; empty without history.
    contacts : DataFrame
        ``opportunity_id``, ``role``, ``added_on``.
    leads : DataFrame
        ``rep_id``, ``source``, ``created_at``, ``first_response_at`` (empty where not answered by the day).
    plans : DataFrame
        Next steps that were due: ``opportunity_id``, ``rep_id``, ``due_at``, ``happened_at`` (empty: not done).
    off : Mapping of str to str
        What cannot be said of this source, and why.
    """

    as_of: date
    stages: tuple[str, ...]
    open_deals: pd.DataFrame
    deals: pd.DataFrame
    visits: pd.DataFrame
    touches: pd.DataFrame
    pushes: pd.Series
    contacts: pd.DataFrame
    leads: pd.DataFrame = field(default_factory=lambda: _nothing(_LEADS))
    plans: pd.DataFrame = field(default_factory=lambda: _nothing(_PLANS))
    off: Mapping[str, str] = field(default_factory=dict)

    @property
    def closed(self) -> pd.DataFrame:
        """Deals won or lost by the end of the day."""
        return self.deals[self.deals["status"] != "open"]


def gather(
    tables: Tables, as_of: date, *, open_deals: pd.DataFrame | None = None, closed: pd.DataFrame | None = None,
    people: pd.DataFrame | None = None,
) -> PipelineFacts:  # fmt: skip
    """Gather the facts of one day.

    Parameters
    ----------
    tables : Tables
        Tables that are missing take away what needs them; ``off`` says so.
    as_of : datetime.date
    open_deals, closed, people : DataFrame, optional
        ``snapshots.pipeline``, ``snapshots.outcomes`` and ``crm.organisation`` of the day, where they are at hand.

    Returns
    -------
    PipelineFacts
    """
    open_deals = pipeline(tables, as_of) if open_deals is None else open_deals
    closed = outcomes(tables, as_of) if closed is None else closed
    people = organisation(tables, as_of) if people is None else people
    deals = _deals(tables, as_of, open_deals, closed, people)
    visits = stage_visits(tables, as_of, deals)
    columns = ["opportunity_id", "rep_id", *_PLACES, *CONTEXT, "created_on"]
    visits = visits.merge(deals[columns], on="opportunity_id", how="left")
    return PipelineFacts(
        as_of, tables.stages, open_deals, deals, visits, _touches(tables, as_of), _pushes(tables, as_of, deals),
        _contacts(tables, as_of), _leads(tables, as_of), _plans(tables, as_of), _off(tables, as_of),
    )  # fmt: skip


def _deals(
    tables: Tables, as_of: date, open_deals: pd.DataFrame, closed: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    still = open_deals[["opportunity_id", "rep_id", "amount", "created_on", "stage"]].assign(status="open")
    both = pd.concat([closed.drop(columns="won"), still], ignore_index=True)
    both["closed_on"] = pd.to_datetime(both["closed_on"]).astype("datetime64[s]")
    told = frame(_settled(tables, as_of))
    both = both.merge(told, on="opportunity_id", how="left")
    places = people.set_index("rep_id")
    for name in _PLACES:
        both[name] = both["rep_id"].map(places[name])
    for name in (*_PLACES, *CONTEXT):
        both[name] = both[name].astype("str").fillna(UNKNOWN)
    return both.sort_values("opportunity_id", ignore_index=True)


def _settled(tables: Tables, as_of: date) -> ir.Table:
    """What was settled at creation, and what nobody dates: the latter is known from the extract on only."""
    extracted = as_of >= tables.extracted_on
    t = tables["opportunities"]

    def seen(name: str, creation: bool) -> ir.Value:
        known = extracted or name in tables.known_at_creation or (creation and tables.has_history)
        return t[name] if known else ibis.null(t[name].type())

    t = t.select(
        "opportunity_id", account_id=seen("account_id", True), kind=seen("kind", True), source=seen("source", True),
        loss_reason=seen("loss_reason", False), competitor=seen("competitor", False),
        discount=seen("discount", False).cast("float64"),
    )  # fmt: skip
    if "accounts" not in tables:
        return t.mutate(segment=ibis.null("string"))
    accounts = tables["accounts"].select("account_id", "segment")
    return t.left_join(accounts, "account_id").drop("account_id_right")


def _touches(tables: Tables, as_of: date) -> pd.DataFrame:
    until = ibis.literal(cutoff(as_of, tables.time_zone))
    parts = []
    if "activities" in tables:
        t = tables["activities"]
        parts.append(t.select("opportunity_id", "kind", at=t.happened_at))
    if "calls" in tables:
        t = tables["calls"].filter(~tables["calls"].abandoned.fill_null(False))
        parts.append(t.select("opportunity_id", kind=ibis.literal("call"), at=t.offered_at))
    if not parts:
        return _nothing(_TOUCHES)
    both = parts[0] if len(parts) == 1 else ibis.union(*parts)
    found = frame(both.filter(both.opportunity_id.notnull(), both["at"] < until))
    return found.sort_values(["opportunity_id", "at", "kind"], ignore_index=True)


def _pushes(tables: Tables, as_of: date, deals: pd.DataFrame) -> pd.Series:
    """Pushes of each deal until it was closed, or until the day."""
    if not tables.has_history or deals.empty:
        return pd.Series(dtype="float64", name="pushes")
    t = tables["opportunity_history"]
    t = t.filter(t.field == "expected_close_on", t.changed_at < ibis.literal(cutoff(as_of, tables.time_zone)))
    rows = frame(t.select("opportunity_id", "changed_at", "old", "new")).sort_values(["opportunity_id", "changed_at"])
    old = pd.to_datetime(rows["old"].fillna(rows.groupby("opportunity_id")["new"].shift()), errors="coerce")
    closed = rows["opportunity_id"].map(deals.set_index("opportunity_id")["closed_on"])
    later = (pd.to_datetime(rows["new"], errors="coerce") > old) & ~(rows["changed_at"].dt.normalize() > closed)
    counts = later.groupby(rows["opportunity_id"]).sum()
    pushes: pd.Series = counts.reindex(deals["opportunity_id"], fill_value=0).astype(float).rename("pushes")
    return pushes


def _contacts(tables: Tables, as_of: date) -> pd.DataFrame:
    if "contacts" not in tables:
        return _nothing(_CONTACTS)
    t = tables["contacts"]
    t = t.filter(t.added_on <= ibis.literal(as_of)).select("opportunity_id", "role", "added_on")
    return frame(t).sort_values(["opportunity_id", "added_on", "role"], ignore_index=True)


def _leads(tables: Tables, as_of: date) -> pd.DataFrame:
    if "leads" not in tables:
        return _nothing(_LEADS)
    until = ibis.literal(cutoff(as_of, tables.time_zone))
    t = tables["leads"].filter(lambda t: (t.created_at < until) & t.rep_id.notnull())
    answered = ibis.ifelse(t.first_response_at < until, t.first_response_at, None)
    found = frame(t.select("lead_id", "rep_id", "source", "created_at", first_response_at=answered))
    return found.sort_values("lead_id", ignore_index=True)[list(_LEADS)].astype(_LEADS)


def _plans(tables: Tables, as_of: date) -> pd.DataFrame:
    if "activities" not in tables:
        return _nothing(_PLANS)
    until = ibis.literal(cutoff(as_of, tables.time_zone))
    t = tables["activities"].filter(lambda t: t.due_at < until)
    done = ibis.ifelse(t.happened_at < until, t.happened_at, None)
    found = frame(t.select("activity_id", "opportunity_id", "rep_id", "due_at", happened_at=done))
    return found.sort_values("activity_id", ignore_index=True)[list(_PLANS)].astype(_PLANS)


def _nothing(columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def _off(tables: Tables, as_of: date) -> dict[str, str]:
    off = {}
    if not tables.has_history:
        off["dwell"] = "no opportunity_history: days in a stage, bottlenecks and pushes are unknown"
    if "activities" not in tables and "calls" not in tables:
        off["touches"] = "no activities and no calls: silence and what goes with winning are unknown"
    if as_of < tables.extracted_on:
        off["losses"] = "loss reasons, competitors and discounts are undated: known from the day of the extract on only"
    return off
