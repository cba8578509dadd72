"""Generated companies follow their rates, tell nothing of the future, and the oracle is right about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from revenue.generator import NEVER, Record, company, simulate
from revenue.oracle import Oracle
from revenue.rates import BURN_IN, DAYS, KINDS, STEP_DEVIATION, STEP_MEAN, Rates, day_number, draw_rates

from spm_models.periods import FiscalCalendar

CALENDAR = FiscalCalendar()
DAY = date(2023, 8, 17)


def quiet(number: int) -> Rates:
    """Rates without what nobody can know beforehand."""
    return replace(draw_rates(number), shock_new=0.0, shock_won=0.0, events=())


@pytest.fixture(scope="module")
def large() -> Record:
    return simulate(quiet(12), seed=7)


def test_kinds_and_sizes_follow_from_the_number() -> None:
    found = [draw_rates(number) for number in range(12)]
    assert [rates.kind for rates in found] == list(KINDS) * 2
    assert [rates.size for rates in found] == [50] * 5 + [10] + [10] * 6
    grown = [draw_rates(number).pace.sum(axis=1) for number in (1, 4)]
    assert grown[0][-90:].sum() > 1.2 * grown[0][BURN_IN : BURN_IN + 90].sum()
    assert grown[1][-90:].sum() < 0.8 * grown[1][BURN_IN : BURN_IN + 90].sum()


def test_as_many_deals_are_created_as_the_rates_say(large: Record) -> None:
    """Poisson: within four standard deviations, in all and of each rep."""
    inside = (large.created >= BURN_IN) & (large.created < DAYS)
    expected = large.rates.pace[BURN_IN:].sum(axis=0)
    found = np.bincount(large.rep[inside], minlength=len(expected))
    assert abs(found.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())
    assert (np.abs(found - expected) < 4 * np.sqrt(expected) + 1).all()


def test_deals_are_won_as_often_as_their_quality_says(large: Record) -> None:
    """Binomial: deals that had two years to close, by segment and quality, where closing has no season."""
    record = simulate(replace(large.rates, closing=np.ones(DAYS)), seed=8)
    rates = record.rates
    true = (rates.up / (rates.up + rates.lost)).prod(axis=2)
    old = (record.created >= BURN_IN) & (record.created < DAYS - 500)
    assert (record.closed[old] == NEVER).mean() < 0.01
    for segment, quality in np.ndindex(true.shape):
        mine = old & (record.segment == segment) & (record.quality == quality)
        p, n = true[segment, quality], int(mine.sum())
        assert abs(record.won[mine].sum() - n * p) < 4 * np.sqrt(n * p * (1 - p)) + 1


def test_amounts_are_those_of_their_segment_and_change_on_the_way(large: Record) -> None:
    for segment, (mean, deviation) in enumerate(large.rates.amounts):
        logs = np.log(large.amounts[large.segment == segment, 0])
        assert abs(logs.mean() - mean) < 4 * deviation / np.sqrt(len(logs))
    won = large.amounts[large.won]
    steps = np.diff(np.log(won), axis=1)
    assert abs(steps.mean() - STEP_MEAN) < 4 * STEP_DEVIATION / np.sqrt(steps.size)
    assert steps.std() == pytest.approx(STEP_DEVIATION, rel=0.03)


def test_a_quarter_moves_together_where_there_are_shocks() -> None:
    rates = replace(quiet(12), pace=np.full_like(quiet(12).pace, 2.0), closing=np.ones(DAYS))

    def excess(shock: float) -> float:
        record = simulate(replace(rates, shock_new=shock), seed=3)
        quarters = pd.Series((record.created[record.created >= BURN_IN] - BURN_IN) // 92).value_counts()[:11]
        return float(quarters.var() / quarters.mean())

    assert excess(0.0) < 3.0
    assert excess(0.2) > 8.0


def test_a_snapshot_is_what_a_company_that_ended_that_day_would_show() -> None:
    """Nothing later is in it: stopped on that day, the same company gives the same frames."""
    whole, until = company(3), simulate(draw_rates(3), seed=100_003 + 3, until=DAY)
    assert whole.created.max() > day_number(DAY) >= until.created.max()
    for earlier in (0, 100):
        day = DAY - timedelta(days=earlier)
        a, b = (record.snapshot(day) for record in (whole, until))
        pd.testing.assert_frame_equal(a, b)
        assert len(a) > 20
    a, b = (record.outcomes(DAY) for record in (whole, until))
    pd.testing.assert_frame_equal(a, b)


def test_frames_know_their_day_and_nothing_later() -> None:
    record = company(1)
    rows, closed = record.snapshots([DAY - timedelta(days=60), DAY]), record.outcomes(DAY)
    assert (rows["created_on"] <= rows["as_of"]).all()
    assert not rows[rows["as_of"] == pd.Timestamp(DAY)]["opportunity_id"].isin(closed["opportunity_id"]).any()
    assert (closed["closed_on"] <= pd.Timestamp(DAY)).all()
    assert (rows["push_count"] > 0).any()
    assert ((rows["slip_days"] > 0) == (rows["push_count"] > 0)).all()
    people = record.organisation(DAY)
    assert (people["hired_on"] <= pd.Timestamp(DAY)).all()
    assert not (people["left_on"] > pd.Timestamp(DAY)).any()
    assert len(record.organisation(date(2024, 12, 31))) > len(people)


def test_the_same_seed_gives_the_same_company() -> None:
    one, again = company(5), company(5)
    pd.testing.assert_frame_equal(one.snapshot(DAY), again.snapshot(DAY))
    assert not company(5, seed=2).outcomes(DAY).equals(one.outcomes(DAY))


def test_the_oracle_is_right_on_average() -> None:
    """Wins of open deals (Poisson binomial) and of new ones (Poisson): four standard deviations, by week."""
    off = {(part, week): [0.0, 0.0] for part in ("open", "new", "amount") for week in (0, 6)}
    for number in (12, 14, 60):
        record = simulate(quiet(number), seed=number)
        quarters = CALENDAR.quarters(date(2023, 1, 1), date(2024, 12, 31))
        days = {(q, week): q.start + timedelta(days=7 * week - 1) for q in quarters for week in (0, 6)}
        oracle = Oracle(record, list(days.values()))
        for (quarter, week), day in days.items():
            said = oracle.expected(day, quarter)
            now, end = day_number(day), day_number(quarter.end)
            won = record.won & (record.closed > now) & (record.closed <= end)
            p = said.deals["chance"].to_numpy()
            sums = off["open", week]
            sums[0] += (won & (record.created <= now)).sum() - p.sum()
            sums[1] += (p * (1 - p)).sum()
            sums = off["new", week]
            sums[0] += (won & (record.created > now)).sum() - said.new_wins.sum()
            sums[1] += said.new_wins.sum()
            brought = record.amounts[won, -1]
            sums = off["amount", week]
            sums[0] += brought.sum() - said.open - said.new
            sums[1] += (brought**2).sum()
            assert said.closed == pytest.approx(record.actual(quarter.start, day).sum() if week else 0.0)
    for part, (gap, variance) in off.items():
        assert abs(gap) < 4 * np.sqrt(variance), part


def test_the_oracle_does_not_know_events_to_come() -> None:
    rates = draw_rates(3)
    event = rates.events[0]
    before, after = event.start - 1, event.start + 1
    assert (rates.arrivals_known(before) == rates.pace).all()
    changed = rates.arrivals_known(after)[event.start + 5].sum() / rates.pace[event.start + 5].sum()
    assert changed == pytest.approx(event.arrivals)
