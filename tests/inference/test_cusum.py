"""Cumulative sums: published run lengths, simulation, and levels that are learned on the way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spm_models.errors import StatisticsError
from spm_models.inference import (
    cases_to_signal,
    count_weights,
    learn,
    outcome_weights,
    run_length,
    running_sum,
    threshold_for,
)


@pytest.mark.parametrize(
    ("threshold", "shift", "published"),
    [(4.0, 0.0, 2 * 168.0), (5.0, 0.0, 2 * 465.0), (4.0, 1.0, 8.38), (5.0, 1.0, 10.4), (5.0, 0.5, 38.0)],
)
def test_run_lengths_of_the_normal_chart_are_those_in_the_tables(threshold, shift, published):
    # Lucas and Crosier (1982), Technometrics 24, reference value 0.5; one side of two takes twice as long by chance.
    points = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    found = run_length(points + shift - 0.5, np.full(4000, 1 / 4000), threshold)
    assert found == pytest.approx(published, rel=0.02)


def test_weights_are_log_likelihood_ratios():
    chance = np.array([0.1, 0.5, 0.9])
    odds = chance / (1 - chance) * 0.5
    halved = odds / (1 + odds)
    assert outcome_weights([1, 1, 1], chance) == pytest.approx(np.log(halved / chance))
    assert outcome_weights([0, 0, 0], chance) == pytest.approx(np.log((1 - halved) / (1 - chance)))
    counts, mean = np.array([0, 3, 9]), np.array([2.0, 4.0, 8.0])
    assert count_weights(counts, mean, 0.7) == pytest.approx(
        stats.poisson.logpmf(counts, 0.7 * mean) - stats.poisson.logpmf(counts, mean)
    )
    assert count_weights(counts, mean, dispersion=2.0) == pytest.approx(count_weights(counts, mean) / 2)


def test_the_sum_is_the_recursion_and_ignores_what_is_missing():
    weights = np.random.default_rng(1).normal(size=(5, 80))
    weights[2, 10:20] = np.nan
    path = running_sum(weights)
    for row in range(5):
        value = 0.0
        for step in range(80):
            value = max(0.0, value + np.nan_to_num(weights[row, step]))
            assert path[row, step] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("actual", [1.0, 0.5])
def test_the_chain_agrees_with_a_simulation_over_a_mix_of_chances(actual):
    random = np.random.default_rng(7)
    mix, threshold, paths = np.array([0.05, 0.15, 0.3, 0.6]), 2.5, 3000
    steps = 3000 if actual == 1.0 else 800
    chance = random.choice(mix, (paths, steps))
    odds = chance / (1 - chance) * actual
    won = random.random((paths, steps)) < odds / (1 + odds)
    reached = running_sum(outcome_weights(won, chance)) >= threshold
    assert reached.any(axis=1).mean() > 0.999
    taken = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, steps)
    error = taken.std() / np.sqrt(paths)
    assert abs(taken.mean() - cases_to_signal(mix, threshold, actual=actual)) < 4 * error


def test_a_threshold_gives_the_rate_that_was_asked_for():
    mix = np.random.default_rng(3).beta(2, 5, 500)
    threshold = threshold_for(1000, mix)
    assert cases_to_signal(mix, threshold) == pytest.approx(1000, rel=0.05)
    assert cases_to_signal(mix, threshold, actual=0.5) < 120
    with pytest.raises(StatisticsError, match="that rare"):
        threshold_for(1e40, mix)


def test_a_threshold_below_zero_is_refused():
    with pytest.raises(StatisticsError, match="above zero"):
        run_length([1.0, -1.0], [0.5, 0.5], 0.0)


def test_a_level_that_is_known_gives_the_plain_weights():
    random = np.random.default_rng(5)
    chance = random.uniform(0.1, 0.6, (3, 40))
    won = random.random((3, 40)) < chance
    assert learn(won, chance, 0.0).weights == pytest.approx(outcome_weights(won, chance))
    counts = random.poisson(4, (3, 40))
    plain = count_weights(counts, np.full((3, 40), 4.0), 0.6, 2.0)
    found = learn(counts, np.full((3, 40), 4.0), 0.0, family="poisson", ratio=0.6, dispersion=2.0).weights
    assert found == pytest.approx(plain)


def test_nobody_signals_for_a_level_that_he_always_had():
    # Beside a typical level, people whose odds always were low signal for ever; beside their own they do not.
    random = np.random.default_rng(9)
    chance = np.full((600, 300), 0.3)
    level = 0.5 * random.standard_normal((600, 1))
    own = 1 / (1 + (1 - chance) / chance * np.exp(-level))
    won = random.random(chance.shape) < own
    low = level[:, 0] < -0.5
    plain = (running_sum(outcome_weights(won, chance)) >= 4).any(axis=1)
    learned = (running_sum(learn(won, chance, 0.5).weights) >= 4).any(axis=1)
    assert plain[low].mean() > 0.9
    assert learned[low].mean() < 0.3 and learned.mean() < 0.25


def test_missing_steps_teach_nothing():
    chance = np.array([[0.3, np.nan, 0.3, 0.3]])
    found = learn([[1, 0, 0, 1]], chance, 0.4).weights
    together = learn([[1, 0, 1]], np.array([[0.3, 0.3, 0.3]]), 0.4).weights
    assert found[0, [0, 2, 3]] == pytest.approx(together[0]) and found[0, 1] == 0.0


def test_what_is_expected_of_a_step_is_fair_and_its_variance_true():
    random = np.random.default_rng(11)
    usual = np.full((4000, 30), 3.0)
    rate = usual * np.exp(0.4 * random.standard_normal((4000, 1)))
    counts = random.poisson(random.gamma(rate, 1.0))  # variance is twice the mean
    learned = learn(counts, usual, 0.4, family="poisson", dispersion=2.0)
    off = (counts - learned.expected).sum(axis=1)
    error = off.std() / np.sqrt(4000)
    assert abs(off.mean()) < 4 * error
    assert off.var() == pytest.approx(learned.variance.sum(axis=1).mean(), rel=0.1)
