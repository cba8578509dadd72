"""The viewer is named by spm.toml or the command line, known to the results, and reaches a page by environment only."""

from __future__ import annotations

from datetime import date

import pytest

from spm_models.access import Viewer
from spm_models.apps.kernels import ViewerKernels
from spm_models.apps.server import serve
from spm_models.apps.session import Session, checked_reader, named_viewer
from spm_models.errors import AccessDeniedError, PageError, PublishedError
from spm_models.published import Manifest, publish
from spm_models.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, company):
    def make(pages: str = "", *, results: bool = True) -> Workspace:
        (tmp_path / "spm.toml").write_text(f"[pages]\n{pages}\n", encoding="utf-8")
        made = Workspace.open(tmp_path)
        if results:
            publish(made, company, Manifest("run", date(2026, 8, 14), "0" * 64, "c" * 64))
        return made

    return make


def test_nobody_named_means_no_pages(workspace):
    with pytest.raises(PageError, match="Nobody is named"):
        serve(workspace())
    with pytest.raises(PageError, match="Nobody is named"):
        serve(workspace('viewer = "m1"'), viewer="  ")


def test_an_unknown_person_means_no_pages(workspace):
    with pytest.raises(PageError, match=r"\[pages\].viewer"):
        serve(workspace('viewer = "nobody-we-know"'))


def test_nothing_published_means_no_pages(workspace):
    with pytest.raises(PublishedError, match="no published results"):
        serve(workspace('viewer = "m1"', results=False))


def test_a_role_counts_for_the_person_in_the_settings_only(workspace):
    settings = workspace('viewer = "boss"\nrole = "executive"')
    assert named_viewer(settings) == Viewer("boss", "executive")
    assert named_viewer(settings, "m1") == Viewer("m1")
    with pytest.raises(PageError):
        checked_reader(settings, named_viewer(settings, "somebody-else"))


@pytest.mark.parametrize(("viewer", "unit"), [("m1", ("manager", "m1")), ("r1", ("rep", "r1"))])
def test_the_page_is_about_the_viewers_own_unit(workspace, viewer, unit):
    assert checked_reader(workspace(), Viewer(viewer)).unit == unit


def test_a_page_without_a_viewer_in_its_environment_shows_nothing(workspace):
    made = workspace()
    with pytest.raises(AccessDeniedError):
        Session.open({"SPM_WORKSPACE": str(made.root)})
    session = Session.open({"SPM_WORKSPACE": str(made.root), "SPM_VIEWER": "r1"})
    assert set(session.results["deal_scores"]["rep_id"]) == {"r1"}


def test_a_kernels_environment_is_an_allow_list(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("SPM_SCOPE", "forged")
    kernels = ViewerKernels(workspace_env={"SPM_WORKSPACE": "/w"})
    environment = kernels.environment(Viewer("boss"))
    assert environment["SPM_VIEWER"] == Viewer("boss").to_environment() and environment["SPM_WORKSPACE"] == "/w"
    assert "DATABASE_URL" not in environment and "SPM_SCOPE" not in environment
