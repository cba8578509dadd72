"""What a run is asked to do, typed and checked before anything starts."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from spm_models.errors import RunError


class WeeklyRequest(BaseModel):
    """Parameters of the weekly run.

    Parameters
    ----------
    as_of : datetime.date, optional
        Snapshot day; without it the day on which the source was written.
    force : bool
        Work even if nothing changed.
    reports : bool
        Write the reports (otherwise results are only published).

    Examples
    --------
    >>> WeeklyRequest(as_of="2026-06-30").as_of
    datetime.date(2026, 6, 30)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date | None = None
    force: bool = False
    reports: bool = True

    @field_validator("as_of", mode="before")
    @classmethod
    def _iso_day(cls, value: object) -> object:
        if isinstance(value, datetime) or not isinstance(value, str | date | None):
            raise ValueError("give a day such as 2026-06-30")
        return value

    @classmethod
    def read(cls, **values: object) -> WeeklyRequest:
        """Build a request from untyped values.

        Raises
        ------
        RunError
            For an unknown name or a value of the wrong type.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise RunError(
                f"The run was asked for something it does not understand: {first['msg']}",
                where=".".join(str(part) for part in first["loc"]), found=first.get("input"),
                remedy="See `spm run weekly --help`.",
            ) from error  # fmt: skip
