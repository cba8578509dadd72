"""Published results appear whole or not at all, are the same bytes for the same input, and are read within a scope."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import PublishedError
from spm_models.published import Manifest, Results, current_run, publish, run_key
from spm_models.published.schemas import TABLES, VERSION
from spm_models.published.writer import conform, empty, point_to, remove_old
from spm_models.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "spm.toml").write_text('[company]\nname = "Acme"\n')
    return Workspace.open(tmp_path)


def manifest(run_id: str = "r1") -> Manifest:
    return Manifest(run_id=run_id, as_of=date(2026, 6, 30), data_hash="d", code_hash="c")


def verdicts(*reps: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"as_of": pd.Timestamp("2026-06-30"), "rep_id": list(reps), "verdict": "fine", "topic": None,
         "topic_part": None, "strength": None, "strength_part": None, "money_at_stake": 1 / 3, "detectable": None,
         "cause": None, "cause_probability": None}
    )  # fmt: skip


def test_what_was_published_is_read_back_rounded_and_sorted(workspace: Workspace) -> None:
    publish(workspace, {"coaching_verdicts": verdicts("r2", "r1")}, manifest())
    found = Results.open(workspace, scope=Scope.of_company())["coaching_verdicts"]
    assert found["rep_id"].tolist() == ["r1", "r2"]
    assert found["money_at_stake"].tolist() == [0.333333, 0.333333]
    assert found.dtypes.astype("str").to_dict() == TABLES["coaching_verdicts"].columns


def test_tables_that_are_left_out_are_there_and_empty(workspace: Workspace) -> None:
    publish(workspace, {}, manifest())
    results = Results.open(workspace, scope=Scope.of_company())
    assert set(results) == set(TABLES)
    assert {name: len(results[name]) for name in results} == dict.fromkeys(TABLES, 0)


def test_a_reader_sees_only_his_scope(workspace: Workspace) -> None:
    publish(workspace, {"coaching_verdicts": verdicts("r1", "r2")}, manifest())
    assert Results.open(workspace, scope=Scope.of_rep("r2"))["coaching_verdicts"]["rep_id"].tolist() == ["r2"]
    assert Results.open(workspace, scope=Scope.of_rep("r9"))["coaching_verdicts"].empty


def test_every_table_says_how_it_is_scoped() -> None:
    assert {table.scoped_by for table in TABLES.values()} <= {"rep_id", "level", "company", None}
    everybody = {name for name, table in TABLES.items() if table.scoped_by is None}
    silent = {
        "activity_relation", "coaching_effects", "forecast_input_values", "model_scores", "model_verdicts", "playbook",
        "reliability",
    }  # fmt: skip
    assert everybody == silent  # say nothing about a person or an amount


def test_the_same_input_gives_the_same_bytes(workspace: Workspace) -> None:
    first = publish(workspace, {"coaching_verdicts": verdicts("r2", "r1")}, manifest("a"))
    second = publish(workspace, {"coaching_verdicts": verdicts("r1", "r2")}, manifest("b"))
    for name in TABLES:
        assert (first / f"{name}.parquet").read_bytes() == (second / f"{name}.parquet").read_bytes()


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (verdicts("r1").drop(columns="topic"), "missing.*topic"),
        (verdicts("r1").assign(extra=1), "unknown.*extra"),
        (verdicts("r1", "r1"), "occurs twice"),
        (verdicts("r1").assign(money_at_stake="much"), "wrong type"),
        (verdicts("r1").assign(money_at_stake=float("inf")), "infinite"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_nothing_is_published(
    workspace: Workspace, frame: pd.DataFrame, found: str
) -> None:
    publish(workspace, {}, manifest("before"))
    with pytest.raises(PublishedError, match=found):
        publish(workspace, {"coaching_verdicts": frame}, manifest("after"))
    assert current_run(workspace) == "before"
    assert [folder.name for folder in (workspace.published_dir / "runs").iterdir()] == ["before"]


def test_a_table_nobody_knows_is_refused(workspace: Workspace) -> None:
    with pytest.raises(PublishedError, match="Unknown table"):
        publish(workspace, {"scores": empty(TABLES["reps"])}, manifest())
    assert current_run(workspace) is None


def test_an_empty_table_keeps_its_types() -> None:
    for schema in TABLES.values():
        assert conform(empty(schema), schema).dtypes.astype("str").to_dict() == schema.columns


def test_killed_while_publishing_readers_keep_the_old_run(workspace: Workspace, tmp_path: Path) -> None:
    publish(workspace, {"coaching_verdicts": verdicts("r1")}, manifest("before"))
    code = f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from spm_models.published import writer
        import test_publishing as t
        from spm_models.workspace import Workspace
        write, n = writer._write, [0]
        def dying(frame, path):
            n[0] += 1
            if n[0] == 5:
                os.kill(os.getpid(), 9)
            write(frame, path)
        writer._write = dying
        writer.publish(Workspace.open({str(tmp_path)!r}), {{}}, t.manifest("after"))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    results = Results.open(workspace, scope=Scope.of_company())
    assert (results.manifest.run_id, len(results["coaching_verdicts"])) == ("before", 1)
    publish(workspace, {}, manifest("after"))
    assert current_run(workspace) == "after"


def test_a_full_disk_leaves_the_old_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(workspace, {}, manifest("before"))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        publish(workspace, {}, manifest("after"))
    assert current_run(workspace) == "before"
    assert [folder.name for folder in (workspace.published_dir / "runs").iterdir()] == ["before"]


def test_reading_before_the_first_run_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(PublishedError, match="spm run weekly"):
        Results.open(workspace, scope=Scope.of_company())


def test_a_damaged_pointer_and_a_later_format_are_named(workspace: Workspace) -> None:
    folder = publish(workspace, {}, manifest())
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace(f'"schema_version": {VERSION}', '"schema_version": 99'))
    with pytest.raises(PublishedError, match="another version"):
        Results.open(workspace, scope=Scope.of_company())
    (workspace.published_dir / "current.json").write_text("{")
    with pytest.raises(PublishedError, match="damaged"):
        Results.open(workspace, scope=Scope.of_company())


def test_old_runs_go_but_never_the_current_one(workspace: Workspace) -> None:
    for run_id in ("a", "b", "c"):
        publish(workspace, {}, manifest(run_id))
    point_to(workspace, "a")
    assert remove_old(workspace, keep=["c"]) == ["b"]
    assert Results.open(workspace, scope=Scope.of_company()).manifest.run_id == "a"


def test_the_key_of_a_run_changes_with_everything_that_decides_the_result() -> None:
    day = date(2026, 6, 30)
    keys = {run_key(day, "d", {"seed": 1}), run_key(date(2026, 7, 1), "d", {"seed": 1}), run_key(day, "e", {"seed": 1}),
            run_key(day, "d", {"seed": 2})}  # fmt: skip
    assert len(keys) == 4
