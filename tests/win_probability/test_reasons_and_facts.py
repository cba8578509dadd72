"""Reasons add up to the score, in log-odds and in points, and say nothing that the data do not hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit

from spm_models.published.schemas import TABLES
from spm_models.win_probability import WinProbability
from spm_models.win_probability.facts import FACTS, best_facts
from spm_models.win_probability.features import REASON_COLUMNS
from spm_models.win_probability.reasons import SHOWN, reasons
from spm_models.win_probability.result import REASONS
from spm_models.win_probability.trend import TREND, trend, trend_days


class Typical:
    """Fixed values, whatever the deal."""

    def __init__(self, **usual):
        self.usual = usual

    def of(self, features, column):
        return np.full(len(features), self.usual.get(column, np.nan))


def deals(number=1, **columns):
    base = {"opportunity_id": [f"o{k}" for k in range(number)], "rep_id": "r1", "as_of": pd.Timestamp("2026-06-30")}
    return pd.DataFrame(base | columns)


def told(group, contribution, usual=None, **columns):
    rows = deals(**columns)
    typical = None if usual is None else Typical(**usual)
    found = reasons(rows, 0.0, {group: np.array([contribution])}, typical=typical)
    return tuple(found.loc[found["rank"] == 1, ["fact", "value", "typical"]].iloc[0])


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 25)), elements=st.floats(-6, 6)),
    st.floats(-4, 4),
)
def test_contributions_add_up_to_the_log_odds_and_points_to_the_probability(values, start):
    parts = pd.DataFrame(values, columns=[f"g{k:02d}" for k in range(values.shape[1])])
    found = reasons(deals(len(values)), start, parts)
    sums = found.groupby("opportunity_id")[["contribution", "points"]].sum()
    log_odds = start + values.sum(axis=1)
    np.testing.assert_allclose(sums["contribution"], log_odds, atol=1e-9)
    np.testing.assert_allclose(sums["points"], expit(log_odds), atol=1e-9)
    after = found[found["rank"] > 0]
    assert (np.sign(after["points"]) * np.sign(after["contribution"]) >= 0).all()
    assert found.groupby("opportunity_id").size().max() <= SHOWN + 2
    assert list(found) == list(REASONS) == list(TABLES["deal_reasons"].columns)


def test_every_reason_of_the_features_has_facts_of_its_own_columns_or_of_the_snapshot():
    derived = {"account_record", "customer", "place", "territory"}
    for group, columns in REASON_COLUMNS.items():
        assert set(FACTS.get(group, (group,))) <= set(columns) | derived, group


@pytest.mark.parametrize(
    ("contribution", "columns", "usual", "expected"),
    [
        (-0.4, {"days_since_activity": 24.0}, {"days_since_activity": 12.0}, ("days_since_activity", "24", "12")),
        (0.4, {"days_since_activity": 24.0}, {"days_since_activity": 12.0}, ("", "", "")),
        (0.4, {"days_since_activity": 5.0}, {"days_since_activity": 12.0}, ("days_since_activity", "5", "12")),
        (-0.4, {"days_since_activity": 24.0, "days_since_meeting": 90.0},
         {"days_since_activity": 40.0, "days_since_meeting": 30.0}, ("days_since_meeting", "90", "30")),
        (-0.4, {"days_since_activity": np.nan}, {"days_since_activity": 12.0}, ("days_since_activity", "", "")),
    ],
)  # fmt: skip
def test_the_fact_agrees_with_what_it_is_said_to_do(contribution, columns, usual, expected):
    assert told("activity_recency", contribution, usual, **columns) == expected


@pytest.mark.parametrize(
    ("group", "contribution", "columns", "expected"),
    [
        ("pushes", -0.3, {"push_count": 2.0}, ("push_count", "2", "")),
        ("pushes", 0.3, {"push_count": 0.0}, ("push_count", "0", "")),
        ("pushes", -0.3, {"push_count": 0.0}, ("", "", "")),
        ("pushes", -0.3, {"push_count": 0.0, "slip_days": 9.0}, ("slip_days", "9", "")),
        ("amount", -0.3, {"amount": 50.0, "amount_ratio": 0.5}, ("amount_ratio", "0.5", "")),
        ("amount", -0.3, {"amount": 50.0, "amount_ratio": 1.0}, ("amount", "50", "")),
        ("activity_mix", -0.2, {"meetings": 0.0}, ("meetings", "0", "")),
        ("activity_mix", 0.2, {"meetings": 0.0, "demos": 1.0}, ("demos", "1", "")),
        ("stage", 0.5, {"stage": "Offer", "stage_regressions": 1.0}, ("stage", "Offer", "")),
        ("stage", -0.5, {"stage": "Offer", "stage_regressions": 1.0}, ("stage_regressions", "1", "")),
        ("account_history", -0.2, {"account_won": 0.0, "account_lost": 0.0, "account_open_deals": 0.0},
         ("account_record", "first/0", "")),
        ("account_history", 0.2, {"account_won": 2.0, "account_lost": 3.0}, ("account_record", "2/5", "")),
        ("account_history", 0.2, {"account_won": 0.0, "account_lost": 3.0}, ("", "", "")),
        ("segment", 0.2, {"segment": "small", "industry": "retail"}, ("customer", "small / retail", "")),
        ("segment", 0.2, {"segment": "small", "industry": None}, ("segment", "small", "")),
        ("rep_history", 0.2, {"rep_open_deals": 4.0}, ("", "", "")),
        ("field_due", 0.2, {"field_due": pd.Timestamp("2026-07-01")}, ("field_due", "2026-07-01", "")),
        ("unheard_of", 0.2, {}, ("", "", "")),
    ],
)  # fmt: skip
def test_each_group_finds_its_best_fact(group, contribution, columns, expected):
    features = deals(**columns).drop(columns=["opportunity_id", "rep_id"])
    found = reasons(deals(**columns), 0.0, {group: np.array([contribution])}, features=features)
    assert tuple(found.loc[1, ["fact", "value", "typical"]]) == expected


def test_what_the_model_did_not_look_at_is_no_reason():
    rows = deals(push_count=[2.0], slip_days=[30.0], discount=[0.2])
    features = rows.drop(columns=["opportunity_id", "rep_id", "as_of"])
    parts = {"pushes": np.array([-1.0]), "price": np.array([-0.5])}
    found = reasons(rows, 0.0, parts, features=features, learned=["slip_days"])
    assert found.loc[[1, 2], "fact"].tolist() == ["slip_days", ""]


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 60), st.floats(0, 60), st.floats(-1, 1).filter(lambda c: abs(c) > 0.01))
def test_more_silence_than_usual_is_never_told_as_good_nor_less_as_bad(silent, usual, contribution):
    facts = pd.DataFrame({"days_since_activity": [silent]})
    found = best_facts("activity_recency", facts, np.array([contribution]), Typical(days_since_activity=usual)).iloc[0]
    if found["typical"]:
        clearly = abs(silent - usual) > 0.2 * max(usual, 0.5)
        assert not clearly or (silent > usual) == (contribution < 0)


class ByPushes:
    def probabilities(self, rows):
        return np.where(rows["push_count"] > 5, np.nan, 1 / (2 + rows["push_count"].to_numpy()))


def test_the_trend_follows_open_deals_only_and_belongs_to_todays_owner():
    today = deals(3, push_count=[0.0, 1.0, 9.0])
    before = deals(4, push_count=[0.0, 0.0, 9.0, 0.0]).assign(rep_id="r0", as_of=pd.Timestamp("2026-06-23"))
    found = trend(ByPushes(), pd.concat([today, before]), today)
    assert found["opportunity_id"].tolist() == ["o0", "o0", "o1", "o1"] and set(found["rep_id"]) == {"r1"}
    assert found["win_probability"].round(3).tolist() == [0.5, 0.5, 0.5, 0.333]
    assert list(found) == list(TREND) == list(TABLES["deal_trend"].columns)
    assert not found.duplicated(list(TABLES["deal_trend"].key)).any()
    assert trend(ByPushes(), before, today.head(0)).empty
    assert len(trend_days(pd.Timestamp("2026-06-30").date())) == 9


@pytest.mark.parametrize("method", ["stage_rate", "rep_rate", "base_rate"])
def test_the_last_day_of_the_trend_is_the_published_probability_and_plain_rates_add_up_too(company, method):
    snapshots, closed = company(300, seed=4)
    today = snapshots[snapshots["as_of"] == snapshots["as_of"].max()]
    model = WinProbability(method=method, timing=False).fit(snapshots, closed)
    scores = model.predict(today)
    published = scores.table.set_index("opportunity_id")["win_probability"]
    found = trend(model, snapshots, today)
    last = found[found["as_of"] == found["as_of"].max()].set_index("opportunity_id")["win_probability"]
    pd.testing.assert_series_equal(last, published, check_index_type=False)
    assert found.groupby("opportunity_id").size().max() > 1
    sums = scores.reasons.groupby("opportunity_id")["points"].sum()
    np.testing.assert_allclose(sums.loc[published.index], published, atol=1e-9)
    assert set(scores.reasons["feature"]) <= {"typical_deal", "stage", "rep_history"}
