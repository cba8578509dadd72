"""Targets: what they are and were, why, and whether they can be met; goals: whether they are SMART, and how far.

Loaded when first used: importing the package imports no statistics library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "TargetReview": "result",
    "attainability": "attainment",
    "check_goals": "smart",
    "market_trend": "market",
    "okr_progress": "okr",
    "review": "result",
    "revision_history": "ledger",
    "target_table": "ledger",
    "why_this_target": "why",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
