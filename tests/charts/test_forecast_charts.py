"""Charts and tables for analysts hold the figures of the results that they were given."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.charts.forecast import forecast_chart, levels_chart, past_forecasts_chart, quarters_chart
from spm_models.charts.kpis import kpi_table
from spm_models.charts.review import review_chart
from spm_models.charts.tables import readable
from spm_models.errors import NotEnoughDataError
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import Replay, RevenueForecast, RevenueForecaster, learn_blend
from spm_models.translations import Translator

T = Translator("en", currency="USD")
PEOPLE = pd.DataFrame({"rep_id": ["r1", "r2"], "name": ["Zeynep Ak", "Bora $x$"], "team": ["north", "south"]})


@pytest.fixture(scope="module")
def forecast() -> RevenueForecast:
    days = pd.date_range("2025-01-01", periods=180, freq="2D")
    deals = pd.DataFrame(
        {"opportunity_id": [f"o{n:03}" for n in range(180)], "rep_id": ["r1", "r2"] * 90, "created_on": days}
    )
    closed = deals[:150].assign(closed_on=days[:150] + pd.Timedelta(days=40), won=True, amount=1000.0)
    now = deals[150:].assign(as_of=pd.Timestamp("2025-12-31"), age_days=30.0, amount=1000.0)
    quarter = FiscalCalendar().quarter(date(2026, 1, 1))
    return RevenueForecaster(seed=1, draws=300).fit(now, closed, PEOPLE).predict(now, quarter)


def texts(figure) -> list[str]:
    axes = figure.axes[0]
    return [text.get_text() for text in axes.texts] + [label.get_text() for label in axes.get_yticklabels()]


def test_the_range_is_that_of_the_forecast(forecast: RevenueForecast) -> None:
    mean, p10, p90 = forecast.summary().loc["total", ["mean", "p10", "p90"]]
    shown = texts(forecast_chart(T, forecast, width=600))
    assert {T.compact_money(value) for value in (mean, p10, p90)} <= set(shown)


def test_a_quota_stands_in_the_chart_with_its_chance(forecast: RevenueForecast) -> None:
    row = {"owner_kind": "rep", "period_start": "2026-01-01", "period_end": "2026-03-31", "set_on": "2025-12-01"}
    rows = [{**row, "owner_id": rep, "tier": "standard", "amount": 10_000.0} for rep in ("r1", "r2")]
    quotas = pd.DataFrame(rows)
    chances = forecast.quota_chances(quotas)
    company = chances[chances["level"] == "company"]
    assert len(company) == 1
    (words,) = [text for text in texts(forecast_chart(T, forecast, quotas, width=900)) if "Standard" in text]
    assert T.percent(company["probability"].iloc[0]) in words


def test_units_carry_names_and_a_level_without_units_says_so(forecast: RevenueForecast) -> None:
    assert {"Zeynep Ak", "Bora $x$"} <= set(texts(levels_chart(T, forecast, PEOPLE, level="rep", width=600)))
    with pytest.raises(NotEnoughDataError, match="no unit at this level"):
        levels_chart(T, forecast, PEOPLE, level="planet", width=600)


def test_past_quarters_stand_before_the_forecast(forecast: RevenueForecast) -> None:
    start = pd.to_datetime(["2025-07-01", "2025-10-01", "2026-01-01"])
    history = pd.DataFrame(
        {"level": "company", "key": "", "period": ["2025-Q3", "2025-Q4", "2026-Q1"], "period_start": start,
         "revenue": [40_000.0, 45_000.0, 1.0], "quota": np.nan}
    )  # fmt: skip
    axes = quarters_chart(T, forecast, history, width=600).axes[0]
    assert [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()] == [
        "Q3 2025",
        "Q4 2025",
        "Q1 2026",
    ]


def test_a_replay_without_quarters_is_refused_in_words() -> None:
    columns = ["period", "week", "method", "p10", "p50", "p90", "actual", "hit"]
    empty = Replay(
        pd.DataFrame(columns=columns),
        pd.DataFrame(),
        learn_blend(pd.DataFrame(columns=["period", "week", "simulation", "spread", "actual"])),
    )
    with pytest.raises(NotEnoughDataError, match="No quarter could be replayed"):
        past_forecasts_chart(T, empty, width=500)


def test_reps_stand_by_name_each_with_his_own_expectation() -> None:
    findings = pd.DataFrame(
        {"rep_id": ["r1", "r2"], "signal": "win_rate", "expected": [0.3, 0.4], "pooled": [0.2, 0.42],
         "low": [0.15, 0.38], "high": [0.24, 0.47], "verdict": ["coaching_suggestion", "fine"]}
    )  # fmt: skip
    axes = review_chart(T, findings, PEOPLE, signal="win_rate", width=600).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Bora $x$", "Zeynep Ak"]
    np.testing.assert_allclose(axes.collections[1].get_offsets()[:, 0], [0.42, 0.2])
    assert [text.get_text() for text in axes.get_legend().get_texts()][1] == "Coaching suggestion"


def test_tables_escape_what_comes_from_the_data_and_dash_what_is_missing() -> None:
    rows = pd.DataFrame({"name": ["<img src=x>", None], "day": pd.to_datetime(["2026-06-30", None]), "n": [1.0, None]})
    html = readable(T, rows).to_html()
    assert "<img" not in html and "&lt;img" in html and "Jun 30, 2026" in html and html.count("–") == 3


def test_kpis_are_shown_in_their_own_unit() -> None:
    rows = pd.DataFrame(
        {"kpi": ["win_rate", "revenue"], "value": [0.305, 1e6], "low": [0.26, np.nan], "high": [0.35, np.nan],
         "unit": ["share", "money"]}
    )  # fmt: skip
    html = kpi_table(T, rows).to_html()
    assert "30%" in html and "26%" in html and "$1,000,000" in html and "Win rate" in html
