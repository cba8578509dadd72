"""Reports for people: coaching report, team digest, model card, scorecard; how they are run, rendered, exported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "coaching_report": "spm_models.reports.per_rep",
    "executive_quarterly": "spm_models.reports.per_company",
    "executive_report": "spm_models.reports.per_company",
    "forecast_accuracy": "spm_models.reports.per_forecast",
    "kpi_scorecard": "spm_models.reports.per_kpis",
    "model_card": "spm_models.reports.per_model",
    "team_digest": "spm_models.reports.per_team",
    "team_monthly": "spm_models.reports.per_team_month",
    "render_html": "spm_models.reports.render",
    "render_pdf": "spm_models.reports.render",
    "to_csv": "spm_models.reports.export",
    "to_xlsx": "spm_models.reports.export",
    "write_index": "spm_models.reports.index",
}
__all__ = [
    "coaching_report", "executive_quarterly", "executive_report", "forecast_accuracy", "kpi_scorecard", "model_card",
    "render_html", "render_pdf", "team_digest", "team_monthly", "to_csv", "to_xlsx", "write_index",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
