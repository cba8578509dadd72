"""Is a gap more than chance? Noise levels and bands against simulated truth, and the parts of the Brier score."""

from __future__ import annotations

import numpy as np
import pytest

from spm_models.evaluation import brier, brier_parts, calibration_error, consistency


def test_right_probabilities_stay_within_chance_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    within = 0
    for repeat in range(200):
        p = rng.random(150)
        within += consistency(rng.random(150) < p, p, draws=200, seed=repeat).within_chance
    assert 180 <= within <= 199, "95 of 100: binomial bounds for 200 trials"


def test_the_noise_level_is_what_right_probabilities_show_on_average() -> None:
    rng = np.random.default_rng(2)
    p = rng.beta(2, 5, 400)
    seen = np.mean([calibration_error(rng.random(400) < p, p) for _ in range(300)])
    assert consistency(rng.random(400) < p, p, draws=600).by_chance == pytest.approx(seen, rel=0.06)


def test_snapshots_of_one_deal_are_no_independent_evidence() -> None:
    rng = np.random.default_rng(3)
    p, deal = np.repeat(rng.random(100), 6), np.repeat(np.arange(100), 6)
    won = np.repeat(rng.random(100) < p[::6], 6)
    alone, together = consistency(won, p, draws=400), consistency(won, p, groups=deal, draws=400)
    assert together.limit > 1.8 * alone.limit
    width = together.table["chance_high"] - together.table["chance_low"]
    assert (width > alone.table["chance_high"] - alone.table["chance_low"]).mean() > 0.8


def test_probabilities_that_are_too_bold_are_found_out() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(1500)
    bold = np.where(p > 0.5, 1 - (1 - p) / 3, p / 3)
    found = consistency(rng.random(1500) < p, bold)
    assert not found.within_chance and found.error > 2 * found.by_chance
    outside = ~found.table["observed"].between(found.table["chance_low"], found.table["chance_high"])
    assert outside.mean() > 0.6


def test_the_parts_of_the_brier_score_add_up_exactly_and_mean_what_they_say() -> None:
    rng = np.random.default_rng(5)
    p, w = rng.random(3000), rng.gamma(2, 1, 3000)
    won = rng.random(3000) < p
    for said in (p, p**2, np.full(3000, 0.5)):
        parts = brier_parts(won, said, w)
        whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
        assert whole == pytest.approx(brier(won, said, w), abs=1e-12)
    right, shifted = brier_parts(won, p), brier_parts(won, np.clip(p + 0.2, 0, 1))
    assert right["reliability"] < 0.003 < 0.02 < shifted["reliability"]
    assert brier_parts(won, np.full(3000, won.mean()))["resolution"] == pytest.approx(0, abs=1e-12)
