"""All KPIs by name; each family has a file of its own and no KPI is defined anywhere else."""

from __future__ import annotations

from spm_models.kpis import activities, deals, pipeline, quota
from spm_models.kpis.definition import Kpi

#: In the order of the families.
KPIS: dict[str, Kpi] = {
    kpi.name: kpi for family in (deals.KPIS, pipeline.KPIS, quota.KPIS, activities.KPIS) for kpi in family
}
