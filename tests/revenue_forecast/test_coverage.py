"""Over many companies with a known future, ranges hold what they promise."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import binom

from spm_models.revenue_forecast import RevenueForecaster

COMPANIES = 100


@pytest.mark.slow
def test_four_of_five_quarters_lie_between_p10_and_p90(companies: Any) -> None:
    inside, below, forecast_sum, actual_sum = 0, 0, 0.0, 0.0
    for seed in range(1000, 1000 + COMPANIES):
        company = companies.company(seed, reps=5, days=760)
        snapshots, outcomes, pipeline = company.known(companies.EVE)
        model = RevenueForecaster(seed, draws=300).fit(snapshots, outcomes, company.organisation)
        total = (
            model.predict(pipeline, companies.QUARTER, deal_scores=companies.scores(pipeline)).summary().loc["total"]
        )
        actual = company.actual(companies.QUARTER)
        inside += bool(total.p10 <= actual <= total.p90)
        below += bool(actual < total.p50)
        forecast_sum, actual_sum = forecast_sum + total["mean"], actual_sum + actual
    low, high = binom.ppf([0.005, 0.995], COMPANIES, 0.8)
    assert low <= inside <= high, f"{inside} of {COMPANIES} inside"
    assert binom.ppf(0.005, COMPANIES, 0.5) <= below <= binom.ppf(0.995, COMPANIES, 0.5), f"{below} below the middle"
    assert forecast_sum == pytest.approx(actual_sum, rel=0.08)
