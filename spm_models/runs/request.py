"""What a run is asked to do, typed and checked before anything starts."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from spm_models.errors import RunError


class WeeklyRequest(BaseModel):
    """Parameters of a weekly or daily run.

    Parameters
    ----------
    as_of : datetime.date, optional
        Snapshot day; without it the day on which the source was written.
    force : bool
        Work even if nothing changed.
    reports : bool
        Write the reports (otherwise results are only published).
    monthly : bool, optional
        Write the monthly reports as well; without it, when no earlier run has seen the end of the last month.
    schedule : {"weekly", "daily"}
        A daily run publishes and delivers what is due, and writes no reports.
    resume : bool
        Go on where a run of the same data, code and parameters was killed or failed; otherwise begin it anew.
    wait : float
        Minutes to wait for another run to end.
    scheduler : str
        Address of the Dask scheduler whose workers write the reports; empty: this machine does.

    Examples
    --------
    >>> WeeklyRequest(as_of="2026-06-30").as_of
    datetime.date(2026, 6, 30)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date | None = None
    force: bool = False
    reports: bool = True
    monthly: bool | None = None
    schedule: Literal["weekly", "daily"] = "weekly"
    resume: bool = True
    wait: float = Field(0, ge=0, le=24 * 60)
    scheduler: str = Field("", pattern=r"^((tcp|tls|ucx|ws|wss)://\S+)?$")

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
            raise _refused(error, "spm run weekly") from error


class ForecastBacktestRequest(BaseModel):
    """Parameters of a backtest of the revenue forecast.

    Parameters
    ----------
    quarters : int
        How many of the last finished quarters to replay.
    locale : str
        Language of the report; empty: that of the reports.

    Examples
    --------
    >>> ForecastBacktestRequest.read(quarters=4).quarters
    4
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quarters: int = Field(6, ge=1, le=40)
    locale: Literal["", "tr", "en", "ar"] = ""

    @classmethod
    def read(cls, **values: object) -> ForecastBacktestRequest:
        """Build a request from untyped values.

        Raises
        ------
        RunError
            For an unknown name or a value of the wrong type.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _refused(error, "spm backtest forecast") from error


class BacktestRequest(BaseModel):
    """Parameters of a backtest.

    Parameters
    ----------
    first : datetime.date, optional
        A day in the first month to be replayed (``2026-01`` is understood); without it the latest months.
    months : int, optional
        How many months; without it twelve, or all from ``first`` on.
    locale : str
        Language of the model card; empty: that of the reports.

    Examples
    --------
    >>> BacktestRequest.read(first="2026-01", months=3).first
    datetime.date(2026, 1, 1)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date | None = None
    months: int | None = Field(None, ge=1, le=120)
    locale: Literal["", "tr", "en", "ar"] = ""

    @field_validator("first", mode="before")
    @classmethod
    def _month(cls, value: object) -> object:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value):
            return f"{value}-01"
        if isinstance(value, date | None):
            return value
        raise ValueError("give a month such as 2026-01")

    @classmethod
    def read(cls, **values: object) -> BacktestRequest:
        """Build a request from untyped values.

        Raises
        ------
        RunError
            For an unknown name or a value of the wrong type.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _refused(error, "spm backtest win") from error


def _refused(error: ValidationError, command: str) -> RunError:
    first = error.errors()[0]
    return RunError(
        f"The run was asked for something it does not understand: {first['msg']}",
        where=".".join(str(part) for part in first["loc"]), found=first.get("input"),
        remedy=f"See `{command} --help`.",
    )  # fmt: skip
