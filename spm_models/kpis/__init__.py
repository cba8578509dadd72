"""Every KPI, defined once, for a rep, a team, a region, a manager or the company."""

from spm_models.kpis.compute import LEVELS, compute, levels
from spm_models.kpis.definition import Kpi
from spm_models.kpis.registry import KPIS
from spm_models.kpis.scorecard import scorecard

__all__ = ["KPIS", "LEVELS", "Kpi", "compute", "levels", "scorecard"]
