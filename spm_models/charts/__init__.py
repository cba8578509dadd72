"""Published figures as charts; results know no charts, charts know results.

Loaded when first used: importing the package imports no drawing library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "early_warning_chart": "early_warning",
    "gap_chart": "gap",
    "readable": "tables",
    "review_chart": "review",
    "signals_chart": "signals",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
