"""Plain rates: their intervals cover, and never say that a deal is certain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from spm_models.win_probability.baseline import PooledRate


def rows(won: np.ndarray, stage: np.ndarray | str = "Offer", weight: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"won": won, "stage": stage, "weight": weight})


def test_the_interval_of_the_common_rate_covers_at_every_rate_and_size() -> None:
    for n in (8, 60):
        wins = np.arange(n + 1)
        ends = np.array([PooledRate().fit(rows(np.arange(n) < k)).common for k in wins])
        assert ((ends[:, 1] < ends[:, 0]) & (ends[:, 0] < ends[:, 2])).all()
        for rate in (0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 0.99):
            covered = binom.pmf(wins, n, rate) @ ((ends[:, 1] <= rate) & (rate <= ends[:, 2]))
            assert 0.70 <= covered <= 0.93, (n, rate, covered)


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.98), (0.0, 1.0), (0.2, 0.4), (0.001, 0.05)])
def test_intervals_of_stages_cover_and_touch_neither_0_nor_1(low: float, high: float) -> None:
    rng = np.random.default_rng(5)
    inside = groups = 0
    for _ in range(12):
        rates = rng.uniform(low, high, 30)
        stage = np.repeat([f"s{k}" for k in range(30)], 15)
        told = (
            PooledRate("stage")
            .fit(rows(rng.random(450) < np.repeat(rates, 15), stage))
            .predict(pd.DataFrame({"stage": [f"s{k}" for k in range(30)]}))
        )
        assert (told["low"] < told["win_probability"]).all() and (told["win_probability"] < told["high"]).all()
        assert told["low"].round(6).gt(0).all() and told["high"].round(6).lt(1).all()
        inside += int(((told["low"] <= rates) & (rates <= told["high"])).sum())
        groups += 30
    assert 0.72 <= inside / groups <= 0.95, inside / groups


@pytest.mark.parametrize("outcome", [False, True])
def test_where_nobody_or_everybody_won_nothing_is_certain(outcome: bool) -> None:
    for n in (8, 400, 40_000):
        stage = np.where(np.arange(n) % 2 == 0, "Lead", "Offer")
        told = (
            PooledRate("stage")
            .fit(rows(np.full(n, outcome), stage))
            .predict(pd.DataFrame({"stage": ["Lead", "Offer", "never seen"]}))
        )
        assert told["low"].round(6).gt(0).all() and told["high"].round(6).lt(1).all()
        assert (told["low"] < told["win_probability"]).all() and (told["win_probability"] < told["high"]).all()
