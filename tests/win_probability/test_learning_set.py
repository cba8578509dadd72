"""Weights of the learning set: what snapshots tell together, and slow deals not forgotten."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from spm_models.win_probability.training import learning_set


def test_weights_sum_to_the_effective_number_of_deals(company):
    rows = learning_set(*company(500, seed=1))
    by_deal = rows.groupby("opportunity_id")["weight"].sum()
    assert rows["weight"].sum() == pytest.approx(by_deal.sum() ** 2 / (by_deal**2).sum())
    assert 0.4 * len(by_deal) < rows["weight"].sum() < len(by_deal)
    assert rows["weight"].min() > 0 and rows["weight"].max() <= 5.001 * rows["weight"].min()


def test_recent_snapshots_hold_quick_deals_and_the_weights_make_up_for_them(company):
    """Lost deals are decided sooner, so that the decided deals of a recent day look worse than the day was."""
    raw, weighted, truth = [], [], []
    for seed in range(8):
        snapshots, closed = company(1500, seed=60 + seed)
        known = learning_set(snapshots, closed, "2024-09-30")
        raw.append(known["won"].mean())
        weighted.append(np.average(known["won"], weights=known["weight"]))
        seen = snapshots[snapshots["as_of"] <= pd.Timestamp("2024-09-30")]
        truth.append(seen.merge(closed[["opportunity_id", "won"]], on="opportunity_id")["won"].mean())
    assert abs(np.mean(weighted) - np.mean(truth)) < 0.6 * abs(np.mean(raw) - np.mean(truth))


def test_weekly_snapshots_weigh_as_much_as_monthly_ones_of_the_same_deals(company):
    """Four times the rows are not four times the deals; only the deals too quick for a month end are new."""
    monthly = learning_set(*company(800, seed=4))
    weekly = learning_set(*company(800, seed=4, freq="7D"))
    assert len(weekly) > 3.5 * len(monthly)
    assert weekly["weight"].sum() == pytest.approx(monthly["weight"].sum(), rel=0.15)
    heaviest = weekly.groupby("opportunity_id")["weight"].sum().max()
    assert heaviest < 0.02 * weekly["weight"].sum()


def test_what_is_learned_of_young_data_holds_for_the_open_deals(company):
    """Nine months of data, deals of three: equal weights, and even more a weight of 1 a deal, make them look bad."""
    cut, gaps = pd.Timestamp("2024-09-30"), {"ours": [], "equal": [], "one a deal": []}
    for seed in range(8):
        snapshots, closed = company(3000, seed=80 + seed, freq="7D")
        rows = learning_set(snapshots, closed, cut.date())
        now = snapshots[(snapshots["as_of"] <= cut) & (snapshots["as_of"] > cut - pd.Timedelta(days=7))]
        each = 1 / rows.groupby("opportunity_id")["won"].transform("size")
        for name, weight in {"ours": rows["weight"], "equal": np.ones(len(rows)), "one a deal": each}.items():
            model = LogisticRegression(C=100).fit(_facts(rows), rows["won"], weight)
            gaps[name].append(model.predict_proba(_facts(now))[:, 1].mean() - now["p_win"].mean())
    ours, equal, one = (np.mean(gaps[name]) for name in ("ours", "equal", "one a deal"))
    assert abs(ours) < 0.015 and one < equal < ours - 0.01, (ours, equal, one)


def _facts(rows):
    stage = rows["stage"].map({"Lead": -1.0, "Meeting": 0.0, "Offer": 1.0})
    return np.column_stack(
        [stage, rows["source"] == "inbound", np.log(rows["amount"]), rows["age_days"] / 30, np.log1p(rows["age_days"])]
    )


def test_a_deal_decided_on_the_day_itself_is_no_open_deal(company):
    snapshots, closed = company(300, seed=3)
    rows = learning_set(snapshots, closed)
    assert (rows["closed_on"] > rows["as_of"]).all()
    assert learning_set(snapshots, closed.head(0)).empty
