"""What people say changes no score, and a version that was gone back to is really the one that scores."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.published import Manifest, Results, models
from spm_models.published.schemas import TABLES
from spm_models.runs import results
from spm_models.runs.known import Known
from spm_models.runs.model_versions import release, roll_back
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.stored_models import WIN, published_model, store, win_model
from spm_models.runs.weekly import weekly
from spm_models.win_probability import WinProbability
from spm_models.workspace import Workspace
from spm_models.writing.overrides import override

pytestmark = pytest.mark.slow
PUBLISH = WeeklyRequest(reports=False)


def published(workspace: Workspace, run_id: str) -> dict[str, bytes]:
    folder = workspace.published_dir / "runs" / run_id
    return {name: (folder / f"{name}.parquet").read_bytes() for name in TABLES}


def test_an_override_stands_beside_the_scores_and_changes_none(company: Workspace, monkeypatch) -> None:
    monkeypatch.delenv("SPM_VIEWER", raising=False)
    first = weekly(company, PUBLISH)
    stored = models.get(company, WIN)
    assert first.models == {WIN: {"version": 1, "pinned": False, "as_of": first.as_of}}
    deals = Results.open(company, scope=Scope.of_company())["deal_scores"]
    deal = deals[deals["win_probability"].notna()].iloc[0]
    kept = published_model(Known.of(company.root))
    assert kept.number == 1, "a notebook takes what was published"
    scores = kept.model.predict(kept_pipeline(company)).table.set_index("opportunity_id")["win_probability"]
    assert scores.round(6).to_dict() == deals.set_index("opportunity_id")["win_probability"].to_dict()

    override(company, deal["opportunity_id"], 0.999, "A friend signs tomorrow.", person=deal["rep_id"])
    second = weekly(company, PUBLISH)
    assert not second.unchanged and second.run_id != first.run_id
    before, after = published(company, first.run_id), published(company, second.run_id)
    assert [name for name in TABLES if before[name] != after[name]] == ["deal_overrides"]
    shown = Results.open(company, scope=Scope.of_rep(deal["rep_id"]))["deal_overrides"]
    assert shown[["opportunity_id", "author", "win_probability"]].to_numpy().tolist() == [
        [deal["opportunity_id"], deal["rep_id"], 0.999]
    ]
    others = Scope.of_rep(next(rep for rep in deals["rep_id"].dropna().unique() if rep != deal["rep_id"]))
    assert Results.open(company, scope=others)["deal_overrides"].empty
    again = models.get(company, WIN)
    assert (again.number, again.sha256) == (1, stored.sha256), "nothing was learned from it"
    assert weekly(company, PUBLISH).unchanged


def kept_pipeline(workspace: Workspace) -> pd.DataFrame:
    return Known.of(workspace.root).pipeline


@pytest.fixture
def no_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without the slowest step, which asks nothing of stored models."""
    left_out = {"model_verdicts": results._no_forecast(NotEnoughDataError("Left out"))}
    monkeypatch.setattr(results, "_forecast", lambda *_: (left_out, []))


@pytest.mark.usefixtures("no_forecast")
def test_a_rolled_back_version_scores_until_it_is_released(company: Workspace) -> None:
    march = weekly(company, WeeklyRequest(reports=False, as_of="2026-03-31"))
    june = weekly(company, PUBLISH)
    assert (march.models[WIN]["version"], june.models[WIN]["version"]) == (1, 2)
    learned = Results.open(company, scope=Scope.of_company())["model_scores"]

    roll_back(company, 1)
    broken = company.models_dir / WIN / "0003" / "manifest.json"
    broken.parent.mkdir()
    broken.write_text("{", encoding="utf-8")
    pinned = weekly(company, PUBLISH)
    told = [note for note in pinned.notes if note.startswith("Stored model, version 3, was skipped. ")]
    assert len(told) == 1 and str(broken) in told[0], "a run goes on without a damaged version, and says so"
    assert not any(note.startswith("Stored model") for note in june.notes)
    shutil.rmtree(broken.parent)
    assert not pinned.unchanged and pinned.models == {WIN: {"version": 1, "pinned": True, "as_of": "2026-03-31"}}
    assert any("version 1" in note and "rollback --latest" in note for note in pinned.notes)
    found = Results.open(company, scope=Scope.of_company())
    assert found.manifest.parameters["models"][WIN]["version"] == 1
    old = WinProbability.from_state(models.load(company, WIN, 1))
    expected = old.predict(kept_pipeline(company)).table.set_index("opportunity_id")["win_probability"]
    scores = found["deal_scores"].set_index("opportunity_id")["win_probability"]
    assert scores.to_dict() == expected.round(6).to_dict()
    own = models.get(company, WIN, 1).manifest.notes
    told = found["model_verdicts"].set_index("question").at[WIN, "published"]
    assert told == own["model_verdicts"][0]["published"], "the verdict is that of the version in use"
    of_win = found["model_scores"].query("question == @WIN")
    assert len(of_win) == len(own.get("model_scores", [])) and not of_win.equals(learned.query("question == @WIN"))
    assert len(models.versions(company, WIN)) == 2, "while a version is pinned nothing is learned"

    with pytest.raises(ModelError, match="learned from later days"):
        roll_back(company, 2)
        win_model(Known.of(company.root, "2026-03-31"))
    release(company)
    back = weekly(company, PUBLISH)
    assert back.unchanged and back.run_id == june.run_id
    assert weekly(company, WeeklyRequest(reports=False, as_of="2026-03-31")).unchanged
    assert models.get(company, WIN).number == 1, "the version in use is that of the published run"


def test_a_pinned_version_whose_columns_are_gone_stops_the_run_in_words(company: Workspace) -> None:
    known = Known.of(company.root, "2026-03-31")
    learned = win_model(known)
    settings = company.settings.model_dump(mode="json")
    store(company, learned, Manifest("run", known.as_of, "d", "c", parameters={"settings": settings}))
    roll_back(company, 1)
    path = company.models_dir / WIN / "0001" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert {"stage", "field_procurement"} <= set(manifest["notes"]["columns"])
    manifest["notes"]["columns"].append("field_no_longer_exported")
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="no longer fill") as caught:
        win_model(known)
    assert caught.value.found == ["field_no_longer_exported"] and "--latest" in caught.value.remedy
