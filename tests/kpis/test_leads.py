"""Leads: by creation cohort, as known on the day; waiting, answering, and an alarm that seldom lies."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from spm_models import kpis
from spm_models.kpis.decline import ALARM, decline
from spm_models.kpis.leads import idle_leads, lead_trend
from spm_models.periods import FiscalCalendar

AS_OF = date(2026, 6, 30)
QUARTER = FiscalCalendar().quarter(AS_OF)


def _lead(name, arrived, **more):
    return {"lead_id": name, "rep_id": "r1", "source": "web", "created_at": arrived} | more


@pytest.fixture
def tables(tables_of):
    june = datetime(2026, 6, 10, 8)
    return tables_of({
        "reps": [{"rep_id": "r1"}, {"rep_id": "r2"}],
        "opportunities": [
            {"opportunity_id": "o1", "rep_id": "r1", "status": "won", "stage": "won", "amount": 1,
             "created_on": date(2026, 5, 1), "closed_on": date(2026, 6, 20)},
            {"opportunity_id": "o2", "rep_id": "r1", "status": "won", "stage": "won", "amount": 1,
             "created_on": date(2026, 5, 1), "closed_on": date(2026, 7, 20)},
        ],
        "leads": [
            _lead("won", datetime(2026, 4, 1, 8), rating="hot", first_response_at=datetime(2026, 4, 1, 10),
                  qualified_at=datetime(2026, 4, 5), converted_at=datetime(2026, 5, 1), opportunity_id="o1"),
            _lead("not yet won", datetime(2026, 4, 2, 8), rating="cold", first_response_at=datetime(2026, 4, 2, 12),
                  converted_at=datetime(2026, 5, 1), opportunity_id="o2"),
            _lead("idle", datetime(2026, 4, 3, 8), rating="warm", first_response_at=datetime(2026, 4, 3, 14),
                  last_touched_at=datetime(2026, 6, 10, 21)),
            _lead("silent", june, rating="hot", source="fair"),
            _lead("later", datetime(2026, 6, 20, 8), rep_id="r2", converted_at=datetime(2026, 7, 9),
                  first_response_at=datetime(2026, 7, 2), last_touched_at=datetime(2026, 7, 9)),
            _lead("july in Istanbul", datetime(2026, 6, 30, 21)),
            _lead("earlier", datetime(2026, 3, 1), converted_at=datetime(2026, 3, 5)),
        ],
    }, AS_OF, time_zone="Europe/Istanbul")  # fmt: skip


def test_a_cohort_is_counted_with_what_is_known_of_it(tables):
    found = kpis.compute(tables, period=QUARTER, as_of=AS_OF).set_index("kpi")["value"]
    assert found["new_leads"] == 5
    assert found["lead_conversion"] == 2 / 5
    assert found["lead_to_won"] == 1 / 5  # the other was won in July
    assert found["qualified_leads"] == 2 / 5
    assert found["hot_leads"] == 2 / 5
    by_source = kpis.compute(tables, ["new_leads"], by="source", period=QUARTER, as_of=AS_OF)
    assert by_source.set_index("source")["value"].to_dict() == {"fair": 1, "web": 4}


def test_answers_that_have_not_come_yet_are_censored(tables):
    """2, 4 and 6 hours; two still wait: 4/5, 3/5, 2/5 are left, so half had an answer after 6 hours."""
    found = kpis.compute(tables, ["first_response_time"], period=QUARTER, as_of=AS_OF)
    assert found[["value", "denominator"]].values.tolist() == [[6.0, 3.0]]


def test_leads_wait_since_somebody_last_touched_them(tables):
    found = kpis.compute(tables, ["lead_waiting_time", "open_leads"], by="rep", period=QUARTER, as_of=AS_OF)
    found = found.set_index(["kpi", "rep"])
    assert found.loc[("open_leads", "r1"), "value"] == 2
    # idle: since 10 June 21:00, silent: since 10 June 8:00; June ends at 21:00
    assert found.loc[("lead_waiting_time", "r1"), "value"] == pytest.approx((20 + 20 + 13 / 24) / 2)
    # touched again in July: how long it had waited in June is not known
    assert ("lead_waiting_time", "r2") not in found.index
    idle = idle_leads(tables, AS_OF, days=20)
    assert idle["lead_id"].tolist() == ["silent", "idle"]  # the hot one first
    assert idle["never_answered"].tolist() == [True, False]


def test_the_alarm_is_raised_as_seldom_as_it_says():
    rng = np.random.default_rng(4)
    runs = 4000
    for counts in (rng.poisson(40, (runs, 9)), rng.negative_binomial(8, 8 / 48, (runs, 9))):
        alarms = sum(decline(row).alarm for row in counts)
        assert 0.01 * runs < alarms <= stats.binom.ppf(0.999, runs, ALARM), alarms
    halved = rng.poisson(40, (runs, 9))
    halved[:, -1] = rng.poisson(20, runs)
    assert sum(decline(row).alarm for row in halved) > 0.75 * runs
    steady = rng.poisson(100 * 0.92 ** np.arange(9), (runs // 4, 9))
    assert sum(decline(row).alarm for row in steady) > 0.9 * len(steady)
    assert not decline([5, 5, 0]).alarm and np.isnan(decline([5, 5, 0]).p)
    assert not decline([0] * 9).alarm


def test_new_leads_of_the_last_whole_quarter_are_compared(tables):
    quarters = FiscalCalendar().quarters(date(2025, 1, 1), date(2026, 9, 30))
    found = lead_trend(tables, quarters, AS_OF)
    assert found.last == 5 and not found.alarm  # leads are known of two quarters only
    assert np.isnan(lead_trend(tables, quarters[-1:], AS_OF).last)  # it still runs


def test_quarters_before_the_first_lead_say_nothing(tables_of):
    arrived = [datetime(2025, 1, 5) + timedelta(days=91 * n) for n, many in enumerate((40, 42, 39, 41, 40, 12))
               for _ in range(many)]  # fmt: skip
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [{"opportunity_id": "x", "rep_id": "r1"}],
                        "leads": [_lead(str(n), day) for n, day in enumerate(arrived)]}, AS_OF)  # fmt: skip
    found = lead_trend(tables, FiscalCalendar().quarters(date(2022, 1, 1), AS_OF), AS_OF)
    assert found.alarm and found.last == 12 and found.expected == (40 + 42 + 39 + 41 + 40) / 5


def test_csat_is_the_share_of_the_two_best_answers(tables_of):
    answers = [
        {"survey_id": str(n), "account_id": "a", "opportunity_id": deal, "answered_on": day, "score": score}
        for n, (deal, day, score) in enumerate([
            ("o1", date(2026, 5, 1), 5), ("o1", date(2026, 5, 2), 4), (None, date(2026, 5, 3), 2),
            ("o1", date(2026, 7, 1), 1), (None, date(2026, 5, 3), None),
        ])
    ]  # fmt: skip
    deal = {"opportunity_id": "o1", "rep_id": "r1", "status": "open", "stage": "x", "created_on": date(2026, 4, 1)}
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [deal], "surveys": answers}, AS_OF)
    found = kpis.levels(tables, QUARTER, as_of=AS_OF, kpis=["csat", "csat_score"]).set_index(["kpi", "level"])["value"]
    assert found["csat", "company"] == 2 / 3 and found["csat_score", "company"] == pytest.approx(11 / 3)
    assert found["csat", "rep"] == 1.0


def test_leads_that_the_source_tells_of_badly(tables_of):
    may = datetime(2026, 5, 1)
    tables = tables_of({
        "reps": [{"rep_id": "r1"}, {"rep_id": "r2"}],
        "opportunities": [{"opportunity_id": "o", "rep_id": "r1", "status": "won", "created_on": date(2026, 5, 20),
                           "closed_on": date(2026, 6, 20)}],
        "leads": [
            _lead("no instant of conversion", may, opportunity_id="o"),
            _lead("answered in July", datetime(2026, 6, 20, 21), rep_id="r2", first_response_at=datetime(2026, 7, 20)),
            _lead("touched, then answered", may, rep_id="r2", last_touched_at=datetime(2026, 5, 2),
                  first_response_at=datetime(2026, 6, 28, 21)),
            _lead("nobody's", may, rep_id=None, converted_at=datetime(2026, 6, 1)),
        ],
    }, AS_OF, time_zone="Europe/Istanbul")  # fmt: skip
    found = kpis.compute(tables, period=QUARTER, as_of=AS_OF).set_index("kpi")["value"]
    assert found["new_leads"] == 4 and found["lead_conversion"] == 2 / 4 and found["lead_to_won"] == 1 / 4
    assert found["open_leads"] == 2 and found["lead_waiting_time"] == (10 + 2) / 2
    idle = idle_leads(tables, AS_OF, days=2)
    assert idle[["lead_id", "idle_days", "never_answered"]].values.tolist() == [
        ["answered in July", 10.0, True], ["touched, then answered", 2.0, False],
    ]  # fmt: skip
