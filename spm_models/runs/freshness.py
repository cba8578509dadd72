"""The gate that stale data do not pass, or pass with a mark."""

from __future__ import annotations

from datetime import date

from spm_models.errors import RunError
from spm_models.published.freshness import Stale, company_day, staleness
from spm_models.workspace import Workspace


def check_freshness(workspace: Workspace, last_day: date, *, today: date | None = None) -> Stale | None:
    """How stale the data are, where they are to be marked; None while they are fresh.

    Parameters
    ----------
    workspace : Workspace
    last_day : datetime.date
        The newest day that they know.
    today : datetime.date, optional
        Without it by the clock, in the company's time zone.

    Raises
    ------
    RunError
        When they are stale and the settings say that a run stops then.
    """
    settings = workspace.settings
    found = staleness(settings, last_day, today or company_day(settings))
    if found is None or settings.freshness.when_stale == "mark":
        return found
    days = f"{found.days} working day{'' if found.days == 1 else 's'}"
    raise RunError(
        f"The data are {days} old, {settings.freshness.max_age_days} are allowed", where=str(workspace.source_dir),
        found=f"newest day {last_day.isoformat()}",
        remedy="Put newer files into the source. To work with these knowingly: --as-of "
        f'{last_day.isoformat()}, or [freshness] when_stale = "mark" in spm.toml.',
    )  # fmt: skip
