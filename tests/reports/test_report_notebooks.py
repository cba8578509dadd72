"""The two notebooks, run as the weekly job runs them: evidence of success, one file that opens anywhere."""

from __future__ import annotations

import os

import pytest

from spm_models.access import Scope, Viewer, scope
from spm_models.errors import ReportError
from spm_models.reports import render_html
from spm_models.reports.execute import execute
from spm_models.shipped import shipped
from spm_models.translations import Translator


def run(workspace, folder, report, about, given, locale):
    who = "rep_id" if report == "coaching_report" else "manager_id"
    return execute(
        shipped(f"notebooks/reports/{report}.ipynb"), folder / f"{report}.ipynb",
        {"workspace": str(workspace.root), who: about, "locale": locale}, {"SPM_SCOPE": given.to_json()},
    )  # fmt: skip


def test_a_reps_report_ends_with_its_record_and_renders(workspace, tmp_path):
    done = run(workspace, tmp_path, "coaching_report", "r3", Scope.of_rep("r3"), "ar")
    assert done.record["ok"] and done.record["about"] == "r3" and done.record["run_id"] == "2026-08-14-test"
    page = render_html(done.notebook, tmp_path / "r3.html", translator=Translator("ar"), title="r3", provenance={})
    text = page.read_text(encoding="utf-8")
    assert 'dir="rtl"' in text and "سارة العتيبي" in text and text.count("<h2") == 11


def test_a_teams_digest_ends_with_its_record_and_renders(workspace, tmp_path, published_tables):
    given = scope(Viewer("m1", "manager"), published_tables["reps"])
    done = run(workspace, tmp_path, "team_digest", "m1", given, "tr")
    assert done.record["ok"] and done.record["report"] == "team_digest"
    page = render_html(done.notebook, tmp_path / "m1.html", translator=Translator("tr"), title="m1", provenance={})
    assert 'lang="tr"' in page.read_text(encoding="utf-8")


def test_without_its_scope_a_report_fails_and_leaves_its_notebook(workspace, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "SPM_SCOPE", Scope.of_company().to_json())  # the server's own must not leak in
    with pytest.raises(ReportError):
        execute(
            shipped("notebooks/reports/coaching_report.ipynb"), tmp_path / "x.ipynb",
            {"workspace": str(workspace.root), "rep_id": "r1"}, {},
        )  # fmt: skip
    assert (tmp_path / "x.ipynb").is_file()
