"""How large a shortfall the data could have shown."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spm_models.coaching.detectable import detectable_delay, detectable_rate, detectable_shortfall


def test_the_known_figures_for_forty_reps_and_a_win_rate_of_a_quarter():
    found = detectable_shortfall([25, 100, 200, 400], 0.25)
    assert np.isnan(found[0])  # with 25 closed deals nothing can be seen
    assert found[1:].round(2).tolist() == [0.63, 0.45, 0.32]


@pytest.mark.parametrize("n", [200, 400, 1600])
def test_a_shortfall_of_that_size_is_seen_at_least_four_times_in_five(n):
    shortfall = float(detectable_shortfall(n, 0.25))
    # the exact test's critical number of won deals at the strictest step, 0.1 / 40
    critical = stats.binom.ppf(0.1 / 40, n, 0.25) - 1
    power = stats.binom.cdf(critical, n, 0.25 * (1 - shortfall))
    assert 0.78 < power < 0.95


def test_more_data_and_fewer_reps_show_smaller_shortfalls():
    assert detectable_shortfall(400, 0.25, reps=5) < detectable_shortfall(400, 0.25, reps=40)
    assert (np.diff(detectable_rate([50, 100, 400], 2.0)) < 0).all()
    assert (np.diff(detectable_delay([30, 100, 400], 0.4)) < 0).all()
