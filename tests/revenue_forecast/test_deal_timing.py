"""Deals that tell by when they are won are forecast by it; past quarters say whether that is better."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.revenue_forecast import Known, Replay, Scored, replay
from spm_models.revenue_forecast.deal_timing import won_within

END = date(2024, 9, 30)


def timing_of(case: Any, *, won_by: float, days: tuple[str, ...] = ("2024-12-31", "2025-03-31")) -> pd.DataFrame:
    rows = [case.pipeline[["opportunity_id"]].assign(day=pd.Timestamp(day), won_by=won_by) for day in days]
    stacked: pd.DataFrame = pd.concat(rows, ignore_index=True)
    return stacked


def expected(case: Any, timing: pd.DataFrame | None) -> float:
    period = case.forecast.period
    forecast = case.model.predict(case.pipeline, period, deal_scores=case.scores, deal_timing=timing)
    return float(forecast.summary().loc["open", "mean"])


def test_what_a_deal_tells_is_a_third_of_its_chance(case: Any) -> None:
    def chance(timing: pd.DataFrame | None) -> list[float]:
        period = case.forecast.period
        inputs = case.model.predict(case.pipeline, period, deal_scores=case.scores, deal_timing=timing).inputs
        deals = inputs.deals.set_index("opportunity_id").reindex(case.pipeline.opportunity_id)
        return [float(one) for one in deals.chance]

    plain = chance(None)
    for told in (0.0, 0.1, 0.4):
        assert chance(timing_of(case, won_by=told)) == pytest.approx([(told + 2 * one) / 3 for one in plain])


def test_deals_and_days_that_are_not_told_are_forecast_as_before(case: Any) -> None:
    plain = expected(case, None)
    assert expected(case, timing_of(case, won_by=0.9).head(0)) == plain
    assert expected(case, timing_of(case, won_by=0.9, days=("2024-11-20",))) == plain


def test_wins_of_a_period_are_those_by_its_end_less_those_before_it() -> None:
    days = pd.to_datetime(["2026-07-31", "2026-09-30", "2026-12-31"])
    timing = pd.DataFrame({"opportunity_id": "o1", "day": days, "won_by": [0.1, 0.3, 0.4]})[::-1]
    deals, as_of = pd.Series(["o2", "o1"]), date(2026, 6, 30)

    def told(start: date, end: date) -> float:
        found = won_within(timing, deals, as_of, start, end)
        assert np.isnan(found[0])
        return float(found[1])

    assert told(date(2026, 7, 1), date(2026, 9, 30)) == pytest.approx(0.3)
    assert told(date(2026, 4, 1), date(2026, 9, 30)) == pytest.approx(0.3)  # of a running quarter, what is left
    assert told(date(2026, 10, 1), date(2026, 12, 31)) == pytest.approx(0.1)
    parts = [told(date(2026, 7, 1), date(2026, 8, 10)), told(date(2026, 8, 11), date(2026, 12, 31))]
    assert sum(parts) == pytest.approx(0.4)
    assert np.isnan(won_within(timing, deals, as_of, date(2027, 1, 1), date(2027, 3, 31))).all()


def replayed(companies: Any, chance: Any) -> Replay:
    """Three quarters, in which each deal says that it is won by the quarter's end with a chance of its own."""
    company = companies.company(4)

    def known(day: date) -> Known:
        snapshots, outcomes, _ = company.known(day)
        return Known(day, snapshots, outcomes, company.organisation)

    def score(now: pd.DataFrame) -> Scored:
        day = now.as_of.iloc[0] + pd.Timedelta(days=100)
        return Scored(companies.scores(now), now[["opportunity_id"]].assign(day=day, won_by=chance(company, now, day)))

    return replay(known, END, learn=lambda s, o: score, quarters=3, weeks=(0, 6), draws=200)


def truth(company: Any, now: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    ends = company.deals.set_index("opportunity_id")
    won = ends.won & (ends.closed_on <= day)
    return now.opportunity_id.map(won).astype(float)


def test_timing_that_is_right_is_used(companies: Any) -> None:
    found = replayed(companies, truth)
    table = pd.DataFrame({"day": []})
    assert found.by_timing and found.timing(table) is table


def test_timing_that_is_wrong_is_left_out(companies: Any) -> None:
    found = replayed(companies, lambda company, now, day: 1.0)
    assert not found.by_timing and found.timing(pd.DataFrame()) is None
    without = replay(
        lambda day: Known(day, *companies.company(4).known(day)[:2], companies.company(4).organisation), END,
        learn=lambda s, o: companies.scores, quarters=3, weeks=(0, 6), draws=200,
    )  # fmt: skip
    assert not without.by_timing
    pd.testing.assert_frame_equal(found.table, without.table)
