"""Picking from scores: the deals that weigh most, and the reasons of one."""

from __future__ import annotations

import pandas as pd

from spm_models.win_probability import DealScores

TABLE = pd.DataFrame({"opportunity_id": ["o1", "o2", "o3", "o4"], "expected_amount": [10.0, None, 30.0, 30.0]})
REASONS = pd.DataFrame({"opportunity_id": ["o3", "o1", "o3"], "rank": [1, 0, 0], "feature": ["stage", "", ""]})


def test_the_largest_come_first_and_deals_without_an_amount_last() -> None:
    scores = DealScores(TABLE, REASONS)
    assert scores.largest()["opportunity_id"].tolist() == ["o3", "o4", "o1", "o2"]
    assert scores.largest(1)["opportunity_id"].tolist() == ["o3"]


def test_reasons_of_one_deal_stand_in_order() -> None:
    assert DealScores(TABLE, REASONS).why("o3")["rank"].tolist() == [0, 1]
    assert DealScores(TABLE, REASONS).why("o9").empty
