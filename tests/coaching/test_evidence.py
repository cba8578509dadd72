"""Evidence from tables: the right window, owners, working days and context; nothing from after the day."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from spm_models.coaching import CoachingReview, ThresholdRules, evidence, examples
from spm_models.crm import load, organisation
from spm_models.kpis.working_time import tenure_band, working_days
from spm_models.periods import FiscalCalendar
from spm_models.snapshots import outcomes
from spm_models.workspace import Workspace

AS_OF = date(2026, 6, 30)
ROOT = Path(__file__).parents[2]
MAVEN = ROOT.parent / "shared/data/maven_crm"


@pytest.fixture
def small(tables_of):
    """Two reps; r2 was hired in the window and on leave; deal d4 was handed over after it was created."""

    def make(late: str = "lost", late_day: date = date(2026, 7, 10), late_text: str = "r1"):
        frames = {
            "reps": [
                {"rep_id": "r1", "region": "north", "role": "rep", "hired_on": date(2020, 1, 6)},
                {"rep_id": "r2", "region": "south", "hired_on": date(2026, 4, 1)},
                {"rep_id": "m1", "region": "south", "role": "manager"},
            ],
            "accounts": [{"account_id": "a1", "segment": "small", "industry": "retail"}],
            "products": [{"product_id": "p1", "family": "licence"}],
            "opportunities": [
                _deal("d1", "r1", date(2025, 12, 1), date(2026, 1, 30), "won", 100),
                _deal("d2", "r1", date(2025, 12, 1), date(2026, 2, 15), "lost", 100),
                _deal("d3", "r1", date(2024, 12, 1), date(2025, 3, 30), "won", 100),  # closed before the window
                _deal("d4", "r2", date(2026, 5, 4), date(2026, 6, 20), "won", 300),
                _deal("d5", "r2", date(2026, 6, 1), late_day, late, 300),
            ],
            "opportunity_history": [
                _change("d4", datetime(2026, 5, 4, 9), None, "r1"),
                _change("d4", datetime(2026, 5, 20, 9), "r1", "r2"),
                _change("d5", datetime(2026, 6, 1, 9), None, "r2"),
                _change("d5", datetime(2026, 7, 3, 9), "r2", late_text),
            ],
            "activities": [
                _activity("x1", "r1", "d1", datetime(2026, 1, 15, 10)),
                _activity("x2", "r1", "d1", datetime(2026, 1, 16, 10)),
                _activity("x3", "r2", "d4", datetime(2026, 6, 30, 20, 59)),  # 23:59 in Istanbul
                _activity("x4", "r2", "d4", datetime(2026, 6, 30, 21, 0)),  # already July there
            ],
            "absences": [
                {"rep_id": "r2", "starts_on": date(2026, 6, 22), "ends_on": date(2026, 7, 3), "kind": "leave"}
            ],
        }
        return tables_of(frames, date(2026, 7, 31), time_zone="Europe/Istanbul")

    return make


def _deal(name, rep, created, closed, status, amount):
    return {"opportunity_id": name, "rep_id": rep, "account_id": "a1", "product_id": "p1", "kind": "new",
            "source": "inbound", "created_on": created, "closed_on": closed, "status": status, "stage": status,
            "amount": amount}  # fmt: skip


def _change(name, at, old, new):
    return {"opportunity_id": name, "changed_at": at, "field": "rep_id", "old": old, "new": new}


def _activity(name, rep, deal, at):
    return {"activity_id": name, "rep_id": rep, "opportunity_id": deal, "kind": "call", "happened_at": at}


def _gather(tables):
    return evidence(tables, outcomes(tables, AS_OF), organisation(tables, AS_OF), AS_OF)


def test_deals_closed_in_the_window_with_their_context(small):
    deals = _gather(small()).deals.set_index("opportunity_id")
    assert list(deals.index) == ["d1", "d2", "d4"]
    assert deals.loc["d1", ["rep_id", "won", "days", "activities", "segment", "family", "period"]].tolist() == [
        "r1", True, 60.0, 2.0, "small", "licence", "2026-Q1"]  # fmt: skip
    assert deals["tenure"].to_dict() == {"d1": "settled", "d2": "settled", "d4": "first_quarter"}


def test_pipeline_belongs_to_whoever_opened_it_and_closings_to_whoever_closed(small):
    found = _gather(small())
    created = found.work["pipeline_creation"].groupby("rep_id")["count"].sum()
    assert created.round(6).to_dict() == {"r1": 3.0, "r2": 1.0}  # d1, d2, d4; d5 changes hands later
    assert found.deals.set_index("opportunity_id").loc["d4", "rep_id"] == "r2"


def test_activities_count_until_the_end_of_the_day_in_the_companys_time_zone(small):
    done = _gather(small()).work["activity"].groupby("rep_id")["count"].sum()
    assert done.to_dict() == {"r1": 2.0, "r2": 1.0}


def test_working_days_start_with_the_hire_and_leave_out_absences(small):
    found = _gather(small())
    work = found.work["activity"]
    assert work.loc[work["rep_id"] == "r2", "days"].tolist() == [65 - 7]  # weekdays of Q2 less 22 to 30 June
    assert work.loc[work["rep_id"] == "r1", "days"].sum() == 261
    assert set(found.reps["rep_id"]) == {"r1", "r2"}  # managers are not reviewed


def test_nothing_dated_later_changes_the_evidence(small):
    first, second = _gather(small()), _gather(small("won", date(2026, 7, 20), "r9"))
    pd.testing.assert_frame_equal(first.deals, second.deals)
    for signal, rows in first.work.items():
        pd.testing.assert_frame_equal(rows, second.work[signal])


def test_overlapping_absences_never_make_negative_days():
    reps = pd.DataFrame({"rep_id": ["r"], "start_on": [pd.Timestamp("2026-06-01")], "left_on": [pd.NaT]})
    away = pd.DataFrame({"rep_id": "r", "starts_on": pd.to_datetime(["2026-06-01", "2026-06-10"]),
                         "ends_on": pd.to_datetime(["2026-06-30", "2026-06-20"])})  # fmt: skip
    june = FiscalCalendar().month(date(2026, 6, 1))
    assert working_days(reps, [june], AS_OF, FiscalCalendar(), away)["days"].tolist() == [0.0]
    gulf = FiscalCalendar(week_start="sunday", weekend=("friday", "saturday"))
    assert working_days(reps, [june], AS_OF, gulf)["days"].tolist() == [22.0]


def test_tenure_is_unknown_where_the_hire_is():
    days = pd.to_datetime(pd.Series(["2026-06-30"] * 3))
    hired = pd.to_datetime(pd.Series(["2026-05-01", "2025-09-01", None]))
    assert tenure_band(hired, days).tolist() == ["first_quarter", "first_year", "unknown"]


@pytest.mark.skipif(not MAVEN.is_dir(), reason="the Maven export is not beside the project (../shared/data)")
def test_maven_win_rates_are_what_chance_gives(tmp_path):
    (tmp_path / "spm.toml").write_text((ROOT / "data/examples/maven/spm.toml").read_text())
    tables = load(Workspace.open(tmp_path, source=MAVEN), run_id="test").tables
    day = date(2017, 12, 31)
    found = evidence(tables, outcomes(tables, day), organisation(tables, day), day)
    findings = CoachingReview().fit(found).predict(found)
    # computed straight from the file: 6,711 closed deals, 35 reps of whom 30 have deals, rates from 55 to 70 %
    raw = pd.read_csv(MAVEN / "sales_pipeline.csv")
    closed = raw[raw["deal_stage"].isin(["Won", "Lost"])]
    rates = closed["deal_stage"].eq("Won").groupby(closed["sales_agent"]).mean()
    win = findings.table[findings.table["signal"] == "win_rate"].set_index("rep_id")
    assert len(found.deals) == len(closed) == 6711
    pd.testing.assert_series_equal(win["actual"], rates, check_names=False)
    assert rates.min() > 0.54 and rates.max() < 0.71
    assert (win["verdict"] == "fine").all()
    assert len(findings.verdicts) == 35
    assert (findings.verdicts["verdict"] == "not_enough_data").sum() == 5
    assert set(findings.table["signal"]) == {"win_rate", "cycle", "pipeline_creation", "deal_size", "trend"}
    deals = examples(findings, found)
    assert set(deals["rep_id"]) == set(findings.verdicts.dropna(subset=["topic"])["rep_id"])
    assert set(ThresholdRules().flags(found)["rule"]) == {"win_rate", "loss_rate", "cycle"}
