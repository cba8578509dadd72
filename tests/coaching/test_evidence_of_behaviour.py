"""Stages, silences, prices, weeks and targets as evidence, counted by hand; nothing from after the day."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from spm_models.coaching import evidence
from spm_models.crm import organisation
from spm_models.snapshots import outcomes

AS_OF = date(2026, 6, 30)
STAGES = ("Qualify", "Propose", "Close")


def deal(name, created, closed, status, **more):
    return {"opportunity_id": name, "rep_id": "r1", "created_on": created, "closed_on": closed, "status": status,
            "stage": status, "amount": 100, "product_id": "p1", "kind": "new", "source": "inbound", **more}  # fmt: skip


def move(name, at, old, new):
    return {"opportunity_id": name, "changed_at": at, "field": "stage", "old": old, "new": new}


def touch(number, name, at):
    return {"activity_id": f"x{number}", "rep_id": "r1", "opportunity_id": name, "kind": "call", "happened_at": at}


@pytest.fixture
def source(tables_of):
    def make(later=()):
        frames = {
            "reps": [{"rep_id": "r1", "region": "north", "role": "rep", "hired_on": date(2020, 1, 6)}],
            "opportunities": [
                deal("won", date(2026, 4, 1), date(2026, 6, 10), "won", discount=0.2),
                deal("lost", date(2026, 5, 4), date(2026, 6, 1), "lost"),
                deal("untouched", date(2026, 4, 6), date(2026, 6, 5), "lost"),
                deal("open", date(2026, 6, 1), None, "open", stage="Propose"),
            ],
            "opportunity_history": [
                move("won", datetime(2026, 4, 1, 9), None, "Qualify"),
                move("won", datetime(2026, 4, 11, 9), "Qualify", "Propose"),
                move("won", datetime(2026, 4, 21, 9), "Propose", "Qualify"),  # falls back and comes again
                move("won", datetime(2026, 5, 1, 9), "Qualify", "Propose"),
                move("won", datetime(2026, 5, 11, 9), "Propose", "Close"),
                move("won", datetime(2026, 6, 10, 9), "Close", "won"),
                move("lost", datetime(2026, 5, 4, 9), None, "Qualify"),
                move("lost", datetime(2026, 5, 14, 9), "Qualify", "Propose"),
                move("lost", datetime(2026, 6, 1, 9), "Propose", "lost"),
                *later,
            ],
            "activities": [
                touch(1, "won", datetime(2026, 4, 5, 10)), touch(2, "won", datetime(2026, 5, 5, 10)),
                touch(3, "won", datetime(2026, 6, 9, 10)), touch(4, "lost", datetime(2026, 5, 30, 10)),
                touch(5, "lost", datetime(2026, 7, 1, 10)),  # later
            ],
            "quotas": [
                {"owner_kind": "rep", "owner_id": "r1", "tier": "standard", "period_start": date(2026, 4, 1),
                 "period_end": date(2026, 6, 30), "amount": 400, "set_on": date(2026, 3, 1)},
                {"owner_kind": "rep", "owner_id": "r1", "tier": "standard", "period_start": date(2026, 7, 1),
                 "period_end": date(2026, 9, 30), "amount": 500, "set_on": date(2026, 6, 1)},
            ],
        }  # fmt: skip
        return tables_of(frames, date(2026, 7, 31), stages=STAGES)

    return make


def gather(tables, **settings):
    return evidence(tables, outcomes(tables, AS_OF), organisation(tables, AS_OF), AS_OF, quarters=1, **settings)


def test_each_stage_counts_once_a_deal_with_how_it_was_left_last(source):
    stages = gather(source()).stages.set_index(["opportunity_id", "stage"])
    assert stages["advanced"].to_dict() == {
        ("lost", "Qualify"): True, ("lost", "Propose"): False,
        ("won", "Qualify"): True, ("won", "Propose"): True, ("won", "Close"): True,
    }  # fmt: skip
    assert stages.loc[("won", "Qualify"), ["place", "days"]].tolist() == [0, 10.0]
    assert stages.loc[("lost", "Propose"), ["place", "days"]].tolist() == [1, 18.0]


def test_the_longest_silence_is_between_creation_contacts_and_close(source):
    deals = gather(source()).deals.set_index("opportunity_id")
    assert deals["longest_silence"].to_dict() == {"won": 35.0, "lost": 26.0, "untouched": 60.0}
    assert deals["activities"].to_dict() == {"won": 3.0, "lost": 1.0, "untouched": 0.0}


def test_the_price_kept_is_known_from_the_extract_on_only(source):
    tables = source()
    assert gather(tables).deals["price_kept"].isna().all()  # nobody says when a discount was given
    on_the_day = evidence(
        tables, outcomes(tables, date(2026, 7, 31)), organisation(tables, date(2026, 7, 31)), date(2026, 7, 31)
    )
    kept = on_the_day.deals.set_index("opportunity_id")["price_kept"]
    assert kept["won"] == pytest.approx(0.8) and pd.isna(kept["lost"])


def test_weeks_hold_what_was_done_in_them(source):
    weeks = gather(source()).weeks.set_index("week")
    assert weeks[["activity", "created", "closed", "won"]].sum().tolist() == [4.0, 4.0, 3.0, 1.0]
    first_of_june = weeks.loc[pd.Timestamp("2026-06-01")]
    assert first_of_june[["days", "activity", "created", "closed"]].tolist() == [5.0, 0.0, 1.0, 2.0]


def test_targets_owed_and_met_and_what_is_open_for_the_next(source):
    results = gather(source()).results.set_index("rep_id").loc["r1"]
    assert results[["quota", "won_amount", "quota_ahead"]].tolist() == [400.0, 100.0, 500.0]
    assert gather(source(), with_targets=False).results.empty


def test_moves_after_the_day_change_nothing(source):
    later = [
        move("open", datetime(2026, 7, 2, 9), "Propose", "Close"),
        move("lost", datetime(2026, 7, 3, 9), "lost", "Close"),
    ]
    first, second = gather(source()), gather(source(later))
    for name in ("deals", "stages", "weeks", "results", "open_deals"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
