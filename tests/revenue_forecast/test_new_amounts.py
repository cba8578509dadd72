"""What deals not yet created will be worth, by person: known truth, and nobody told apart by chance."""

from __future__ import annotations

import numpy as np
import pytest

from spm_models.revenue_forecast.new_amounts import amount_factors, new_amounts


def amounts(seed: int, leaf: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return mean[leaf] * np.random.default_rng(seed).lognormal(-0.32, 0.8, len(leaf))


def test_people_with_deals_alike_are_not_told_apart() -> None:
    leaf = np.random.default_rng(0).integers(0, 10, 800)
    found = [amount_factors(amounts(seed, leaf, np.ones(10)), leaf, np.ones(10)) for seed in range(20)]
    raw = [np.bincount(leaf, amounts(seed, leaf, np.ones(10))) / np.bincount(leaf) for seed in range(20)]
    assert np.std(found) < 0.6 * np.std(raw)


def test_people_with_larger_deals_are() -> None:
    leaf = np.repeat(np.arange(10), 80)
    mean = np.where(np.arange(10) < 5, 1.0, 4.0)
    found = np.mean([amount_factors(amounts(seed, leaf, mean), leaf, np.ones(10)) for seed in range(10)], axis=0)
    assert found / 2.5 == pytest.approx(mean / 2.5 / 2.5, abs=0.12)


def test_revenue_by_person_is_right_where_only_some_sell_slow_large_deals() -> None:
    leaf = np.repeat([0, 1], 300)
    mean, in_time = np.array([100.0, 1000.0]), np.array([0.8, 0.1])
    worth = []
    for seed in range(10):
        won = amounts(seed, leaf, mean)
        usual = amount_factors(won, leaf, np.ones(3))
        found = new_amounts(won, leaf, usual, in_time[leaf])
        worth.append(found.pool.mean() * found.factor[:2])
    assert np.mean(worth, axis=0) == pytest.approx(mean, rel=0.15)


def test_no_past_amount_makes_up_more_than_one_value_of_the_pool() -> None:
    won = np.arange(1.0, 61.0)
    found = new_amounts(won, np.zeros(60, dtype=np.int64), np.ones(1), np.where(won > 55, 1.0, 0.01))
    assert found.pool.size <= 60
    assert (np.diff(found.pool) > 0).all()
    assert found.deviation > 0.02


def test_where_nothing_would_be_in_time_all_wins_count() -> None:
    won = np.array([1.0, 2.0, 3.0])
    found = new_amounts(won, np.zeros(3, dtype=np.int64), np.ones(1), np.zeros(3))
    assert found.pool.tolist() == [1.0, 2.0, 3.0] and found.factor.tolist() == pytest.approx([1.0])
