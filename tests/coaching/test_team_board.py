"""The team's board: contributions add up to the cent, help is seen, and totals are told to members of real teams."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spm_models.access import Scope
from spm_models.coaching.team.board import LEAST_MEMBERS, team_board, team_goals
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

QUARTER = FiscalCalendar().quarter(date(2026, 8, 14))
DAY = pd.Timestamp("2026-08-03")


def people(**teams):
    return pd.DataFrame(
        {"rep_id": list(teams), "team": list(teams.values()), "role": "rep",
         "left_on": pd.Series(pd.NaT, index=range(len(teams)), dtype="datetime64[s]")}
    )  # fmt: skip


def deals(*rows):
    found = pd.DataFrame(rows, columns=["opportunity_id", "rep_id", "amount"])
    return found.assign(closed_on=DAY).astype({"amount": float})


def splits(*rows):
    found = pd.DataFrame(rows, columns=["opportunity_id", "rep_id", "share"])
    return found.assign(valid_from=pd.Timestamp("2026-01-01"), valid_to=pd.NaT).astype({"valid_to": "datetime64[s]"})


STAFF = people(a="North", b="North", c="North", d="South", e="South")


def cents(table, measure, level, team):
    rows = table[(table["measure"] == measure) & (table["level"] == level) & (table["team"] == team)]
    return int(np.rint(rows["value"] * 100).sum())


deal = st.tuples(st.sampled_from("abcde"), st.integers(0, 10**9))
split = st.tuples(st.integers(0, 5), st.sampled_from("abcde"), st.floats(0, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(deal, min_size=1, max_size=6), st.lists(split, max_size=12, unique_by=lambda row: row[:2]))
def test_contributions_add_up_to_what_is_closed_to_the_cent(won, given_shares):
    won = deals(*[(f"d{n}", rep, amount / 100) for n, (rep, amount) in enumerate(won)])
    board = team_board(won, STAFF, QUARTER, contributors=splits(*[(f"d{n}", rep, s) for n, rep, s in given_shares]))
    board = conform(board, TABLES["team_board"])
    home = STAFF.set_index("rep_id")["team"]
    for team in ("North", "South"):
        whole = int(np.rint(won.loc[won["rep_id"].map(home) == team, "amount"] * 100).sum())
        assert cents(board, "closed", "team", team) == cents(board, "contribution", "rep", team) == whole


def test_help_across_teams_is_a_contribution_there_and_support_here():
    won = deals(("d1", "a", 1000.0), ("d2", "d", 400.0))
    board = team_board(won, STAFF, QUARTER, contributors=splits(("d1", "d", 0.3), ("d1", "b", 0.1)))
    rows = board.set_index(["team", "measure", "level", "key"])
    assert rows.loc[("North", "contribution", "rep", "d"), "value"] == 300.0
    assert rows.loc[("North", "contribution", "rep", "a"), ["value", "share"]].tolist() == [600.0, 0.6]
    assert rows.loc[("South", "support", "rep", "d"), "value"] == 300.0
    assert rows.loc[("South", "support", "rep", "d"), "share"] == pytest.approx(300 / 700)
    assert ("North", "support", "rep", "a") not in rows.index


def test_shares_above_one_are_scaled_and_rules_that_ended_do_not_count():
    given_shares = splits(("d1", "b", 0.9), ("d1", "c", 0.9), ("d2", "b", 0.5))
    given_shares.loc[2, "valid_to"] = pd.Timestamp("2026-07-01")
    board = team_board(
        deals(("d1", "a", 100.0), ("d2", "a", 50.0)), STAFF, QUARTER, contributors=given_shares
    ).set_index(["measure", "level", "key"])
    parts = board[board["team"] == "North"].loc["contribution"].loc["rep"]["value"]
    assert parts.to_dict() == {"a": 50.0, "b": 50.0, "c": 50.0}


def test_the_goal_is_the_companys_own_where_it_set_one(tables_of):
    quota = {"owner_kind": "rep", "tier": "standard", "period_start": QUARTER.start, "period_end": QUARTER.end,
             "currency": "USD", "set_on": date(2026, 6, 1)}  # fmt: skip
    tables = tables_of(
        {"reps": [{"rep_id": rep, "team": team, "role": "rep"} for rep, team in zip("abd", ("North", "North", "South"),
                                                                                    strict=True)],
         "opportunities": [{"opportunity_id": "d1", "rep_id": "a", "status": "open", "created_on": "2026-07-01"}],
         "quotas": [{**quota, "quota_id": n, "owner_id": rep, "amount": 100 + n} for n, rep in enumerate("abd")]},
        date(2026, 8, 14),
    )  # fmt: skip
    goals = team_goals(tables, QUARTER, date(2026, 8, 14), {"South": 500.0})
    assert goals == {"": 303.0, "North": 201.0, "South": 500.0}
    board = team_board(deals(("d1", "a", 50.25)), STAFF, QUARTER, goals=goals).set_index(["team", "measure", "level"])
    assert board.loc[("North", "closed", "team"), "share"].item() == pytest.approx(0.25)
    assert board.loc[("South", "closed", "team"), "value"].item() == 0


def test_a_member_sees_the_teams_total_and_his_own_part_alone():
    board = team_board(deals(("d1", "a", 90.0), ("d2", "b", 10.0)), STAFF, QUARTER, goals={"North": 200.0})
    seen = Scope.of_rep("b").filter(board, "level")
    assert seen[["measure", "key", "value"]].to_numpy().tolist() == [
        ["closed", "b", 100.0], ["contribution", "b", 10.0], ["goal", "b", 200.0],
    ]  # fmt: skip
    south = team_board(deals(("d1", "d", 90.0)), STAFF, QUARTER)
    assert STAFF["team"].eq("South").sum() < LEAST_MEMBERS
    assert Scope.of_rep("e").filter(south, "level").empty, "of two, the total would tell the other's"


def test_without_teams_the_company_is_one():
    nobody = STAFF.assign(team=None)
    board = team_board(deals(("d1", "a", 90.0)), nobody, QUARTER, goals={"": 100.0})
    assert set(board["team"]) == {""} and set(board["level"]) == {"company", "rep"}
    assert board.loc[board["measure"] == "contribution", ["key", "value"]].to_numpy().tolist() == [["a", 90.0]]


def test_nothing_won_yet_is_a_board_too():
    board = conform(team_board(deals(), STAFF, QUARTER, goals={"North": 10.0}), TABLES["team_board"])
    assert board.loc[board["level"] == "team", ["team", "measure", "value"]].to_numpy().tolist() == [
        ["North", "closed", 0.0], ["North", "goal", 10.0], ["South", "closed", 0.0],
    ]  # fmt: skip
