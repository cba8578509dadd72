from __future__ import annotations

import pandas as pd
import pytest

from spm_models.sample_company import Company


@pytest.fixture(scope="module")
def deals(company: Company) -> pd.DataFrame:
    return company.tables["opportunities"].set_index("opportunity_id")


@pytest.fixture(scope="module")
def history(company: Company) -> pd.DataFrame:
    return company.tables["opportunity_history"]


def test_the_last_value_in_the_history_is_the_present_value(deals: pd.DataFrame, history: pd.DataFrame) -> None:
    last = history.sort_values("changed_at", kind="stable").groupby(["opportunity_id", "field"]).new.last().unstack()
    last = last.loc[deals.index]
    for field in ("stage", "rep_id", "forecast_category"):
        assert (last[field] == deals[field]).all(), field
    assert (last.amount.astype(float) == deals.amount).all()
    assert (pd.to_datetime(last.expected_close_on) == deals.expected_close_on).all()


def test_each_change_starts_where_the_one_before_ended(history: pd.DataFrame) -> None:
    rows = history.sort_values(["opportunity_id", "field", "changed_at"], kind="stable")
    before = rows.groupby(["opportunity_id", "field"]).new.shift()
    assert rows.old.isna().eq(before.isna()).all()
    assert (rows.old.dropna() == before.dropna()).all()
    assert (rows.old.dropna() != rows.new[rows.old.notna()]).all()


def test_every_tracked_field_has_a_first_value_on_the_day_of_creation(
    deals: pd.DataFrame, history: pd.DataFrame
) -> None:
    first = history[history.old.isna()]
    assert (first.groupby("opportunity_id").field.nunique() == 5).all()
    created = deals.created_on.reindex(first.opportunity_id).to_numpy()
    assert (first.changed_at.dt.floor("D").to_numpy() == created).all()


def test_deals_close_on_the_day_their_last_stage_says(deals: pd.DataFrame, history: pd.DataFrame) -> None:
    closed = deals[deals.status != "open"]
    assert (closed.closed_on >= closed.created_on).all()
    assert deals.closed_on.isna().eq(deals.status == "open").all()
    moved = history[history.field.eq("stage") & history.new.isin(["Closed Won", "Closed Lost"])]
    day = moved.set_index("opportunity_id").changed_at.dt.floor("D")
    assert (day.reindex(closed.index) == closed.closed_on).all()


def test_activities_lie_within_the_life_of_their_deal(company: Company, deals: pd.DataFrame) -> None:
    done = company.tables["activities"].dropna(subset=["opportunity_id", "happened_at"])
    deal = deals.loc[done.opportunity_id]
    day = done.happened_at.dt.floor("D").to_numpy()
    assert (day >= deal.created_on.to_numpy()).all()
    assert (day <= deal.closed_on.fillna(pd.Timestamp(company.last_day)).to_numpy()).all()
    planned = company.tables["activities"]
    planned = planned[planned.due_at > pd.Timestamp(company.last_day) + pd.Timedelta(days=1)]
    assert len(planned) > 0
    assert planned.happened_at.isna().all()
    assert (deals.loc[planned.opportunity_id].status == "open").all()


def test_nobody_works_before_the_hire_or_after_leaving(company: Company) -> None:
    people = company.tables["reps"].set_index("rep_id")
    done = company.tables["activities"].dropna(subset=["happened_at"])
    who = people.loc[done.rep_id]
    day = done.happened_at.dt.floor("D").to_numpy()
    assert (day >= who.hired_on.to_numpy()).all()
    assert (day <= who.left_on.fillna(pd.Timestamp("2100-01-01")).to_numpy()).all()


def test_leavers_own_no_open_deal_and_their_deals_have_changed_hands(usual: Company) -> None:
    people = usual.tables["reps"].set_index("rep_id")
    leavers = people.index[people.left_on.notna() & people.role.eq("rep")]
    deals = usual.tables["opportunities"]
    assert len(leavers) > 0
    assert not deals[deals.status == "open"].rep_id.isin(leavers).any()
    history = usual.tables["opportunity_history"]
    handed = history[history.field.eq("rep_id") & history.old.isin(leavers)]
    assert len(handed) > 0
    assert not handed.new.isin(leavers).all()


def test_wins_become_contracts_and_lines_add_up(company: Company, deals: pd.DataFrame) -> None:
    contracts = company.tables["contracts"].dropna(subset=["opportunity_id"])
    assert (deals.loc[contracts.opportunity_id].status == "won").all()
    old = deals[(deals.status == "won") & (deals.closed_on < pd.Timestamp(company.last_day) - pd.Timedelta(days=20))]
    assert old.index.isin(contracts.opportunity_id).all()
    lines = company.tables["opportunity_lines"].groupby("opportunity_id").amount.sum()
    assert (lines.reindex(deals.index) == deals.amount).all()


def test_converted_leads_lead_to_a_deal_of_that_day(company: Company, deals: pd.DataFrame) -> None:
    leads = company.tables["leads"]
    converted = leads.dropna(subset=["converted_at"])
    assert converted.opportunity_id.notna().all()
    assert leads.opportunity_id.notna().sum() == len(converted)
    assert (converted.converted_at.dt.floor("D").to_numpy() == deals.loc[converted.opportunity_id].created_on).all()
    for earlier, later in (("created_at", "first_response_at"), ("first_response_at", "last_touched_at")):
        both = leads.dropna(subset=[earlier, later])
        assert (both[earlier] <= both[later]).all()


def test_shared_credit_adds_up_to_one(usual: Company) -> None:
    shares = usual.tables["deal_contributors"].groupby("opportunity_id").share.sum()
    assert len(shares) > 0
    assert (shares.sub(1).abs() < 1e-9).all()


def test_rates_and_cycles_look_like_those_of_a_company(usual: Company) -> None:
    deals = usual.tables["opportunities"]
    closed = deals[deals.status != "open"]
    assert 5_000 < len(deals) < 7_000
    assert 0.20 < (closed.status == "won").mean() < 0.35
    days = (closed.closed_on - closed.created_on).dt.days
    assert days.quantile(0.1) > 20
    assert 60 < days.median() < 110
    assert 80_000 < len(usual.tables["activities"]) < 120_000
