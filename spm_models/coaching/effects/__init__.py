"""Did coaching help: matched differences, randomised orders, and what before and after would have said.

Loaded when first used: importing the package imports no statistics library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Order": "order",
    "combined": "result",
    "draw_order": "order",
    "effect_sentence": "words",
    "effects": "result",
    "naive_sentence": "words",
    "programmes": "sessions",
    "randomised_effects": "result",
    "seed_of": "order",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
