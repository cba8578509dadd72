"""Runs begin by themselves where and when the settings say, whatever the workspace is called, and stop when told."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.errors import RunError
from spm_models.runs import schedule
from spm_models.runs.schedule import cron_block, install, installed, jobs, next_times, remove, units
from spm_models.workspace import Workspace

HOSTILE = ["company", 'Şirket 50% "A" $HOME', "it's\\here", "a" * 120]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and no systemd that answers."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(schedule, "_answers", lambda control: False)
    return tmp_path / "home"


def opened(root: Path, text: str = "") -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    zone = '[company]\nname = "Acme %n"\ntime_zone = "Europe/Istanbul"\n'
    (root / "spm.toml").write_text(zone + text, encoding="utf-8")
    return Workspace.open(root)


def test_runs_begin_in_the_companys_time_zone(tmp_path: Path) -> None:
    acme = opened(tmp_path / "acme", '[schedule]\nweekly = "sunday 05:15"\ndaily = "23:40"\n')
    weekly, daily = jobs(acme)
    assert (weekly.on_calendar, weekly.cron) == ("Sun *-*-* 05:15:00", "15 5 * * 0")
    assert (daily.on_calendar, daily.cron) == ("*-*-* 23:40:00", "40 23 * * *")
    now = datetime(2026, 7, 4, 22, 0, tzinfo=ZoneInfo("UTC"))  # Sunday 01:00 in Istanbul
    assert [f"{at:%Y-%m-%d %H:%M}" for at in next_times(acme, weekly, 2, now=now)] == [
        "2026-07-05 05:15",
        "2026-07-12 05:15",
    ]
    assert f"{next_times(acme, daily, 1, now=now)[0]:%Y-%m-%d %H:%M}" == "2026-07-05 23:40"


def test_a_clock_that_springs_forward_does_not_lose_a_run(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "spm.toml").write_text(
        '[company]\ntime_zone = "Europe/Berlin"\n[schedule]\nweekly = ""\ndaily = "02:30"\n', encoding="utf-8"
    )
    berlin = Workspace.open(tmp_path / "b")
    now = datetime(2026, 3, 28, 12, 0, tzinfo=ZoneInfo("UTC"))
    assert [f"{at:%m-%d}" for at in next_times(berlin, jobs(berlin)[0], 3, now=now)] == ["03-29", "03-30", "03-31"]


@pytest.mark.parametrize("name", HOSTILE)
def test_units_are_understood_by_systemd_whatever_the_folder_is_called(tmp_path: Path, name: str, home: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    acme = opened(tmp_path / name, '[mail]\npassword_file = "secret 1"\n')
    install(acme)
    folder = home / ".config/systemd/user"
    files = sorted(map(str, folder.iterdir()))
    assert len(files) == 4 == len(units(acme))
    done = subprocess.run(["systemd-analyze", "verify", "--user", *files], capture_output=True, text=True, check=False,
                          env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)})  # fmt: skip
    wrong = [line for line in done.stderr.splitlines() if "spm-" in line and "Failed to" not in line]
    assert wrong == [], done.stderr
    text = units(acme)[next(name for name in units(acme) if name.endswith("weekly.service"))]
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart=").replace("%%", "%").replace("$$", "\\$"))
    assert words[-1].replace("\\$", "$") == str(acme.root) and words[1:4] == ["run", "weekly", "--resume"]
    assert "LoadCredential=spm-mail-password:" in text and "UMask=0077" in text and "MemoryMax=80%" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_cron_runs_the_command_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    acme = opened(tmp_path / name)
    zone, weekly, daily = cron_block(acme).splitlines()[1:-1]
    assert zone == "CRON_TZ=Europe/Istanbul" and weekly.startswith("0 5 * * 1 ") and daily.startswith("30 6 * * * ")
    shell = weekly.split(" ", 5)[5].replace("\\%", "%")  # what cron gives to the shell
    spm = shlex.split(shell)[4]
    fake = tmp_path / "bin" / "spm"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    subprocess.run(["sh", "-c", shell.replace(shlex.quote(spm), str(fake))], check=True)
    said = (acme.state / "schedule.log").read_text(encoding="utf-8").splitlines()
    assert said == ["run", "weekly", "--resume", "--wait", "120", "--workspace", str(acme.root)]


def test_install_and_remove_twice_leave_what_is_not_ours(tmp_path: Path, home: Path) -> None:
    acme, other = opened(tmp_path / "acme"), opened(tmp_path / "elsewhere" / "acme")
    assert install(acme) and install(acme) and install(other)
    folder = home / ".config/systemd/user"
    (folder / "mine.timer").write_text("[Timer]\n")
    assert len(installed(acme)) == 2
    remove(acme)
    assert installed(acme) == [] and len(installed(other)) == 2 and (folder / "mine.timer").exists()
    assert remove(acme) == ["Nothing of this workspace was installed."]


def test_a_schedule_that_became_smaller_leaves_no_timer_behind(tmp_path: Path) -> None:
    install(opened(tmp_path / "acme"))
    acme = opened(tmp_path / "acme", '[schedule]\ndaily = ""\n')
    install(acme)
    assert [Path(place).name[-12:] for place in installed(acme)] == ["weekly.timer"]


def test_a_crontab_keeps_its_other_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table"
    table.write_text("# mine\n5 4 * * * backup\n")
    tool = tmp_path / "tools" / "crontab"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nif [ "$1" = -l ]; then cat {table}; else cat > {table}; fi\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    acme, other = opened(tmp_path / "acme"), opened(tmp_path / "b" / "acme")
    for workspace in (acme, other, acme):
        install(workspace, cron=True)
    text = table.read_text()
    assert text.startswith("# mine\n5 4 * * * backup\n") and text.count("run weekly") == 2
    assert installed(acme) == ["crontab of this user"]
    remove(acme)
    assert "crontab of this user" in installed(other)
    remove(other)
    assert table.read_text() == "# mine\n5 4 * * * backup\n"


def fake_crontab(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "crontab").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_crontab_that_cannot_be_read_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "written"
    script = f'[ "$1" = -l ] && {{ echo "cannot open: Input/output error" >&2; exit 1; }}; touch {asked}'
    fake_crontab(tmp_path / "tools", script, monkeypatch)
    with pytest.raises(RunError, match="could not be read"):
        install(opened(tmp_path / "acme"), cron=True)
    assert not asked.exists()


def test_a_user_without_a_crontab_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table"
    none = f"cat {table} 2>/dev/null || {{ echo no crontab for me >&2; exit 1; }}"
    script = f'if [ "$1" = -l ]; then {none}; else cat > {table}; fi'
    fake_crontab(tmp_path / "tools", script, monkeypatch)
    install(opened(tmp_path / "acme"), cron=True)
    assert table.read_text().count("run weekly") == 1


def test_the_two_ways_replace_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table"
    table.touch()
    fake_crontab(tmp_path / "tools", f'if [ "$1" = -l ]; then cat {table}; else cat > {table}; fi', monkeypatch)
    acme = opened(tmp_path / "acme")
    install(acme)
    install(acme, cron=True)
    assert installed(acme) == ["crontab of this user"]
    install(acme)
    assert len(installed(acme)) == 2 and table.read_text() == ""


@pytest.mark.parametrize(("zone", "warned"), [("Europe/Istanbul", False), ("Asia/Tokyo", True)])
def test_cron_on_a_machine_of_another_time_zone_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, warned: bool
) -> None:
    fake_crontab(tmp_path / "tools", 'if [ "$1" = -l ]; then true; else cat > /dev/null; fi', monkeypatch)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        said = install(opened(tmp_path / "acme"), cron=True)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert any("CRON_TZ" in line for line in said) is warned


def test_services_of_the_machine_are_for_root_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for what in (install, remove):
        with pytest.raises(RunError, match="belong to root"):
            what(opened(tmp_path / "acme"), system=True)


def test_without_systemd_the_links_of_timers_go_too(tmp_path: Path, home: Path) -> None:
    acme = opened(tmp_path / "acme")
    install(acme)
    wants = home / ".config/systemd/user/timers.target.wants"
    wants.mkdir()
    timer = Path(installed(acme)[0])
    (wants / timer.name).symlink_to(timer)
    remove(acme)
    assert list(wants.iterdir()) == []


def test_without_crontab_or_schedule_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="apt-get install cron"):
        install(opened(tmp_path / "acme"), cron=True)
    with pytest.raises(RunError, match="Nothing is scheduled"):
        install(opened(tmp_path / "acme", '[schedule]\ndaily = ""\nweekly = ""\n'))


def test_a_path_with_a_new_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="control characters"):
        install(opened(tmp_path / "a\nb"))


def test_the_command_shows_it(tmp_path: Path) -> None:
    acme = opened(tmp_path / "acme")
    said = CliRunner().invoke(app, ["schedule", "show", "--text", "-w", str(acme.root)])
    assert said.exit_code == 0 and "Not installed" in said.output and "OnCalendar=Mon" in said.output
    assert "Europe/Istanbul" in said.output and "monthly and quarterly" in " ".join(said.output.split())
    assert CliRunner().invoke(app, ["schedule", "install", "-w", str(acme.root)]).exit_code == 0
    assert "installed" in CliRunner().invoke(app, ["schedule", "show", "-w", str(acme.root)]).output
