"""Replays see nothing of the future, and the verdict follows the errors."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.evaluation import forecast_scores
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.revenue_forecast import Known, Replay, replay
from spm_models.revenue_forecast.past_quarters import _verdict
from spm_models.revenue_forecast.seasonal import learn_weight, tilted

END = date(2024, 9, 30)


def replayed(companies: Any, company: Any, quarters: int = 3) -> Replay:
    def known(day: date) -> Known:
        snapshots, outcomes, _ = company.known(day)
        return Known(day, snapshots, outcomes, company.organisation)

    return replay(known, END, score=lambda s, o, now: companies.scores(now), quarters=quarters, draws=200)


@pytest.fixture(scope="module")
def result(companies: Any) -> Replay:
    return replayed(companies, companies.company(4))


def test_each_quarter_is_forecast_by_every_method_on_its_eve(result: Replay) -> None:
    table = result.table
    assert set(table.period) == {"2024-Q1", "2024-Q2", "2024-Q3"}
    assert {"simulation", "last_value", "run_rate", "stage_weighted"} <= set(table.method)
    assert sorted({str(day.date()) for day in table.as_of}) == ["2023-12-31", "2024-03-31", "2024-06-30"]
    assert np.allclose(table.error, table["mean"] - table.actual)
    assert (table.hit == table.actual.between(table.p10, table.p90)).all()
    for name in ("forecast_replay", "model_scores", "model_verdicts"):
        frame = {"forecast_replay": table, "model_scores": result.scores, "model_verdicts": result.verdict}[name]
        assert len(conform(frame, TABLES[name])) == len(frame) > 0


def test_another_future_changes_no_replayed_forecast(companies: Any, result: Replay) -> None:
    company = companies.company(4)
    late = company.deals.closed_on > pd.Timestamp("2024-06-30")
    other = company.deals.copy()
    other.loc[late, "won"] = ~other.won[late]
    other.loc[late, "amount"] *= 7
    other = other[other.created_on <= pd.Timestamp("2024-06-30")]
    again = replayed(companies, companies.Company(other, company.organisation))
    figures = ["period", "method", "p10", "p50", "p90", "mean"]
    pd.testing.assert_frame_equal(again.table[figures], result.table[figures])
    third = again.table.period == "2024-Q3"
    assert (again.table.actual != result.table.actual).eq(third).all()


def table_of(simulation: list[float], last_value: list[float], actual: float = 100.0) -> pd.DataFrame:
    rows = [
        {"period": f"2024-Q{k + 1}", "method": method, "actual": actual, "mean": actual + error, "error": error}
        for method, errors in (("simulation", simulation), ("last_value", last_value))
        for k, error in enumerate(errors)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("simulation", "baseline", "published"),
    [
        ([5, -5, 5, -5], [20, -20, 20, -20], "simulation"),
        ([30, -30, 31, -30], [5, -6, 5, -5], "last_value"),
        ([12, -2, 9, -11], [10, -8, 12, 2], "simulation"),  # a little worse: within the noise
    ],
)
def test_the_simulation_is_published_unless_it_loses_by_more_than_noise(
    simulation: list[float], baseline: list[float], published: str
) -> None:
    verdict = _verdict(table_of(simulation, baseline)).iloc[0]
    assert (
        verdict.published == published and verdict.baseline == "last_value" and "4 quarters are few" in verdict.reason
    )


def test_one_quarter_tests_nothing() -> None:
    verdict = _verdict(table_of([50], [1])).iloc[0]
    assert verdict.published == "simulation" and verdict.baseline == "none" and "not tested" in verdict.reason


def test_quarters_in_which_nothing_was_won_have_a_verdict_and_no_relative_error() -> None:
    table = table_of([50, 40], [0, 0], actual=0.0)
    verdict = _verdict(table).iloc[0]
    assert verdict.published == "last_value" and "nothing was won" in verdict.reason and "off by 90" in verdict.reason
    scores = forecast_scores(table.assign(p10=0.0, p90=60.0)).set_index("method")
    assert scores.coverage.eq(1).all() and scores[["absolute_error", "bias", "interval_score"]].isna().all(axis=None)


def test_a_baseline_that_won_gives_the_totals_and_stays_coherent(case: Any) -> None:
    plain = case.model.baselines(case.pipeline, case.forecast.period)
    lost = Replay(pd.DataFrame(), 0.0, _verdict(table_of([30, -30, 31, -30], [5, -6, 5, -5])))
    published = lost.publish(case.forecast, plain)
    assert published.by == "last_value" and "did not match" in published.notes[-1]
    assert np.median(published.company_total()) == pytest.approx(plain["last_value"].point, rel=0.01)
    sums = published.draws.groupby(["level", "draw"]).total.sum().unstack("level")
    assert np.allclose(sums.sub(sums.company, axis=0), 0, atol=1e-4)
    assert (published.closed == case.forecast.closed).all()


def test_seasonal_weight_is_learned_and_shrunk() -> None:
    simulated, seasonal = np.array([80.0, 90, 85, 95]), np.array([100.0, 110, 105, 115])
    assert learn_weight(simulated, seasonal, seasonal) == pytest.approx(4 / 12)
    assert learn_weight(simulated, seasonal, simulated) == 0
    assert learn_weight(simulated, np.full(4, np.nan), simulated) == 0


def test_tilting_reaches_the_wanted_mean_with_whole_draws() -> None:
    totals = np.random.default_rng(1).normal(100, 10, 4000)
    keep = tilted(totals, 105.0, np.random.default_rng(2))
    assert totals[keep].mean() == pytest.approx(105, abs=0.3) and totals[keep].std() == pytest.approx(10, rel=0.1)
    far = totals[tilted(totals, 500.0, np.random.default_rng(2))]
    assert far.mean() == pytest.approx(110, abs=1)  # no further than one standard deviation
