from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.sample_company import Company


@pytest.fixture(scope="module")
def latest(usual: Company) -> pd.DataFrame:
    key = ["owner_kind", "owner_id", "period_start", "tier"]
    return usual.tables["quotas"].sort_values("set_on").drop_duplicates(key, keep="last")


def test_reps_add_up_to_teams_regions_and_the_company(usual: Company, latest: pd.DataFrame) -> None:
    people = usual.tables["reps"].set_index("rep_id")
    reps = latest[latest.owner_kind == "rep"].join(people[["team", "region"]], on="owner_id")
    for kind, column in (("team", "team"), ("region", "region")):
        mine = reps.groupby([column, "period_start", "tier"]).amount.sum()
        theirs = latest[latest.owner_kind == kind].set_index(["owner_id", "period_start", "tier"]).amount
        assert (mine.reindex(theirs.index).fillna(0) == theirs).all()
    company = latest[latest.owner_kind == "company"].set_index(["period_start", "tier"]).amount
    assert (reps.groupby(["period_start", "tier"]).amount.sum().reindex(company.index) == company).all()


def test_there_are_three_tiers_in_order_a_revision_and_the_next_quarter(usual: Company, latest: pd.DataFrame) -> None:
    tiers = latest.pivot(index=["owner_kind", "owner_id", "period_start"], columns="tier", values="amount")
    assert (tiers.minimum <= tiers.standard).all()
    assert (tiers.standard <= tiers.maximum).all()
    assert len(usual.tables["quotas"]) > len(latest)
    assert latest.period_start.max() == pd.Timestamp("2026-07-01")
    assert (usual.tables["quotas"].set_on <= pd.Timestamp(usual.last_day)).all()


def test_about_two_thirds_of_settled_reps_reach_the_standard_tier(usual: Company, latest: pd.DataFrame) -> None:
    deals = usual.tables["opportunities"]
    won = deals[deals.status == "won"]
    rates = usual.tables["exchange_rates"].set_index(["currency", "day"]).rate
    rate = rates.reindex(pd.MultiIndex.from_arrays([won.currency, won.closed_on])).to_numpy(float, na_value=np.nan)
    value = won.amount * np.where(won.currency == "TRY", 1.0, rate)
    quarter = won.closed_on.dt.to_period("Q").dt.start_time.rename("period_start")
    sold = value.groupby([won.rep_id, quarter]).sum()
    hired = usual.tables["reps"].set_index("rep_id").hired_on
    quota = latest[(latest.owner_kind == "rep") & (latest.tier == "standard")]
    settled = (quota.period_start - hired.reindex(quota.owner_id).to_numpy()).dt.days > 300
    quota = quota[settled & (quota.period_start <= pd.Timestamp(usual.last_day))]
    reached = sold.reindex(pd.MultiIndex.from_frame(quota[["owner_id", "period_start"]])).fillna(0).to_numpy()
    assert 0.60 <= (reached >= quota.amount.to_numpy()).mean() <= 0.70


def test_who_comes_or_goes_within_a_quarter_has_the_quota_of_a_whole_one(usual, latest):
    """What of it is owed is for those who read the ledger: shortened there already, it would be shortened twice."""
    reps = usual.tables["reps"].set_index("rep_id")
    quota = latest[(latest.owner_kind == "rep") & (latest.tier == "standard")]
    left = quota.owner_id.map(reps["left_on"])
    leaving = quota[(left >= quota.period_start) & (left <= quota.period_end)]
    assert len(leaving)
    before = quota.set_index(["owner_id", "period_end"])["amount"]
    last = before.reindex(
        pd.MultiIndex.from_arrays([leaving.owner_id, leaving.period_start - pd.Timedelta(days=1)])
    ).to_numpy()
    settled = leaving.period_start - leaving.owner_id.map(reps["hired_on"]) > pd.Timedelta(days=400)
    ratio = (leaving.amount.to_numpy() / last)[settled.to_numpy()]
    assert np.median(ratio) > 0.9, "in the quarter in which they leave, as in the one before"
