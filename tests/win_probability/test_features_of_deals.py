"""Features of deals: plain columns, known on the day, with a reason each."""

import numpy as np
import pandas as pd
import pytest

from spm_models.snapshots import PIPELINE
from spm_models.win_probability.features import GROUPS, deal_features, groups_of, learnable
from spm_models.win_probability.past_rates import PACE, PastRates, closed_with_keys
from spm_models.win_probability.training import learning_set


@pytest.fixture(scope="module")
def learned(company):
    snapshots, closed = company(600, seed=5)
    snapshots = snapshots.assign(
        account_id=snapshots.opportunity_id.str[-1], product_id="p", territory="t", manager_id="m",
        days_in_stage=snapshots.age_days, days_since_activity=snapshots.age_days % 20,
    )  # fmt: skip
    rates = PastRates().fit(closed_with_keys(snapshots, closed), snapshots)
    return snapshots, closed, rates


def test_one_row_a_snapshot_in_its_order_and_every_column_has_a_reason(learned):
    snapshots, _, rates = learned
    mixed = snapshots.sample(frac=0.5, random_state=1)
    found = deal_features(mixed, rates)
    assert found.index.equals(mixed.index) and set(found) <= set(GROUPS)
    assert {str(kind) for kind in found.dtypes} == {"float64", "str"}
    assert groups_of(found)["days_in_stage_ratio"] == "time_in_stage"
    pace = [f"{name}_ratio" for name in PACE]
    assert set(rates.at(mixed)) <= set(found) and found[pace].notna().any().all()
    assert "account_id_past" in found and "product_id_past" not in found  # one product: nothing to compare


def test_missing_columns_remove_features_never_rows(learned):
    snapshots, _, rates = learned
    bare = snapshots.drop(columns=["amount", "source"])
    found = deal_features(bare, rates)
    assert len(found) == len(bare) and list(found) == list(deal_features(snapshots, rates))
    assert found[["amount", "source", "price_ratio"]].isna().all(axis=None)
    assert not {"amount", "source", "contacts"} & set(learnable(found))
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in PIPELINE.items()})
    assert deal_features(empty).empty


def test_custom_fields_are_taken_as_declared():
    rows = pd.DataFrame(
        {"as_of": pd.to_datetime(["2026-05-01", "2026-05-08"]), "field_go_live": pd.to_datetime(["2026-05-31", None]),
         "field_flag": pd.array([True, None], dtype="boolean"), "field_grade": ["A", None], "field_size": [3.0, 4.0]}
    )  # fmt: skip
    found = deal_features(rows)
    assert found.field_go_live.iloc[0] == 30 and np.isnan(found.field_go_live.iloc[1])
    assert found.field_flag.iloc[0] == 1 and np.isnan(found.field_flag.iloc[1])
    assert found.field_grade.tolist()[0] == "A" and found.field_grade.isna().tolist() == [False, True]
    assert groups_of(found)["field_grade"] == "field_grade"


def test_a_field_filled_after_the_decision_is_not_learned_from(learned):
    """Empty on all earlier days because nobody recorded its history, full today."""
    snapshots, closed, _ = learned
    today = snapshots.as_of == snapshots.as_of.max()
    rows = snapshots.assign(field_budget=pd.Series("approved", snapshots.index).where(today))
    learning = learning_set(rows, closed)
    assert "field_budget" not in learnable(deal_features(learning))


def test_a_column_that_only_decided_deals_have_filled_is_not_learned_from(learned):
    """Its filling gives away the decision, whatever stands in it."""
    snapshots, closed, rates = learned
    decided = snapshots.opportunity_id.isin(closed.opportunity_id)
    rows = snapshots.assign(account_id=snapshots.account_id.where(decided))
    learning = learning_set(rows, closed)
    x, undecided = deal_features(learning, rates), deal_features(rows[~decided], rates)
    assert "account_id_past" in learnable(x)
    assert "account_id_past" not in learnable(x, undecided)
    assert set(learnable(x, undecided)) == set(learnable(x)) - {"account_id_past"}
    since = np.where(x.index % 3 == 0, np.nan, 9.0 + x.index % 5)  # empty for other reasons, too
    x, undecided = (t.assign(account_won=1.0, days_since_account_won=since[: len(t)]) for t in (x, undecided))
    assert "days_since_account_won" in learnable(x, undecided)
    assert "days_since_account_won" not in learnable(x, undecided.assign(account_won=np.nan))


def test_past_rates_and_pace_see_nothing_that_came_later(learned):
    snapshots, closed, _ = learned
    cut = pd.Timestamp("2025-06-30")
    other = closed.assign(won=np.where(closed.closed_on > cut, ~closed.won, closed.won))
    rows = snapshots[snapshots.as_of <= cut]
    found = []
    for outcomes in (closed, other):
        rates = PastRates().fit(closed_with_keys(snapshots, outcomes), snapshots)
        same = dict.fromkeys(rates.strength, 30.0), dict.fromkeys(rates.half_life, 365.0)  # these two are learned
        rates.strength, rates.half_life = same
        found.append(rates.at(rows))
    pd.testing.assert_frame_equal(*found)
    assert found[0].notna().any().all()


def test_a_stored_model_scores_new_days_as_the_fitted_one(learned):
    from dataclasses import asdict

    snapshots, _, rates = learned
    rates.half_life["rep_id"] = 365.0
    fitted = PastRates(**asdict(rates))
    rates.half_life["rep_id"] = 0.0
    later = snapshots.tail(40).assign(as_of=snapshots.as_of.max() + pd.Timedelta(days=20))
    pd.testing.assert_frame_equal(PastRates(**asdict(rates)).at(later), rates.at(later))
    assert fitted._fading(later, "rep_id")[0] < 1


def test_older_deals_count_less_where_the_past_changed():
    rng = np.random.default_rng(3)
    n = 3000
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 1000, n)), unit="D")
    rep = rng.integers(0, 10, n)
    turned = np.where(day < pd.Timestamp("2024-06-01"), rep < 5, rep >= 5)
    closed = pd.DataFrame(
        {"opportunity_id": [f"o{k}" for k in range(n)], "rep_id": [f"r{k}" for k in rep], "closed_on": day,
         "won": rng.random(n) < np.where(turned, 0.7, 0.2), "account_id": "a", "product_id": "p", "territory": "t",
         "manager_id": "m"}
    )  # fmt: skip
    assert PastRates().fit(closed).half_life["rep_id"] == 365.0
    steady = closed.assign(won=rng.random(n) < np.where(rep < 5, 0.7, 0.2))
    assert PastRates().fit(steady).half_life["rep_id"] == 0.0
