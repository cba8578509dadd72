"""KPIs of what reps do: K09 activities by kind."""

from __future__ import annotations

from ibis import _

from spm_models.kpis.definition import Kpi
from spm_models.kpis.facts import done

_NAMES = {"calls": "call", "meetings": "meeting", "emails": "email", "demos": "demo", "proposals": "proposal",
          "content_shared": "content"}  # fmt: skip


KPIS = (
    Kpi(
        "activities", "K09", "count", "context", "Activities that took place in the period, of any kind.",
        facts=done, numerator=_.count(),
    ),
    *(
        Kpi(
            name, "K09", "count", "context", f"Activities of the kind {kind} that took place in the period.",
            facts=done, numerator=(_.activity == kind).sum(),
        )
        for name, kind in _NAMES.items()
    ),
    Kpi(
        "meetings_per_week", "K09", "per_week", "higher", "Meetings / weeks of the period that have passed.",
        facts=done, numerator=(_.activity == "meeting").sum(), denominator=_.weeks.max(),
    ),
)  # fmt: skip
