"""Will this deal be won? Loaded when first used, so that pages can import the package without a model library."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Backtest": "proof",
    "DealScores": "result",
    "DealTiming": "deal_timing",
    "Evaluation": "backtest",
    "Timing": "timing",
    "WinClassifier": "classifier.classifier",
    "WinProbability": "model",
    "changed_columns": "past_months",
    "evaluate": "backtest",
    "learning_set": "training",
    "prove": "proof",
    "score_month": "past_months",
}
__all__ = [
    "Backtest", "DealScores", "DealTiming", "Evaluation", "Timing", "WinClassifier", "WinProbability",
    "changed_columns", "evaluate", "learning_set", "prove", "score_month",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
