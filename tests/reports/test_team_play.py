"""What a team shares, as people see it: cards, a goal, bars of places; nothing where it is off."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from spm_models.access import Scope, Viewer, scope
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.reports.reading import read_rep, read_team
from spm_models.reports.team_play import badges, board, leaderboard
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

HOSTILE = "<img src=x onerror=alert(1)>"
END = pd.Timestamp("2026-06-30")
PARTS = (badges, board, leaderboard)
#: badge → part, value, beside, n: one of each, with figures that occur nowhere else.
EARNED = {
    "followed_up": ("", 8, 19, 8), "crm_current": ("", 17, 0.9, 17), "steady_pipeline": ("", 11, 0.6, 13),
    "helped_colleagues": ("", 4, 2, 4), "actions_closed": ("", 3, None, 3), "first_win": ("", 12, 4.4, 12),
    "conversion_up": (HOSTILE, 0.62, 0.41, 88), "win_rate_up": ("", 0.55, 0.33, 90), "follow_up_up": ("", 0.8, 0.5, 70),
    "price_kept_up": ("", 0.93, 0.9, 24), "pipeline_up": ("", 4.1, 2.9, 120), "silence_halved": ("", 9, 20, 40),
}  # fmt: skip


def words(part) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", str(part), flags=re.DOTALL))


def rows(name, *given):
    return pd.DataFrame(given, columns=list(TABLES[name].columns))


def team_tables(people):
    first = people["team"].dropna().iloc[0]
    members = people.loc[(people["team"] == first) & (people["role"] == "rep"), "rep_id"].tolist()
    earned = [
        ("r1", name, part, END, value, beside, n, None, None) for name, (part, value, beside, n) in EARNED.items()
    ]
    places = [(rep, "win_rate", 1.1, 0.9, 1.3, low, low, high, high - low, 12)
              for rep, low, high in (("r1", 1, 4), ("r2", 3, 12), ("r3", 3, 12))]  # fmt: skip
    places += [(rep, "attainment", 0.9, 0.7, 1.1, 1, 1, 12, 11, 12) for rep in ("r1", "r2", "r3")]
    shared = [
        ("2026-Q3", first, "closed", "team", first, 1000.0, 0.5),
        ("2026-Q3", first, "goal", "team", first, 2e3, None),
    ]
    for rep in members:
        shared += [
            ("2026-Q3", first, "closed", "rep", rep, 1000.0, 0.5),
            ("2026-Q3", first, "goal", "rep", rep, 2e3, None),
        ]
    shared += [("2026-Q3", first, "contribution", "rep", members[0], 700.0, 0.7),
               ("2026-Q3", first, "contribution", "rep", "elsewhere", 300.0, 0.3),
               ("2026-Q3", first, "support", "rep", members[0], 50.0, 0.07)]  # fmt: skip
    return {"badges": rows("badges", *earned), "leaderboard": rows("leaderboard", *places),
            "team_board": rows("team_board", *shared)}  # fmt: skip


@pytest.fixture(scope="module")
def opened(published_tables, tmp_path_factory):
    """Results with the team's tables turned on."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "spm.toml").write_text('[company]\nname = "Acme"\ncurrency = "TRY"\n', encoding="utf-8")
    workspace = Workspace.open(folder)
    tables = dict(published_tables) | team_tables(published_tables["reps"])
    publish(workspace, tables, Manifest("run", END.date(), "d" * 64, "c" * 64))
    return workspace, published_tables["reps"]


@pytest.fixture
def rep(opened):
    workspace, _ = opened
    return lambda who, locale="en": read_rep(
        str(workspace.root), who, locale, "", {"SPM_SCOPE": Scope.of_rep(who).to_json()}
    )


@pytest.fixture
def manager(opened):
    workspace, people = opened
    boss = people.set_index("rep_id")["manager_id"]["r1"]
    allowed = scope(Viewer(boss, "manager"), people).to_json()
    return lambda locale="en": read_team(str(workspace.root), boss, locale, "", {"SPM_SCOPE": allowed})


@pytest.mark.parametrize("locale", LOCALES)
def test_every_part_is_whole_in_every_language_and_lets_no_text_out(rep, manager, locale):
    for reading in (rep("r1", locale), manager(locale)):
        for part in PARTS:
            html = str(part(reading))
            assert html and "<img" not in html and not re.search(r"\bnan\b|\bNaT\b|None|<NA>|[{}]", words(html)), part
            for svg in re.findall(r"<svg[^>]*role=\"img\".*?</svg>", html, flags=re.DOTALL):
                assert "<title" in svg or "aria-label" in svg


def test_a_rep_reads_what_each_badge_is_for(rep):
    html = str(badges(rep("r1")))
    assert html.count('<li class="badge">') == len(EARNED)
    said = words(html)
    told = ["8 deals", "19 days", "Q2 2026", "11 weeks", "4 deals won", "2 colleagues", "3 agreed actions", "41%",
            "12 deals in a row", "62%", "88 closed deals", "2.9 per month", "9 days", "Jun 30, 2026"]  # fmt: skip
    assert [one for one in told if one not in said] == []
    assert "&lt;img" in html


def test_a_rep_sees_his_own_place_and_the_teams_total_and_no_colleague(rep, opened):
    _, people = opened
    reading = rep("r1")
    said = words("".join(str(part(reading)) for part in PARTS))
    assert "from 1 to 4 , among 12" in said and "3 colleagues cannot be told apart from you" in said
    assert "the figures of all 12 are too close together" in said
    others = people.loc[people["rep_id"].ne("r1"), "name"].dropna()
    assert not [name for name in others if name in said]
    assert "TRY 1,000 of TRY 2,000" in said and "50% of the goal" in said and "700" in said


def test_a_manager_sees_his_people_alone(manager, opened):
    _, people = opened
    reading = manager()
    said = words("".join(str(part(reading)) for part in PARTS))
    mine = people[people["manager_id"] == reading.key]
    strangers = people.loc[~people["rep_id"].isin([*mine["rep_id"], reading.key]), "name"].dropna()
    assert people.set_index("rep_id")["name"]["r1"] in said
    assert not [name for name in strangers if name in said]
    assert "Earned by" in said and "nobody can be told apart here" in said


def test_parts_in_the_board_add_up_with_colleagues_of_other_teams(opened):
    workspace, people = opened
    boss = people.set_index("rep_id")["manager_id"]["r1"]
    reading = read_team(str(workspace.root), boss, "en", "", {"SPM_SCOPE": Scope.of_company().to_json()})
    said = words(board(reading))
    assert "Colleagues of other teams" in said and "TRY 300" in said and "TRY 700" in said


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_shown_where_it_is_off(workspace, locale):
    reading = read_rep(str(workspace.root), "r1", locale, "", {"SPM_SCOPE": Scope.of_rep("r1").to_json()})
    assert [str(part(reading)) for part in PARTS] == ["", "", ""]


def test_places_run_the_way_the_language_does():
    from spm_models.charts.ranks import ranks_chart

    shown = pd.DataFrame({"label": ["A", "B"], "rank_low": [1, 3], "rank_high": [2, 5], "reps": 5})
    left, right = (ranks_chart(Translator(locale), shown, width=344).axes[0] for locale in ("en", "ar"))
    assert left.get_xlim()[0] < left.get_xlim()[1] and right.get_xlim()[0] > right.get_xlim()[1]
    bars = [line.get_segments()[0][:, 0].tolist() for line in left.collections]
    assert [0.5, 1.0] in bars and [0.0, 0.25] in bars
