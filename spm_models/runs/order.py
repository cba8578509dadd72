"""The reports of a run: for whom, in which language, about which period, with what they may see, in which order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spm_models.access import Scope, Viewer, scope
from spm_models.published import Manifest, Results
from spm_models.published.reader import read_manifest
from spm_models.runs.cadence import EXECUTIVE, EXECUTIVE_QUARTER, REP, TEAM, TEAM_MONTH, due, periods_of
from spm_models.runs.ledger import Ledger
from spm_models.translations import LOCALES
from spm_models.workspace import Workspace

MODEL_CARD, FORECAST_ACCURACY, KPI_SCORECARD = "model_card", "forecast_accuracy", "kpi_scorecard"
WEEKLY = frozenset({REP, TEAM})
MONTHLY = frozenset({TEAM_MONTH, EXECUTIVE, EXECUTIVE_QUARTER})
COMPANY = "company"  #: whom the executive report is for where nobody is an executive
Wanted = tuple[str, str]  #: kind of report, and whom it is about


@dataclass(frozen=True)
class Order:
    """One report to be written.

    Parameters
    ----------
    report, about, name : str
        Its kind; the id and the name of the person it is for.
    locale : str
        Its language.
    scope : Scope
        What it may see.
    period : str
        Which week (ISO 8601), month or quarter it is the report of; one of a kind and person each.
    needs : frozenset of (report, about)
        What must have ended, well or not, before it is begun.
    """

    report: str
    about: str
    name: str
    locale: str
    scope: Scope
    period: str = ""
    needs: frozenset[Wanted] = frozenset()

    @property
    def wanted(self) -> Wanted:
        """Kind and person: one order of a run each."""
        return self.report, self.about

    @property
    def file(self) -> str:
        """File name without ending; safe whatever the identifier holds, and different for each person."""
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.about)[:40]
        return f"{plain}-{hashlib.sha256(self.about.encode()).hexdigest()[:8]}"

    def key(self, manifest: Manifest) -> str:
        """SHA-256 that two reports share exactly when they must be the same, byte for byte."""
        facts = [self.report, self.about, self.name, self.locale, self.period, self.scope.to_json(), manifest.run_id,
                 manifest.data_hash, manifest.code_hash, manifest.parameters]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def orders_of(workspace: Workspace, run_id: str, kinds: Collection[str] = WEEKLY) -> list[Order]:
    """One report for each rep who is in role, one digest for each manager with somebody to lead, and what else is due.

    Parameters
    ----------
    workspace : Workspace
    run_id : str
    kinds : collection of str
        Kinds of reports. ``team_monthly``: for each of these managers. ``executive_report`` and
        ``executive_quarterly``: for each executive, or one for the company where nobody has that role.

    Returns
    -------
    list of Order
        A manager's come after those of his people, so that nobody is read about before he can read it himself.
    """
    as_of = read_manifest(workspace.published_dir / "runs" / run_id).as_of
    labels = periods_of(workspace.settings, as_of)
    people = Results.open(workspace, scope=Scope.of_company(), run_id=run_id)["reps"]
    here = people[people["left_on"].isna()]
    reps = here[here["role"].isna() | (here["role"] == "rep")]
    orders = [
        Order(REP, row.rep_id, row.name, _locale(workspace, row), Scope.of_rep(row.rep_id), labels[REP])
        for row in _rows(reps) if REP in kinds
    ]  # fmt: skip
    listed = here.set_index("rep_id")
    for manager in sorted(reps["manager_id"].dropna().unique()):
        own = next(_rows(listed.loc[[manager]].reset_index()), None) if manager in listed.index else None
        led = reps[reps["manager_id"] == manager]
        first = frozenset((REP, rep) for rep in led["rep_id"]) if REP in kinds else frozenset()
        seen, name = scope(Viewer(manager, "manager"), people), str(led["manager_name"].iloc[0])
        orders += [
            Order(kind, manager, name, _locale(workspace, own), seen, labels[kind], first)
            for kind in (TEAM, TEAM_MONTH) if kind in kinds
        ]  # fmt: skip
    for kind in (EXECUTIVE, EXECUTIVE_QUARTER):
        orders += _of_the_company(workspace, here, kind, labels[kind]) if kind in kinds else []
    return orders


def due_in(workspace: Workspace, ledger: Ledger, manifest: Manifest, *, monthly: bool | None = None) -> frozenset[str]:
    """Kinds of reports that a run writes, by the schedule and by what runs of earlier days have written."""
    return due(workspace.settings, manifest.as_of, ledger.written_before(manifest.as_of), monthly=monthly)


def _of_the_company(workspace: Workspace, here: pd.DataFrame, kind: str, period: str) -> list[Order]:
    whole = Scope.of_company()
    leads = [Order(kind, row.rep_id, row.name, _locale(workspace, row), whole, period)
             for row in _rows(here[here["role"] == "executive"].sort_values("rep_id"))]  # fmt: skip
    name = workspace.settings.company.name
    return leads or [Order(kind, COMPANY, name, _locale(workspace, None), whole, period)]


def _locale(workspace: Workspace, person: object) -> str:
    """The language set for reports, else the reader's own, else the company's."""
    settings = workspace.settings
    own = getattr(person, "locale", None)
    return settings.reports.locale or (own if own in LOCALES else settings.company.locale)


def _rows(people: pd.DataFrame) -> Iterator[Any]:
    return iter(people.itertuples(index=False))
