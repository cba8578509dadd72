"""A market that turns moves win rates and the mix of deals; a steady one changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from spm_models.sample_company import Company, simulate, write_workspace
from spm_models.sample_company.climate import PRODUCTS, SOURCES, Climate
from spm_models.sample_company.draws import Draws


def win_rates(company: Company) -> tuple[float, float]:
    """Before any market turns, and in the last half year."""
    deals = company.tables["opportunities"].query("status != 'open'")
    won, closed = deals["status"] == "won", deals["closed_on"]
    early, late = closed < pd.Timestamp("2024-12-01"), closed > pd.Timestamp("2025-12-31")
    return float(won[early].mean()), float(won[late].mean())


def test_the_win_rate_about_doubles_or_collapses_with_the_market(company: Company) -> None:
    before, after = win_rates(simulate("small", seed=11, drift=1.0, truth_draws=0))
    assert 1.5 < after / before < 2.6
    before, after = win_rates(simulate("small", seed=11, drift=-1.0, truth_draws=0))
    assert after / before < 0.6
    before, after = win_rates(company)
    assert 0.75 < after / before < 1.35


def test_the_mix_of_deals_drifts_too(company: Company) -> None:
    drifting = simulate("small", seed=11, drift=1.0, truth_draws=0)
    shares = [
        (
            made.tables["opportunities"].query("created_on > '2025-12-31' and kind == 'new'")["source"] == "inbound"
        ).mean()
        for made in (company, drifting)
    ]
    assert shares[1] > shares[0] + 0.1


def test_true_chances_are_those_of_the_market_as_it_stands() -> None:
    chances = {
        drift: simulate("tiny", seed=5, drift=drift, truth_draws=40).truth["open_deals"]["p_win"].mean()
        for drift in (-1.0, 0.0, 1.0)
    }
    assert chances[-1.0] < 0.6 * chances[0.0] < 0.8 * chances[1.0]


def test_a_steady_market_has_the_usual_weights_and_adds_nothing() -> None:
    steady = Climate.of(Draws(1), 100, 10, 0.0)
    assert not steady.level.any()
    assert (steady.mood(50), steady.budgets(50)) == (0.0, 1.0)
    assert (steady.sources(50) == SOURCES).all()
    assert (steady.products(50) == PRODUCTS).all()


def test_a_turning_market_stays_where_it_is_when_the_records_end() -> None:
    turning = Climate.of(Draws(1), 100, 10, 1.0)
    assert turning.level[30:60].mean() < -0.05
    assert (turning.level[100:] == turning.level[99]).all()
    assert np.isclose(turning.sources(99).sum(), SOURCES.sum())


def test_a_workspace_remembers_its_drift_and_a_steady_one_says_nothing_of_it(tmp_path: Path) -> None:
    assert write_workspace(tmp_path, size="tiny", months=6)
    made = tmp_path / "truth" / "made.json"
    assert "drift" not in json.loads(made.read_text())
    assert write_workspace(tmp_path, size="tiny", months=6, drift=1.0, keep=True)
    assert json.loads(made.read_text())["drift"] == 1.0
    assert not write_workspace(tmp_path, size="tiny", months=6, drift=1.0, keep=True)
