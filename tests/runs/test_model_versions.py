"""``spm models`` and ``spm override``: what they tell, in words and as JSON, and what a rollback does."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from spm_models.cli import app
from spm_models.errors import JournalError, ModelError, RunError, SpmError
from spm_models.published import Manifest, models, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform, empty
from spm_models.runs.stored_models import WIN, WinModel, damage, store
from spm_models.win_probability import WinProbability
from spm_models.workspace import Workspace
from spm_models.writing.overrides import overrides

DAY = pd.Timestamp("2026-01-31")
DEALS = pd.DataFrame({"as_of": DAY, "opportunity_id": [f"o{k}" for k in range(20)], "rep_id": "r", "stage": "Offer"})


def spm(*words: str, workspace: Workspace) -> Result:
    return CliRunner().invoke(
        app, [*words, "--workspace", str(workspace.root)], env={"COLUMNS": "200", "NO_COLOR": "1"}
    )


def refused(done: Result, kind: type[SpmError]) -> SpmError:
    assert done.exit_code == 1 and isinstance(done.exception, kind), done.exception
    assert done.exception.remedy
    return done.exception


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPM_VIEWER", raising=False)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "spm.toml").write_text("")
    return Workspace.open(tmp_path)


def stored(workspace: Workspace, wins: int, *, seed: int = 1) -> int:
    """One more version: a base rate of so many wins in twenty."""
    closed = pd.DataFrame({
        "opportunity_id": DEALS["opportunity_id"], "rep_id": "r", "won": np.arange(20) < wins,
        "closed_on": pd.Timestamp("2026-03-01"),
    })  # fmt: skip
    model = WinProbability(seed, method="base_rate").fit(DEALS, closed)
    told = {
        "model_scores": pd.DataFrame({
            "question": WIN, "model": ["base_rate", "base_rate", "stage_rate"],
            "measure": ["log_loss", "brier", "log_loss"],
            "value": [0.51 + wins / 100, 0.2, np.nan], "n": 20, "test_start": DAY, "test_end": DAY,
        }),
        "model_verdicts": pd.DataFrame([
            {"question": WIN, "published": "base_rate", "baseline": "", "reason": "simpler"},
        ]),
    }  # fmt: skip
    settings = workspace.settings.model_dump(mode="json")
    run = Manifest(
        "run", date(2026, 3, wins), "data", "code", parameters={"settings": settings}, versions={"numpy": "2"}
    )
    return int(store(workspace, WinModel(model, told, ("stage",)), run)["version"])


def chance(workspace: Workspace) -> float:
    model = WinProbability.from_state(models.load(workspace, WIN))
    return float(model.predict(DEALS.head(1)).table["win_probability"].iloc[0])


def test_before_the_first_run_there_is_nothing_and_that_is_said(workspace) -> None:
    assert "spm run weekly" in spm("models", "list", workspace=workspace).output
    assert json.loads(spm("models", "list", "--json", workspace=workspace).output) == []
    refused(spm("models", "show", workspace=workspace), ModelError)
    refused(spm("models", "rollback", "1", workspace=workspace), ModelError)
    refused(spm("models", "rollback", "--latest", workspace=workspace), ModelError)


def test_versions_are_listed_newest_first(workspace) -> None:
    assert [stored(workspace, wins) for wins in (5, 10)] == [1, 2]
    rows = json.loads(spm("models", "list", "--json", workspace=workspace).output)
    assert [(row["version"], row["in_use"], row["pinned"], row["as_of"]) for row in rows] == [
        (2, True, False, "2026-03-10"), (1, False, False, "2026-03-05"),
    ]  # fmt: skip
    assert rows[0] | {"published": "base_rate", "deals": 20, "log_loss": 0.61} == rows[0]
    text = spm("models", "list", workspace=workspace).output
    assert all(word in text for word in ("2026-03-10", "base rate", "0.610", "in use", "20")) and "pinned" not in text


def test_one_version_tells_what_it_was_learned_from_and_how_it_was_tested(workspace) -> None:
    stored(workspace, 5)
    stored(workspace, 10)
    found = json.loads(spm("models", "show", "1", "--json", workspace=workspace).output)
    assert (found["version"], found["in_use"], found["seed"], found["data_hash"]) == (1, False, 1, "data")
    assert found["sha256"] == models.get(workspace, WIN, 1).sha256 and found["packages"] == {"numpy": "2"}
    assert found["scores"][0]["value"] == pytest.approx(0.56) and found["scores"][2]["value"] is None
    assert found["scores"][0]["test_start"].startswith("2026-01-31") and found["columns"] == ["stage"]
    assert found["verdict"]["reason"] == "simpler" and found["overrides"] is None
    assert "reports" not in found["settings"] and found["settings"]["models"]["draws"] == 2000
    text = spm("models", "show", workspace=workspace).output
    assert all(word in text for word in ("version", "2", "(in use)", "simpler", "0.610", "stage rate", "numpy 2"))


def test_a_rollback_holds_until_it_is_released(workspace) -> None:
    stored(workspace, 5)
    early = chance(workspace)
    stored(workspace, 15)
    assert chance(workspace) != early
    done = spm("models", "rollback", "1", workspace=workspace)
    assert done.exit_code == 0 and "pinned" in done.output and "--latest" in done.output
    assert chance(workspace) == early
    assert stored(workspace, 18) == 3 and chance(workspace) == early
    assert "in use, pinned" in spm("models", "list", workspace=workspace).output
    assert "version 3" in spm("models", "rollback", "--latest", workspace=workspace).output
    assert chance(workspace) > 0.8
    assert "already" in refused(spm("models", "rollback", "--latest", workspace=workspace), ModelError).what


@pytest.mark.parametrize("words", [[], ["1", "--latest"]])
def test_a_rollback_says_one_thing(workspace, words) -> None:
    stored(workspace, 5)
    refused(spm("models", "rollback", *words, workspace=workspace), RunError)
    assert models.pinned(workspace, WIN) is None


def test_what_cannot_be_read_is_not_rolled_back_to(workspace) -> None:
    for wins in (5, 10, 15):
        stored(workspace, wins)
    first = workspace.models_dir / WIN / "0001" / models.MODEL
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    assert "changed after" in refused(spm("models", "rollback", "1", workspace=workspace), ModelError).what
    other = models.get(workspace, WIN, 2).manifest
    number = models.save(workspace, WIN, {"of": "another time"}, Manifest("old", date(2025, 1, 1), "d", "c"))
    caught = refused(spm("models", "rollback", str(number), workspace=workspace), ModelError)
    assert "another version of the workbench" in caught.what and other.data_hash == "data"
    assert "[1, 2, 3, 4]" in str(refused(spm("models", "rollback", "9", workspace=workspace), ModelError))
    assert models.pinned(workspace, WIN) is None


def test_versions_with_damaged_files_are_listed_as_such_and_the_others_as_ever(workspace) -> None:
    for wins in (5, 10, 15):
        stored(workspace, wins)
    folder = workspace.models_dir / WIN
    (folder / "0001" / "manifest.json").write_text("{")
    (folder / "0002" / models.MODEL).write_bytes(b"other")
    rows = json.loads(spm("models", "list", "--json", workspace=workspace).output)
    assert [row["version"] for row in rows] == [3, 2, 1] and rows[0]["damaged"] is None
    assert "was changed after" in rows[1]["damaged"] and str(folder / "0001" / "manifest.json") in rows[2]["damaged"]
    assert rows[1]["as_of"] == "2026-03-10" and rows[2]["as_of"] is None
    text = spm("models", "list", workspace=workspace).output
    lines = {line.split()[1]: line for line in text.splitlines() if "│" in line}
    assert "damaged" in lines["1"] and "damaged" in lines["2"] and "damaged" not in lines["3"]
    assert "delete the folder 0001" in text and "in use" in lines["3"]
    assert "damaged" in refused(spm("models", "show", "1", workspace=workspace), ModelError).what
    assert [note.split(", was skipped. ")[0] for note in damage(workspace)] == [
        "Stored model, version 1", "Stored model, version 2"
    ]  # fmt: skip


def test_a_damaged_version_that_is_pinned_can_be_released(workspace) -> None:
    stored(workspace, 5)
    spm("models", "rollback", "1", workspace=workspace)
    (workspace.models_dir / WIN / "0001" / "manifest.json").write_text("{")
    assert "damaged" in refused(spm("models", "show", workspace=workspace), ModelError).what
    done = spm("models", "rollback", "--latest", workspace=workspace)
    assert done.exit_code == 0 and "there is no other" in done.output
    assert stored(workspace, 10) == 2


def test_only_as_many_versions_are_kept_as_the_settings_say(tmp_path) -> None:
    (tmp_path / "spm.toml").write_text("[models]\nkeep_versions = 2\n")
    workspace = Workspace.open(tmp_path)
    for wins in (5, 10):
        stored(workspace, wins)
    models.rollback(workspace, WIN, 1)
    for wins in (15, 18):
        stored(workspace, wins)
    assert [one.number for one in models.versions(workspace, WIN)] == [1, 3, 4]


def test_another_question_has_versions_of_its_own(workspace) -> None:
    stored(workspace, 5)
    done = spm("models", "list", "--question", "revenue_forecast", "--json", workspace=workspace)
    assert json.loads(done.output) == []
    refused(spm("models", "list", "--question", "../etc", workspace=workspace), ModelError)


def published(workspace: Workspace) -> None:
    reps = empty(TABLES["reps"]).reindex([0]).assign(rep_id="r1", name="Ayşe", role="rep")
    deals = empty(TABLES["deal_scores"]).reindex([0]).assign(opportunity_id="O-17", rep_id="r1", win_probability=0.6)
    tables = {"reps": conform(reps, TABLES["reps"]), "deal_scores": conform(deals, TABLES["deal_scores"])}
    publish(workspace, tables, Manifest("run", date(2026, 6, 30), "d", "c"))


def test_an_override_is_written_and_taken_back(workspace) -> None:
    published(workspace)
    done = spm("override", "O-17", "0.35", "--reason", "No budget.", "--as", "r1", workspace=workspace)
    assert done.exit_code == 0 and all(word in done.output for word in ("r1", "O-17", "35%", "60%", "no score changes"))
    done = spm("override", "O-17", "--withdraw", "--as", "r1", workspace=workspace)
    assert done.exit_code == 0 and "took back" in done.output


def test_a_chance_may_be_written_as_in_turkish(workspace) -> None:
    published(workspace)
    done = spm("override", "O-17", "% 35", "--reason", "No budget.", "--as", "r1", workspace=workspace)
    assert done.exit_code == 0 and [entry.body["value"] for entry in overrides(workspace)] == ["0.35"]
    error = refused(spm("override", "O-17", "35", "--reason", "No.", "--as", "r1", workspace=workspace), JournalError)
    assert "35%" in error.remedy and len(overrides(workspace)) == 1


@pytest.mark.parametrize(
    ("words", "kind"),
    [(["O-17"], RunError), (["O-17", "0.3", "--withdraw"], RunError), (["O-17", "0.3", "--as", "r1"], JournalError),
     (["O-99", "0.3", "--reason", "No.", "--as", "r1"], JournalError),
     (["O-17", "0.3", "--reason", "No."], SpmError), (["O-17", "0.3", "--reason", "No.", "--as", "r9"], SpmError)],
)  # fmt: skip
def test_an_override_that_cannot_be_taken_says_what_to_do(workspace, words, kind) -> None:
    published(workspace)
    refused(spm("override", *words, workspace=workspace), kind)
