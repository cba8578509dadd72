"""What people say of each other's work, and how talks are kept: 360° feedback, observations, cadence, prompts, calls.

Loaded when first used: importing the package imports no statistics library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Feedback360": "feedback",
    "Releases": "releases",
    "agreed_actions": "actions",
    "cadence": "rhythm",
    "calls_to_review": "calls",
    "feedback_360": "feedback",
    "manager_skills": "feedback",
    "observations": "observed",
    "prompts": "yesterday",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
