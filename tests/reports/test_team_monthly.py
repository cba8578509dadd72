"""A team's month: figures known by hand, what was expected, causes as counts, coaching, agreements, questions."""

from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.published import Manifest, publish
from spm_models.reports import team_monthly
from spm_models.reports.month import last_month
from spm_models.reports.render import render_html
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

EFFECTS = ["skill", "kind", "outcome", "reps", "controls", "effect", "low", "high", "level", "naive", "placebo",
           "placebo_low", "placebo_high", "uncoached", "detectable", "design", "verdict"]  # fmt: skip


def words(part) -> str:
    plain = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", str(part), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"[\u2066-\u2069]", "", plain))


def whole(report) -> str:
    return "\n".join(str(getattr(report, name)) for name in report.SECTIONS)


def tables_of_july() -> dict[str, pd.DataFrame]:
    """Deals of r1 in June and July, sessions, agreements, a measured effect."""
    deals = pd.DataFrame(
        [("a", "r1", "A", True, "2026-05-02", "2026-07-03", 300.0),
         ("b", "r1", "B", True, "2026-07-04", "2026-07-31", 500.0),
         ("c", "r2", "C", False, "2026-07-05", "2026-07-20", 900.0),
         ("d", "r1", "D", True, "2026-06-01", "2026-06-30", 150.0),
         ("e", "r2", "E", False, "2026-07-09", "2026-08-01", 70.0)],
        columns=["opportunity_id", "rep_id", "account_name", "won", "created_on", "closed_on", "amount"],
    ).astype({"created_on": "datetime64[s]", "closed_on": "datetime64[s]"})  # fmt: skip
    actions = pd.DataFrame(
        [("r1", "s1", n, "m1", pd.Timestamp("2026-07-01"), "x", pd.Timestamp(due), state, "", pd.NaT, "")
         for n, (due, state) in enumerate(
             [("2026-07-10", "done"), ("2026-07-11", "open"), ("2026-08-02", "done")], start=1)],
        columns=["rep_id", "session_id", "number", "manager_id", "held_on", "action", "due_on", "state", "said_by",
                 "said_on", "note"],
    ).astype({"said_on": "datetime64[s]"})  # fmt: skip
    sessions = pd.DataFrame(
        [("s1", "r1", "m1", "2026-07-01", "one_to_one", "", "", None),
         ("s2", "r1", "m1", "2026-07-15", "role_play", "", "", None),
         ("s3", "r2", "m1", "2026-08-03", "one_to_one", "", "", None)],
        columns=["session_id", "rep_id", "manager_id", "held_on", "kind", "skill", "actions", "due_on"],
    ).astype({"held_on": "datetime64[s]", "due_on": "datetime64[s]"})  # fmt: skip
    effects = pd.DataFrame(
        [("all", "all", "win_rate", 9, 31, 0.01, -0.03, 0.05, 0.9, 0.12, 0.0, -0.02, 0.02, 0.11, 0.06, "matched",
          "no_effect_seen")], columns=EFFECTS,
    )  # fmt: skip
    return {
        "closed_deals": deals,
        "agreed_actions": actions,
        "coaching_sessions": sessions,
        "coaching_effects": effects,
    }


@pytest.fixture(scope="module")
def of_july(tmp_path_factory, workspace, published_tables):
    """A workspace with a run of the first of July, which expected something of the month, and one of mid-August."""
    folder = tmp_path_factory.mktemp("monthly")
    (folder / "spm.toml").write_text((workspace.root / "spm.toml").read_text(encoding="utf-8"), encoding="utf-8")
    opened = Workspace.open(folder)
    start, end = pd.Timestamp("2026-07-01"), pd.Timestamp("2026-07-31")
    expected = pd.DataFrame([{
        "as_of": start, "quarter": "2026-Q3", "period": "2026-07", "period_start": start, "period_end": end,
        "level": "manager", "key": "m1", "part": "total", "mean": 600.0, "p025": 300.0, "p10": 400.0, "p25": 500.0,
        "p50": 600.0, "p75": 650.0, "p90": 700.0, "p975": 900.0,
    }])  # fmt: skip
    before = published_tables["coaching_verdicts"].copy()
    before.loc[before["rep_id"] == "r2", ["topic", "topic_part", "verdict"]] = ["win_rate", "", "coaching_suggestion"]
    tables = dict(published_tables)
    past = tables | {"forecast_quantiles": expected, "coaching_verdicts": before}
    publish(opened, past, Manifest("past", date(2026, 7, 1), "d" * 64, "c" * 64))
    publish(opened, tables | tables_of_july(), Manifest("now", date(2026, 8, 14), "d" * 64, "c" * 64))
    return opened


@pytest.fixture
def monthly(of_july):
    def opened(locale="en", who="m1", allowed=None):
        given = allowed or Scope.of_company()
        return team_monthly(str(of_july.root), who, locale, environ={"SPM_SCOPE": given.to_json()})

    return opened


@pytest.mark.parametrize(
    ("day", "month"), [("2026-01-30", "2025-12"), ("2026-02-28", "2026-02"), ("2028-02-28", "2028-01")]
)
def test_the_last_month_is_one_that_is_over(day, month):
    assert str(last_month(pd.Timestamp(day))) == month


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("who", ["m1", "m2", "m3"])
def test_every_section_is_there_in_every_language(monthly, who, locale):
    report = monthly(locale, who)
    html = whole(report)
    assert html.count("<h1") == 1 and html.count("<h2") == len(report.SECTIONS) - 1
    assert not re.search(r"\bnan\b|\bNaT\b|None|<NA>", words(html)) and "{" not in words(html)


def test_the_month_is_counted_beside_the_month_before_and_what_was_expected(monthly):
    said = words(monthly().month)
    assert re.search(r"July 2026 ?: ?TRY\s?800 won \( ?2 deals won ?\)", said)
    assert "more than what was expected" in said and "600" in said and "400" in said
    assert "67%" in said and "100%" in said  # 2 of 3 in July, 1 of 1 in June
    assert re.search(r"New opportunities 3 Month before: 1 ", said)


def test_a_month_without_an_earlier_forecast_says_so(monthly):
    assert "neither an earlier forecast nor enough history" in words(monthly(who="m2").month)


def test_a_topic_that_fell_away_is_told_as_a_step_forward(monthly):
    said = words(monthly().improved)
    assert "Can Öztürk" in said and "no suggestion any more" in said and "Ayşe" not in said


def test_causes_are_counts_of_topics_without_names(monthly):
    html = str(monthly().causes)
    assert "1 topic" in words(html) and "Not told apart by the figures: 1" in re.sub(r"[\u2066-\u2069]", "", html)
    assert "Ayşe" not in html and "people" in words(html)


def test_coaching_has_sessions_and_an_honest_effect(monthly):
    said = words(monthly().coaching)
    assert "Sessions held 2 " in said and "1 of 2" in said and "no effect on win rate was seen" in said
    assert "Before and after alone would have said" in said


def test_agreements_count_those_due_in_the_month(monthly):
    assert re.search(
        r"Due in the month 2 .*Done 1 .*Dropped by agreement 0 .*Nothing said yet 1 ", words(monthly().agreements)
    )


def test_strategy_asks_questions(monthly):
    said = [words(line) for line in str(monthly().strategy).split("<li>")[1:]]
    assert said and all("?" in line for line in said)


def test_nobody_is_blamed_and_other_teams_are_not_in_it(monthly, published_tables):
    reps, html = published_tables["reps"], whole(monthly())
    assert [name for name in reps.loc[reps["manager_id"] != "m1", "name"] if name in html] == []
    assert not re.search(r"\blag|underperform|\bweak|\bworst\b|\brank|bottom|\bfail", words(html).lower())


def test_a_manager_sees_no_other_managers_month(monthly):
    with pytest.raises(AccessDeniedError):
        monthly(who="m2", allowed=Scope("line", frozenset({"m1", "r1", "r2"})))


def test_the_notebook_ends_with_its_record_and_renders(of_july, tmp_path):
    from spm_models.reports.execute import execute
    from spm_models.shipped import shipped

    given = {"workspace": str(of_july.root), "manager_id": "m1", "locale": "ar"}
    done = execute(shipped("notebooks/reports/team_monthly.ipynb"), tmp_path / "m.ipynb", given,
                   {"SPM_SCOPE": Scope.of_company().to_json()})  # fmt: skip
    assert done.record["ok"] and done.record["report"] == "team_monthly"
    page = render_html(done.notebook, tmp_path / "m.html", translator=Translator("ar"), title="m1", provenance={})
    assert 'dir="rtl"' in page.read_text(encoding="utf-8")
