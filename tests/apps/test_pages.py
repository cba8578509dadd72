"""Which pages there are, for whom, and how they are addressed."""

from __future__ import annotations

from pathlib import Path

import pytest

from spm_models.apps.pages import ASKED, PAGES, asked_of, link, open_to, turned_on
from spm_models.errors import PageError
from spm_models.settings import Settings
from spm_models.translations import LOCALES, Translator

NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "apps"
SLUGS = [page.slug for page in PAGES]


def test_every_notebook_is_in_the_plan_and_every_page_has_a_name_in_each_language():
    names = {page.name for page in PAGES}
    served = {file.stem for file in NOTEBOOKS.glob("*.ipynb")}
    assert served <= names
    for locale in LOCALES:
        t = Translator(locale)
        assert [name for name in served if not t.has(f"pages.titles.{name}")] == []


def test_each_role_sees_its_own_pages_in_order():
    assert open_to("rep", SLUGS) == ["home", "my-performance", "deals", "revenue-outlook", "pipeline-health"]
    assert "my-performance" not in open_to("manager", SLUGS) and "company" not in open_to("manager", SLUGS)
    assert {"company", "data-health"} <= set(open_to("analyst", SLUGS)) and "coaching" not in open_to("analyst", SLUGS)


def test_the_leaderboard_is_there_only_where_a_company_turned_it_on():
    off, on = Settings(), Settings.model_validate({"team": {"badges": True}})
    assert "leaderboard" not in open_to("rep", SLUGS, turned_on(off))
    assert open_to("rep", SLUGS, turned_on(on))[-1] == "leaderboard"


def test_an_address_says_what_it_asks_for_and_nothing_else():
    assert link("coaching", rep="a&rep=b") == "/pages/coaching?rep=a%26rep%3Db"
    assert link("coaching", rep="") == "/pages/coaching"
    with pytest.raises(PageError, match="theme"):
        link("coaching", theme="dark")


def test_what_is_asked_for_is_short_plain_text_of_known_names():
    given = {"rep": "R0001", "deal": "x" * 300, "unit": "a\nb", "period": "\u202e2026", "viewer": "boss", "kpi": " "}
    assert asked_of(given) == {"rep": "R0001"}
    assert set(asked_of(dict.fromkeys(ASKED, "1"))) == set(ASKED)
