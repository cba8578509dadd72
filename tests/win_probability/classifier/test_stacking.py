import numpy as np
import pytest
from scipy.special import expit

from spm_models.win_probability.classifier.stacking import Judged, stack


def judged(deals: int, seed: int = 0) -> Judged:
    """Two members that each know one of two columns, so that the truth is their sum and not their mean."""
    rng = np.random.default_rng(seed)
    said = rng.normal(size=(deals, 2))
    y = (rng.random(deals) < expit(said.sum(axis=1))).astype(float)
    return Judged(
        said, np.zeros(deals), y, np.ones(deals), np.arange(deals) % 4, np.arange(deals), None, np.full(2, 0.5)
    )


def test_members_that_each_know_something_else_count_more_than_once_where_deals_are_many():
    found = stack(judged(8000))
    assert found.weights.sum() == pytest.approx(1.9, abs=0.1)  # 2 is true


def test_members_count_about_once_together_where_deals_are_few():
    sums = [stack(judged(80, seed)).weights.sum() for seed in range(10)]
    assert max(sums) < 1.15  # nearly 2 is asked for


def test_members_that_say_too_much_are_drawn_together():
    one = judged(2000)
    loud = Judged(4 * one.said, one.base, one.y, one.weight, one.fold, one.group, None, one.prior)
    assert stack(loud).weights == pytest.approx([0.25, 0.25], abs=0.04)
