"""Inputs draw the same forecast again, and others from the same random numbers; months are of the same draws."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError
from spm_models.revenue_forecast import RevenueForecaster
from spm_models.revenue_forecast.inputs import Changes
from spm_models.revenue_forecast.result import TO_COME


def total(forecast: Any) -> np.ndarray:
    return np.asarray(forecast.company_total())


def test_inputs_draw_the_same_bytes_again(case: Any) -> None:
    again = case.forecast.inputs.draw()
    for part in TO_COME:
        assert getattr(again, part).tobytes() == getattr(case.forecast, part).tobytes()
    chosen = case.forecast.with_draws(np.arange(0, 400, 3))
    scaled = chosen.scaled(np.full(134, 1.2))
    for forecast in (chosen, scaled):
        pd.testing.assert_frame_equal(forecast.inputs.draw().table, forecast.table)


@pytest.mark.parametrize(
    ("changes", "part", "factor"),
    [(Changes(win_rate=1.2), "open", 1.2), (Changes(new_business=1.5), "not_yet_created", 1.5),
     (Changes(price=0.9), "open", 0.9), (Changes(price=0.9), "not_yet_created", 0.9)],
)  # fmt: skip
def test_changes_do_what_they_say_and_nothing_by_chance(case: Any, changes: Changes, part: str, factor: float) -> None:
    before, after = case.forecast, case.forecast.inputs.draw(changes)
    means = [float(getattr(forecast, part).mean()) for forecast in (before, after)]
    assert means[1] == pytest.approx(factor * means[0], rel=0.06)
    assert np.corrcoef(total(before), total(after))[0, 1] > 0.85
    assert (after.closed == before.closed).all()


def test_slip_delays_and_hires_add(case: Any) -> None:
    inputs, usual = case.forecast.inputs, total(case.forecast).mean()
    later, sooner = (total(inputs.draw(Changes(slip_days=days))).mean() for days in (21, -14))
    assert later < usual < sooner
    assert total(inputs.draw(Changes(hires=4))).mean() >= usual
    with pytest.raises(ModelError, match="slip"):
        Changes(slip_days=400)


def test_months_add_up_to_the_quarter_draw_by_draw_and_in_the_mean(case: Any) -> None:
    months = case.forecast.months
    assert [month.period.label for month in months] == ["2024-10", "2024-11", "2024-12"]
    for part in TO_COME:
        assert (sum(getattr(month, part) for month in months) == getattr(case.forecast, part)).all()
    assert (sum(month.closed for month in months) == case.forecast.closed).all()
    keys = ["level", "key", "part"]
    by_month = pd.concat([month.table for month in months]).groupby(keys)["mean"].sum()
    whole = case.forecast.table.set_index(keys)["mean"]
    assert np.allclose(by_month.reindex(whole.index).fillna(0.0), whole, atol=0.001)
    assert all(months[0].draws.total == months[0].draws.closed)  # October is over


def test_slipped_deals_are_those_whose_day_has_passed_or_was_pushed_over_the_start(case: Any, companies: Any) -> None:
    pipeline = case.pipeline.assign(slip_days=0.0)
    later = pd.Timestamp(companies.MIDDLE) + pd.Timedelta(days=20)
    due = pd.Series([later] * len(pipeline), index=pipeline.index).astype("datetime64[s]")
    on_time = case.model.predict(pipeline.assign(expected_close_on=due), companies.QUARTER, deal_scores=case.scores)
    pushed = case.model.predict(
        pipeline.assign(expected_close_on=due, slip_days=90.0), companies.QUARTER, deal_scores=case.scores
    )
    assert on_time.slipped.sum() == 0 and pushed.open.sum() == 0
    assert (on_time.open == pushed.slipped).all()
    assert on_time.slipping_out is not None and on_time.slipping_out.sum() > 0


def test_five_thousand_deals_answer_within_a_fraction_of_a_second(companies: Any) -> None:
    company = companies.company(11, reps=40, pace=1.7)
    snapshots, outcomes, pipeline = company.known(companies.EVE)
    recent = snapshots[snapshots.as_of >= "2024-03-01"]
    model = RevenueForecaster(5, 2000).fit(recent, outcomes, company.organisation)
    inputs = model.predict(pipeline, companies.QUARTER, deal_scores=companies.scores(pipeline)).inputs
    assert inputs is not None and len(inputs.deals) > 4000
    start = time.process_time()
    inputs.draw(Changes(win_rate=1.1, slip_days=7, price=1.02))
    assert time.process_time() - start < 1.5  # a third of this on a machine of one's own
