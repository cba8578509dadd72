"""All KPIs by name; each family has a file of its own and no KPI is defined anywhere else."""

from __future__ import annotations

from types import ModuleType

from spm_models.kpis import (
    accuracy,
    activities,
    calls,
    closing,
    costs,
    coverage,
    customers,
    cycle,
    deals,
    follow_up,
    leads,
    meetings,
    people,
    pipeline,
    quota,
    service,
    shifts,
    stages,
    transcripts,
)
from spm_models.kpis.definition import Kpi

#: In the order in which they are shown; each module has its ``KPIS``.
FAMILIES: tuple[ModuleType, ...] = (
    deals, cycle, pipeline, coverage, quota, meetings, activities, follow_up, stages, closing, leads, customers,
    service, calls, shifts, transcripts, people, costs, accuracy,
)  # fmt: skip

#: In the order of the families.
KPIS: dict[str, Kpi] = {kpi.name: kpi for family in FAMILIES for kpi in family.KPIS}
