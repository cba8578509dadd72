"""What a team shares, in the run: nothing until it is turned on, then within what each person may see."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.coaching import CoachingReview
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.runs.known import Known
from spm_models.runs.team_results import team_results
from spm_models.settings import Team

ROOT = Path(__file__).resolve().parents[2]
ON = Team(leaderboard=("win_rate", "attainment"), badges=True, board=True)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Ask the sample company with some settings of the team."""
    folder = tmp_path_factory.mktemp("team") / "company"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    known = Known.of(folder)
    known.__dict__["early_chances"] = None  # too few deals are closed before the window here
    seen = known.evidence
    findings = CoachingReview(known.seed).fit(seen).predict(seen)
    plain = known.workspace

    def ask(team):
        settings = plain.settings.model_copy(update={"team": team})
        known.workspace = replace(plain, settings=settings)
        return team_results(known, seen, findings)

    return ask, known


def test_nothing_is_published_until_it_is_turned_on(asked):
    ask, known = asked
    assert known.workspace.settings.team == Team() and ask(Team()) == {}
    assert set(ask(Team(badges=True))) == {"badges"}


def test_turned_on_all_three_fit_and_keep_to_their_scope(asked):
    ask, known = asked
    found = {name: conform(table, TABLES[name]) for name, table in ask(ON).items()}
    assert set(found) == {"leaderboard", "badges", "team_board"}
    board = found["team_board"]
    parts = board[board["measure"] == "contribution"]["value"].sum()
    outcomes = known.outcomes[known.outcomes["won"]]
    quarter = known.calendar.quarter(known.as_of)
    won = outcomes.loc[outcomes["closed_on"] >= pd.Timestamp(quarter.start), "amount"]
    assert int(np.rint(parts * 100)) == int(np.rint(won * 100).sum()) > 0
    assert board["period"].eq(quarter.label).all()
    rep = str(board.loc[board["measure"] == "contribution", "key"].iloc[0])
    mine = Scope.of_rep(rep)
    for name, table in found.items():
        seen = mine.filter(table, TABLES[name].scoped_by)
        whose = seen["rep_id"] if "rep_id" in seen else seen["key"]
        assert set(whose) <= {rep}, name
    assert len(known.people) < 10 and found["leaderboard"].empty, "a place among three says who the others are"
