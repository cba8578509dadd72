"""Intervals hold what they promise."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from spm_models.inference.intervals import bootstrap, wilson


def test_wilson_equals_statsmodels_and_never_leaves_the_unit_interval():
    k, n = np.array([0, 1, 8, 50, 10]), np.array([5, 4, 10, 100, 10])
    low, high = wilson(k, n, 0.9)
    expected = proportion_confint(k, n, alpha=0.1, method="wilson")
    np.testing.assert_allclose(low, expected[0], atol=1e-12)
    np.testing.assert_allclose(high, expected[1], atol=1e-12)
    assert [float(end) for end in wilson(0, 0)] == [0.0, 1.0]


def test_the_bootstrap_covers_a_mean_as_often_as_it_says():
    hits = 0
    for seed in range(300):
        sample = np.random.default_rng(seed).exponential(1.0, 60)
        found = bootstrap(sample, draws=300, level=0.8, seed=seed)
        hits += found.low <= 1.0 <= found.high
    assert stats.binomtest(hits, 300, 0.78).pvalue > 0.001  # 60 skewed values cost it about two points


def test_rows_of_one_group_are_drawn_together():
    rng = np.random.default_rng(5)
    deals = rng.normal(size=50)
    rows, groups = np.repeat(deals, 20), np.repeat(np.arange(50), 20)
    apart, together = bootstrap(rows, seed=1), bootstrap(rows, groups=groups, seed=1)
    assert together.standard_error == pytest.approx(deals.std() / np.sqrt(50), rel=0.1)
    assert apart.standard_error < together.standard_error / 3


def test_the_same_seed_gives_the_same_draws():
    assert np.array_equal(bootstrap([1.0, 2, 3], seed=4).draws, bootstrap([1.0, 2, 3], seed=4).draws)
