"""An order of coaching drawn by lot: the same for everybody who draws it again, fair, and judged by the draw alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching.effects import draw_order, seed_of
from spm_models.coaching.effects.randomised import Drawn, Waves, analyse
from spm_models.coaching.effects.windows import EASE_IN, QUARTER, Weekly
from spm_models.errors import NotEnoughDataError, StatisticsError

START = date(2026, 7, 6)


def people(many: int = 16) -> pd.DataFrame:
    number = np.arange(many)
    return pd.DataFrame({
        "rep_id": [f"r{n:02}" for n in number], "team": np.where(number % 2, "North", "South"),
        "need": np.where(number % 4 < 2, "watch", "coaching_suggestion"),
    })  # fmt: skip


def test_the_same_people_and_seed_give_the_same_order() -> None:
    one = draw_order(people(), skill="value", starts_on=START, capacity=2, seed=5)
    other = draw_order(people().sample(frac=1, random_state=1), skill="value", starts_on=START, capacity=2, seed=5)
    pd.testing.assert_frame_equal(one.places, other.places)
    orders = {
        draw_order(people(), skill="value", starts_on=START, capacity=2, seed=n).places.to_csv() for n in range(9)
    }
    assert len(orders) == 9
    assert seed_of(["value", "r1"]) != seed_of(["value", "r2"])


def test_nobody_is_left_out_and_each_wave_has_room_and_all_needs() -> None:
    order = draw_order(people(), skill="value", starts_on=START, capacity=2, seed=5)
    assert sorted(order.places["rep_id"]) == sorted(people()["rep_id"])
    assert order.waves == 4 and order.day(2) == date(2026, 11, 9)
    assert (order.places.groupby(["team", "wave"]).size() == 2).all()
    assert (order.places.groupby(["team", "wave"])["need"].nunique() == 2).all()


def test_everybody_has_the_same_chance_to_be_first() -> None:
    firsts = pd.concat(
        draw_order(people(8), skill="v", starts_on=START, capacity=1, seed=seed).places.query("wave == 1")
        for seed in range(150)
    )["rep_id"].value_counts()  # fmt: skip
    assert firsts.sum() == 300 and stats.chisquare(firsts.reindex(people(8)["rep_id"], fill_value=0)).pvalue > 0.001


def test_nobody_waits_for_somebody_who_needs_it_less() -> None:
    tiers = people().assign(tier=lambda rows: (rows["need"] == "watch").astype(int))
    places = draw_order(tiers, skill="value", starts_on=START, capacity=2, seed=5).places
    last = places[places["need"] == "coaching_suggestion"].groupby("team")["wave"].max()
    first = places[places["need"] == "watch"].groupby("team")["wave"].min()
    assert (last <= first).all()


@pytest.mark.parametrize(
    ("many", "capacity", "weeks", "error"),
    [(3, 1, 18, NotEnoughDataError), (8, 4, 18, NotEnoughDataError), (8, 0, 18, StatisticsError),
     (8, 1, 6, StatisticsError)],
)  # fmt: skip
def test_where_there_is_nothing_to_draw_it_says_so(many: int, capacity: int, weeks: int, error: type) -> None:
    with pytest.raises(error) as said:
        draw_order(people(many), skill="value", starts_on=START, capacity=capacity, seed=1, weeks=weeks)
    assert said.value.remedy


def waited(seed: int, gain: float, reps: int = 24) -> Drawn:
    """Four waves 18 weeks apart; everybody closes deals, the coached win more of them by the gain."""
    draw = np.random.default_rng(seed)
    weeks = 7 * QUARTER
    block = np.arange(reps) // 8
    wave = np.concatenate([draw.permutation(8) // 2 for _ in range(reps // 8)])
    start = 2 * QUARTER + 18 * wave
    able = 0.25 + 0.05 * draw.normal(size=reps)
    at_work = np.clip((np.arange(weeks) - start[:, None]) / EASE_IN, 0, 1)
    closed = draw.poisson(2.0, (reps, weeks))
    won = draw.binomial(closed, np.clip(able[:, None] + gain * at_work, 0, 1))
    record = Weekly(won - 0.25 * closed, closed.astype(float), won * 1.0, np.ones((reps, weeks), dtype=bool))
    return analyse(record, Waves(np.arange(reps), block, start), ease_in=EASE_IN, seed=seed)


def test_the_draw_judges_its_own_effect() -> None:
    nothing, gained = [waited(seed, 0.0) for seed in range(40)], [waited(seed, 0.1) for seed in range(40)]
    assert np.mean([one.effect for one in gained]) == pytest.approx(0.1, abs=0.02)
    assert abs(np.mean([one.effect for one in nothing])) < 0.02
    for planted, found in ((0.0, nothing), (0.1, gained)):
        covered = sum(one.low <= planted <= one.high for one in found)
        assert stats.binom.cdf(covered, 40, 0.9) > 0.005 and all(one.reps >= 6 for one in found)
    assert stats.kstest([one.p for one in nothing], "uniform").pvalue > 0.001
    assert all((one.p < 0.1) == (one.low > 0 or one.high < 0) for one in nothing if not 0.08 < one.p < 0.12)
    held = [one.placebo for one in gained if one.placebo is not None]
    assert len(held) == 40 and sum(low > 0 or high < 0 for _, low, high in held) <= 7


def test_the_same_seed_gives_the_same_interval() -> None:
    assert waited(3, 0.05) == waited(3, 0.05)


def test_too_few_possible_orders_or_too_little_time_give_no_figure() -> None:
    quiet = Weekly(np.zeros((4, 60)), np.ones((4, 60)), np.zeros((4, 60)), np.ones((4, 60), dtype=bool))
    two = Waves(np.arange(4), np.zeros(4, dtype=np.int64), np.array([26, 26, 44, 44]))
    with pytest.raises(NotEnoughDataError, match="6 orders"):
        analyse(quiet, two, ease_in=EASE_IN, seed=1)
    soon = Waves(np.arange(4), np.zeros(4, dtype=np.int64), np.array([55, 55, 73, 73]))
    with pytest.raises(NotEnoughDataError, match="0 waves"):
        analyse(quiet, soon, ease_in=EASE_IN, seed=1)
