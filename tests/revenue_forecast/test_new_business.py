"""What is known of business not yet created: trend, season, ramp, leavers, the rhythm of the quarter; against truth."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.arrivals import NewBusiness
from spm_models.revenue_forecast.features import LOST, OPEN, WON
from spm_models.revenue_forecast.quarter_rhythm import learn_rhythm
from spm_models.revenue_forecast.seasons import monthly_season
from spm_models.revenue_forecast.trend import path
from spm_models.revenue_forecast.units import Units

AS_OF = date(2024, 12, 31)
FIRST = pd.Timestamp("2022-01-01")
QUARTER = FiscalCalendar().quarter(date(2025, 1, 1))


def deals(created: np.ndarray, rep: np.ndarray, seed: int = 1) -> pd.DataFrame:
    """Deals of 40 days on average, three in ten of them won."""
    rng = np.random.default_rng(seed)
    left = (pd.Timestamp(AS_OF) - FIRST).days - created
    days = np.ceil(rng.exponential(40, len(created)))
    event = np.where(days > left, OPEN, np.where(rng.random(len(created)) < 0.3, WON, LOST))
    return pd.DataFrame(
        {"opportunity_id": [f"o{k:05}" for k in range(len(created))], "rep_id": rep,
         "created_on": FIRST + pd.to_timedelta(created, unit="D"), "days": np.minimum(days, left).astype(float),
         "event": event, "amount": 1.0}
    )  # fmt: skip


def arrivals(rate: np.ndarray, seed: int = 2) -> np.ndarray:
    return np.repeat(np.arange(len(rate)), np.random.default_rng(seed).poisson(rate))


def expected(model: NewBusiness) -> float:
    season, _ = model._won([QUARTER], 0.0)
    return float((model.rate_ * (model._presence(len(season)) @ season)).sum())


DAYS = np.arange(1096)


@pytest.mark.parametrize("yearly", [0.7, 1.0, 1.4])
def test_growing_and_shrinking_companies_are_followed(yearly: float) -> None:
    pace = 2.0 * yearly ** (DAYS / 365.25)
    created = arrivals(pace)
    people = pd.DataFrame({"rep_id": ["a", "b"]})
    rep = np.where(np.arange(len(created)) % 2, "a", "b")
    model = NewBusiness().fit(deals(created, rep), Units.of(people, AS_OF), AS_OF)
    truth = float((2.0 * yearly ** ((1096 + np.arange(90)) / 365.25)).sum())
    assert expected(model) == pytest.approx(truth, rel=0.18)


def test_a_step_is_noticed_within_half_a_year() -> None:
    created = arrivals(np.where(DAYS < 1096 - 150, 3.0, 1.5))
    model = NewBusiness().fit(deals(created, np.repeat("a", len(created))), Units.of(ONE, AS_OF), AS_OF)
    assert expected(model) == pytest.approx(1.5 * 90, rel=0.2)


ONE = pd.DataFrame({"rep_id": ["a"]})


def test_leavers_create_nothing_more_and_new_colleagues_less_at_first() -> None:
    created = [arrivals(np.where(mask, 1.0, 0.0), seed) for seed, mask in
               enumerate((DAYS >= 0, DAYS < 1000, DAYS >= 1070))]  # fmt: skip
    rep = np.repeat(["stays", "left", "new"], [len(part) for part in created])
    people = pd.DataFrame({"rep_id": ["left", "new", "stays"],
                           "left_on": [FIRST + pd.Timedelta(days=1000), pd.NaT, pd.NaT],
                           "hired_on": [pd.NaT, FIRST + pd.Timedelta(days=1070), pd.NaT]})  # fmt: skip
    model = NewBusiness().fit(deals(np.concatenate(created), rep), Units.of(people, AS_OF), AS_OF)
    assert model.rate_[0] == 0.0
    assert 0 < model.hire(QUARTER)[0] < model.wins(QUARTER, np.zeros(4)).mean[2]
    assert (np.diff(model._presence(120)[1]) >= 0).all() and (model._presence(120)[2] == 1).all()


def test_season_is_found_and_growth_is_not_taken_for_one() -> None:
    days = FIRST + pd.to_timedelta(DAYS, unit="D")
    swing = 1 + 0.4 * np.sin(2 * np.pi * days.day_of_year.to_numpy() / 365.25)
    found = monthly_season(pd.Series(FIRST + pd.to_timedelta(arrivals(4 * swing), unit="D")), AS_OF)
    assert found[3] > 1.2 and found[9] < 0.8
    grown = arrivals(2.0 * 1.5 ** (DAYS / 365.25))
    flat = monthly_season(pd.Series(FIRST + pd.to_timedelta(grown, unit="D")), AS_OF)
    assert np.abs(flat - 1).max() < 0.12


def test_calm_records_have_no_trend() -> None:
    rng = np.random.default_rng(5)
    levels = [path(rng.poisson(40, 30).astype(float), np.full(30, 40.0), 3).ahead[2] for _ in range(40)]
    assert abs(np.mean(levels) - 1) < 0.01 and np.std(levels) < 0.03


def test_the_rush_at_the_end_of_quarters_is_learned_and_chance_is_not() -> None:
    rng = np.random.default_rng(6)
    calendar = FiscalCalendar()
    days = FIRST + pd.to_timedelta(DAYS, unit="D")
    left = (days.to_period("Q").end_time.normalize() - days).days.to_numpy()
    for rush in (1.0, 3.0):
        hazard = 0.008 * np.where(left < 14, rush, 1.0)
        created = np.repeat(DAYS, rng.poisson(2.0, len(DAYS)))
        ends = np.full(len(created), len(DAYS))
        for place, start in enumerate(created):
            hit = np.flatnonzero(rng.random(len(DAYS) - start) < hazard[start:])
            ends[place] = start + hit[0] if hit.size else len(DAYS)
        table = deals(created, np.repeat("a", len(created)))
        table["days"] = (ends - created).astype(float)
        table["event"] = np.where(ends < len(DAYS), WON, OPEN)
        rhythm = learn_rhythm(table, calendar, AS_OF, None)
        ratio = rhythm.factors[0, :2].mean() / rhythm.factors[0, 2:].mean()
        assert ratio == pytest.approx(rush, rel=0.2)
        assert np.allclose(rhythm.factors[1], 1.0)
        over = rhythm.over(date(2024, 12, 17), np.array([0.0, 14.0, 91.0]))
        assert over.shape == (2, 2) and over[0, 0] == pytest.approx(rhythm.factors[0, :2].mean(), rel=0.1)
