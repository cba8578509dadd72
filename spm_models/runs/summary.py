"""What a run did, in figures: the same for the terminal, for ``spm status --json`` and for the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Summary:
    """Outcome of a weekly run.

    Parameters
    ----------
    run_id, as_of, company, schedule : str
        Which run, which day (ISO), which company, weekly or daily.
    unchanged : bool
        True when the results were there already and nothing had to be done.
    deals, scored_by : int, str
        Open deals with a win probability, and what gave it (model or the baseline that was not beaten).
    unscored : int
        Open deals without one, because there is not enough data.
    forecast : list of dict
        One entry per period for the whole company: ``period, closed, mean, p10, p90, currency, by``.
    judged, flagged, doing_well, not_enough_data : int
        Reps by verdict.
    reports, reports_failed : int
        Reports written, and those that failed.
    failures : list of dict
        The reports that failed: ``report``, ``name``, ``error``.
    mails : dict of str to int
        Mails by what became of them: ``sent``, ``waiting``, ``held``, ``failed``, ``no_address``.
    rows, rejected, warnings : int
        Source rows read, quarantined, and kept with a warning.
    models : dict
        By question the stored version that was used: ``version``, ``pinned`` (somebody went back to it), ``as_of``.
    places : dict
        Where things lie: ``published``, ``reports``, ``index``.
    notes : list of str
        What the reader should know before he believes the rest.
    """

    run_id: str
    as_of: str
    company: str
    schedule: str = "weekly"
    unchanged: bool = False
    deals: int = 0
    scored_by: str = ""
    unscored: int = 0
    forecast: list[dict[str, Any]] = field(default_factory=list)
    judged: int = 0
    flagged: int = 0
    doing_well: int = 0
    not_enough_data: int = 0
    reports: int = 0
    reports_failed: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    mails: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    rejected: int = 0
    warnings: int = 0
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
