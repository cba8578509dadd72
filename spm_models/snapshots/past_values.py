"""Values of changing fields as they were at the end of a day, read from ``opportunity_history``.

For one deal, field and day, in this order:

1. ``new`` of the last change before the day ended;
2. else ``old`` of the first later change: it says what stood there until then;
3. else, when the deal has no change of that field at all, the value in ``opportunities``.

A field counts as recorded from the first change of it in the whole history on. Before, and where the history does
not record a field, nothing is known: the values are empty. From the day of the extract on, the values in
``opportunities`` are the known ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from spm_models.crm.schemas.deals import HISTORY_FIELDS
from spm_models.crm.tables import Tables
from spm_models.snapshots.days import whole_days


@dataclass(frozen=True)
class History:
    """The history of one source and the instant from which on each field is recorded."""

    changes: ir.Table
    recorded_since: dict[str, datetime]

    @classmethod
    def of(cls, tables: Tables) -> History | None:
        """The history of a source; None where it has none."""
        if not tables.has_history:
            return None
        raw = tables["opportunity_history"]
        first = raw.group_by("field").aggregate(since=raw.changed_at.min()).to_pandas()
        since = dict(zip(first["field"], first["since"].dt.to_pydatetime(), strict=True))
        blank = ibis.literal("")  # argmax skips nulls, so that an emptied value must not be one
        changes = raw.select(
            "opportunity_id", "changed_at", "field", old=raw.old.coalesce(blank), new=raw.new.coalesce(blank)
        )
        return cls(changes, since)

    def as_of(self, grid: ir.Table, stages: tuple[str, ...]) -> ir.Table:
        """One row per row of ``grid`` (opportunity_id, as_of, cutoff) whose deal has changes at all.

        Columns: ``<field>_then`` (text, empty string for none), ``<field>_rows`` (changes before or after), and what
        the changes before the cutoff add up to (pushes, slip, regressions …).
        """
        changes = _with_steps(self.changes.semi_join(grid, "opportunity_id"), stages)
        keys = grid.select("opportunity_id", "as_of", "cutoff")
        j = keys.inner_join(changes, "opportunity_id")
        past = j.changed_at < j.cutoff
        columns: dict[str, ir.Value] = {}
        for name in HISTORY_FIELDS:
            here = j.field == name
            columns[f"{name}_then"] = (
                j.new.argmax(j.changed_at, where=here & past)
                .coalesce(j.old.argmin(j.changed_at, where=here & ~past))
            )  # fmt: skip
            columns[f"{name}_rows"] = here.sum()
        close, amount, stage = (past & (j.field == name) for name in ("expected_close_on", "amount", "stage"))
        columns |= {
            "push_count": (close & (j.step > 0)).sum(),
            "slip_days": j.step.sum(where=close).coalesce(0),
            "amount_changes": (amount & j.changed).sum(),
            "amount_cuts": (amount & j.changed & (j.step < 0)).sum(),
            "amount_first_old": j.before.argmin(j.changed_at, where=amount),
            "amount_first_new": j.new.argmin(j.changed_at, where=amount),
            "pushed_at": j.changed_at.max(where=close & (j.step > 0)),
            "stage_regressions": (stage & (j.step < 0)).sum(),
            "owner_changes": (past & (j.field == "rep_id") & j.changed).sum(),
            "stage_since": j.changed_at.max(where=stage & (j.changed | (j.before == ""))),
        }
        return j.group_by("opportunity_id", "as_of", "cutoff").aggregate(**columns)

    def owners(self, grid: ir.Table) -> ir.Table:
        """``rep_id_then`` and ``rep_id_rows`` alone, as :meth:`as_of` has them: few deals ever change hands."""
        changes = self.changes.filter(self.changes.field == "rep_id")
        keys = grid.select("opportunity_id", "as_of", "cutoff")
        j = keys.inner_join(changes, "opportunity_id")
        past = j.changed_at < j.cutoff
        then = j.new.argmax(j.changed_at, where=past).coalesce(j.old.argmin(j.changed_at, where=~past))
        return j.group_by("opportunity_id", "as_of").aggregate(rep_id_then=then, rep_id_rows=j.count())

    def recorded(self, name: str, cutoff: ir.TimestampValue) -> ir.BooleanValue:
        """Whether the history recorded a field before a cutoff."""
        since = self.recorded_since.get(name)
        return ibis.literal(False) if since is None else cutoff > ibis.literal(since)


def _with_steps(changes: ir.Table, stages: tuple[str, ...]) -> ir.Table:
    """Add ``before`` (value before the change), ``changed``, and ``step``: days, stages or amount moved."""
    window = ibis.window(group_by=["opportunity_id", "field"], order_by="changed_at")
    before = changes.old.nullif("").coalesce(changes.new.lag().over(window)).coalesce("")
    t = changes.mutate(before=before)
    moved = (t.new.try_cast("date").epoch_days() - t.before.try_cast("date").epoch_days()).cast("int64")
    order = {name: place for place, name in enumerate(stages)}
    climbed = place_of(t.new, order) - place_of(t.before, order)
    grown = number(t.new) - number(t.before)
    step = ibis.cases(
        (t.field == "expected_close_on", moved.cast("float64")),
        (t.field == "stage", climbed),
        (t.field == "amount", grown),
    )
    return t.mutate(changed=(t.before != "") & (t.before != t.new), step=step)


def place_of(stage: ir.StringValue, order: dict[str, int]) -> ir.FloatingValue:
    """Place of a stage in the sales process; empty for closed and unknown stages."""
    if not order:
        return ibis.null("float64")
    cases = [(stage == name, ibis.literal(float(place))) for name, place in order.items()]
    return ibis.cases(*cases, else_=ibis.null("float64"))


def number(text: ir.StringValue) -> ir.FloatingValue:
    """A number from history text; empty where it is none."""
    return text.nullif("").try_cast("float64")


__all__ = ["History", "number", "place_of", "whole_days"]
