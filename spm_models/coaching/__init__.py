"""Who may gain from coaching, and in what: signals in context, with intervals and few false alarms.

Loaded when first used: importing the package imports no statistics library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "CoachingFindings": "result",
    "CoachingReview": "model",
    "EarlyWarnings": "early_warning",
    "Evidence": "features",
    "PointNullTest": "baseline",
    "ThresholdRules": "baseline",
    "Causes": "why",
    "causes": "why",
    "with_causes": "why",
    "detectable_shortfall": "detectable",
    "early_warnings": "early_warning",
    "evidence": "features",
    "Posterior": "result",
    "SIGNALS": "signals",
    "Truth": "simulation",
    "examples": "talking_points",
    "gap": "money_gap",
    "simulate_evidence": "simulation",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
