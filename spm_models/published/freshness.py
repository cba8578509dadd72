"""How old data are, in working days of the company, and whether that is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from spm_models.periods import WEEKDAYS
from spm_models.settings import Settings

NOTE = "stale"  #: under which a manifest keeps it


@dataclass(frozen=True)
class Stale:
    """Data that are too old.

    Parameters
    ----------
    last_day : datetime.date
        The newest day that they know.
    days : int
        Working days since then.
    """

    last_day: date
    days: int

    def note(self) -> dict[str, str | int]:
        """As a manifest keeps it."""
        return {"last_day": self.last_day.isoformat(), "days": self.days}

    @classmethod
    def of_note(cls, note: object) -> Stale | None:
        """What :meth:`note` gave; None where a manifest has no such note."""
        return cls(date.fromisoformat(note["last_day"]), int(note["days"])) if isinstance(note, dict) else None


def staleness(settings: Settings, last_day: date, today: date) -> Stale | None:
    """How stale data are on a day; None while they are fresh, or where the settings say that they never are stale.

    Parameters
    ----------
    settings : Settings
        ``[freshness] max_age_days`` and the company's weekend.
    last_day : datetime.date
        The newest day that the data know.
    today : datetime.date

    Examples
    --------
    >>> two_days = Settings.model_validate({"freshness": {"max_age_days": 2}})
    >>> staleness(two_days, date(2026, 7, 3), date(2026, 7, 7)) is None  # Friday to Tuesday
    True
    >>> staleness(two_days, date(2026, 7, 3), date(2026, 7, 8))
    Stale(last_day=datetime.date(2026, 7, 3), days=3)
    """
    most = settings.freshness.max_age_days
    if most is None or today <= last_day:
        return None
    mask = [weekday not in settings.calendar.weekend for weekday in WEEKDAYS]
    days = int(np.busday_count(last_day, today, weekmask=mask))
    return Stale(last_day, days) if days > most else None


def company_day(settings: Settings) -> date:
    """Today in the company's time zone."""
    return datetime.now(ZoneInfo(settings.company.time_zone)).date()
