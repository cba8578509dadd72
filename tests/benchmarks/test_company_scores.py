"""Measures of forecasts of generated companies, by examples worked by hand; and the runner from end to end."""

from __future__ import annotations

import json
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest
import revenue_forecast
from revenue import company_scores, exports, simple
from revenue.company_ranges import covered
from revenue.company_run import Setup, run_company
from revenue.oracle import Oracle

from spm_models.periods import FiscalCalendar

QUARTER = FiscalCalendar().quarter(date(2024, 1, 1))


def told(means: dict[str, float], company: int, quarter: str = "2024-Q1", actual: float = 100.0) -> list[dict]:
    facts = {"company": company, "kind": "stable", "size": 50, "quarter": quarter, "week": 1, "actual": actual}
    return [facts | {"model": model, "mean": mean} for model, mean in means.items()]


def test_error_is_that_of_all_quarters_of_a_company() -> None:
    rows = told({"published": 90.0}, 1) + told({"published": 330.0}, 1, "2024-Q2", 300.0)
    found = company_scores.errors(pd.DataFrame(rows)).iloc[0]
    assert found["error"] == pytest.approx(40 / 400)
    assert found["bias"] == pytest.approx(20 / 400)


def test_the_gap_is_counted_from_the_best_simple_forecast() -> None:
    rows = []
    for company, luck in ((1, 0.0), (2, 4.0)):
        rows += told({"oracle": 90 - luck, "published": 86 - luck, "ets": 80 - luck, "run_rate": 60.0}, company)
    table = company_scores.errors(pd.DataFrame(rows))
    found = company_scores.gaps(table, ["week"]).iloc[0]
    assert found["best_simple"] == "ets"
    assert found["closed"] == pytest.approx((0.22 - 0.16) / (0.22 - 0.12))
    assert found["se"] == pytest.approx(0.0, abs=1e-9)  # the same gaps in every company
    away = company_scores.distances(pd.DataFrame(rows)).set_index(["company", "model"])["distance"]
    assert away[1, "published"] == pytest.approx(4 / 90)


def test_ranges_are_counted_on_every_level_and_lumps_in_part() -> None:
    rng = np.random.default_rng(0)
    leaves = pd.DataFrame({"region": ["n", "n", "s"], "team": ["a", "b", "c"], "rep": ["x", "y", "unassigned"]})
    draws = rng.normal(100, 10, (4000, 3))
    draws[:, 1] = np.where(rng.random(4000) < 0.95, 0.0, 50.0)  # nearly always nothing: the range is 0 to 0
    actual = np.array([100.0, 0.0, 200.0])
    rows = {row["level"]: row for row in covered(draws, actual, leaves)}
    assert rows["rep"]["units"] == 2
    assert rows["team"]["hit80"] == pytest.approx(2 / 3)
    assert rows["rep"]["hit80"] == 1.0
    assert rows["rep"]["fair80"] == pytest.approx((1 + 0.8 / 0.95) / 2, abs=0.01)
    assert rows["company"]["hit95"] == 0.0
    assert rows["company"]["place"] == pytest.approx(1.0, abs=0.01)


def test_simple_forecasts_by_hand() -> None:
    known = simple.Past(
        total=np.array([100.0, 200.0, 100.0, 200.0]), closed=np.array([20.0, 40.0, 20.0, 40.0, 30.0]),
        open=np.array([160.0, 320.0, 160.0, 320.0, 240.0]), due=np.zeros(5), stage_weighted=77.0, left=0.5, pace=150.0,
    )  # fmt: skip
    found = simple.simple(known)
    assert found["stage_weighted"] == 77.0
    assert found["run_rate"] == 30 + 75
    assert found["last_value"] == 30 + 160
    assert found["seasonal_naive"] == 30 + 80
    assert found["coverage_history"] == pytest.approx(30 + 120)
    assert found["linearity"] == pytest.approx(0.2 * 150 + 0.8 * 150)


def test_a_company_is_forecast_by_everybody_from_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run_company(5, Setup(weeks=(6,), evaluated=1, replayed=1, draws=200))
    models = set(ran.totals["model"])
    assert {"oracle", "simulation", "blend", "published", "coverage_history", "oracle_open", "oracle_new"} <= models
    assert ran.totals["actual"].nunique() == 1
    assert set(ran.ranges["level"]) == {"company", "region", "team", "rep"}
    total = ran.totals.set_index("model")["mean"]
    parts = total["part.open"] + total["part.new"] - total["part.open_oracle"] - total["part.new_oracle"]
    assert total["simulation"] - total["oracle"] == pytest.approx(parts, rel=1e-4, abs=1)
    flat = company_scores.flat(ran.totals, ran.ranges)
    assert {"error.005_tiny_10.week6.published", "coverage80.005_tiny_10.team", "gap_closed.week6",
            "coverage80.all.company"} <= set(flat)  # fmt: skip


def test_the_oracle_alone_is_close_where_deals_are_many() -> None:
    from revenue.generator import company

    record = company(12)
    said = Oracle(record, [QUARTER.start]).expected(QUARTER.start, QUARTER)
    assert said.total == pytest.approx(record.actual(QUARTER.start, QUARTER.end).sum(), rel=0.35)


def test_methods_without_ranges_have_errors_alone() -> None:
    rows = [{"method": "a", "mean": 90.0, "p10": 80.0, "p90": 120.0}, {"method": "b", "mean": 110.0, "p10": np.nan}]
    found = exports.scores(pd.DataFrame(rows).assign(actual=100.0)).set_index("method")
    assert found["absolute_error"].tolist() == pytest.approx([0.1, 0.1])
    assert found.loc["a", "coverage"] == 1.0
    assert np.isnan(found.loc["b", "coverage"])


def test_the_command_gathers_flat_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(revenue_forecast.PARTS, "maven", lambda options: {"error.maven.month0.ets": 0.05})
    monkeypatch.setattr(sys, "argv", ["x", "--json", "--only", "maven", "speed"])
    revenue_forecast.main()
    found = json.loads(capsys.readouterr().out)
    assert found["error.maven.month0.ets"] == 0.05
    assert found["revenue_forecast.simulation_seconds"] > 0
