"""Each value stands beside the period before, the peers, a target and the healthy band."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from spm_models import kpis
from spm_models.errors import SpmError
from spm_models.periods import FiscalCalendar

SECOND = FiscalCalendar().quarter(date(2026, 6, 30))
FIRST = SECOND.previous()


def _deals(rep, won, lost, closed, amount):
    return [
        {"opportunity_id": f"{rep}{closed:%m}{i}", "rep_id": rep, "status": "won" if i < won else "lost", "stage": "x",
         "amount": amount, "created_on": date(2026, 1, 1), "closed_on": closed}
        for i in range(won + lost)
    ]  # fmt: skip


@pytest.fixture
def tables(tables_of):
    deals = [
        *_deals("r1", 1, 9, date(2026, 2, 10), 100),  # 10 % in the first quarter
        *_deals("r1", 2, 6, date(2026, 5, 10), 100),  # 25 % in the second
        *_deals("r2", 3, 1, date(2026, 5, 11), 200),  # 75 %, of four deals only
        {"opportunity_id": "o", "rep_id": "r2", "status": "open", "stage": "x", "amount": 50,
         "created_on": date(2026, 4, 1)},
    ]  # fmt: skip
    return tables_of({"reps": [{"rep_id": "r1"}, {"rep_id": "r2"}], "opportunities": deals}, SECOND.end)


@pytest.fixture
def card(tables):
    found = kpis.levels(
        tables, [FIRST, SECOND], as_of=SECOND.end, targets={"revenue": 500, "loss_rate": 0.8},
        kpis=["win_rate", "loss_rate", "revenue", "open_pipeline", "open_deals", "deals_closed"],
    )  # fmt: skip
    return found.set_index(["kpi", "key", "period"])


def test_a_rate_stands_beside_the_period_before_and_its_band(card):
    assert card.loc[("win_rate", "r1", FIRST.label), ["value", "verdict"]].tolist() == [0.1, "below"]
    assert card.loc[("win_rate", "r1", SECOND.label), ["value", "previous", "verdict"]].tolist() == [
        0.25,
        0.1,
        "within",
    ]
    assert card.loc[("win_rate", "", SECOND.label), "value"] == 5 / 12
    assert card.loc[("win_rate", "", SECOND.label), "verdict"] == "above"


def test_few_events_have_a_width_and_no_verdict(card):
    row = card.loc[("win_rate", "r2", SECOND.label)]
    assert row["verdict"] == "too_few"
    assert row["low"] < 0.75 < row["high"]
    assert np.isnan(row["previous"])  # nothing was closed in the first quarter


def test_a_target_is_reached_on_the_better_side(card):
    verdicts = card["verdict"]
    assert verdicts["revenue", "r1", SECOND.label] == "missed"  # 200 of 500
    assert verdicts["revenue", "r2", SECOND.label] == "reached"  # 600
    assert verdicts["loss_rate", "r1", FIRST.label] == "missed"  # 90 %, to be at most 80 %
    assert verdicts["loss_rate", "r1", SECOND.label] == "reached"  # 75 %
    assert verdicts["deals_closed", "r1", SECOND.label] == ""  # neither target nor band


def test_each_period_is_seen_on_its_own_last_day(card):
    assert card.loc[("open_deals", "", SECOND.label), ["value", "previous"]].tolist() == [1, 12]
    assert card.loc[("open_pipeline", "r2", SECOND.label), "value"] == 50
    # without a history nobody knows whose they were on the last day of March, or at what amount: unknown is not 0
    assert np.isnan(card.loc[("open_pipeline", "", SECOND.label), "previous"])
    assert np.isnan(card.loc[("open_pipeline", "r2", SECOND.label), "previous"])
    assert np.isnan(card.loc[("open_deals", "r2", SECOND.label), "previous"])


def test_wrong_targets_are_refused(tables):
    with pytest.raises(SpmError, match="No such KPI"):
        kpis.compute(tables, period=SECOND, as_of=SECOND.end, targets={"winrate": 1})
    with pytest.raises(SpmError, match="better side"):
        kpis.compute(tables, period=SECOND, as_of=SECOND.end, targets={"open_deals": 1})


def test_peers_are_shown_from_five_units_on(tables_of):
    def deals(reps):
        return [deal for i in range(reps) for deal in _deals(f"r{i}", i, 2, date(2026, 5, 10), 100)]

    for size, shown in ((4, False), (5, True)):
        tables = tables_of(
            {"reps": [{"rep_id": f"r{i}"} for i in range(size)], "opportunities": deals(size)}, SECOND.end
        )
        found = kpis.compute(tables, ["win_rate", "revenue", "sales_cycle"], by="rep", period=SECOND, as_of=SECOND.end)
        peers = found.groupby("kpi")["peers"].first()
        assert peers.notna().tolist() == [shown, False, shown]  # revenue, sales_cycle (four have one), win_rate
        if shown:
            assert peers["win_rate"] == 10 / 20  # all deals of all reps together, not a mean of rates
            assert peers["revenue"] == 1000 / 5  # of an average rep
