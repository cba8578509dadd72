"""Every KPI, defined once: by the levels of the organisation or any dimensions, for any period."""

from spm_models.kpis.compute import compute, levels
from spm_models.kpis.definition import Kpi
from spm_models.kpis.dimensions import DIMENSIONS, LEVELS
from spm_models.kpis.registry import KPIS

__all__ = ["DIMENSIONS", "KPIS", "LEVELS", "Kpi", "compute", "levels"]
