"""Pages that people open in a browser: parts of a page, one view a file, and the server that serves them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Session": "spm_models.apps.session",
    "coaching": "spm_models.apps.coaching_view",
    "company": "spm_models.apps.company_view",
    "data_health": "spm_models.apps.data_health_view",
    "deals": "spm_models.apps.deals_view",
    "home": "spm_models.apps.home_view",
    "leaderboard": "spm_models.apps.leaderboard_view",
    "my_performance": "spm_models.apps.my_performance_view",
    "my_team": "spm_models.apps.my_team_view",
    "pipeline_health": "spm_models.apps.pipeline_health_view",
    "revenue_outlook": "spm_models.apps.outlook_view",
    "serve": "spm_models.apps.server",
}
__all__ = [
    "Session", "coaching", "company", "data_health", "deals", "home", "leaderboard", "my_performance", "my_team",
    "pipeline_health", "revenue_outlook", "serve",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
