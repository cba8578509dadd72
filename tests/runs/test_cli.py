"""The command line: help that needs no manual, errors in one piece, exit codes that programs can trust."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SPM = str(Path(sys.executable).with_name("spm"))


def spm(*words: str, folder: Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    env.pop("SPM_WORKSPACE", None)
    done = subprocess.run([SPM, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stderr
    return done


@pytest.mark.parametrize("words", [[], ["run"]])
def test_no_words_show_the_help(tmp_path: Path, words: list[str]) -> None:
    done = spm(*words, folder=tmp_path, expect=2)
    assert "weekly" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "doctor",
        "sample",
        "run weekly",
        "status",
        "pages",
        "models list",
        "models show",
        "models rollback",
        "override",
        "coaching assign",
        "coaching effects",
        "coaching orders",
    ],
)
def test_every_command_and_option_explains_itself(tmp_path: Path, command: str) -> None:
    text = spm(*command.split(), "--help", folder=tmp_path).stdout
    options = [line for line in text.splitlines() if line.strip("│ ").startswith("--")]
    assert options and all(len(line.strip("│ ").split(maxsplit=1)) == 2 for line in options)


def test_init_makes_a_workspace_that_doctor_understands(tmp_path: Path) -> None:
    spm("init", "mine", folder=tmp_path)
    (tmp_path / "mine/tables/reps.csv").write_text("rep_id,name\nr1,Ayşe\n")
    (tmp_path / "mine/tables/opportunities.csv").write_text(
        "opportunity_id,rep_id,created_on,closed_on,stage,status,amount\n"
        "o1,r1,2026-01-01,,Offer,open,10\no2,r1,2026-01-01,2026-02-01,Won,won,10\n"
    )
    text = spm("doctor", "--workspace", "mine", folder=tmp_path).stdout
    assert "opportunity_history" in text and "2 rows" in text


def test_doctor_ends_with_an_error_where_a_run_could_not_start(tmp_path: Path) -> None:
    spm("init", "mine", folder=tmp_path)
    done = spm("doctor", "--workspace", "mine", folder=tmp_path, expect=1)
    assert "Put reps.csv there, or name the file under [tables.reps] file in spm.toml." in done.stdout


def test_init_does_not_overwrite(tmp_path: Path) -> None:
    spm("init", ".", folder=tmp_path)
    (tmp_path / "spm.toml").write_text("# mine\n")
    spm("init", ".", folder=tmp_path, expect=1)
    assert (tmp_path / "spm.toml").read_text() == "# mine\n"


def test_without_a_workspace_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = spm("status", folder=tmp_path, expect=1)
    assert "spm init" in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "31-12-2017"])
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: str) -> None:
    spm("init", ".", folder=tmp_path)
    done = spm("run", "weekly", "--as-of", day, folder=tmp_path, expect=1)
    assert day in done.stderr and "as_of" in done.stderr and "Traceback" not in done.stderr


def test_status_before_the_first_run_in_words_and_as_json(tmp_path: Path) -> None:
    spm("init", ".", folder=tmp_path)
    assert "No run yet" in spm("status", folder=tmp_path).stdout
    found = json.loads(spm("status", "--json", folder=tmp_path).stdout)
    assert (found["last_run"], found["published"]) == (None, None)


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    spm("init", ".", folder=tmp_path)
    (tmp_path / "spm.toml").write_text('[company]\ntime_zone = "Mars/Olympus"\n')
    done = spm("doctor", folder=tmp_path, expect=1)
    assert "Mars/Olympus" in done.stderr and "company.time_zone" in done.stderr


def test_a_terminal_without_our_letters_shows_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    spm("init", "mine", folder=tmp_path)
    (tmp_path / "mine/spm.toml").write_text('[company]\nname = "Işık"\n', encoding="utf-8")
    assert "I??k: the source cannot be read" in spm("doctor", "-w", "mine", folder=tmp_path, expect=1).stdout


def test_what_the_machine_refuses_is_told_in_one_piece(tmp_path: Path) -> None:
    spm("init", "mine", folder=tmp_path)
    state = tmp_path / "mine" / "state"
    if state.is_dir():
        state.rmdir()
    state.write_text("a file where a folder should be")
    done = spm("run", "weekly", "--workspace", "mine", folder=tmp_path, expect=1)
    assert "The machine refused" in done.stderr and str(state) in done.stderr and "Traceback" not in done.stderr


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    spm("runn", folder=tmp_path, expect=2)
