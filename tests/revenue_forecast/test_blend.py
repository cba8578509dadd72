"""Weights go to whoever was right, late ones late, little with few quarters, and never by what came afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.revenue_forecast.blend import BLEND, MEMBERS, Blend, learn_blend
from spm_models.revenue_forecast.quarter_weeks import WEEKS
from spm_models.revenue_forecast.reweighting import chosen, moved, stretched

SERIES, RATIO, LINEARITY = (MEMBERS.index(name) for name in MEMBERS)


def quarters(n: int, seed: int = 1, *, own: float = 0.0, spread: float = 8.0, noise: float = 8.0) -> pd.DataFrame:
    """Quarters in which the simulation errs by ``noise`` percent, linearity is right late and wrong early."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        actual = 100 * np.exp(rng.normal(0, 0.1))
        simulated = actual * (1 + own) + rng.normal(0, noise)
        early, series = actual + rng.normal(0, 60), actual + rng.normal(0, 40)
        for week in WEEKS:
            share = week / 12
            rows.append(
                {"period": f"q{number:02}", "week": week, "simulation": simulated, "spread": spread, "actual": actual,
                 "linearity": (1 - share) * early + share * actual, "series": series}
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_a_member_that_is_better_late_gets_its_weight_late() -> None:
    weights = learn_blend(quarters(12)).weights
    assert weights[12, LINEARITY] > 0.15 > 0.05 > weights[0, LINEARITY]
    assert (np.diff(weights[4:, LINEARITY]) > -0.02).all(), "it rises smoothly"
    assert weights[12, SERIES] < 0.1
    assert (weights >= 0).all() and (weights.sum(axis=1) <= 1 + 1e-9).all()


def test_members_that_are_no_better_cost_nearly_nothing() -> None:
    rng = np.random.default_rng(3)
    weights, shifts = [], []
    for seed in range(12):
        rows = quarters(4, seed=seed, spread=15.0, noise=15.0).drop(columns="linearity")
        late = rows.assign(coverage_ratio=rows.simulation + rng.normal(0, 15, len(rows)))
        blend = learn_blend(late[late.week.isin([1, 6, 10])])
        weights.append(blend.weights[1].sum())
        shifts.append(abs(blend.shift[1]))
    assert np.mean(weights) < 0.1 and np.mean(shifts) < 0.02


def test_few_quarters_change_little_and_none_nothing() -> None:
    late = [learn_blend(quarters(12).head(13 * n)).weights[12, LINEARITY] for n in (0, 1, 4, 12)]
    assert late[0] == 0 and late[1] < 0.1 and late[1] < late[2] < late[3]
    empty = learn_blend(quarters(1).head(0))
    assert empty.quarters == 0 and (empty.scale == 1).all() and (empty.shift == 0).all()
    assert empty.mean(5, 100.0, {"linearity": 200.0}) == 100.0 and empty.note(5, {}) == ""


def test_a_standing_error_is_taken_off_in_part() -> None:
    high = quarters(10, own=0.15, noise=2.0)
    blend = learn_blend(high.drop(columns=["linearity", "series"]))
    assert -0.13 < blend.shift[0] < -0.05
    assert blend.mean(0, 115.0, {}) == pytest.approx(115 * (1 + blend.shift[0]))
    even = learn_blend(quarters(10, noise=2.0).drop(columns=["linearity", "series"]))
    assert abs(even.shift[0]) < 0.02


@pytest.mark.parametrize(("spread", "wider"), [(3.0, True), (30.0, False)])
def test_ranges_that_were_too_narrow_are_widened_and_too_wide_ones_narrowed(spread: float, wider: bool) -> None:
    scale = learn_blend(quarters(10, spread=spread).drop(columns=["linearity", "series"])).scale
    assert (scale > 1.15).all() if wider else (scale < 0.9).all()
    one = learn_blend(quarters(1, spread=spread).drop(columns=["linearity", "series"])).scale
    assert np.abs(np.log(one)).max() < np.abs(np.log(scale)).max(), "one quarter says less"


def test_a_quarter_counts_once_however_many_weeks_of_it_were_replayed() -> None:
    every = quarters(6)
    some = every[every.week.isin([0, 3, 6, 9, 12])]
    assert np.abs(learn_blend(every).weights[12] - learn_blend(some).weights[12]).max() < 0.12
    twice = pd.concat([every, every])
    assert np.allclose(learn_blend(twice).weights, learn_blend(every).weights, atol=0.05)


def test_spread_is_judged_by_weights_of_earlier_quarters_only() -> None:
    rows = quarters(5)
    other = rows.copy()
    other.loc[other.period == "q04", "actual"] *= 3
    first, second = (learn_blend(table[table.period < "q04"]) for table in (rows, other))
    assert np.array_equal(first.weights, second.weights) and np.array_equal(first.scale, second.scale)
    assert not np.array_equal(learn_blend(rows).scale, learn_blend(other).scale)


def test_members_that_are_absent_leave_their_weight_to_the_simulation() -> None:
    blend = learn_blend(quarters(12))
    assert blend.mean(12, 100.0, {}) == pytest.approx(100 * (1 + blend.shift[12]))
    assert blend.mean(12, 100.0, {"linearity": 120.0}) > blend.mean(12, 100.0, {})
    assert blend.mean(12, 100.0, {"linearity": 0.0}, closed=95.0) >= 95.0
    assert blend.mean(0, 0.0, {"series": 50.0}) == 0.0, "no distance can be told from nothing"
    assert list(blend.table.week) == list(WEEKS) and "12 replayed quarters" in blend.note(12, {"linearity": 1.0})


def test_draws_are_chosen_to_the_wanted_mean_and_spread() -> None:
    totals = np.random.default_rng(1).gamma(20, 5, 4000)
    for mean, spread in ((totals.mean() + 10, 1.0), (totals.mean() - 10, 1.3), (totals.mean(), 0.7)):
        keep = chosen(totals, mean, spread, np.random.default_rng(2))
        assert totals[keep].mean() == pytest.approx(mean, abs=0.6)
        assert totals[keep].std() / totals.std() == pytest.approx(spread, abs=0.12)
    same = chosen(totals, float(totals.mean()), 1.0, np.random.default_rng(2))
    assert len(np.unique(same)) > 0.9 * len(totals)
    assert (chosen(np.full(50, 7.0), 9.0, 1.0, np.random.default_rng(1)) == np.arange(50)).all()


def test_what_no_choice_reaches_is_reached_by_scaling_what_is_left() -> None:
    totals = 50 + np.random.default_rng(1).gamma(25, 2, 2000)
    keep, ratio = stretched(totals, 50.0, 200.0, 1.0, seed=1)
    assert ratio > 1.5 and (50 + (totals[keep] - 50) * ratio).mean() == pytest.approx(200, rel=0.01)
    assert stretched(totals, 50.0, float(totals.mean()) + 3, 1.0, seed=1)[1] == 1.0


@pytest.mark.parametrize("factor", [0.5, 1.02, 1.6])
def test_every_level_stays_a_sum_of_the_same_draws(case: Any, factor: float) -> None:
    before = case.forecast
    closed = float(before.closed.sum()) / 100
    wanted = closed + factor * (float(before.company_total().mean()) - closed)
    found = moved(before, wanted, 1.1, 3, "moved", BLEND)
    assert found.company_total().mean() == pytest.approx(wanted, rel=0.02)
    cents = found.draws.assign(cents=(found.draws.total * 100).round()).groupby(["level", "draw"]).cents.sum()
    wide = cents.unstack("level")
    assert (wide.sub(wide.company, axis=0) == 0).all(axis=None)
    assert found.by == BLEND and (found.closed == before.closed).all()


def test_a_blend_without_quarters_changes_no_draw(case: Any) -> None:
    nothing = Blend(np.zeros((13, 3)), np.zeros(13), np.ones(13), 0)
    found = nothing.apply(case.forecast, {"series": 1.0})
    assert np.array_equal(np.sort(found.company_total()), np.sort(case.forecast.company_total()))
