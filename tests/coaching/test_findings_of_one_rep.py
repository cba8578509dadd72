"""Picking from findings: one rep's signals, and with whom to begin."""

from __future__ import annotations

import pandas as pd

from spm_models.coaching import CoachingFindings


def found(verdicts: list[tuple[str, str, float | None]], below: dict[str, float]) -> CoachingFindings:
    table = pd.DataFrame(
        [{"rep_id": rep, "signal": signal, "probability_below": below[rep]} for rep in below for signal in ("w", "a")]
    )
    rows = pd.DataFrame(verdicts, columns=["rep_id", "verdict", "money_at_stake"])
    return CoachingFindings(table, rows, 0.15, 0.1)


def test_a_suggestion_comes_before_a_hint_and_more_money_before_less() -> None:
    verdicts = [("a", "watch", None), ("b", "coaching_suggestion", 10.0), ("c", "coaching_suggestion", 20.0)]
    assert found(verdicts, {"a": 0.99, "b": 0.9, "c": 0.85}).most_urgent() == "c"


def test_without_suggestions_the_clearest_shortfall_comes_first() -> None:
    verdicts = [("a", "fine", None), ("b", "fine", None)]
    assert found(verdicts, {"a": 0.2, "b": 0.4}).most_urgent() == "b"
    assert found([], {"a": 0.2}).most_urgent() == ""


def test_one_rep_by_signal() -> None:
    assert found([], {"a": 0.2, "b": 0.4}).of("b")["signal"].tolist() == ["w", "a"]
