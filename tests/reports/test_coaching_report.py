"""What a rep reads: honest, about deals and not about him, in his language, and only what is his."""

from __future__ import annotations

import re

import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.reports import coaching_report
from spm_models.translations import LOCALES

REPS = ("r1", "r2", "r3", "r4", "r5", "r6")
#: Each verdict at least once, each language more than once.
SPOKEN = [*((REPS[0], locale) for locale in LOCALES), *zip(REPS[1:], (*LOCALES, *LOCALES), strict=False)]


def words(part) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", str(part), flags=re.DOTALL))


def whole(report) -> str:
    return "\n".join(str(getattr(report, name)) for name in report.SECTIONS)


@pytest.fixture(scope="module")
def pages(workspace) -> dict[str, str]:
    """Every rep's report in English, made once."""
    given = {rep: {"SPM_SCOPE": Scope.of_rep(rep).to_json()} for rep in REPS}
    return {rep: whole(coaching_report(str(workspace.root), rep, "en", environ=given[rep])) for rep in REPS}


@pytest.mark.parametrize(("rep", "locale"), SPOKEN)
def test_every_section_is_there_for_every_verdict_in_every_language(rep_report, rep, locale):
    report = rep_report(rep, locale)
    html = whole(report)
    shown = [name for name in report.SECTIONS if getattr(report, name)]
    assert set(report.FRONT) <= set(shown) and ("topic_in_detail" in shown) is (rep in ("r1", "r4"))
    assert html.count("<h1") == 1 and html.count("<h2") == len(shown) - 1
    assert not re.search(r"\bnan\b|\bNaT\b|None|<NA>", words(html)) and "{" not in words(html)


def test_the_suggestion_comes_with_its_range_worth_question_and_deals_by_name(rep_report):
    said = words(rep_report("r1").one_thing)
    for expected in ("Sales cycle", "95 days", "70 days", "76 days", "97 days", "24 closed deals", "420,000"):
        assert expected in said, expected
    assert "Quick &amp; Co" in said and "24 days" in said and "131 days" in said
    assert "question for a talk, not a judgement" in said


def test_what_is_fine_uncertain_or_unknown_is_said_plainly(rep_report):
    assert "Nothing calls for a change" in words(rep_report("r3").one_thing)
    assert "not enough data" in words(rep_report("r6").one_thing)
    assert "420,000" not in words(rep_report("r5").one_thing)


def test_what_went_well_names_the_signal_or_the_deal_that_was_won(rep_report):
    assert "Win rate" in words(rep_report("r2").what_went_well)
    assert "Quick &amp; Co" in words(rep_report("r1").what_went_well)
    assert "Nothing stands out" in words(rep_report("r3").what_went_well)


def test_it_says_what_these_data_could_have_shown(rep_report):
    assert "63%" in words(rep_report("r1").detectable) and "60 closed deals" in words(rep_report("r1").detectable)


def test_the_last_agreement_and_the_topic_are_on_the_agenda(rep_report):
    said = words(rep_report("r1").agreements)
    assert "Aug 20, 2026" in said and "by Friday" in said and "(open" in re.sub("[\u2066-\u2069]| ", "", said)
    points = ("What became of the agreements above", "What went well", "The one topic: sales cycle", "This talk:")
    assert [said.count(point) for point in points] == [1, 1, 1, 1]
    assert sorted(points, key=said.index) == list(points)
    assert "No earlier agreement" in words(rep_report("r2").agreements)


def test_missing_history_and_the_way_to_correct_are_said(rep_report):
    assert "Correct it in the CRM" in words(rep_report("r1").data)
    said = words(rep_report("r1").record)
    assert "no history of changes" in said and "transcripts are not used" in said


@pytest.mark.parametrize("rep", REPS)
def test_hostile_names_show_as_text(pages, rep):
    html = pages[rep]
    assert not re.search(r"<(img|script|b onerror)\b", html)
    if rep == "r1":
        assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_nobody_else_is_named(pages, published_tables):
    html, own = pages["r2"], "Can Öztürk"
    assert own in html
    assert [name for name in published_tables["reps"]["name"] if name != own and name in html] == []


def test_a_reason_is_about_the_deal_never_about_its_owner(rep_report):
    for locale in LOCALES:
        report = rep_report("r1", locale)
        said, t = words(report.this_weeks_deals), report.t
        for group in ("rep_history", "tenure"):
            assert t(f"reasons.names.{group}") not in said


def test_words_that_hurt_do_not_occur(pages):
    every = " ".join(map(words, pages.values())).lower()
    assert not re.search(r"underperform|laggard|\bweak|\bpoor\b|\bbad\b|\bfail", every)


def test_nothing_is_shown_without_a_scope_or_outside_it(rep_report, workspace):
    with pytest.raises(AccessDeniedError):
        coaching_report(str(workspace.root), "r1", environ={})
    with pytest.raises(AccessDeniedError):
        rep_report("r1", allowed=Scope.of_rep("r2"))


def test_a_wider_scope_shows_no_more_of_others(rep_report, pages):
    assert whole(rep_report("r2", allowed=Scope.of_company())) == pages["r2"]
