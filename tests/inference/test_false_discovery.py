"""Benjamini–Hochberg against the published example; margin-based flags against simulated companies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spm_models.errors import StatisticsError
from spm_models.inference.false_discovery import benjamini_hochberg, flag
from spm_models.inference.pooling import beta_binomial

# Benjamini and Hochberg (1995), section 3.2: 15 comparisons of two treatments of myocardial infarction
PUBLISHED = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_the_published_example_rejects_four():
    assert benjamini_hochberg(PUBLISHED, rate=0.05).tolist() == [True] * 4 + [False] * 11


def test_order_and_missing_values_do_not_matter():
    shuffled = np.random.default_rng(1).permutation(16)
    values = np.array([*PUBLISHED, np.nan])[shuffled]
    assert set(values[benjamini_hochberg(values, rate=0.05)]) == set(PUBLISHED[:4])
    assert not benjamini_hochberg([], rate=0.05).size


def test_flags_stop_where_their_mean_error_would_pass_the_rate():
    assert flag([0.99, 0.85, 0.60, np.nan], rate=0.1).tolist() == [True, True, False, False]
    assert flag([0.89], rate=0.1).tolist() == [False]


def test_a_doubtful_finding_is_not_carried_by_certain_ones():
    assert not flag([*[1.0] * 50, 0.45], rate=0.1)[-1]
    # nor by many certain findings about somebody else
    probability, person = [*[1.0] * 6, 0.6], ["a"] * 6 + ["b"]
    assert flag(probability, rate=0.1)[-1] and not flag(probability, rate=0.1, groups=person)[-1]


@pytest.mark.parametrize(("rate", "values"), [(0.0, [0.5]), (1.0, [0.5]), (0.1, [1.5])])
def test_impossible_numbers_are_refused(rate, values):
    with pytest.raises(StatisticsError):
        flag(values, rate=rate)


def _simulate(random, spread, companies=80, reps=40):
    flagged = false = true = companies_with_flags = 0
    for _ in range(companies):
        truth = 0.25 * np.clip(1 + spread * random.standard_normal(reps), 0.05, 3.9)
        n = random.integers(40, 400, reps)
        pooled = beta_binomial(random.binomial(n, truth), n, expected=np.full(reps, 0.25), spread=0.3)
        chosen = flag(pooled.below(0.85 * 0.25), rate=0.1)
        flagged += int(chosen.sum())
        false += int((chosen & (truth > 0.85 * 0.25)).sum())
        true += int((truth <= 0.85 * 0.25).sum())
        companies_with_flags += bool(chosen.any())
    return flagged, false, true, companies_with_flags


def test_flags_are_wrong_as_often_as_they_say():
    flagged, false, true, _ = _simulate(np.random.default_rng(3), spread=0.35)
    assert false <= stats.binom.ppf(0.999, flagged, 0.1)
    assert flagged > 0.3 * true  # and they are not bought by silence


def test_a_company_in_which_nobody_differs_gets_no_flags():
    *_, companies = _simulate(np.random.default_rng(4), spread=0.0)
    assert companies <= 1
