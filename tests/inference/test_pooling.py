"""Partial pooling against published analyses and against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spm_models.errors import StatisticsError
from spm_models.inference.pooling import beta_binomial, gamma_poisson, james_stein, normal_normal

# Efron and Morris (1975), table 1: hits of 18 batters in their first 45 times at bat of 1970, and their averages in
# the rest of the season.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
SEASON = np.array([.346, .298, .276, .222, .273, .270, .263, .210, .269, .230, .264, .256, .303, .264, .226, .285, .316,
                   .200])  # fmt: skip

# BDA3 table 5.1: rats with tumours in 71 groups (Tarone 1982).
TUMOURS = [0] * 14 + [1] * 8 + [2] * 9 + [
    1, 5, 2, 5, 3, 2, 7, 7, 3, 3, 2, 9, 10, 4, 4, 4, 4, 4, 4, 4, 10, 4, 4, 4, 5, 11, 12, 5, 5, 6, 5, 6, 6, 6, 6, 16, 15,
    15, 9, 4]  # fmt: skip
RATS = [20, 20, 20, 20, 20, 20, 20, 19, 19, 19, 19, 18, 18, 17, 20, 20, 20, 20, 19, 19, 18, 18, 25, 24, 23, 20, 20, 20,
        20, 20, 20, 10, 49, 19, 46, 27, 17, 49, 47, 20, 20, 13, 48, 50, 20, 20, 20, 20, 20, 20, 20, 48, 19, 19, 19, 22,
        46, 49, 20, 20, 23, 19, 22, 20, 20, 20, 52, 46, 47, 24, 14]  # fmt: skip


def test_james_stein_gives_the_published_baseball_estimates():
    # Efron and Morris (1977), Stein's paradox in statistics: the variance is that of the grand mean, .265
    averages = HITS / 45
    estimates = james_stein(averages, averages.mean() * (1 - averages.mean()) / 45)
    published = [.294, .289, .284, .279, .275, .275, .270, .265, .261, .261, .256, .256, .256, .256, .256, .251, .247,
                 .242]  # fmt: skip
    assert np.abs(estimates - published).max() < 0.0015
    # published: total squared error .077 for the averages and .022 for Stein's estimates, ratio 3.50
    raw, shrunk = ((averages - SEASON) ** 2).sum(), ((estimates - SEASON) ** 2).sum()
    assert raw == pytest.approx(0.0755, abs=0.002)
    assert raw / shrunk == pytest.approx(3.5, abs=0.1)


@pytest.mark.parametrize("pooled", [
    beta_binomial(HITS, np.full(18, 45)), gamma_poisson(HITS, np.full(18, 45), dispersion=1 - HITS.mean() / 45),
    normal_normal(HITS / 45, np.full(18, 0.066)),
])  # fmt: skip
def test_every_method_beats_the_raw_averages_threefold_on_baseball(pooled):
    raw = ((HITS / 45 - SEASON) ** 2).sum()
    assert ((pooled.mean - SEASON) ** 2).sum() < raw / 3
    inside = ((pooled.low <= SEASON) & (pooled.high >= SEASON)).sum()
    assert inside >= stats.binom.ppf(0.01, 18, 0.8)


def test_rat_tumours_agree_with_the_book():
    # BDA3 section 5.3: E(alpha | y) = 2.4, E(beta | y) = 14.3 with the flat prior on (alpha + beta) ** -0.5
    pooled = beta_binomial(TUMOURS, RATS, level=0.95)
    alpha, beta = pooled.first[:, 0] - TUMOURS[0], pooled.second[:, 0] - (RATS[0] - TUMOURS[0])
    assert pooled.weights[:, 0] @ alpha == pytest.approx(2.4, abs=0.1)
    assert pooled.weights[:, 0] @ beta == pytest.approx(14.3, abs=0.5)


def test_eight_schools_agree_with_the_book():
    effects, errors = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    schools = normal_normal(effects, errors, level=0.5)
    # BDA3 table 5.3, quartiles from 200 draws, hence the tolerance
    assert np.abs(schools.low - [7, 3, 2, 4, 1, 2, 7, 3]).max() < 1.5
    assert np.abs(schools.high - [16, 12, 11, 11, 10, 10, 15, 13]).max() < 1.5


@pytest.mark.parametrize("relative_spread", [0.0, 0.1, 0.4])
def test_intervals_of_rates_cover_the_truth(relative_spread):
    random = np.random.default_rng(7)
    inside = total = 0
    for _ in range(60):
        truth = np.clip(0.3 * (1 + relative_spread * random.standard_normal(30)), 0.01, 0.99)
        n = random.integers(0, 120, 30)
        pooled = beta_binomial(random.binomial(n, truth), n)
        inside += int(((pooled.low <= truth) & (truth <= pooled.high)).sum())
        total += 30
    # 80 % at least; more where nobody differs, because a spread of exactly zero is never assumed
    assert inside >= stats.binom.ppf(0.001, total, 0.78)
    assert relative_spread == 0.0 or inside <= stats.binom.ppf(0.999, total, 0.86)


def test_intervals_of_counts_cover_the_truth_when_events_cluster():
    random = np.random.default_rng(8)
    inside = total = 0
    for _ in range(60):
        truth = 2.0 * np.exp(0.2 * random.standard_normal(30))
        days = random.integers(5, 200, 30)
        counts = 3 * random.poisson(truth * days / 3)  # events come in threes: dispersion 3
        pooled = gamma_poisson(counts, days, dispersion=3.0)
        inside += int(((pooled.low <= truth) & (truth <= pooled.high)).sum())
        total += 30
    assert stats.binom.ppf(0.0005, total, 0.8) <= inside <= stats.binom.ppf(0.9995, total, 0.84)


def test_zero_variance_between_groups_does_not_collapse_the_interval():
    pooled = beta_binomial([10] * 8, [40] * 8)
    assert (pooled.high - pooled.low > 0.02).all()
    assert np.allclose(pooled.mean, 0.25, atol=0.01)


def test_a_group_without_trials_gets_what_the_others_suggest():
    pooled = beta_binomial([0, 30, 33, 27], [0, 100, 100, 100])
    assert 0.25 < pooled.mean[0] < 0.35
    assert pooled.high[0] - pooled.low[0] > pooled.high[1] - pooled.low[1]
    unknown = normal_normal([np.nan, 1.0, 1.2, 0.8], [np.inf, 0.1, 0.1, 0.1])
    assert 0.8 < unknown.mean[0] < 1.2 and np.isfinite([unknown.low, unknown.high]).all()


def test_each_group_is_pulled_towards_its_own_expectation():
    pooled = beta_binomial([1, 1], [4, 4], expected=[0.2, 0.6], spread=0.3)
    assert 0.18 < pooled.mean[0] < 0.3 and 0.45 < pooled.mean[1] < 0.6


def test_no_groups_at_all_is_no_error():
    for pooled in (beta_binomial([], []), gamma_poisson([], []), normal_normal([], [])):
        assert pooled.mean.size == pooled.low.size == 0


def test_below_agrees_with_the_interval():
    pooled = gamma_poisson([40, 80, 5], [50, 60, 10])
    assert np.allclose(pooled.below(pooled.low), 0.1, atol=1e-6)
    assert np.allclose(pooled.below(pooled.high), 0.9, atol=1e-6)


@pytest.mark.parametrize("call", [
    lambda: beta_binomial([5], [4]), lambda: beta_binomial([-1], [4]), lambda: beta_binomial([1], [4], expected=[1.0]),
    lambda: gamma_poisson([np.nan], [1]), lambda: normal_normal([1.0], [0.0]), lambda: beta_binomial([1], [2], level=1),
])  # fmt: skip
def test_impossible_numbers_are_refused(call):
    with pytest.raises(StatisticsError):
        call()


def test_one_group_far_from_all_others_is_not_drawn_in_by_them():
    values, error = np.r_[np.full(39, 1.0), 0.4], np.full(40, 0.1)
    alike = normal_normal(values, error, 1.0, spread=0.3)
    tails = normal_normal(values, error, 1.0, spread=0.3, tails=0.1)
    assert tails.mean[-1] < alike.mean[-1] - 0.2
    counts, trials = np.r_[np.full(39, 60), 20], np.full(40, 200)
    assert beta_binomial(counts, trials, 0.3, tails=0.1).mean[-1] < beta_binomial(counts, trials, 0.3).mean[-1] - 0.02
    assert gamma_poisson(counts, trials, 0.3, tails=0.1).mean[-1] < gamma_poisson(counts, trials, 0.3).mean[-1]


@pytest.mark.parametrize("tails", [0.0, 0.1])
def test_draws_have_the_intervals_that_are_told(tails):
    counts, trials = np.array([5, 30, 60, 90]), np.full(4, 200)
    for pooled in (
        beta_binomial(counts, trials, 0.25, tails=tails), gamma_poisson(counts, trials, 0.25, tails=tails),
        normal_normal(counts / 200, np.full(4, 0.03), 0.25, tails=tails),
    ):  # fmt: skip
        drawn = pooled.draws(np.random.default_rng(5), 20_000)
        inside = ((drawn >= pooled.low) & (drawn <= pooled.high)).mean(axis=0)
        assert np.abs(inside - 0.8).max() < 5 * np.sqrt(0.16 / 20_000)
