"""KPIs against examples worked by hand."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from spm_models import kpis
from spm_models.errors import PeriodError, SpmError
from spm_models.inference import wilson
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

AS_OF = date(2026, 6, 30)
QUARTER = FiscalCalendar().quarter(AS_OF)


def _deal(name, rep, status, amount, created, closed=None, due=None, account="a1", reason=None):
    return {"opportunity_id": name, "rep_id": rep, "account_id": account, "status": status, "stage": status,
            "amount": amount, "created_on": created, "closed_on": closed, "expected_close_on": due,
            "loss_reason": reason}  # fmt: skip


def _quota(owner, amount, set_on, kind="rep", start=date(2026, 4, 1), end=date(2026, 6, 30), tier="standard"):
    return {"owner_kind": kind, "owner_id": owner, "period_start": start, "period_end": end, "tier": tier,
            "amount": amount, "set_on": set_on}  # fmt: skip


def _call(name, rep, kind, at):
    return {"activity_id": name, "rep_id": rep, "kind": kind, "happened_at": at}


@pytest.fixture
def source(tables_of):
    frames = {
        "reps": [
            {"rep_id": "r1", "team": "A", "region": "north", "manager_id": "m1", "hired_on": date(2020, 1, 1)},
            {"rep_id": "r2", "team": "A", "region": "south", "manager_id": "m1", "hired_on": date(2020, 1, 1)},
            # hired in the middle of the quarter: 22 of its 65 weekdays
            {"rep_id": "r3", "team": "B", "region": "south", "manager_id": "m2", "hired_on": date(2026, 6, 1)},
            {"rep_id": "m1", "role": "manager"},
        ],
        "opportunities": [
            _deal("won1", "r1", "won", 100, date(2026, 1, 1), date(2026, 4, 1)),  # 90 days
            _deal("won2", "r1", "won", 300, date(2026, 3, 2), date(2026, 5, 1)),  # 60 days
            _deal("won3", "r2", "won", 500, date(2026, 5, 11), date(2026, 6, 30), account="a2"),  # 50 days
            _deal("lost1", "r2", "lost", 900, date(2026, 5, 1), date(2026, 6, 1), reason="No decision"),
            _deal("early", "r2", "won", 999, date(2026, 1, 1), date(2026, 3, 31)),  # the quarter before
            _deal("late", "r2", "won", 999, date(2026, 6, 1), date(2026, 7, 1), due=date(2026, 6, 29)),  # open then
            _deal("open1", "r1", "open", 700, date(2026, 6, 2), due=date(2026, 6, 15)),
            _deal("open2", "r1", "open", 400, date(2026, 2, 2), due=date(2026, 7, 15)),
        ],
        "quotas": [
            _quota("r1", 400, date(2026, 3, 1)),
            _quota("r1", 500, date(2026, 5, 1)),  # revised within the quarter
            _quota("r2", 4000, date(2025, 12, 1), start=date(2026, 1, 1), end=date(2026, 12, 31)),  # of a year
            _quota("r3", 650, date(2026, 5, 20)),
            _quota("r1", 100, date(2026, 3, 1), tier="minimum"),
            _quota("B", 2000, date(2026, 3, 1), kind="team"),
        ],
        "activities": [
            _call("x1", "r1", "meeting", datetime(2026, 4, 1, 8)),
            _call("x2", "r1", "call", datetime(2026, 6, 30, 20, 59)),  # still June in Istanbul
            _call("x3", "r1", "meeting", datetime(2026, 6, 30, 21, 0)),  # July there
            _call("x4", "r2", "meeting", datetime(2026, 5, 5, 8)),
            _call("x5", "r2", "demo", None),  # planned only
        ],
        "deal_contributors": [
            {"opportunity_id": "won3", "rep_id": "r1", "share": 0.4, "valid_from": date(2026, 1, 1)},
            {"opportunity_id": "won2", "rep_id": "r2", "share": 0.5, "valid_from": date(2026, 1, 1),
             "valid_to": date(2026, 4, 1)},
        ],
    }  # fmt: skip
    return tables_of(frames, AS_OF, time_zone="Europe/Istanbul")


@pytest.fixture
def found(source):
    scores = pd.DataFrame({"opportunity_id": ["open1", "open2", "late"], "win_probability": [0.5, 0.25, 0.1]})
    table = kpis.levels(source, QUARTER, as_of=AS_OF, deal_scores=scores)
    return conform(table, TABLES["kpis"]).set_index(["kpi", "level", "key"])


def _value(found, kpi, level="company", key="", column="value"):
    return float(found.loc[(kpi, level, key), column])


def test_win_rate_counts_closings_of_the_period_only(found):
    assert _value(found, "win_rate") == 0.75
    assert _value(found, "win_rate", "rep", "r2") == 0.5
    assert _value(found, "loss_rate", "region", "south") == 0.5
    low, high = wilson(3, 4, 0.8)
    assert _value(found, "win_rate", column="low") == pytest.approx(float(low), abs=1e-6)
    assert _value(found, "win_rate", column="high") == pytest.approx(float(high), abs=1e-6)
    assert ("win_rate", "rep", "r3") not in found.index  # nothing closed: no share


def test_the_cohort_rate_keeps_deals_that_nobody_closed(found):
    # created in the quarter: won3, lost1, late, open1; won by its end: won3
    assert _value(found, "win_rate_of_cohort") == 0.25
    assert _value(found, "new_opportunities") == 4


def test_sums_and_means_of_won_deals(found):
    assert _value(found, "revenue") == 900
    assert _value(found, "revenue", "manager", "m1") == 900
    assert _value(found, "revenue", "rep", "r3") == 0
    assert [_value(found, k) for k in ("deals_won", "deals_lost", "deals_closed", "deals_no_decision")] == [3, 1, 4, 1]
    assert _value(found, "deals_no_decision", "rep", "r1") == 0
    assert _value(found, "average_deal_value") == 300
    assert _value(found, "average_ticket") == 450  # two customers
    # of 27 samples of three, the 90th percentile has the mean (500 + 500 + 300) / 3; widened for n - 1
    high = 300 + (1300 / 3 - 300) * np.sqrt(3 / 2)
    assert _value(found, "average_deal_value", column="high") == pytest.approx(high, abs=1e-3)


def test_the_cycle_of_won_deals_is_their_median(found):
    assert _value(found, "sales_cycle_of_won") == 60
    assert _value(found, "sales_cycle_of_won", "rep", "r1") == 75
    assert _value(found, "sales_cycle_of_won", column="denominator") == 3


def test_the_sales_cycle_counts_open_and_lost_deals_until_they_leave(found):
    """At work in the quarter, with the ages at which they were seen: won1 90–90, won2 30–60, won3 0–50, lost1 0–31,
    late 0–29 (open), open1 0–28 (open), open2 58–148 (open).

    At 31 days lost1 leaves: at risk won2, won3 and lost1, so 2/3 are left. At 50 won3 is won, of two: incidence 1/3.
    At 60 won2 is won, of won2 and open2: 1/6 more. At 90 won1 is won, of won1 and open2: 1/12 more. Half of the
    incidence of 7/12 is reached at 50 days.
    """
    assert _value(found, "sales_cycle") == 50
    assert _value(found, "sales_cycle", column="denominator") == 3
    assert _value(found, "sales_cycle", "rep", "r1") == 60  # won2 of won2 and open2, then won1 of won1 and open2


def test_open_pipeline_is_that_of_the_day(found):
    assert _value(found, "open_pipeline") == 700 + 400 + 999
    assert _value(found, "weighted_pipeline") == pytest.approx(350 + 100 + 99.9)
    assert _value(found, "open_deals", "team", "A") == 3


def test_coverage_uses_the_quota_of_the_first_day_and_deals_due_in_the_period(found):
    assert _value(found, "pipeline_coverage", "rep", "r1") == 700 / 400
    assert _value(found, "pipeline_coverage", "rep", "r2") == pytest.approx(999 / (4000 * 91 / 365), abs=1e-6)
    # the remaining quota of r1: 500 as revised, less 400 of his own deals and 40 % of 500
    assert np.isnan(_value(found, "remaining_coverage", "rep", "r1"))  # target reached
    assert _value(found, "remaining_coverage", "rep", "r1", "denominator") == -100
    r2 = 4000 * 91 / 365 - 300
    assert _value(found, "remaining_coverage", "rep", "r2") == pytest.approx(999 / r2, abs=1e-6)


def test_attainment_credits_shares_and_prorates_for_the_hire(found):
    assert _value(found, "quota_attainment", "rep", "r1") == (400 + 0.4 * 500) / 500
    assert _value(found, "quota_attainment", "rep", "r2", "numerator") == 0.6 * 500
    assert _value(found, "quota_attainment", "rep", "r3", "denominator") == pytest.approx(650 * 22 / 65)
    whole = 500 + 4000 * 91 / 365 + 650 * 22 / 65
    assert _value(found, "quota_attainment") == pytest.approx(900 / whole, abs=1e-6)


def test_reps_at_quota_leaves_out_those_in_ramp(found):
    assert _value(found, "reps_at_quota") == 0.5
    assert _value(found, "reps_at_quota", column="denominator") == 2
    assert ("reps_at_quota", "team", "B") not in found.index


def test_target_against_actual_uses_a_teams_own_quota_where_it_has_one(found):
    assert _value(found, "quota", "team", "B") == 2000
    assert _value(found, "quota", "team", "A") == pytest.approx(500 + 4000 * 91 / 365, abs=1e-6)
    assert _value(found, "target_deviation", "rep", "r1") == pytest.approx(600 / 500 - 1)
    assert _value(found, "target_deviation", "team", "B") == -1


def test_activities_end_with_the_day_in_the_companys_time_zone(found):
    assert _value(found, "activities") == 3
    assert _value(found, "meetings") == 2
    assert _value(found, "meetings", "rep", "r3") == 0
    assert _value(found, "meetings_per_week") == pytest.approx(2 / 13, abs=1e-6)


def test_a_quarter_without_a_won_deal_has_sums_of_nothing_and_no_means(tables_of):
    lost = [_deal("o", "r1", "lost", 5, AS_OF, AS_OF)]
    table = kpis.levels(tables_of({"reps": [{"rep_id": "r1"}], "opportunities": lost}, AS_OF), QUARTER, as_of=AS_OF)
    table = conform(table, TABLES["kpis"]).set_index(["kpi", "level", "key"])  # refuses keys that occur twice
    assert set(table.index.get_level_values("level")) == {"company", "rep"}
    assert "average_deal_value" not in table.index
    assert _value(table, "revenue") == 0


def test_missing_tables_leave_their_kpis_out(tables_of):
    tables = tables_of(
        {"reps": [{"rep_id": "r1"}], "opportunities": [_deal("o", "r1", "lost", None, AS_OF, AS_OF)]}, AS_OF
    )
    table = kpis.levels(tables, QUARTER, as_of=AS_OF).set_index(["kpi", "level"])
    assert not set(table.index.get_level_values(0)) & {"activities", "quota_attainment", "weighted_pipeline"}
    assert np.isnan(table.loc[("deals_no_decision", "company"), "value"])  # reasons are not recorded
    assert table.loc[("revenue", "rep"), "value"] == 0


def test_a_past_day_sees_only_what_was_known(source):
    then = kpis.compute(source, ["revenue", "quota", "deals_lost"], by="rep", period=QUARTER, as_of=date(2026, 4, 30))
    values = then.set_index(["kpi", "rep"])["value"]
    assert values["revenue", "r1"] == 100
    assert values["quota", "r1"] == 400
    assert values["deals_lost", "r2"] == 0


def test_wrong_names_and_days_are_refused(source):
    with pytest.raises(SpmError, match="No such KPI"):
        kpis.compute(source, ["winrate"], period=QUARTER, as_of=AS_OF)
    with pytest.raises(SpmError, match="No such dimension"):
        kpis.compute(source, by="planet", period=QUARTER, as_of=AS_OF)
    with pytest.raises(PeriodError, match="not begun"):
        kpis.compute(source, ["revenue"], period=QUARTER.next(), as_of=AS_OF)


def test_of_a_quarter_not_begun_there_is_what_can_be_known(source):
    found = kpis.compute(source, by="rep", period=QUARTER.next(), as_of=AS_OF).set_index(["kpi", "rep"])
    assert set(found.index.get_level_values("kpi")) == {"open_pipeline", "open_deals", "quota", "pipeline_coverage"}
    quota = 4000 * 92 / 365  # of a year, the only one that reaches into the quarter
    assert found.loc[("quota", "r2"), "value"] == pytest.approx(quota)
    # open2 (400) is due in July and is r1's, who has no quota yet; late (999) was due in June
    assert found.loc[("pipeline_coverage", "r2"), "numerator"] == 0
    assert found.loc[("pipeline_coverage", "r2"), "denominator"] == pytest.approx(quota)
    company = kpis.compute(source, ["pipeline_coverage"], period=QUARTER.next(), as_of=AS_OF)
    assert company["numerator"].item() == 400
    assert company["value"].item() == pytest.approx(400 / quota)


def test_every_kpi_says_what_it_is():
    for name, kpi in kpis.KPIS.items():
        assert kpi.name == name and kpi.id.startswith("K") and kpi.definition.endswith(".")
        assert (kpi.facts is not None) + (kpi.rows is not None) + bool(kpi.parts) == 1
        assert kpi.healthy is None or kpi.healthy[0] < kpi.healthy[1]
