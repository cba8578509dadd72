"""Readers are told when an older model, which somebody went back to, gave the win probabilities."""

from __future__ import annotations

import re
from datetime import date

import pytest

from spm_models.access import Scope, Viewer, scope
from spm_models.apps.outlook_sections import how_section
from spm_models.apps.outlook_view import RevenueOutlook
from spm_models.apps.session import Session, reader_of
from spm_models.published import Manifest, Results, publish
from spm_models.reports import coaching_report, team_digest
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

PIN = {"win_probability": {"version": 3, "sha256": "0" * 64, "as_of": "2026-03-31"}}


@pytest.fixture(scope="module", params=[{}, PIN], ids=["newest", "pinned"])
def told(request, tmp_path_factory, published_tables):
    folder = tmp_path_factory.mktemp("acme")
    (folder / "spm.toml").write_text('[company]\nname = "Acme"\ncurrency = "TRY"\nlocale = "en"\n', encoding="utf-8")
    workspace = Workspace.open(folder)
    manifest = Manifest("run", published_tables["deal_scores"]["as_of"].iloc[0].date(), "d" * 64, "c" * 64,
                        parameters={"models": request.param})  # fmt: skip
    publish(workspace, dict(published_tables), manifest)
    return workspace, bool(request.param)


def words(html: object) -> str:
    return re.sub(r"[\u2066-\u2069\u200e\u200f\u061c]", "", re.sub(r"<[^>]+>", " ", str(html)))


def says(locale: str) -> str:
    return words(Translator(locale)("page.how.pinned", version="3", day=date(2026, 3, 31)))


@pytest.mark.parametrize("locale", LOCALES)
def test_reports_say_so(told, published_tables, locale) -> None:
    workspace, pinned = told
    line = scope(Viewer("m1", "manager"), published_tables["reps"])
    own = coaching_report(str(workspace.root), "r1", locale, environ={"SPM_SCOPE": Scope.of_rep("r1").to_json()})
    team = team_digest(str(workspace.root), "m1", locale, environ={"SPM_SCOPE": line.to_json()})
    assert [says(locale) in words(part) for part in (own.record, team.data)] == [pinned, pinned]


def test_the_page_says_so(told) -> None:
    workspace, pinned = told
    reader = reader_of(workspace, Viewer("chief", "executive"))
    page = RevenueOutlook(Session(workspace, reader, Results.open(workspace, scope=reader.scope))).page
    assert page is not None and (says("en") in words(how_section(page))) is pinned
