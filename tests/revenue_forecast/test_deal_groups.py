"""Deals of different kinds take different times: forecasts against a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import RevenueForecaster
from spm_models.revenue_forecast.closing import ClosingTime
from spm_models.revenue_forecast.features import WON, creations, landmarks

AS_OF = pd.Timestamp("2025-06-30")
CALENDAR = FiscalCalendar()
QUARTER = CALENDAR.quarter(pd.Timestamp("2025-07-01").date())
MEAN_DAYS = {"small": 40.0, "large": 160.0}
WIN_RATE = 0.4


def company(seed: int, n: int = 3000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots of month ends and outcomes: one deal in three is large, four times as slow and ten times as dear."""
    rng = np.random.default_rng(seed)
    created = pd.Timestamp("2023-07-01") + pd.to_timedelta(rng.integers(0, 730, n), unit="D")
    segment = np.where(rng.random(n) < 1 / 3, "large", "small")
    days = np.ceil(rng.exponential(np.where(segment == "large", MEAN_DAYS["large"], MEAN_DAYS["small"])))
    amount = np.where(segment == "large", 10_000.0, 1_000.0) * rng.lognormal(0, 0.2, n)
    deals = pd.DataFrame(
        {"opportunity_id": [f"o{place:05}" for place in range(n)], "rep_id": "r1", "created_on": created,
         "closed_on": created + pd.to_timedelta(days, unit="D"), "won": rng.random(n) < WIN_RATE, "amount": amount,
         "segment": segment, "stage_order": 0.0}
    )  # fmt: skip
    ends = pd.date_range("2023-07-31", AS_OF, freq="ME")
    seen = pd.concat([deals[(deals.created_on <= end) & (deals.closed_on > end)].assign(as_of=end) for end in ends])
    seen["age_days"] = (seen.as_of - seen.created_on).dt.days.astype(float)
    kept = ["as_of", "opportunity_id", "rep_id", "created_on", "amount", "segment", "stage_order", "age_days"]
    closed = ["opportunity_id", "rep_id", "created_on", "closed_on", "won", "amount"]
    return seen[kept], deals.loc[deals.closed_on <= AS_OF, closed]


def forecast_over_truth(seed: int, *, without: list[str]) -> float:
    """Forecast of open deals' revenue in the coming quarter over what the rates say; win probabilities are right."""
    snapshots, outcomes = company(seed)
    people = pd.DataFrame({"rep_id": ["r1"], "team": ["north"]})
    now = snapshots[snapshots.as_of == AS_OF]
    truth = float((now.amount * WIN_RATE * (1 - np.exp(-92 / now.segment.map(MEAN_DAYS)))).sum())
    scores = pd.DataFrame({"opportunity_id": now.opportunity_id, "win_probability": WIN_RATE})
    model = RevenueForecaster(seed=1, draws=50).fit(snapshots.drop(columns=without), outcomes, people)
    inputs = model.predict(now.drop(columns=without), QUARTER, deal_scores=scores).inputs
    assert inputs is not None
    deals = inputs.deals
    return float(deals.chance @ deals.worth) / truth


@pytest.mark.parametrize("without", [[], ["segment"]], ids=["segment", "amount"])
def test_slow_large_deals_are_not_expected_too_soon(without: list[str]) -> None:
    ratios = np.array([forecast_over_truth(seed, without=without) for seed in range(8)])
    assert abs(ratios.mean() - 1) < 0.06, ratios  # 1.25 with groups of stage, age and due date alone


def fitted(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[ClosingTime, pd.DataFrame]:
    whole = snapshots.assign(days_to_expected_close=np.nan)
    rows = landmarks(whole, outcomes, AS_OF.date())
    return ClosingTime().fit(rows, creations(whole, outcomes, AS_OF.date()), CALENDAR), rows


def test_the_kind_is_what_times_differ_by() -> None:
    snapshots, outcomes = company(1)
    assert fitted(snapshots, outcomes)[0].groups_.kind_ == "segment"
    rng = np.random.default_rng(1)
    by_chance = dict(zip(snapshots.opportunity_id.unique(), rng.choice(["a", "b", "c"], 3000), strict=False))
    drawn = snapshots.assign(family=snapshots.segment, segment=snapshots.opportunity_id.map(by_chance))
    assert fitted(drawn, outcomes)[0].groups_.kind_ == "family"
    assert fitted(drawn.drop(columns="family"), outcomes)[0].groups_.kind_ == "amount"


def test_a_kind_that_was_never_seen_is_like_all_of_its_stage() -> None:
    closing, rows = fitted(*company(2))
    now = rows.tail(3).assign(segment=["small", np.nan, "new"], age_days=10.0)
    small, unknown, new = closing.won_by_days(now, [30.0])[:, 0]
    assert unknown == new
    stage = closing.incidence_.won_by(closing.groups(now)[2:], 30.0)[0]
    assert stage == new < small


def test_a_few_deals_of_their_own_kind_say_little() -> None:
    snapshots, outcomes = company(3)
    few = snapshots[snapshots.segment == "small"].opportunity_id.drop_duplicates().head(4)
    odd = snapshots.assign(segment=snapshots.segment.where(~snapshots.opportunity_id.isin(few), "odd"))
    closing, rows = fitted(odd, outcomes.assign(won=outcomes.won | outcomes.opportunity_id.isin(few)))
    now = rows[rows.segment == "small"].tail(1)
    usual, theirs = closing.won_by_days(pd.concat([now.assign(segment="new"), now.assign(segment="odd")]), [60.0])[:, 0]
    assert usual < theirs < usual + 0.15  # by themselves they would say 1


@pytest.mark.parametrize("n", [1, 2, 12])
def test_a_handful_of_deals_is_enough_to_say_something(n: int) -> None:
    snapshots, outcomes = company(4, 400)
    few = snapshots.opportunity_id.drop_duplicates().head(n)
    bare = snapshots[snapshots.opportunity_id.isin(few)].assign(days_to_expected_close=np.nan, segment=None)
    rows = landmarks(bare.assign(amount=np.nan), outcomes, AS_OF.date())
    closing = ClosingTime().fit(rows, outcomes.assign(event=WON, days=30.0), CALENDAR)
    assert closing.groups_.kind_ is None
    chance = closing.won_by_days(rows, [1.0, 90.0, 5000.0])
    assert np.isfinite(chance).all() and (np.diff(chance, axis=1) >= 0).all() and chance.max() <= 1


def test_the_chance_of_a_deal_is_half_its_score_and_half_its_group() -> None:
    snapshots, outcomes = company(5, 600)
    people = pd.DataFrame({"rep_id": ["r1"], "team": ["north"]})
    now = snapshots[snapshots.as_of == AS_OF].sort_values("opportunity_id", ignore_index=True)
    model = RevenueForecaster(seed=1, draws=50).fit(snapshots, outcomes, people)
    chances = []
    for score in (0.0, 0.3, 0.6):
        scores = pd.DataFrame({"opportunity_id": now.opportunity_id, "win_probability": score})
        inputs = model.predict(now, QUARTER, deal_scores=scores).inputs
        assert inputs is not None
        chances.append(inputs.deals.chance.to_numpy())
    own = model.closing_.won_by_days(now.assign(days_to_expected_close=np.nan), [92.0])[:, 0]
    assert chances[0] == pytest.approx(own / 2)
    assert chances[2] - chances[1] == pytest.approx(chances[1] - chances[0]) and (chances[1] > chances[0]).all()
