"""Little data, odd data, and a lot of it."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import RevenueForecaster
from spm_models.revenue_forecast.new_wins import NewWins
from spm_models.revenue_forecast.shocks import Shocks
from spm_models.revenue_forecast.simulation import OpenDeals, draw

AS_OF = pd.Timestamp("2025-12-31")
QUARTER = FiscalCalendar().quarter(date(2026, 1, 1))
PEOPLE = pd.DataFrame({"rep_id": ["a", "b"], "team": ["x", "x"], "region": ["north", None]})


def closed(n: int, *, won: bool | None = None, amount: float = 100.0) -> pd.DataFrame:
    created = pd.date_range("2025-01-05", periods=n, freq="3D")
    return pd.DataFrame(
        {"opportunity_id": [f"c{k:04}" for k in range(n)], "rep_id": "a",
         "won": [k % 2 == 0 if won is None else won for k in range(n)], "created_on": created,
         "closed_on": created + pd.to_timedelta([20 + k % 30 for k in range(n)], unit="D"), "amount": amount}
    )  # fmt: skip


def pipeline(n: int, **columns: Any) -> pd.DataFrame:
    facts = {"as_of": AS_OF, "rep_id": "b", "created_on": pd.Timestamp("2025-12-01"), "age_days": 30.0, "amount": 50.0}
    ids = [f"o{k:04}" for k in range(n)]
    return pd.DataFrame({"opportunity_id": ids, **{name: [value] * n for name, value in (facts | columns).items()}})


def test_nothing_won_is_too_little() -> None:
    with pytest.raises(NotEnoughDataError, match="Nothing has been won yet"):
        RevenueForecaster().fit(pipeline(3), closed(20, won=False), PEOPLE, as_of=AS_OF.date())


def test_one_won_deal_gives_a_wide_range_and_says_so() -> None:
    model = RevenueForecaster(1, 500).fit(pipeline(4), closed(1, won=True), PEOPLE)
    forecast = model.predict(pipeline(4), QUARTER)
    total = forecast.summary().loc["total"]
    assert total["mean"] > 0 and total.p10 < total.p50 < total.p90
    assert any("1 won deals only" in note for note in forecast.notes)


def test_without_open_deals_there_is_still_new_business() -> None:
    model = RevenueForecaster(1, 500).fit(
        pipeline(0).astype({"as_of": "datetime64[s]"}), closed(100), PEOPLE, as_of=AS_OF.date()
    )
    mean = model.predict(pipeline(0), QUARTER).summary()["mean"]
    assert mean["open"] == 0 and mean["closed"] == 0 and 100 < mean["not_yet_created"] < 2000


def test_all_deals_of_one_rep_and_nobody_else_in_the_list() -> None:
    people = PEOPLE[PEOPLE.rep_id == "b"]
    forecast = RevenueForecaster(1, 300).fit(pipeline(10), closed(80), people).predict(pipeline(10), QUARTER)
    keys = set(forecast.table.query("level == 'rep'").key)
    assert keys == {"b", "unassigned"}


def test_amounts_fall_back_to_list_price_then_to_won_deals() -> None:
    chances = pd.DataFrame({"opportunity_id": [f"o{k:04}" for k in range(40)], "win_probability": 1.0})
    history = closed(80)

    def open_mean(deals: pd.DataFrame) -> float:
        model = RevenueForecaster(1, 400).fit(deals, history, PEOPLE)
        return float(model.predict(deals, QUARTER, deal_scores=chances).summary().loc["open", "mean"])

    own, price, others = (
        open_mean(pipeline(40)), open_mean(pipeline(40, amount=np.nan, list_price=200.0)),
        open_mean(pipeline(40, amount=np.nan)),
    )  # fmt: skip
    assert price / own == pytest.approx(4.0, rel=0.02) and others / own == pytest.approx(2.0, rel=0.02)


def test_deals_without_a_creation_day_are_not_counted_twice() -> None:
    dated, undated = pipeline(5), pipeline(10, created_on=pd.NaT, age_days=np.nan)
    undated["opportunity_id"] = "u" + undated.opportunity_id
    both = pd.concat([dated, undated], ignore_index=True)
    means = [
        RevenueForecaster(1, 2000).fit(now, closed(100), PEOPLE).predict(now, QUARTER).summary()["mean"]
        for now in (dated, both)
    ]
    assert means[1]["open"] > means[0]["open"] and means[1]["not_yet_created"] < means[0]["not_yet_created"]
    assert means[1]["total"] == pytest.approx(means[0]["total"], rel=0.12)


def test_a_finished_period_is_certain() -> None:
    past = QUARTER.previous()
    total = RevenueForecaster(1, 100).fit(pipeline(5), closed(100), PEOPLE).predict(pipeline(5), past).summary()
    assert total.loc["total", "p10"] == total.loc["total", "p90"] == total.loc["closed", "mean"] > 0


def test_months_of_a_quarter_make_the_quarter() -> None:
    model = RevenueForecaster(1, 4000).fit(pipeline(30), closed(100), PEOPLE)
    months = [FiscalCalendar().month(date(2026, month, 1)) for month in (1, 2, 3)]
    means = [model.predict(pipeline(30), month).summary().loc["open", "mean"] for month in months]
    assert sum(means) == pytest.approx(model.predict(pipeline(30), QUARTER).summary().loc["open", "mean"], rel=0.03)


def test_a_pipeline_of_another_day_is_refused() -> None:
    model = RevenueForecaster().fit(pipeline(5), closed(40), PEOPLE)
    with pytest.raises(ModelError, match="not the one that was learned from"):
        model.predict(pipeline(5, as_of=pd.Timestamp("2026-01-31")), QUARTER)
    with pytest.raises(ModelError, match="not the one"):
        model.predict(pipeline(9), QUARTER)
    with pytest.raises(ModelError, match="not fitted"):
        RevenueForecaster().predict(pipeline(5), QUARTER)


def test_five_thousand_deals_and_ten_thousand_draws_take_seconds() -> None:
    rng = np.random.default_rng(0)
    deals = OpenDeals(rng.integers(0, 40, 5000), rng.random(5000) * 0.4, np.full(5000, 1e4), np.zeros(5000, dtype=int))
    new = NewWins(np.full(40, 5.0), np.full(40, 20.0), 1.3, 0.2)
    start = time.process_time()
    drawn = draw(deals, [np.ones(1)], new, np.array([1e4]), np.ones(40), Shocks(0.15, 0.2, 4), draws=10_000, seed=1)
    assert time.process_time() - start < 10
    assert drawn.deals.sum(axis=(0, 1, 3)).mean() == pytest.approx(deals.chance.sum() * 1e6, rel=0.01)
    assert drawn.new.sum(axis=(0, 2)).mean() == pytest.approx(40 * 5 * 1e6, rel=0.02)
