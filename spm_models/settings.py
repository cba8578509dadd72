"""What a company may say in ``spm.toml``: every section, its defaults, and what is checked at once."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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


class Proxy(_Section):
    """An authenticating proxy in front of the pages; without a header nobody is believed."""

    header: str = ""  # that carries the token, such as X-Forwarded-Access-Token; empty: no proxy
    key_file: str = ""  # PEM file with the public key of whoever signs the tokens
    issuer: str = ""
    audience: str = ""
    claim: str = "sub"  # that names the person: an id or e-mail of reps
    sign_out: str = ""  # address of the proxy that ends its session; empty: none is offered


class Pages(_Section):
    """The page server; it listens on this machine only."""

    viewer: str = ""  # id of the person the pages are opened for; empty: nobody, and pages refuse
    role: Literal["", "rep", "manager", "executive", "analyst"] = ""  # empty: as the table reps has it
    roles: dict[str, Literal["rep", "manager", "executive", "analyst"]] = Field(default_factory=dict)  # of others
    administrators: tuple[str, ...] = ()  # who may look as somebody else
    port: int = Field(8866, ge=0, le=65535)
    host: str = ""  # name under which a TLS proxy on this machine offers the pages; empty: this machine only
    proxy: Proxy = Field(default_factory=Proxy)

    @field_validator("host")
    @classmethod
    def _host_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value):
            raise ValueError("not a plain host name such as sales.example.com")
        return value


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
