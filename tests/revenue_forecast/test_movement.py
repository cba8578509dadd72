"""Pipeline movement: every cent and every deal between two days has one step, on every level."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.movement import STEPS, pipeline_movement

Q1 = FiscalCalendar().quarter(date(2026, 2, 1))
FROM, TO = date(2026, 2, 16), date(2026, 2, 23)
PEOPLE = pd.DataFrame({"rep_id": ["a", "b", "c"], "team": ["x", "x", "y"], "manager_id": ["m", "m", "n"],
                       "region": "g"})  # fmt: skip


def open_deals(*rows: tuple[str, str | None, float | None, str | None, str | None]) -> pd.DataFrame:
    names = ["opportunity_id", "rep_id", "amount", "expected_close_on", "created_on"]
    table = pd.DataFrame(rows, columns=names).astype({"rep_id": "str", "amount": "float64"})
    return table.assign(**{name: pd.to_datetime(table[name]) for name in names[3:]})


def closed_deals(*rows: tuple[str, str, float, bool, str, str | None]) -> pd.DataFrame:
    names = ["opportunity_id", "rep_id", "amount", "won", "closed_on", "created_on"]
    table = pd.DataFrame(rows, columns=names).astype({"won": "bool", "amount": "float64"})
    return table.assign(**{name: pd.to_datetime(table[name]) for name in names[4:]})


def steps_of(before: pd.DataFrame, after: pd.DataFrame, ended: pd.DataFrame, level: str = "company", key: str = "",
             period: Any = Q1) -> dict[str, float]:  # fmt: skip
    moved = pipeline_movement(before, after, ended, PEOPLE, from_on=FROM, to_on=TO, period=period)
    mine = moved.table[(moved.table.level == level) & (moved.table.key == key)].set_index("step")
    steps = {step: float(mine.amount[step]) for step in STEPS if step in mine.index}
    inner = [step for step in steps if step not in ("opening", "closing")]
    assert round(steps["opening"] + sum(steps[step] for step in inner), 2) == steps["closing"]
    return steps


JAN = "2026-01-05"
NOTHING = closed_deals()


@pytest.mark.parametrize(
    ("before", "after", "ended", "expected"),
    [
        ([("o", "a", 80.0, "2026-05-01", JAN)], [("o", "a", 80.0, "2026-03-01", JAN)], [], {"pulled_in": 80.0}),
        ([("o", "a", 80.0, None, JAN)], [("o", "a", 90.0, "2026-03-01", JAN)], [], {"pulled_in": 80.0, "grew": 10.0}),
        ([("o", "a", 80.0, "2026-03-01", JAN)], [("o", "a", 70.0, "2026-04-01", JAN)], [], {"pushed_out": -80.0}),
        ([("o", "a", 80.0, "2026-03-01", JAN)], [("o", "a", 70.0, "2026-03-09", JAN)], [], {"shrank": -10.0}),
        ([], [("o", "a", 55.5, "2026-03-09", "2026-02-18")], [], {"created": 55.5}),
        ([], [("o", "a", 55.5, "2026-03-09", JAN)], [], {"reopened": 55.5}),
        ([("o", "a", 80.0, "2026-03-01", JAN)], [], [], {"deleted": -80.0}),
        ([("o", "a", 80.0, "2026-03-01", JAN)], [], [("o", "a", 95.0, True, "2026-02-20", JAN)],
         {"grew": 15.0, "won": -95.0}),
        ([("o", "a", 80.0, "2026-05-01", JAN)], [], [("o", "a", 80.0, True, "2026-02-20", JAN)],
         {"pulled_in": 80.0, "won": -80.0}),
        ([("o", "a", 80.0, "2026-03-01", JAN)], [], [("o", "a", 0.0, False, "2026-02-20", JAN)], {"lost": -80.0}),
        ([("o", "a", 80.0, "2026-05-01", JAN)], [], [("o", "a", 80.0, False, "2026-02-20", JAN)], {}),
        ([], [], [("o", "a", 40.0, True, "2026-02-20", "2026-02-18")], {"created": 40.0, "won": -40.0}),
        ([("o", "a", None, "2026-03-01", JAN)], [("o", "a", 30.0, "2026-03-01", JAN)], [], {"grew": 30.0}),
        ([("o", "a", 30.0, "2025-11-01", JAN)], [("o", "a", 30.0, "2025-11-01", JAN)], [], {}),  # overdue: due now
    ],
)  # fmt: skip
def test_each_kind_of_move_has_its_step(before: Any, after: Any, ended: Any, expected: dict[str, float]) -> None:
    steps = steps_of(open_deals(*before), open_deals(*after), closed_deals(*ended))
    assert {step: value for step, value in steps.items() if step not in ("opening", "closing")} == expected


def test_a_deal_of_last_quarter_that_is_still_open_has_slipped_in() -> None:
    before = open_deals(("o", "a", 80.0, "2026-03-20", JAN))
    after = open_deals(("o", "a", 80.0, "2026-03-20", JAN))
    second = FiscalCalendar().quarter(date(2026, 4, 1))
    moved = pipeline_movement(
        before, after, NOTHING, PEOPLE, from_on=date(2026, 3, 15), to_on=date(2026, 4, 5), period=second
    )
    assert moved.summary()["amount"].to_dict() == {"opening": 0.0, "slipped_in": 80.0, "closing": 80.0}


def test_a_change_of_owner_shows_only_where_it_crosses_a_border() -> None:
    before = open_deals(("o1", "a", 10.0, "2026-03-20", JAN), ("o2", "b", 7.0, "2026-03-20", JAN))
    after = open_deals(("o1", "b", 12.0, "2026-03-20", JAN), ("o2", "c", 7.0, "2026-03-20", JAN))
    assert steps_of(before, after, NOTHING) == {"opening": 17.0, "grew": 2.0, "closing": 19.0}
    team = steps_of(before, after, NOTHING, "team", "x")
    assert team == {"opening": 17.0, "grew": 2.0, "handed_over": -7.0, "closing": 12.0}
    rep = steps_of(before, after, NOTHING, "rep", "b")
    assert rep == {"opening": 7.0, "taken_over": 10.0, "grew": 2.0, "handed_over": -7.0, "closing": 12.0}


def test_the_whole_pipeline_knows_no_dates() -> None:
    before = open_deals(("o1", "a", 10.0, "2026-03-20", JAN), ("o2", None, 5.0, None, None))
    after = open_deals(("o1", "a", 10.0, "2026-09-20", JAN), ("o2", None, 5.0, None, None))
    assert steps_of(before, after, NOTHING, period=None) == {"opening": 15.0, "closing": 15.0}
    assert steps_of(before, after, NOTHING, "rep", "unassigned", None) == {"opening": 5.0, "closing": 5.0}


def test_days_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ModelError, match="two days in order"):
        pipeline_movement(open_deals(), open_deals(), NOTHING, PEOPLE, from_on=TO, to_on=FROM)


def test_an_empty_pipeline_moves_nothing() -> None:
    moved = pipeline_movement(open_deals(), open_deals(), NOTHING, PEOPLE, from_on=FROM, to_on=TO)
    assert moved.summary()["amount"].to_dict() == {"opening": 0.0, "closing": 0.0} and moved.moves.empty


@pytest.mark.parametrize("which", [None, "this", "next"])
@pytest.mark.parametrize("days", [7, 28, 80])
def test_a_company_adds_up_to_the_cent_and_the_deal(companies: Any, which: str | None, days: int) -> None:
    made = companies.company(7)
    to_on = companies.MIDDLE
    from_on = to_on - timedelta(days=days)
    period = {"this": companies.QUARTER, "next": companies.QUARTER.next(), None: None}[which]
    before, after = (made.known(day)[2] for day in (from_on, to_on))
    rng = np.random.default_rng(1)
    ended = made.known(to_on)[1]
    handed = after.assign(rep_id=np.where(rng.random(len(after)) < 0.2, "r01", after.rep_id))
    moved = pipeline_movement(before, handed, ended, made.organisation, from_on=from_on, to_on=to_on, period=period)
    wide = moved.table.assign(cents=cents(moved.table.amount)).set_index(["level", "key", "step"])
    for name in ("cents", "deals"):
        table = wide[name].unstack(fill_value=0)
        assert (table.drop(columns="closing").sum(axis=1) == table["closing"]).all()
        assert table.loc["company"].closing.item() == table.loc["team"].closing.sum() == table.loc["rep"].closing.sum()
    if period is None:
        assert wide.deals["company", "", "opening"] == len(before)
        assert wide.cents["company", "", "closing"] == cents(handed.amount).sum()
    by_deal = moved.moves[~moved.moves.step.isin(["taken_over", "handed_over"])].groupby("step").amount.sum().round(2)
    company = moved.summary().amount.drop(["opening", "closing"])
    pd.testing.assert_series_equal(by_deal.sort_index(), company.sort_index(), check_names=False)
