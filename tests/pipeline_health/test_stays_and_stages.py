"""Stays in stages are read from the history; dwell lets those that have not ended count."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from spm_models.pipeline_health import gather, kaplan_meier, stage_table

AS_OF = date(2026, 3, 31)
STAGES = ("Lead", "Meeting", "Offer")


def change(deal: str, at: str, old: str | None, new: str) -> dict[str, object]:
    return {"opportunity_id": deal, "changed_at": at, "field": "stage", "old": old, "new": new}


def deal(name: str, stage: str, status: str, created: str, closed: str | None = None, **more: object):
    return {"opportunity_id": name, "rep_id": "r1", "stage": stage, "status": status, "created_on": created,
            "closed_on": closed, "account_id": "k", "amount": 100, **more}  # fmt: skip


HISTORY = [
    change("a", "2026-01-01 08:00", None, "Lead"),
    change("a", "2026-01-11 22:30", "Lead", "Meeting"),  # 12 January in Istanbul
    change("a", "2026-01-20 08:00", "Meeting", "Lead"),
    change("a", "2026-02-01 08:00", "Lead", "Offer"),
    change("a", "2026-02-10 08:00", "Offer", "Closed Won"),
    change("a", "2026-02-20 08:00", "Closed Won", "Lead"),  # an edit after the close
    change("b", "2026-03-05 08:00", "Lead", "Meeting"),  # the row from creation is missing
    change("b", "2026-04-05 08:00", "Meeting", "Closed Lost"),  # later than the day
    change("a", "2026-01-01 08:00", None, "r1") | {"field": "rep_id"},  # owners are recorded from here on
]
DEALS = [
    deal("a", "Closed Won", "won", "2026-01-01", "2026-02-10"),
    deal("b", "Closed Lost", "lost", "2026-02-03", "2026-04-05"),
    deal("c", "Lead", "open", "2026-03-21", amount=None),  # never changed
    deal("late", "Lead", "open", "2026-04-01"),
]


@pytest.fixture
def facts(tables_of):
    tables = tables_of(
        {"reps": [{"rep_id": "r1", "team": "North", "region": "N"}], "opportunities": DEALS,
         "opportunity_history": HISTORY, "accounts": [{"account_id": "k", "segment": "small"}]},
        date(2026, 4, 30), stages=STAGES, time_zone="Europe/Istanbul",
    )  # fmt: skip
    return gather(tables, AS_OF)


def test_stays_follow_the_history_by_hand(facts):
    visits = facts.visits
    assert visits[["opportunity_id", "stage", "days", "ended"]].fillna("open").to_numpy().tolist() == [
        ["a", "Lead", 11.0, "advanced"],
        ["a", "Meeting", 8.0, "back"],
        ["a", "Lead", 12.0, "advanced"],
        ["a", "Offer", 9.0, "won"],
        ["b", "Lead", 30.0, "advanced"],
        ["b", "Meeting", 26.0, "open"],
        ["c", "Lead", 10.0, "open"],
    ]
    snapshot = facts.open_deals.set_index("opportunity_id")["days_in_stage"]
    assert snapshot.to_dict() == {"b": 26.0, "c": 10.0}, "the same as the snapshot of the day says"


def test_each_stage_has_count_worth_and_both_medians(facts):
    table = stage_table(facts)
    lead = table[(table["level"] == "company") & (table["segment"] == "") & (table["stage"] == "Lead")].iloc[0]
    assert (lead["deals"], lead["without_amount"], lead["days_open"]) == (1, 1, 10.0) and np.isnan(lead["amount"])
    assert (lead["visits"], lead["left"], lead["median_days"]) == (4, 3, 12.0)
    assert lead["mean_days"] == pytest.approx((11 + 12 + 30) / 3)
    assert lead["km_median_days"] == 12.0  # 4 at risk at 10 (censored), 3 at 11, 2 at 12: 2/3, 1/3
    assert (lead["advanced"], lead["lost"], lead["conversion"]) == (3, 0, 1.0) and lead["conversion_low"] < 0.8
    assert set(table["level"]) == {"company", "region", "team", "rep"} and set(table["segment"]) == {"", "small"}
    assert table.groupby(["level", "segment"])["deals"].sum().eq(2).all()


def test_kaplan_meier_agrees_with_another_implementation():
    rng = np.random.default_rng(4)
    days, ended = rng.integers(1, 60, 200).astype(float), rng.random(200) < 0.7
    entry = np.minimum(rng.integers(0, 20, 200), days - 1).astype(float)
    for late in (None, entry):
        ours, theirs = kaplan_meier(days, ended, late), SurvfuncRight(days, ended, entry=late)
        assert ours.times.tolist() == theirs.surv_times.tolist()
        assert ours.survival == pytest.approx(theirs.surv_prob) and ours.quantile(0.5) == theirs.quantile(0.5)
        if late is None:
            assert np.sqrt(ours.variance)[:-1] == pytest.approx(theirs.surv_prob_se[:-1])  # the last share is 0


def test_the_published_example_of_remission_times():
    """6-mercaptopurine: Freireich et al. (1963); survival as in Klein and Moeschberger (2003), table 4.1."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    back = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = kaplan_meier(weeks, np.array(back) == 1)
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert np.sqrt(curve.variance).round(3).tolist() == [0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135]
    assert curve.quantile(0.5) == 23


def test_the_plain_median_is_too_short_where_deals_pile_up():
    rng = np.random.default_rng(1)
    days = rng.exponential(30 / np.log(2), 4000)  # true median 30
    waited = rng.uniform(0, 60, 4000)
    ended = days <= waited
    seen = np.minimum(days, waited)
    assert np.median(seen[ended]) < 20
    low, high = kaplan_meier(seen, ended).quantile_interval(0.5, 0.95)
    assert low < 30 < high and high - low < 5


def test_the_interval_of_the_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        days, waited = rng.exponential(30 / np.log(2), 60), rng.uniform(20, 90, 60)
        low, high = kaplan_meier(np.minimum(days, waited), days <= waited).quantile_interval(0.5, 0.8)
        held += low <= 30 <= (np.inf if np.isnan(high) else high)
    assert 0.73 < held / 300 < 0.89  # 80 %, binomial standard error 2.3 %


def test_without_history_only_what_stands_there_is_told(tables_of):
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": DEALS[2:3]}, AS_OF, stages=STAGES)
    facts = gather(tables, AS_OF)
    table = stage_table(facts)
    assert "dwell" in facts.off and "touches" in facts.off
    row = table.iloc[0]
    assert (row["deals"], row["visits"]) == (1, 0) and pd.isna(row["km_median_days"])
