"""A scorecard holds the chosen KPIs of every unit over the last periods, in the order in which they were chosen."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models import kpis
from spm_models.errors import PeriodError, SpmError
from spm_models.kpis.packs import Choice
from spm_models.kpis.scorecard import last_periods, level_scorecards, scorecard
from spm_models.periods import FiscalCalendar

DAY = date(2026, 6, 20)  # the second quarter still runs
CALENDAR = FiscalCalendar()
CHOICE = Choice(
    "mine", ("revenue", "win_rate", "deals_won"), {"win_rate": (0.5, 0.6), "sales_cycle": (np.nan, np.nan)},
    {"win_rate": 0.7, "loss_rate": 0.1},
)  # fmt: skip


def _deals(rep, won, lost, closed):
    return [
        {"opportunity_id": f"{rep}{closed:%m%d}{i}", "rep_id": rep, "status": "won" if i < won else "lost",
         "stage": "x", "amount": 100, "created_on": date(2026, 1, 1), "closed_on": closed}
        for i in range(won + lost)
    ]  # fmt: skip


@pytest.fixture
def tables(tables_of):
    reps = [
        {"rep_id": "r1", "name": "Zoe", "team": "North"}, {"rep_id": "r2", "name": "Ayşe", "team": "South"},
        {"rep_id": "r3", "team": "South"},
    ]  # fmt: skip
    deals = [
        *_deals("r1", 2, 8, date(2026, 2, 10)), *_deals("r1", 6, 4, date(2026, 5, 10)),
        *_deals("r2", 8, 2, date(2026, 5, 11)), *_deals("r3", 1, 1, date(2026, 4, 11)),
    ]  # fmt: skip
    return tables_of({"reps": reps, "opportunities": deals}, DAY)


def test_it_has_the_chosen_kpis_in_order_with_names_bands_and_targets(tables):
    card = scorecard(tables, last_periods(CALENDAR, DAY), as_of=DAY, by="rep", choice=CHOICE)
    assert card.kpis == ["revenue", "win_rate", "deals_won"] and card.by == ("rep",)
    rates = card.rows(kpi="win_rate")
    assert rates["rep_name"].tolist() == ["Ayşe", "Zoe", "r3"], "by name; an id where there is none"
    assert rates["value"].tolist() == [0.8, 0.6, 0.5]
    assert rates["verdict"].tolist() == ["reached", "missed", "too_few"] and (rates["target"] == 0.7).all()
    assert rates["running"].all(), "the quarter has ten days to go"
    assert card.rows(unit="Zoe")["kpi"].tolist() == card.rows(unit="r1")["kpi"].tolist() == card.kpis
    assert card.choice.band("win_rate") == (0.5, 0.6) and card.choice.band("sales_cycle") is None


def test_periods_stand_in_the_order_of_time_and_only_the_last_one_runs(tables):
    card = scorecard(tables, last_periods(CALENDAR, DAY, last=2), as_of=DAY, choice=CHOICE)
    rows = card.rows(kpi="win_rate")
    assert rows["period"].tolist() == ["2026-Q1", "2026-Q2"] and rows["running"].tolist() == [False, True]
    assert rows["value"].tolist() == [0.2, 15 / 22] and rows["previous"][1] == 0.2
    assert card.rows(kpi="win_rate", period="2026-Q1")["value"].tolist() == [0.2]


def test_levels_give_what_each_would_by_itself(tables):
    periods = last_periods(CALENDAR, DAY, grain="month", last=3)
    cards = level_scorecards(tables, periods, as_of=DAY, choice=CHOICE)
    assert list(cards) == list(kpis.LEVELS)
    for level in ("company", "team", "rep"):
        alone = scorecard(tables, periods, as_of=DAY, by=level, choice=CHOICE)
        pd.testing.assert_frame_equal(cards[level].table, alone.table)


def test_kpis_may_be_named_instead_and_dimensions_combined(tables):
    card = scorecard(
        tables, last_periods(CALENDAR, DAY), as_of=DAY, by=["team", "rep"], choice=CHOICE, kpis=["loss_rate", "revenue"]
    )
    assert card.kpis == ["loss_rate", "revenue"]
    assert card.rows(kpi="loss_rate")["target"].eq(0.1).all(), "targets of the company hold for these too"
    assert card.rows(unit="South")["rep"].unique().tolist() == ["r2", "r3"]


def test_what_is_not_there_is_said_with_what_there_is(tables):
    card = scorecard(tables, last_periods(CALENDAR, DAY), as_of=DAY, by="rep", choice=CHOICE)
    with pytest.raises(SpmError, match="no such unit") as caught:
        card.rows(unit="Nobody")
    assert "Zoe" in caught.value.remedy
    with pytest.raises(SpmError, match="no such KPI"):
        card.rows(kpi="open_deals")
    with pytest.raises(SpmError, match="whole company only"):
        scorecard(tables, last_periods(CALENDAR, DAY), as_of=DAY, choice=CHOICE).rows(unit="Zoe")


def test_people_of_one_name_are_told_apart(tables_of):
    reps = [{"rep_id": "r1", "name": "Ali"}, {"rep_id": "r2", "name": "Ali"}]
    tables = tables_of({"reps": reps, "opportunities": _deals("r1", 1, 1, date(2026, 5, 1))}, DAY)
    card = scorecard(tables, last_periods(CALENDAR, DAY), as_of=DAY, by="rep", kpis=["revenue"])
    with pytest.raises(SpmError, match=r"Several units.*r1, r2"):
        card.rows(unit="Ali")
    assert card.rows(unit="r1")["value"].tolist() == [100]


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        ({}, ["2026-Q2"]), ({"grain": "day", "last": 2}, ["2026-06-19", "2026-06-20"]),
        ({"grain": "week", "last": 2}, ["2026-W24", "2026-W25"]),
        ({"period": "2026-01", "last": 2}, ["2025-12", "2026-01"]),
        ({"period": "2026-Q1", "grain": "quarter"}, ["2026-Q1"]), ({"grain": "year"}, ["2026"]),
    ],
)  # fmt: skip
def test_the_last_periods_end_with_the_running_one_or_the_one_named(asked, labels):
    assert [one.label for one in last_periods(CALENDAR, DAY, **asked)] == labels


@pytest.mark.parametrize(
    "asked", [{"grain": "hour"}, {"last": 0}, {"period": "2026-Q5"}, {"period": "2026-01", "grain": "quarter"}]
)
def test_periods_that_cannot_be_are_refused(asked):
    with pytest.raises(PeriodError) as caught:
        last_periods(CALENDAR, DAY, **asked)
    assert caught.value.remedy
