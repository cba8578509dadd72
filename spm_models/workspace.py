"""A company's folder: ``spm.toml`` with typed settings, and where everything lies."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from spm_models.errors import WorkspaceError
from spm_models.settings import Settings

FILE = "spm.toml"


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
    def accounts_db(self) -> Path:
        """Accounts and open sessions of the pages."""
        return self.state / "accounts.db"

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
        >>> settings = Settings.model_validate({"company": {"time_zone": "Europe/Istanbul"}})
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
