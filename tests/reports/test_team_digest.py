"""What a manager reads: his team, deals that need a word, up to three talks, praise; nobody is put on show."""

from __future__ import annotations

import re

import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.translations import LOCALES


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
