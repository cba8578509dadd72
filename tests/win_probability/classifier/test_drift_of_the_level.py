"""Whether block rates differ by more than chance, and what is then known of the level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.errors import StatisticsError
from spm_models.win_probability.classifier.drift import attenuation, find_drift


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


@pytest.mark.parametrize(("n", "rate"), [(60, 0.4), (300, 0.3), (2000, 0.06)])
def test_steady_levels_are_rarely_called_drifting(n, rate):
    rng = np.random.default_rng(1)
    false = sum(find_drift(rng.random(n) < rate).drifting for _ in range(60))
    assert false <= stats.binom.ppf(0.999, 60, 0.05)


def test_without_drift_nothing_changes_at_all():
    rng = np.random.default_rng(2)
    eta = rng.normal(-1, 1, 800)
    found = find_drift(rng.random(800) < sigmoid(eta), eta)
    assert not found.drifting
    assert (found.shift, found.variance, found.after(1000)) == (0.0, 0.0, (0.0, 0.0))
    assert found.adjusted(eta, horizon=500).tobytes() == eta.tobytes()


@pytest.mark.parametrize(
    "level",
    [np.repeat([0.0, 1.0], 1000), np.linspace(0, 1.5, 2000), 0.8 * np.sin(np.arange(2000) / 150)],
    ids=["jump", "slope", "season"],
)
def test_drift_is_found_and_the_latest_level_lies_in_its_interval(level):
    hits = found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        eta = rng.normal(-1.5, 0.8, 2000)
        drift = find_drift(rng.random(2000) < sigmoid(eta + level), eta)
        found += drift.drifting
        hits += abs(drift.shift - level[-1]) < 2 * max(drift.variance, 1e-12) ** 0.5
    assert found >= 18
    assert hits >= stats.binom.ppf(0.001, 20, 0.85)


def test_a_changed_mix_of_rows_is_no_drift_of_the_level():
    rng = np.random.default_rng(4)
    eta = np.linspace(-3, 0.5, 3000)  # later rows are better ones, and the model knows
    y = rng.random(3000) < sigmoid(eta)
    assert find_drift(y).drifting
    assert not find_drift(y, eta).drifting


def test_snapshots_of_one_deal_are_no_independent_rows():
    rng = np.random.default_rng(5)
    deals = np.repeat(np.arange(150), 20)
    time = np.repeat(np.sort(rng.random(150)), 20)
    naive = grouped = 0
    for _ in range(20):
        y = (rng.random(150) < 0.3)[deals]
        naive += find_drift(y, time=time, blocks=10).drifting
        grouped += find_drift(y, time=time, groups=deals, blocks=10).drifting
    assert naive > 15
    assert grouped <= stats.binom.ppf(0.999, 20, 0.05)


def test_the_table_tells_each_block():
    days = pd.date_range("2026-01-01", periods=400, freq="D")
    rng = np.random.default_rng(6)
    shuffled = rng.permutation(400)
    y = np.arange(400) >= 200
    drift = find_drift(y[shuffled], time=days[shuffled], blocks=4)
    table = drift.table
    assert table["rate"].tolist() == [0, 0, 1, 1]
    assert table["n"].tolist() == [100] * 4
    assert table["expected"].tolist() == pytest.approx([0.5] * 4)
    assert table["start"].iloc[1] == pd.Timestamp("2026-04-11")
    assert table["end"].iloc[-1] == days[-1]
    assert ((table["low"] <= table["rate"]) & (table["rate"] <= table["high"])).all()
    assert drift.drifting
    assert drift.after(30)[1] > drift.variance


def test_a_jump_that_stays_is_kept_and_a_swing_is_expected_to_end():
    rng = np.random.default_rng(7)
    jump = find_drift(rng.random(4000) < sigmoid(np.repeat([-2.0, -1.0], [3000, 1000])))
    swings = find_drift(rng.random(4000) < sigmoid(-1 + 0.8 * np.sin(np.arange(4000) / 110)))
    assert jump.drifting
    assert swings.drifting
    assert jump.after(800)[0] > 0.5 * jump.shift > 0.2
    assert abs(swings.after(800)[0]) < 0.35 * abs(swings.shift)


def test_attenuation_is_the_mean_over_an_uncertain_level():
    rng = np.random.default_rng(7)
    for eta, variance in [(-2.0, 0.5), (1.0, 2.0), (-3.0, 1.0)]:
        mean = sigmoid(eta + rng.normal(0, variance**0.5, 200_000)).mean()
        assert sigmoid(eta * attenuation(variance)) == pytest.approx(mean, abs=0.008)


def test_few_rows_tell_nothing_and_bad_ones_are_refused():
    drift = find_drift([1, 0, 1, 0, 0])
    assert (drift.drifting, len(drift.table)) == (False, 1)
    assert np.isnan(drift.p_value)
    assert not find_drift(np.zeros(500)).drifting
    with pytest.raises(StatisticsError, match="no labels"):
        find_drift([])
    with pytest.raises(StatisticsError, match="0 or 1"):
        find_drift([0, 2, 1])
    with pytest.raises(StatisticsError, match="differ in number"):
        find_drift([0, 1], [0.5])
