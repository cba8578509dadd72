"""A company's folder: ``spm.toml`` with typed settings, and where everything lies."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from spm_models.errors import WorkspaceError

FILE = "spm.toml"
#: One plain e-mail address: nothing that a header or a second recipient could be made of.
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_LABEL}\.)*{_LABEL}")
Locale = Literal["tr", "en", "ar"]
Grain = Literal["day", "week", "month", "quarter", "year"]
Measure = Literal["attainment", "win_rate", "deal_size", "price_kept", "follow_up", "pipeline_creation", "improvement"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


_TIME = r"([01]\d|2[0-3]):[0-5]\d"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(_Section):
    """Who the workspace is about."""

    name: str = "My company"
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    locale: Locale = "en"
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"unknown time zone {value!r}; use a name such as Europe/Istanbul")
        return value


class Calendar(_Section):
    """Fiscal year and working week."""

    fiscal_year_start_month: int = Field(1, ge=1, le=12)
    pattern: Literal["calendar", "4-4-5"] = "calendar"
    week_start: Weekday = "monday"
    weekend: tuple[Weekday, ...] = ("saturday", "sunday")


class Gate(_Section):
    """When too many rejected rows stop a run."""

    max_rejected_share: float = Field(0.05, ge=0, le=1)
    min_rows: int = Field(20, ge=0)  # smaller tables are never stopped by the share alone


class Source(_Section):
    """Where the data come from and how their text is to be read."""

    path: str = "tables"
    extracted_on: date | None = None  # empty: the latest day that occurs in the data
    encoding: str = "utf-8"
    separator: str = ","
    locale: str = "en"  # how numbers are written
    date_format: str | tuple[str, ...] = "%Y-%m-%d"  # one or several; ISO 8601 is always understood
    instant_format: str | tuple[str, ...] = "%Y-%m-%dT%H:%M:%S"
    time_zone: str | None = None  # of instants without an offset; empty: the company's


class CustomField(_Section):
    """A column of ``opportunities`` that only this company has."""

    kind: Literal["text", "number", "date", "flag"] = "text"
    known: Literal["creation", "changing"] = "changing"


class TableSource(_Section):
    """How one file becomes one table: ``columns`` maps our names to theirs."""

    file: str | None = None  # empty: <table>.csv, .parquet or .xlsx
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None
    locale: str | None = None
    date_format: str | tuple[str, ...] | None = None
    instant_format: str | tuple[str, ...] | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    defaults: dict[str, str] = Field(default_factory=dict)
    custom_fields: dict[str, CustomField] = Field(default_factory=dict)


class Stages(_Section):
    """The sales process: open stages in order, and what each stage means."""

    order: tuple[str, ...] = ()
    status: dict[str, Literal["open", "won", "lost"]] = Field(default_factory=dict)


class Models(_Section):
    """What the models may assume."""

    seed: int = 20260101
    draws: int = Field(2000, ge=200, le=100_000)
    known_at_creation: tuple[str, ...] = ()  # columns vouched for, where there is no history
    false_discovery_rate: float = Field(0.10, gt=0, lt=1)
    keep_versions: int = Field(12, ge=1)  # stored versions of a model, besides the one in use


class Reports(_Section):
    """What the weekly job writes."""

    locale: Locale | None = None  # empty: the rep's, else the company's
    pdf: bool = True
    keep_runs: int = Field(8, ge=1)
    seconds_each: float = Field(900, ge=10)  # what one notebook may take: from start to end,
    seconds_per_cell: int = Field(300, ge=5)  # for one cell,
    memory_mb_each: int = Field(2048, ge=256)  # and with all that it has started


class Kpis(_Section):
    """Which KPIs scorecards show, and what they are held against; :mod:`spm_models.kpis.packs` checks the names."""

    pack: str = ""  # empty: none
    choose: tuple[str, ...] = ()  # shown after those of the pack
    leave_out: tuple[str, ...] = ()
    bands: dict[str, tuple[float, float]] = Field(default_factory=dict)
    targets: dict[str, float] = Field(default_factory=dict)
    periods: dict[Grain, Annotated[int, Field(ge=1, le=60)]] = Field({"quarter": 5})  # what the weekly run publishes
    short_abandon_seconds: float = Field(5, ge=0, le=120)  # who hangs up sooner is counted apart
    late_after_minutes: float = Field(5, ge=0, le=240)  # who logs in within it is on time
    terms: dict[str, dict[Locale, tuple[str, ...]]] = Field(default_factory=dict)  # agreed words of transcripts


class Pages(_Section):
    """The page server; it listens on this machine only."""

    viewer: str = ""  # id of the person the pages are opened for; empty: nobody, and pages refuse
    role: Literal["", "rep", "manager", "executive", "analyst"] = ""  # empty: as the table reps has it
    port: int = Field(8866, ge=0, le=65535)


class Coaching(_Section):
    """How often manager and rep talk; what helps may be kept in the folder ``coaching`` of the workspace."""

    one_to_one_every_days: int = Field(14, ge=5, le=92)


class Team(_Section):
    """What a team shares and celebrates; all of it is off until a company turns it on."""

    leaderboard: tuple[Measure, ...] = ()  # empty: off
    badges: bool = False
    board: bool = False
    goals: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)  # a team's own, each quarter


class Mail(_Section):
    """How reports are mailed. A password never stands here: it lies in a file or in a systemd credential."""

    enabled: bool = False
    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""  # empty: no login
    password_file: str = ""  # empty: the systemd credential spm-mail-password
    sender: str = ""
    reply_to: str = ""
    manager_after_working_days: int = Field(1, ge=0, le=10)
    pages_url: str = ""
    allowed_domains: tuple[str, ...] = ()  # empty: any
    timeout_seconds: float = Field(30, ge=0.5, le=300)

    @field_validator("sender", "reply_to")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if value and not ADDRESS.fullmatch(value):
            raise ValueError("not one plain e-mail address such as reports@example.com")
        return value

    @field_validator("pages_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s<>\"'@]+", value):
            raise ValueError("not a web address such as https://sales.example.com")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Mail:
        if self.enabled and not (self.host and self.sender):
            raise ValueError("mail needs a host and a sender")
        if self.security == "none" and self.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError('security "none" is for this machine only; use "starttls" or "tls"')
        return self


class Freshness(_Section):
    """When data are too old, in working days of the company, and what happens then."""

    max_age_days: int | None = Field(None, ge=0, le=365)  # empty: never
    when_stale: Literal["stop", "mark"] = "stop"


class Schedule(_Section):
    """When runs begin, in the company's time zone, and how often each role gets its reports."""

    daily: str = "06:30"  # empty: never
    weekly: str = "monday 05:00"
    reps: Literal["weekly", "fortnightly"] = "weekly"
    managers: Literal["weekly", "fortnightly"] = "weekly"
    teams: Literal["monthly", "quarterly"] = "monthly"
    executives: tuple[Literal["monthly", "quarterly"], ...] = ("monthly", "quarterly")

    @field_validator("daily")
    @classmethod
    def _time(cls, value: str) -> str:
        if value and not re.fullmatch(_TIME, value):
            raise ValueError("give a time such as 06:30")
        return value

    @field_validator("weekly")
    @classmethod
    def _day_and_time(cls, value: str) -> str:
        if value and not re.fullmatch(rf"({'|'.join(get_args(Weekday))}) {_TIME}", value):
            raise ValueError('give a day and a time such as "monday 05:00"')
        return value


class Settings(_Section):
    """Everything in ``spm.toml``."""

    company: Company = Company()
    calendar: Calendar = Calendar()
    source: Source = Source()
    gate: Gate = Gate()
    tables: dict[str, TableSource] = Field(default_factory=dict)
    stages: Stages = Stages()
    models: Models = Models()
    reports: Reports = Reports()
    coaching: Coaching = Coaching()
    team: Team = Team()
    kpis: Kpis = Kpis()
    pages: Pages = Pages()
    freshness: Freshness = Freshness()
    schedule: Schedule = Schedule()
    mail: Mail = Mail()


@dataclass(frozen=True)
class Workspace:
    """A workspace folder and its settings.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "spm.toml").write_text('[company]\\nname = "Acme"\\n')
    >>> Workspace.open(folder).settings.company.name
    'Acme'
    """

    root: Path
    settings: Settings
    source_override: Path | None = None

    @classmethod
    def open(cls, path: Path | str | None = None, *, source: Path | str | None = None) -> Workspace:
        """Find and read a workspace: by argument, then ``SPM_WORKSPACE``, then upwards from here.

        Raises
        ------
        WorkspaceError
            When there is none, or its spm.toml does not hold what it should.
        """
        root = _find(Path(path) if path else None)
        file = root / FILE
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WorkspaceError(
                "The settings are not valid TOML", where=str(file), found=str(error),
                remedy="Mend that line; `spm init` writes a commented example.",
            ) from error  # fmt: skip
        return cls(root, _settings(raw, file), Path(source).resolve() if source else None)

    @property
    def source_dir(self) -> Path:
        """Folder of the source files."""
        return self.source_override or (self.root / self.settings.source.path).resolve()

    @property
    def state(self) -> Path:
        """Folder of everything the workbench makes; ignored by git."""
        return self.root / "state"

    @property
    def warehouse(self) -> Path:
        """DuckDB file with the validated tables."""
        return self.state / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """Published results, one folder per run and a pointer to the newest."""
        return self.state / "published"

    @property
    def models_dir(self) -> Path:
        """Stored models."""
        return self.state / "models"

    @property
    def reports_dir(self) -> Path:
        """Reports, one folder per run."""
        return self.state / "reports"

    @property
    def people_db(self) -> Path:
        """What people write: the journal's SQLite file."""
        return self.state / "people.db"

    @property
    def journal_url(self) -> str:
        """SQLAlchemy address of what people write: ``SPM_JOURNAL_URL`` where it is set, else the SQLite file.

        It holds a password where a server asks for one, so it never stands in ``spm.toml``.
        """
        return os.environ.get("SPM_JOURNAL_URL") or f"sqlite:///{self.people_db}"

    @property
    def ledger_url(self) -> str | Path:
        """Where runs are recorded: the SQLAlchemy address in ``SPM_LEDGER_URL`` where it is set, else a SQLite file."""
        return os.environ.get("SPM_LEDGER_URL") or self.state / "ledger.db"

    @property
    def has_journal(self) -> bool:
        """Whether anybody can have written anything yet."""
        return bool(os.environ.get("SPM_JOURNAL_URL")) or self.people_db.is_file()

    def cutoff(self, as_of: date) -> datetime:
        """First instant after ``as_of`` in the company's time zone, as naive UTC.

        Something is known as of a day when it happened *before* this instant.

        Examples
        --------
        >>> from datetime import date
        >>> settings = Settings(company=Company(time_zone="Europe/Istanbul"))
        >>> Workspace(Path("."), settings).cutoff(date(2026, 6, 30))
        datetime.datetime(2026, 6, 30, 21, 0)
        """
        midnight = datetime.combine(as_of + timedelta(days=1), time(), tzinfo=ZoneInfo(self.settings.company.time_zone))
        return midnight.astimezone(UTC).replace(tzinfo=None)


def _find(path: Path | None) -> Path:
    given = path or (Path(os.environ["SPM_WORKSPACE"]) if os.environ.get("SPM_WORKSPACE") else None)
    if given is not None:
        if (given / FILE).is_file():
            return given.resolve()
        raise WorkspaceError(
            "This folder is not a workspace", where=str(given), found=f"no {FILE}",
            remedy=f"Make one with `spm init {given}`.",
        )  # fmt: skip
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise WorkspaceError(
        "No workspace found", where=f"{here} and the folders above", found=f"no {FILE}",
        remedy="Give --workspace DIR, set SPM_WORKSPACE, or make one with `spm init DIR`.",
    )  # fmt: skip


def _settings(raw: dict[str, Any], file: Path) -> Settings:
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
        found = None if place.startswith("mail") else first.get("input")  # it may be a password
        raise WorkspaceError(
            f"A setting cannot be used: {first['msg']}{more}", where=f"{file} [{place}]", found=found,
            remedy="Correct or remove it; `spm init` writes a commented example of every setting.",
        ) from error  # fmt: skip
