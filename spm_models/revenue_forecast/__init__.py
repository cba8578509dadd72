"""What will the quarter bring? One simulation of deals; everything else is a sum of its draws. Loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "RevenueForecaster": "model",
    "RevenueForecast": "result",
    "UNASSIGNED": "units",
    "revenue_history": "history",
    "quotas_of": "quotas",
    "Blend": "blend",
    "Known": "past_knowledge",
    "Replay": "past_forecasts",
    "Scored": "past_knowledge",
    "SeriesForecaster": "series.forecaster",
    "known_from": "past_knowledge",
    "learn_blend": "blend",
    "members_of": "members",
    "replay": "past_forecasts",
    "snapshot_days": "past_knowledge",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
