"""What won deals usually show, by stage and kind, shrunk where few were won."""

import numpy as np
import pandas as pd
import pytest

from spm_models.win_probability.typical import PRIOR_DEALS, Typical


@pytest.fixture(scope="module")
def seen():
    rng = np.random.default_rng(8)
    n = 4000
    rows = pd.DataFrame(
        {
            "deal": rng.integers(0, 900, n),
            "stage": rng.choice(["Lead", "Offer"], n),
            "kind": rng.choice(["new", "up"], n),
        }
    )
    middle = rows.stage.map({"Lead": 10.0, "Offer": 30.0}) + 5 * (rows.kind == "up")
    rows["days_in_stage"] = middle + rng.normal(0, 3, n)
    rows["won"] = rows.deal % 3 == 0
    rows.loc[~rows.won, "days_in_stage"] += 100  # what lost deals show does not count
    return rows


def test_medians_are_those_of_won_deals_of_the_stage_and_kind(seen):
    usual = Typical().fit(seen, seen.won, seen.deal, ["days_in_stage"])
    asked = pd.DataFrame({"stage": ["Lead", "Offer", "Lead"], "kind": ["new", "new", "up"]})
    won = seen[seen.won]
    n = won.groupby(["stage", "kind"]).deal.nunique()
    stage = won.groupby("stage").days_in_stage.median()
    for found, stage_name, kind in zip(usual.of(asked, "days_in_stage"), asked.stage, asked.kind, strict=True):
        own = {"new": 0, "up": 5}[kind] + {"Lead": 10, "Offer": 30}[stage_name]
        weight = n[stage_name, kind] / (n[stage_name, kind] + PRIOR_DEALS)
        assert found == pytest.approx(weight * own + (1 - weight) * stage[stage_name], abs=1.5)
    low, high = (usual.of(asked, "days_in_stage", quantile) for quantile in (0.25, 0.75))
    assert (low < usual.of(asked, "days_in_stage")).all() and (usual.of(asked, "days_in_stage") < high).all()


def test_an_unknown_stage_shows_what_all_won_deals_show(seen):
    usual = Typical().fit(seen, seen.won, seen.deal, ["days_in_stage"])
    asked = pd.DataFrame({"stage": ["Elsewhere", None, "Lead"], "kind": ["new", None, None]}, index=[7, 8, 9])
    everybody = np.array(usual.groups[""])[0, 1]
    assert usual.of(asked, "days_in_stage")[:2].tolist() == [everybody, everybody]
    assert usual.of(asked, "days_in_stage")[2] < everybody
    assert np.isnan(usual.of(asked, "no_such_column")).all()
    assert usual.of(asked[[]], "days_in_stage").tolist() == [everybody] * 3  # no stages at all


def test_each_deal_counts_once_however_often_it_was_seen():
    rows = pd.DataFrame({"deal": [0] * 90 + list(range(1, 11)), "x": [50.0] * 90 + [1.0] * 10})
    assert Typical().fit(rows, pd.Series(True, rows.index), rows.deal, ["x"]).of(rows.head(1), "x") == [1.0]


def test_few_won_deals_lean_on_all_and_none_say_nothing():
    rows = pd.DataFrame({"deal": range(106), "stage": ["Lead"] * 100 + ["Offer"] * 6, "x": [10.0] * 100 + [40.0] * 6})
    usual = Typical().fit(rows, pd.Series(True, rows.index), rows.deal)
    assert usual.of(rows.tail(1), "x")[0] == pytest.approx((6 * 40 + PRIOR_DEALS * 10) / (6 + PRIOR_DEALS))
    nobody = Typical().fit(rows, pd.Series(False, rows.index), rows.deal)
    assert np.isnan(nobody.of(rows, "x")).all()


def test_a_column_that_is_empty_at_a_stage_falls_back_on_all_won_deals():
    rows = pd.DataFrame({"deal": range(60), "stage": ["Lead"] * 30 + ["Offer"] * 30, "x": [np.nan] * 30 + [4.0] * 30})
    usual = Typical().fit(rows, pd.Series(True, rows.index), rows.deal, ["x"])
    assert usual.of(rows, "x").tolist() == [4.0] * 60


def test_state_is_plain_and_says_the_same(seen):
    import json

    usual = Typical().fit(seen, seen.won, seen.deal)
    again = Typical.from_state(json.loads(json.dumps(usual.state())))
    np.testing.assert_array_equal(again.of(seen, "days_in_stage"), usual.of(seen, "days_in_stage"))
