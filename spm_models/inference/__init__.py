"""Statistics that several rooms need: intervals, partial pooling, false discovery. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Pooled": "pooling",
    "beta_binomial": "pooling",
    "gamma_poisson": "pooling",
    "james_stein": "pooling",
    "normal_normal": "pooling",
    "benjamini_hochberg": "false_discovery",
    "flag": "false_discovery",
    "cases_to_signal": "cusum",
    "count_weights": "cusum",
    "running_sum": "cusum",
    "Learned": "cusum",
    "learn": "cusum",
    "outcome_weights": "cusum",
    "run_length": "cusum",
    "threshold_for": "cusum",
    "wilson": "intervals",
    "bootstrap": "intervals",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
