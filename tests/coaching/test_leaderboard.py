"""Places on the leaderboard: ranges that hold all at once, ties where nobody can be told apart, and off by default."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching import CoachingReview
from spm_models.coaching.team.leaderboard import LEAST_REPS, MEASURES, leaderboard
from spm_models.coaching.team.ranks import ranks
from spm_models.errors import StatisticsError
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.settings import Settings, Team


def true_places(truth):
    """First and last place of each true value; equal values share places."""
    return 1 + (truth[None, :] > truth[:, None]).sum(axis=1), truth.size - (truth[None, :] < truth[:, None]).sum(axis=1)


def share_held(spread, runs=300, reps=15):
    held, random = 0, np.random.default_rng(20260101)
    for run in range(runs):
        truth, error = spread * random.standard_normal(reps), random.uniform(0.05, 0.25, reps)
        found = ranks(truth + error * random.standard_normal(reps), error, level=0.9, draws=500, seed=run)
        first, last = true_places(truth)
        held += bool(((found.low <= first) & (found.high >= last)).all())
    return held, runs


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.5])
def test_all_ranges_hold_at_once(spread):
    held, runs = share_held(spread)
    assert held >= stats.binom.ppf(0.001, runs, 0.9), f"{held} of {runs}"
    if spread == 0:  # nobody differs: the level is reached, not exceeded by far
        assert held <= stats.binom.ppf(0.999, runs, 0.92)


def test_ranges_of_single_places_overlap_too_often_to_be_read_at_once():
    """The naive board (each range by itself at 90 %) misleads somebody in most companies where nobody differs."""
    random, wrong = np.random.default_rng(3), 0
    for _ in range(200):
        seen = random.standard_normal(20)
        z = (seen[:, None] - seen[None, :]) / np.sqrt(2)
        wrong += bool((z > stats.norm.ppf(0.95)).any())
    assert wrong / 200 > 0.8


def test_places_and_ties_follow_from_who_can_be_told_apart():
    random = np.random.default_rng(11)
    for seed in range(20):
        values, error = random.standard_normal(25), random.uniform(0.05, 0.6, 25)
        found = ranks(values, error, seed=seed, draws=400)
        assert not (found.above & found.above.T).any() and not found.above[values[:, None] <= values[None, :]].any()
        alike = ~(found.above | found.above.T)
        assert (found.tied_with == alike.sum(axis=1) - 1).all() and (found.rank == found.low).all()
        assert (found.low <= found.high).all() and found.rank[values.argmax()] == 1


def test_somebody_of_whom_little_is_known_is_not_put_down():
    """Two who differ do not push a third, whom nobody can place, to the lower of them."""
    found = ranks([1.0, 0.6, -1.0], [0.1, 3.0, 0.1])
    assert found.rank.tolist() == [1, 1, 2] and found.high.tolist() == [2, 3, 3]


def test_who_differs_clearly_has_a_place_of_his_own():
    found = ranks([5.0, 1.0, 3.0], [0.1, 0.1, 0.1])
    assert found.rank.tolist() == found.low.tolist() == found.high.tolist() == [1, 3, 2]
    assert found.tied_with.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("values", "errors"), [([1.0, np.nan], [1.0, 1.0]), ([1.0], [0.0]), ([1.0, 2.0], [1.0])])
def test_estimates_without_an_error_are_refused(values, errors):
    with pytest.raises(StatisticsError, match="ranked"):
        ranks(values, errors)


@pytest.fixture(scope="module")
def findings(company):
    seen, _ = company(4, reps=12, factors={"follow_up": {"r003": 1.6, "r005": 0.3}}, spread=0.0, deals=150.0)
    return CoachingReview().fit(seen).predict(seen)


def test_every_measure_is_published_with_its_range(findings):
    board = conform(leaderboard(findings, MEASURES, seed=1), TABLES["leaderboard"])
    assert set(board["measure"]) == set(MEASURES)
    assert (board["low"].le(board["value"]) & board["value"].le(board["high"])).all()
    assert (board["rank_low"].le(board["rank"]) & board["rank"].le(board["rank_high"])).all()
    assert board["rank_low"].ge(1).all() and board["rank_high"].le(board["reps"]).all()
    assert board.groupby("measure").size().le(12).all()
    pd.testing.assert_frame_equal(board, conform(leaderboard(findings, MEASURES[::-1], seed=1), TABLES["leaderboard"]))


def test_a_planted_difference_is_told_and_nothing_else(findings):
    board = leaderboard(findings, ["follow_up", "win_rate"], seed=1).set_index(["measure", "rep_id"])
    assert board.loc[("follow_up", "r003"), "rank_high"] < board.loc[("follow_up", "r005"), "rank_low"]
    win = board.loc["win_rate"]
    assert win["tied_with"].eq(len(win) - 1).all() and win["rank"].eq(1).all()


def test_a_territory_of_ones_own_widens_the_places(findings):
    """Where rep and territory cannot be told apart, a difference is no reason for a lower place."""
    key = ("follow_up", "")
    mixed = replace(findings, posteriors={key: replace(findings.posteriors[key], own=0.3)})
    plain, wide = (leaderboard(one, ["follow_up"], seed=1) for one in (findings, mixed))
    assert findings.posteriors[key].own == 1.0
    assert wide["tied_with"].ge(plain["tied_with"]).all() and wide["tied_with"].sum() > plain["tied_with"].sum()


def test_a_board_of_few_people_is_not_shown(company):
    seen, _ = company(4, reps=LEAST_REPS - 1)
    assert leaderboard(CoachingReview().fit(seen).predict(seen), ["win_rate"], seed=1).empty


def test_off_by_default_with_the_published_columns(findings):
    settings = Settings()
    assert settings.team == Team(leaderboard=(), badges=False, board=False, goals={})
    assert list(leaderboard(findings, settings.team.leaderboard, seed=1)) == list(TABLES["leaderboard"].columns)
    assert leaderboard(findings, (), seed=1).empty


def test_nobody_is_ranked_by_contacts_or_lateness(findings):
    for name in ("activity", "cycle", "lateness"):
        with pytest.raises(StatisticsError, match="rank by"):
            leaderboard(findings, [name], seed=1)
        with pytest.raises(ValueError, match="Input should be"):
            Team(leaderboard=(name,))
