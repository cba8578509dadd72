"""KPIs of what reps do: K09 activities by kind."""

from __future__ import annotations

from collections.abc import Callable

import ibis.expr.types as ir

from spm_models.kpis.definition import Kpi
from spm_models.kpis.source import Source

_NAMES = {"calls": "call", "meetings": "meeting", "emails": "email", "demos": "demo", "proposals": "proposal",
          "content_shared": "content"}  # fmt: skip


def _kind(kind: str) -> Callable[[ir.Table, Source], ir.Value]:
    return lambda t, s: (t.kind == kind).sum()


KPIS = (
    Kpi(
        "activities", "K09", "count", "context", "Activities that took place in the period, of any kind.",
        facts="done", numerator=lambda t, s: t.count(), needs=("activities",),
    ),
    *(
        Kpi(
            name, "K09", "count", "context", f"Activities of the kind {kind} that took place in the period.",
            facts="done", numerator=_kind(kind), needs=("activities",),
        )
        for name, kind in _NAMES.items()
    ),
    Kpi(
        "meetings_per_week", "K09", "per_week", "higher", "Meetings / weeks of the period that have passed.",
        facts="done", numerator=lambda t, s: (t.kind == "meeting").sum(),
        denominator=lambda t, s: t.count() * 0 + s.weeks, needs=("activities",),
    ),
)  # fmt: skip
