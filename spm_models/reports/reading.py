"""What a report reads: published results within the scope it was given, and what people wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.access import Scope, Viewer, scope, scope_from_environment
from spm_models.errors import AccessDeniedError, NotEnoughDataError, ReportError
from spm_models.journal import Journal
from spm_models.journal.people import standing
from spm_models.published import Results
from spm_models.reports.outlook import Outlook, outlook
from spm_models.translations import Translator
from spm_models.workspace import Workspace

RECORD = "SPM_RESULT"
ROOM = 280  #: letters of an answer beside a suggestion


@dataclass(frozen=True)
class Reading:
    """Published results about one unit, and the reader's language.

    Parameters
    ----------
    workspace : Workspace
    results : Results
        Narrowed to the unit.
    level, key : str
        ``rep`` or ``manager``, and the id.
    t : Translator
    """

    workspace: Workspace
    results: Results
    level: str
    key: str
    t: Translator

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self._tables(table)

    def _tables(self, name: str) -> pd.DataFrame:
        if name not in self._kept:
            self._kept[name] = self.results[name]
        return self._kept[name]

    @cached_property
    def _kept(self) -> dict[str, pd.DataFrame]:
        return {}

    @property
    def as_of(self) -> pd.Timestamp:
        """Day of the snapshot."""
        return pd.Timestamp(self.results.manifest.as_of)

    @property
    def name(self) -> str:
        """Name of the person whom the report is for."""
        people = self["reps"]
        own = people.loc[people["rep_id"] == self.key, "name"].dropna()
        led = people.loc[people["manager_id"] == self.key, "manager_name"].dropna()
        found = own if len(own) else led
        return str(found.iloc[0]) if len(found) else self.key

    @cached_property
    def periods(self) -> list[str]:
        """Labels of the periods that were forecast, in order."""
        return list(map(str, self["forecast"].sort_values("period_start")["period"].unique()))

    def outlook(self, place: int = 0) -> Outlook | None:
        """The unit's outlook on the running period (0) or the next (1); None where nothing was forecast."""
        if place >= len(self.periods):
            return None
        names = ("forecast", "forecast_draws", "quota_chances", "revenue_history", "reps")
        try:
            return outlook({name: self[name] for name in names}, self.level, self.key, self.periods[place])
        except NotEnoughDataError:
            return None

    @cached_property
    def sessions(self) -> pd.DataFrame:
        """Coaching sessions held by the day of the snapshot: from the source and from the journal, newest last."""
        parts = [self["coaching_sessions"]]
        if self._journal is not None:
            written = self._journal.coaching_sessions(before=self.workspace.cutoff(self.results.manifest.as_of))
            parts.append(written[written["held_on"] <= self.as_of])
        both = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        both = both.drop_duplicates("session_id")  # a run publishes those that the journal had then
        return both.sort_values(["held_on", "session_id"], ignore_index=True)

    def replies(self, rep_id: str) -> list[Any]:
        """What a rep answered, oldest first."""
        return self._written("reply", rep_id)

    def recognitions(self, rep_id: str) -> list[Any]:
        """What somebody thanked a rep for, oldest first; what its author took back is left out."""
        return standing(self._written("recognition", rep_id))

    def _written(self, kind: str, rep_id: str) -> list[Any]:
        if self._journal is None:
            return []
        before = self.workspace.cutoff(self.results.manifest.as_of)
        return self._journal.current(kind=kind, rep_id=rep_id, before=before)

    @cached_property
    def _journal(self) -> Journal | None:
        """The journal, where somebody has written into it."""
        return Journal(self.workspace, self.results.scope) if self.workspace.has_journal else None

    def notes(self, part: str) -> list[str]:
        """Remarks of the run about its data, forecast or coaching."""
        return [str(note) for note in self.results.manifest.notes.get(part, [])]


def begun(text: str) -> str:
    """The beginning of what somebody wrote, where there is little room."""
    return text if len(text) <= ROOM else text[:ROOM].rsplit(" ", 1)[0] + " …"


def read_rep(
    workspace: str, rep_id: str, locale: str, run_id: str, environ: Mapping[str, str] | None = None
) -> Reading:
    """Open the results of one rep, within the scope that the environment gives.

    Parameters
    ----------
    workspace : str
        Folder of the workspace.
    rep_id : str
    locale : str
        Language of the reader; empty: the company's.
    run_id : str
        Published run; empty: the current one.
    environ : mapping, optional
        Instead of this process's environment.

    Raises
    ------
    AccessDeniedError
        When the scope does not hold this rep, or there is none.
    """
    given = scope_from_environment(environ)
    if not given.allows("rep", rep_id):
        raise AccessDeniedError("This report lies outside the scope", found=rep_id)
    return _reading(workspace, Scope.of_rep(rep_id), "rep", rep_id, locale, run_id)


def read_team(
    workspace: str, manager_id: str, locale: str, run_id: str, environ: Mapping[str, str] | None = None
) -> Reading:
    """Open the results of a manager's reporting line, within the scope that the environment gives."""
    given = scope_from_environment(environ)
    people = _reading(workspace, given, "manager", manager_id, locale, run_id)["reps"]
    line = scope(Viewer(manager_id, "manager"), people)
    if not (given.whole_company or line.rep_ids - {manager_id} <= given.rep_ids) or not given.allows("rep", manager_id):
        raise AccessDeniedError("This report lies outside the scope", found=manager_id)
    allowed = Scope("line", line.rep_ids, *(_within(given, line, name) for name in ("manager_ids", "teams", "regions")))
    return _reading(workspace, allowed, "manager", manager_id, locale, run_id)


def _within(given: Scope, line: Scope, name: str) -> frozenset[str]:
    """Units whose totals both may see: a total that the outer scope withholds stays withheld."""
    units: frozenset[str] = getattr(line, name)
    return units if given.whole_company else units & getattr(given, name)


def _reading(workspace: str, allowed: Scope, level: str, key: str, locale: str, run_id: str) -> Reading:
    opened = Workspace.open(workspace or None)
    company = opened.settings.company
    t = Translator(locale or company.locale, currency=company.currency, time_zone=company.time_zone)
    return Reading(opened, Results.open(opened, scope=allowed, run_id=run_id or None), level, key, t)


def of_the_company(
    what: str, workspace: str, locale: str, environ: Mapping[str, str] | None = None
) -> tuple[Workspace, Translator]:
    """Workspace and language for a report about the whole company.

    Raises
    ------
    AccessDeniedError
        When the scope is not the whole company: such a report shows all of it.
    """
    if not scope_from_environment(environ).whole_company:
        raise AccessDeniedError(f"The {what} is about the whole company", found="a narrower scope")
    opened = Workspace.open(workspace or None)
    company = opened.settings.company
    t = Translator(locale or company.locale, currency=company.currency, time_zone=company.time_zone)
    return opened, t


def write_record(facts: dict[str, Any], environ: Mapping[str, str] | None = None) -> None:
    """Write a report's result record to the path in ``SPM_RESULT``; without it (in JupyterLab) nothing is written.

    Raises
    ------
    ReportError
        When the path cannot be written to.
    """
    path = (os.environ if environ is None else environ).get(RECORD)
    if not path:
        return
    try:
        Path(path).write_text(json.dumps(facts, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise ReportError("The result record cannot be written", where=path, found=str(error)) from error
