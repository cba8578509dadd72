"""Days on which the pipeline is looked at, and the instants at which they end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.errors import PeriodError

DAY_SECONDS = 86_400


def cutoff(as_of: date, time_zone: str) -> datetime:
    """First instant after ``as_of`` in a time zone, as naive UTC; what is known happened before it.

    Examples
    --------
    >>> cutoff(date(2026, 6, 30), "Europe/Istanbul")
    datetime.datetime(2026, 6, 30, 21, 0)
    """
    midnight = datetime.combine(as_of + timedelta(days=1), time(), tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def month_ends(first: date, last: date) -> list[date]:
    """Last days of all calendar months that end from ``first`` to ``last``, both included.

    Examples
    --------
    >>> [str(day) for day in month_ends(date(2026, 1, 31), date(2026, 4, 29))]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """
    return [stamp.date() for stamp in pd.date_range(first, last, freq="ME")]


def plain(day: date | str) -> date:
    """A date without a time from a date, a timestamp or ISO text.

    Raises
    ------
    PeriodError
        When it is no day.
    """
    try:
        stamp = pd.Timestamp(day)
    except (ValueError, TypeError) as error:
        raise PeriodError("This is not a day", found=day, remedy="Write it as 2026-06-30.") from error
    if pd.isna(stamp):
        raise PeriodError("This is not a day", found=day, remedy="Write it as 2026-06-30.")
    return stamp.date()


def day_table(tables: Tables, days: Iterable[date | str]) -> ir.Table:
    """One row a day: ``as_of``, its ``cutoff``, its place in the fiscal quarter, and whether today's values are known.

    ``quarter_day`` is 0 on the first day of the quarter, ``days_to_quarter_end`` 0 on the last.
    """
    wanted: Sequence[date] = sorted({plain(day) for day in days})
    quarters = [tables.calendar.quarter(day) for day in wanted]
    rows: dict[str, Any] = {
        "as_of": wanted,
        "quarter_day": [float((day - q.start).days) for day, q in zip(wanted, quarters, strict=True)],
        "days_to_quarter_end": [float((q.end - day).days) for day, q in zip(wanted, quarters, strict=True)],
        "cutoff": [cutoff(day, tables.time_zone) for day in wanted],
        "extracted": [day >= tables.extracted_on for day in wanted],
    }
    kinds = {"as_of": "date", "quarter_day": "float64", "days_to_quarter_end": "float64"}
    return ibis.memtable(rows, schema=kinds | {"cutoff": "timestamp(6)", "extracted": "boolean"})


def whole_days(earlier: ir.TimestampValue, later: ir.TimestampValue) -> ir.FloatingValue:
    """Days from an instant to a cutoff: 0 on the day that the cutoff ends, 1 on the day before, and so on."""
    seconds = later.epoch_seconds() - 1 - earlier.epoch_seconds()
    return (seconds / DAY_SECONDS).floor().cast("float64")
