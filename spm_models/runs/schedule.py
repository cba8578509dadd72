"""When runs begin by themselves: systemd timers or lines of a crontab, installed, shown and removed."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from spm_models.errors import RunError
from spm_models.periods import WEEKDAYS
from spm_models.workspace import Workspace

#: How long a run that is due waits for one that is at work, and how long it may take in all.
WAIT_MINUTES, MOST_HOURS = 120, 6
_UNIT_FOLDER = Path(".config/systemd/user")
_SYSTEM_FOLDER = Path("/etc/systemd/system")
_NO_LINES = re.compile(r"no crontab for|No such file|not allowed", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One run that begins by itself.

    Parameters
    ----------
    name : {"daily", "weekly"}
    weekday : str
        Empty: on every day.
    at : datetime.time
        In the company's time zone.
    """

    name: str
    weekday: str
    at: time

    @property
    def on_calendar(self) -> str:
        """As systemd.time(7) writes it, without the time zone."""
        day = f"{self.weekday[:3].capitalize()} " if self.weekday else ""
        return f"{day}*-*-* {self.at:%H:%M}:00"

    @property
    def cron(self) -> str:
        """The five fields of crontab(5)."""
        day = str((WEEKDAYS.index(self.weekday) + 1) % 7) if self.weekday else "*"
        return f"{self.at.minute} {self.at.hour} * * {day}"


def jobs(workspace: Workspace) -> list[Job]:
    """The runs that the settings want, the weekly one first: it does the day's work where both are due."""
    chosen = workspace.settings.schedule
    found = []
    if chosen.weekly:
        weekday, at = chosen.weekly.split()
        found.append(Job("weekly", weekday, time.fromisoformat(at)))
    if chosen.daily:
        found.append(Job("daily", "", time.fromisoformat(chosen.daily)))
    return found


def next_times(workspace: Workspace, job: Job, count: int = 3, *, now: datetime | None = None) -> list[datetime]:
    """When a run begins next, in the company's time zone."""
    zone = ZoneInfo(workspace.settings.company.time_zone)
    now = (now or datetime.now(zone)).astimezone(zone)
    days = (now.date() + timedelta(days=n) for n in range(7 * (count + 1)))
    moments = (datetime.combine(day, job.at, zone) for day in days
               if not job.weekday or WEEKDAYS[day.weekday()] == job.weekday)  # fmt: skip
    return [moment for moment in moments if moment > now][:count]


def command(workspace: Workspace, job: Job) -> list[str]:
    """What is run."""
    resume = ["--resume"] if job.name == "weekly" else []
    return [str(Path(sys.executable).with_name("spm")), "run", job.name, *resume, "--wait", str(WAIT_MINUTES),
            "--workspace", str(workspace.root)]  # fmt: skip


def units(workspace: Workspace) -> dict[str, str]:
    """Name and text of each systemd unit: a service and its timer for each run."""
    found = {}
    zone, mail = workspace.settings.company.time_zone, workspace.settings.mail
    secret = (workspace.root / Path(mail.password_file).expanduser()) if mail.password_file else None
    credential = f"LoadCredential=spm-mail-password:{_path(secret)}\n" if secret else ""
    for job in jobs(workspace):
        line = " ".join(_word(word) for word in command(workspace, job))
        name = f"{_name(workspace)}-{job.name}"
        about = _plain(workspace.settings.company.name)
        found[f"{name}.service"] = (
            f"[Unit]\nDescription=Sales performance, {job.name} run of {about}\n\n[Service]\nType=oneshot\n"
            f"ExecStart={line}\nWorkingDirectory=/\nUMask=0077\n{credential}TimeoutStartSec={MOST_HOURS}h\n"
            "KillMode=mixed\nTimeoutStopSec=60\nNoNewPrivileges=yes\nMemoryMax=80%\nOOMPolicy=continue\nNice=5\n"
        )
        found[f"{name}.timer"] = (
            f"[Unit]\nDescription=When the {job.name} run of {about} begins\n\n[Timer]\n"
            f"OnCalendar={job.on_calendar} {zone}\nPersistent=true\nAccuracySec=1min\n\n"
            "[Install]\nWantedBy=timers.target\n"
        )
    return found


def cron_block(workspace: Workspace) -> str:
    """Lines of a crontab between two marks; cron that knows no CRON_TZ takes the machine's own time zone."""
    log = shlex.quote(str(workspace.state / "schedule.log"))
    lines = [f"CRON_TZ={workspace.settings.company.time_zone}"]
    for job in jobs(workspace):
        line = f"mkdir -p {shlex.quote(str(workspace.state))} && {shlex.join(command(workspace, job))} >> {log} 2>&1"
        lines.append(f"{job.cron} {line.replace('%', chr(92) + '%')}")
    begin, end = _marks(workspace)
    return "\n".join([begin, *lines, end]) + "\n"


def install(workspace: Workspace, *, cron: bool = False, system: bool = False) -> list[str]:
    """Let the runs begin by themselves; what was installed before for this workspace is replaced.

    Parameters
    ----------
    workspace : Workspace
    cron : bool
        In this user's crontab instead of systemd.
    system : bool
        As services of the machine instead of this user's; for root only.

    Returns
    -------
    list of str
        What was done, and what is left to do.

    Raises
    ------
    RunError
        When nothing is scheduled, the path cannot be written into a unit, there is no crontab, or the machine's
        services are not this user's to change.
    """
    if not jobs(workspace):
        raise RunError("Nothing is scheduled", where="spm.toml [schedule]", remedy="Set daily or weekly.")
    if any(ord(letter) < 32 for letter in str(workspace.root)):
        raise RunError("The workspace's path cannot be scheduled", where=repr(str(workspace.root)),
                       remedy="Move it to a folder without control characters in its name.")  # fmt: skip
    if cron:
        now = _crontab()  # before anything is taken away
        said = [line for line in remove(workspace, quiet=True) if "crontab" not in line]
        rest = _without(workspace, now)
        _set_crontab(rest + ("" if rest.endswith("\n") or not rest else "\n") + cron_block(workspace))
        return [*said, "Lines were put into the crontab of this user (crontab -l shows them).", *_other_zone(workspace)]
    said = remove(workspace, system=system, quiet=True)
    folder = _folder(system)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in units(workspace).items():
        (folder / name).write_text(text, encoding="utf-8")
        said.append(f"wrote {folder / name}")
    timers = [name for name in units(workspace) if name.endswith(".timer")]
    control = ["systemctl", *([] if system else ["--user"])]
    if _answers(control):
        _do([*control, "daemon-reload"])
        _do([*control, "enable", "--now", *timers])
        said.append("enabled: " + ", ".join(timers))
    else:
        line = shlex.join([*control, "enable", "--now", *timers])
        said.append(f"systemd does not answer here. Where it does: {line}")
    if not system:
        said.append("Runs begin without you being logged in only after: loginctl enable-linger")
    return said


def remove(workspace: Workspace, *, system: bool = False, quiet: bool = False) -> list[str]:
    """Take away exactly what :func:`install` wrote for this workspace, from systemd and from the crontab."""
    if system and os.geteuid() != 0:
        raise RunError("Services of the machine belong to root", where=str(_SYSTEM_FOLDER),
                       remedy="As root, or without --system as services of this user.")  # fmt: skip
    folder, said = _folder(system), []
    ours = sorted(folder.glob(f"{_name(workspace)}-*")) if folder.is_dir() else []
    control = ["systemctl", *([] if system else ["--user"])]
    if ours and _answers(control):
        _do([*control, "disable", "--now", *(path.name for path in ours if path.suffix == ".timer")])
    for path in ours:
        path.unlink()
        (folder / "timers.target.wants" / path.name).unlink(missing_ok=True)  # where systemd was not there to do it
        said.append(f"removed {path}")
    if ours and _answers(control):
        _do([*control, "daemon-reload"])
    if shutil.which("crontab") and (now := _crontab()) != (rest := _without(workspace, now)):
        _set_crontab(rest)
        said.append("Lines were taken out of the crontab of this user.")
    return said if said or quiet else ["Nothing of this workspace was installed."]


def installed(workspace: Workspace) -> list[str]:
    """Where this workspace's runs are scheduled now: units and crontab."""
    found = [str(path) for folder in (_folder(False), _SYSTEM_FOLDER) if folder.is_dir()
             for path in sorted(folder.glob(f"{_name(workspace)}-*.timer"))]  # fmt: skip
    if shutil.which("crontab") and (now := _crontab()) != _without(workspace, now):
        found.append("crontab of this user")
    return found


def _name(workspace: Workspace) -> str:
    """Of this workspace's units: readable, and different for each folder."""
    slug = re.sub(r"[^a-z0-9]+", "-", workspace.root.name.lower()).strip("-")[:30] or "workspace"
    return f"spm-{slug}-{hashlib.sha256(os.fsencode(workspace.root)).hexdigest()[:8]}"


def _word(word: str) -> str:
    """A word of ``ExecStart``: systemd expands %, $ and escapes, and splits at blanks."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if re.search(r"[^\w@%+=:,./-]", word) else safe


def _path(path: Path) -> str:
    return str(path).replace("%", "%%")


def _plain(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\\]", " ", text).replace("%", "%%").strip()[:80]


def _folder(system: bool) -> Path:
    if system:
        return _SYSTEM_FOLDER
    base = os.environ.get("XDG_CONFIG_HOME")
    return Path(base) / "systemd/user" if base else Path.home() / _UNIT_FOLDER


def _answers(control: list[str]) -> bool:
    """Whether systemd runs here and talks to this user."""
    if not shutil.which("systemctl"):
        return False
    asked = subprocess.run([*control, "is-system-running"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() in ("running", "degraded", "starting")


def _do(line: list[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError("systemd refused", where=shlex.join(line), found=done.stderr.strip()[:300],
                       remedy="Type that line to see more.")  # fmt: skip


def _marks(workspace: Workspace) -> tuple[str, str]:
    return f"# {_name(workspace)}: begin (spm schedule)", f"# {_name(workspace)}: end"


def _crontab() -> str:
    if not shutil.which("crontab"):
        raise RunError("There is no crontab on this machine", where="crontab",
                       remedy="As root: apt-get install cron. The lines: spm schedule show --text")  # fmt: skip
    told = subprocess.run(
        ["crontab", "-l"], capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"}
    )
    if told.returncode and not _NO_LINES.search(told.stderr):  # whoever takes it for empty writes over what is there
        raise RunError("The crontab could not be read", where="crontab -l", found=told.stderr.strip()[:300],
                       remedy="Type that line to see more; nothing was changed.")  # fmt: skip
    return "" if told.returncode else told.stdout


def _set_crontab(text: str) -> None:
    done = subprocess.run(["crontab", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError("The crontab could not be written", where="crontab -", found=done.stderr.strip()[:300],
                       remedy="`spm schedule show --text` prints the lines.")  # fmt: skip


def _other_zone(workspace: Workspace) -> list[str]:
    """A warning where the machine's clock is not the company's."""
    zone, now = workspace.settings.company.time_zone, datetime.now().astimezone()
    if now.utcoffset() == now.astimezone(ZoneInfo(zone)).utcoffset():
        return []
    return [f"This machine's clock is not that of {zone}. Debian's cron knows no CRON_TZ (cronie does) and takes the "
            "times as the machine's own: use systemd timers there, or set the machine's time zone."]  # fmt: skip


def _without(workspace: Workspace, text: str) -> str:
    """A crontab without the lines of this workspace."""
    begin, end = map(re.escape, _marks(workspace))
    return re.sub(rf"^{begin}\n.*?^{end}\n", "", text, flags=re.MULTILINE | re.DOTALL)
