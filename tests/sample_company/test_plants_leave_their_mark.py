"""The truth shows in the tables: what was planted can be found by whoever knows where to look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.sample_company import Company, simulate


@pytest.fixture(scope="module")
def large() -> Company:
    """Several times the plants of the usual company, so that chance cannot hide them."""
    return simulate(opportunities=18_000, seed=2, months=36, truth_draws=0)


@pytest.fixture(scope="module")
def by_cause(large: Company) -> pd.DataFrame:
    cause = large.truth["reps"].set_index("rep_id").cause
    deals = large.tables["opportunities"]
    closed = deals[deals.status != "open"]
    rows = pd.DataFrame({
        "win_rate": closed.status.eq("won").groupby(closed.rep_id.map(cause)).mean(),
        "deals": deals.groupby(deals.rep_id.map(cause)).size() / cause.value_counts(),
        "activities": large.tables["activities"].groupby(large.tables["activities"].rep_id.map(cause)).size()
        / cause.value_counts(),
    })  # fmt: skip
    return rows


def test_plants_are_there_in_their_numbers(usual: Company) -> None:
    counts = usual.truth["reps"].cause.value_counts()
    assert counts.drop("typical").to_dict() == {
        "knowledge": 4, "motivation": 3, "direction": 3, "territory": 3, "coasting": 2, "recovered": 2,
    }  # fmt: skip


def test_missing_skill_loses_deals_but_not_effort(by_cause: pd.DataFrame) -> None:
    assert by_cause.win_rate.knowledge < by_cause.win_rate.typical - 0.05
    assert by_cause.activities.knowledge > 0.95 * by_cause.activities.typical


def test_fallen_motivation_shows_in_effort_from_its_date_on(large: Company) -> None:
    truth = large.truth["reps"].dropna(subset=["effort_falls_on"]).set_index("rep_id")
    done = large.tables["activities"].dropna(subset=["happened_at"])
    done = done[done.rep_id.isin(truth.index)]
    falls = pd.to_datetime(truth.effort_falls_on).reindex(done.rep_id).to_numpy()
    days = (done.happened_at.dt.floor("D") - falls).dt.days
    before, after = days.between(-180, -1).sum(), days.between(60, 239).sum()
    assert after < 0.65 * before


def test_wrong_direction_is_busy_with_deals_that_do_not_win(by_cause: pd.DataFrame) -> None:
    assert by_cause.win_rate.direction < by_cause.win_rate.typical - 0.02
    assert by_cause.activities.direction > 0.95 * by_cause.activities.typical


def test_a_poor_territory_gives_few_deals_to_an_able_rep(by_cause: pd.DataFrame) -> None:
    assert by_cause.deals.territory < by_cause.deals.direction * 0.85
    assert by_cause.win_rate.territory > by_cause.win_rate.knowledge


def test_coasting_in_a_rich_territory_takes_little_effort_for_many_deals(by_cause: pd.DataFrame) -> None:
    assert by_cause.activities.coasting < 0.8 * by_cause.activities.direction
    assert by_cause.deals.coasting > by_cause.deals.territory


def test_coaching_that_worked_is_on_record_and_raised_the_win_rate(large: Company) -> None:
    planted = large.truth["coaching"].query("planted").set_index("rep_id")
    sessions = large.tables["coaching_sessions"].set_index("session_id")
    assert (sessions.loc[large.truth["coaching"].session_id].rep_id.to_numpy() == large.truth["coaching"].rep_id).all()
    deals = large.tables["opportunities"]
    mine = deals[deals.rep_id.isin(planted.index) & (deals.status != "open")]
    since = pd.to_datetime(planted.from_day).reindex(mine.rep_id).to_numpy()
    won = mine.status == "won"
    before, after = won[mine.closed_on < since], won[mine.created_on > since + np.timedelta64(35, "D")]
    assert after.mean() > before.mean() + 0.08


def test_coaching_goes_to_those_who_had_a_weak_quarter(large: Company) -> None:
    """So that whoever compares before and after without a control is misled."""
    chosen = large.truth["coaching"].query("not planted")
    assert 0.2 < chosen.worked.mean() < 0.6
    deals = large.tables["opportunities"].query("status == 'won' and currency == 'TRY'")
    shares = []
    for row in chosen.head(120).itertuples():
        start = pd.Timestamp(row.from_day)
        recent = deals[deals.closed_on.between(start - pd.Timedelta(days=91), start - pd.Timedelta(days=1))]
        sold = recent.groupby("rep_id").amount.sum()
        shares.append(sold.get(row.rep_id, 0.0) / sold.mean())
    assert np.median(shares) < 0.5


def test_corrections_after_closing_are_on_record(usual: Company) -> None:
    deals = usual.tables["opportunities"].set_index("opportunity_id")
    history = usual.tables["opportunity_history"]
    amounts = history[history.field == "amount"]
    late = amounts[amounts.changed_at.dt.floor("D") > deals.closed_on.reindex(amounts.opportunity_id).to_numpy()]
    edits = usual.truth["edits"]
    assert set(late.opportunity_id) == set(edits[edits.field == "amount"].opportunity_id)
    assert len(late) > 50
    reasons = edits[edits.field == "loss_reason"]
    assert (deals.loc[reasons.opportunity_id].loss_reason.to_numpy() != reasons.value_at_close.to_numpy()).all()
    status = deals.loc[edits[edits.field == "budget_status"].opportunity_id]
    assert status.budget_status.eq("approved").eq(status.status == "won").all()
