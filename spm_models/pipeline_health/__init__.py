"""How the pipeline flows: stages, bottlenecks, stuck deals, what goes with winning, why deals are lost, the playbook.

Loaded when first used: importing the package imports no statistics library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "PipelineFacts": "facts",
    "PipelineReview": "result",
    "StuckDeals": "stuck",
    "activity_relation": "relation",
    "bottlenecks": "flow",
    "competitors": "losses",
    "gather": "facts",
    "kaplan_meier": "survival",
    "loss_reasons": "losses",
    "playbook": "practice",
    "review": "result",
    "stage_table": "stages",
    "stage_visits": "visits",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
