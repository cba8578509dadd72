from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.sample_company import Company, simulate


def test_every_open_deal_has_a_true_chance(company: Company) -> None:
    deals = company.tables["opportunities"]
    chances = company.truth["open_deals"]
    assert chances.opportunity_id.tolist() == deals[deals.status == "open"].opportunity_id.tolist()
    assert chances.p_win.between(0, 1).all()
    assert (chances.p_win_next_quarter <= chances.p_win).all()
    assert chances.p_win.std() > 0.15


def test_the_next_quarter_adds_up_and_its_range_is_ordered(company: Company) -> None:
    ahead = company.truth["next_quarter"]
    total = ahead[ahead.level == "company"].iloc[0]
    assert (total.period_start.isoformat(), total.period_end.isoformat()) == ("2026-07-01", "2026-09-30")
    for level in ("rep", "team", "region"):
        assert np.isclose(ahead[ahead.level == level]["mean"].sum(), total["mean"], rtol=1e-6)
    assert (ahead.p10 <= ahead.p50).all()
    assert (ahead.p50 <= ahead.p90).all()
    assert total.p10 < total["mean"] < total.p90
    assert np.allclose(ahead.mean_open + ahead.mean_new, ahead["mean"], atol=0.02)


def test_the_true_quarter_is_what_such_quarters_bring() -> None:
    """The mean of the futures lies where the last year's quarters of the same company lie, prices considered."""
    company = simulate("small", seed=8, truth_draws=60)
    deals = company.tables["opportunities"]
    won = deals[(deals.status == "won") & (deals.closed_on > pd.Timestamp("2025-06-30"))]
    rates = company.tables["exchange_rates"].set_index(["currency", "day"]).rate
    rate = rates.reindex(pd.MultiIndex.from_arrays([won.currency, won.closed_on])).to_numpy(float, na_value=np.nan)
    value = (won.amount * np.where(won.currency == "TRY", 1.0, rate)).groupby(won.closed_on.dt.quarter).sum()
    ahead = company.truth["next_quarter"].query("level == 'company'")["mean"].item()
    assert 0.6 * value.min() < ahead < 2.0 * value.max()


def test_chances_agree_with_what_comes_true() -> None:
    """Futures of one company, drawn with two halves of the runs, agree within their own standard error."""
    few, many = (simulate("tiny", seed=9, months=12, truth_draws=draws).truth["open_deals"] for draws in (60, 240))
    rest = (many.p_win * 240 - few.p_win * 60) / 180  # the first runs of both are the same
    spread = np.sqrt((many.p_win * (1 - many.p_win)).clip(0.004) * (1 / 60 + 1 / 180))
    z = (few.p_win - rest) / spread
    assert (z.abs() < 4.5).all()
    assert np.square(z).mean() < 2.0
