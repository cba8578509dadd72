"""What surrounds a deal on a day: who its owner belonged to, and what had been done for it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from spm_models.crm.tables import Tables
from spm_models.snapshots.days import whole_days

RECENT_DAYS = 30


def belonging(tables: Tables, days: ir.Table) -> ir.Table:
    """One row per rep and day: manager, team, region, territory and tenure on that day.

    The same rules as :func:`spm_models.crm.organisation`, for many days at once: the dated assignment that holds on
    the day (the later start wins where two overlap), without such a table the undated columns of ``reps``. Who had
    left keeps the place of his last day; nobody is his own manager.
    """
    reps = tables["reps"]
    grid = reps.cross_join(days.select("as_of"))
    tenure = (grid.as_of.epoch_days() - grid.hired_on.epoch_days()).cast("float64")
    base = grid.select(
        "rep_id", "as_of", "team", "region", undated_manager=grid.manager_id,
        day=ibis.ifelse(grid.left_on <= grid.as_of, grid.left_on, grid.as_of),
        rep_tenure_days=ibis.ifelse(tenure >= 0, tenure, None),
    )  # fmt: skip
    base = _assigned(tables, base, "reporting_lines", "manager_id", base.undated_manager)
    base = _assigned(tables, base, "territories", "territory", base.region)
    return base.mutate(manager_id=base.manager_id.nullif(base.rep_id)).drop("undated_manager", "day")


def _assigned(tables: Tables, base: ir.Table, table: str, column: str, undated: ir.StringValue) -> ir.Table:
    """Add ``column`` from a dated assignment, or from what holds without dates."""
    if table not in tables:
        return base.mutate(**{column: undated})
    lines = tables[table].rename(line_rep="rep_id").select("line_rep", column, "valid_from", "valid_to")
    keys = base.select("rep_id", "as_of", "day")
    held = keys.inner_join(
        lines,
        [
            keys.rep_id == lines.line_rep,
            keys.day >= lines.valid_from,
            lines.valid_to.isnull() | (keys.day <= lines.valid_to),
        ],
    )
    latest = held.group_by("rep_id", "as_of").aggregate(**{column: held[column].argmax(held.valid_from)})
    return base.left_join(latest, ["rep_id", "as_of"]).drop("rep_id_right", "as_of_right")


def touches(tables: Tables, grid: ir.Table) -> ir.Table | None:
    """One row per deal and day with activities: counts, recency, and planned ones that are overdue.

    A planned activity is known from the day on which it was due; whether it was done later is not.
    """
    if "activities" not in tables:
        return None
    done = tables["activities"].select("opportunity_id", "kind", "happened_at", "due_at")
    keys = grid.select("opportunity_id", "as_of", "cutoff")
    known = (done.happened_at < keys.cutoff) | (done.due_at < keys.cutoff)
    j = keys.inner_join(done, ["opportunity_id", known])
    past = (j.happened_at < j.cutoff).fill_null(False)
    recent = past & (j.happened_at >= j.cutoff - ibis.interval(days=RECENT_DAYS))
    return j.group_by("opportunity_id", "as_of").aggregate(
        activities=past.sum(),
        activities_30d=recent.sum(),
        meetings=(past & (j.kind == "meeting")).sum(),
        days_since_activity=whole_days(j.happened_at.max(where=past), j.cutoff.max()),
        overdue_activities=(~past & (j.due_at < j.cutoff)).sum(),
    )


def people(tables: Tables, grid: ir.Table) -> ir.Table | None:
    """One row per deal and day with contacts: how many had been added."""
    if "contacts" not in tables:
        return None
    added = tables["contacts"].select("opportunity_id", "added_on")
    keys = grid.select("opportunity_id", "as_of")
    j = keys.inner_join(added, ["opportunity_id", added.added_on <= keys.as_of])
    return j.group_by("opportunity_id", "as_of").aggregate(contacts=j.count())
