"""What a manager reads: his team, deals that need a word, up to three talks, praise; nobody is put on show."""

from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.published import Manifest, publish
from spm_models.reports import team_digest
from spm_models.reports.today import in_turn
from spm_models.translations import LOCALES
from spm_models.workspace import Workspace


def words(part) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", str(part), flags=re.DOTALL))


def whole(report) -> str:
    return "\n".join(str(getattr(report, name)) for name in report.SECTIONS)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("manager", ["m1", "m2", "m3"])
def test_every_section_is_there_in_every_language(digest, manager, locale):
    report = digest(manager, locale)
    html = whole(report)
    assert html.count("<h1") == 1 and html.count("<h2") == len(report.SECTIONS) - 1
    assert not re.search(r"\bnan\b|\bNaT\b|None|<NA>", words(html)) and "{" not in words(html)


def test_talks_name_the_person_the_topic_and_its_worth(digest):
    said = words(digest("m1").talks)
    assert "Ayşe Yılmaz" in said and "Sales cycle" in said and "420,000" in said and "Can Öztürk" not in said
    assert "no coaching suggestion" in words(digest("m3").talks)


def test_praise_names_who_does_well(digest):
    assert "Can Öztürk" in words(digest("m1").what_went_well)


def test_missing_data_are_counted_without_a_name(digest):
    assert "Not enough data yet for 1 rep" in words(digest("m3").team)


def test_the_team_stands_in_alphabetical_order_not_by_figures(digest):
    said = words(digest("m3").team)
    assert said.index("Deniz Arslan") < said.index("Maria Santos")


def test_other_teams_are_not_in_it(digest, published_tables):
    reps = published_tables["reps"]
    html = whole(digest("m1"))
    assert [name for name in reps.loc[reps["manager_id"] != "m1", "name"] if name in html] == []


def test_hostile_names_show_as_text(digest):
    html = whole(digest("m2"))
    assert "Yusuf &lt;b&gt;Kaya&lt;/b&gt;" in html and "<b>Kaya" not in html and "<img" not in html


def test_no_headline_about_who_lags_behind(digest):
    every = " ".join(words(whole(digest(manager))) for manager in ("m1", "m2", "m3")).lower()
    assert not re.search(r"\blag|underperform|\bweak|\bworst\b|\brank|bottom", every)


def test_a_manager_sees_no_other_managers_team(digest):
    with pytest.raises(AccessDeniedError):
        digest("m2", allowed=Scope("line", frozenset({"m1", "r1", "r2"})))


@pytest.fixture(scope="module")
def with_people(tmp_path_factory, workspace, published_tables):
    """The same company with prompts, calls, agreements and the cadence of its managers."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "spm.toml").write_text((workspace.root / "spm.toml").read_text(encoding="utf-8"), encoding="utf-8")
    day = pd.Timestamp("2026-08-13")
    prompts = pd.DataFrame(
        [("r1", 1, "lost", "L1", "Lost <b>Ltd</b>", day, 300_000.0, 40.0),
         ("r2", 1, "won", "W9", "Won AG", day, 1e5, 9.0),
         ("r4", 1, "pushed", "P1", "Other team", day, 2e5, 3.0)],
        columns=["rep_id", "rank", "kind", "opportunity_id", "account_name", "day", "amount", "value"],
    )  # fmt: skip
    calls = pd.DataFrame(
        [("r1", 1, "c7", "L1", pd.Timestamp("2026-08-11 09:00"), "objection", 12.0, 5.0)],
        columns=["rep_id", "rank", "call_id", "opportunity_id", "offered_at", "reason", "value", "beside"],
    )
    actions = pd.DataFrame(
        [("r1", "s1", n, "m1", pd.Timestamp("2026-07-20"), text, pd.Timestamp(due), state, "", pd.NaT, "")
         for n, (text, due, state) in enumerate(
             [("Call <i>Lost</i>", "2026-08-03", "open"), ("Not due yet", "2026-08-20", "open"),
              ("All done", "2026-08-03", "done")], start=1)],
        columns=["rep_id", "session_id", "number", "manager_id", "held_on", "action", "due_on", "state", "said_by",
                 "said_on", "note"],
    ).astype({"said_on": "datetime64[s]"})  # fmt: skip
    cadence = pd.DataFrame(
        [("manager", "m1", 2, 12, 9, 0.5, 0.3, 0.7, 3, 1, 1, 21)],
        columns=["level", "key", "reps", "due", "held", "on_time", "low", "high", "actions", "closed", "overdue",
                 "longest_without"],
    )  # fmt: skip
    verdicts = published_tables["coaching_verdicts"].copy()
    verdicts.loc[verdicts["rep_id"] == "r1", ["cause", "cause_probability"]] = ["direction", 0.999]
    opened = Workspace.open(folder)
    more = {"prompts": prompts, "calls_to_review": calls, "agreed_actions": actions, "coaching_cadence": cadence,
            "coaching_verdicts": verdicts}  # fmt: skip
    publish(opened, dict(published_tables) | more, Manifest("people", date(2026, 8, 14), "d" * 64, "c" * 64))
    return opened


def full(opened, locale="en", who="m1"):
    return team_digest(str(opened.root), who, locale, environ={"SPM_SCOPE": Scope.of_company().to_json()})


def test_what_was_won_comes_first_and_every_kind_has_its_turn():
    kinds = ["pushed"] * 3 + ["lost", "won", "won", "gone_silent"]
    rows = pd.DataFrame({"rep_id": list("abcdefg"), "rank": 1, "kind": kinds, "amount": range(7)})
    assert list(in_turn(rows)["kind"][:4]) == ["won", "lost", "gone_silent", "pushed"]
    assert len(in_turn(rows)) == 7 and in_turn(rows.head(0)).empty


def test_todays_words_name_people_deals_and_calls_of_this_team(with_people):
    html = str(full(with_people).today)
    said = words(html)
    assert said.index("Can Öztürk") < said.index("Ayşe Yılmaz") and "Other team" not in said
    assert "Lost &lt;b&gt;Ltd" in html and "objection" in said and "c7" in said and "12 min" in said


def test_a_talk_has_its_cause_in_cautious_words_and_the_first_action(with_people):
    said = words(full(with_people).talks)
    assert re.search(r"speak most for: Clarity of priorities ?\(probability ?&gt; 99%", said)
    assert "Could be agreed:" in said and "from 86 days to 75 days" in said
    assert "do not tell the possible causes apart" in words(full(with_people, who="m2").talks)


def test_the_own_rhythm_counts_talks_and_asks_about_what_is_past_its_day(with_people):
    html = str(full(with_people).rhythm)
    said = words(html)
    assert "9 of 12" in said and "50%" in said and "1 of 3" in said and "21 days" in said
    assert "Call &lt;i&gt;Lost" in html and "Not due yet" not in said and "All done" not in said


@pytest.mark.parametrize("locale", LOCALES)
def test_every_section_with_people_is_whole_in_every_language(with_people, locale):
    html = whole(full(with_people, locale))
    assert not re.search(r"\bnan\b|\bNaT\b|None|<NA>", words(html)) and "{" not in words(html)


def test_what_may_have_changed_stands_with_the_talks_by_name(digest):
    report = digest("m1")
    assert "may have changed" not in words(report.talks)
    hints = {"rep_id": "r2", "watch": "wins", "statistic": 3.2, "threshold": 2.8, "signalled": True, "n": 37.0,
             "since": pd.Timestamp("2026-03-02"), "observed": 3.0, "expected": 9.4, "false_alarms_a_year": 4.0,
             "weeks_to_see_half": 24.0}  # fmt: skip
    report.reading._kept["early_warnings"] = pd.DataFrame([hints])
    said = words(report.talks)
    assert "may have changed" in said and re.search(r"Can Öztürk\W+Won since about\W+Mar 2, 2026", said)


def test_what_a_team_celebrates_is_shown_where_the_company_turned_it_on(digest):
    report = digest("m1")
    assert "badge" not in report.what_went_well
    earned = {"rep_id": "r2", "badge": "win_rate_up", "part": "", "earned_on": pd.Timestamp("2026-08-03"),
              "value": 0.6, "beside": 0.4, "n": 40.0}  # fmt: skip
    report.reading._kept["badges"] = pd.DataFrame([earned])
    assert 'class="badge"' in report.what_went_well and "Can Öztürk" in words(report.what_went_well)


def test_a_reps_answer_stands_beside_what_is_said_of_him(digest, journal):
    assert "Two tenders" not in words(digest("m1").talks)
    journal(Scope.of_rep("r1"), date(2026, 8, 13)).write(
        "reply", "r1", ("finding", "cycle"), {"text": "Two tenders <b>waited</b>"}, rep_id="r1"
    )
    said = str(digest("m1").talks)
    assert "Two tenders &lt;b&gt;waited&lt;/b&gt;" in said and said.index("Sales cycle") < said.index("Two tenders")
    assert "Two tenders" not in str(digest("m2").talks)
