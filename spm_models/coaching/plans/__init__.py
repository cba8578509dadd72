"""From a finding to help: remedies, mentors, measurable actions, the next talk's agenda, sentences of feedback.

Loaded when first used, as the rest of coaching.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "AgendaItem": "one_to_one",
    "CoachingPlans": "plan",
    "Library": "library",
    "action_sentences": "words",
    "agenda": "one_to_one",
    "agenda_sentences": "words",
    "check_actions": "smart",
    "feedback": "sentences",
    "feedback_sentences": "words",
    "keep_topics": "topics",
    "mentors": "mentoring",
    "next_one_to_one": "one_to_one",
    "plans": "plan",
    "read_library": "library",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
