"""KPI scorecards of a workspace, for the notebook, ``spm kpis show`` and the weekly run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.access import Scope
from spm_models.kpis import LEVELS, levels
from spm_models.kpis.packs import Choice, of_company
from spm_models.kpis.scorecard import Scorecard, last_periods, level_scorecards, scorecard
from spm_models.published import Results
from spm_models.published.reader import current_run
from spm_models.reports.kpi_export import write_scorecard
from spm_models.revenue_forecast.accuracy import QUESTION
from spm_models.runs.known import Known
from spm_models.runs.model_card import SCORECARD, Card, write_card
from spm_models.runs.past_forecasts import past_forecasts
from spm_models.translations import Translator
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Scorecards:
    """Scorecards of the units asked for and of the company, over the same periods, and how they are to be told.

    Parameters
    ----------
    units, company : Scorecard
        The same one where the company was asked for.
    t : Translator
        The reader's language.
    facts : dict of str to str
        Where they come from.
    """

    units: Scorecard
    company: Scorecard
    t: Translator
    facts: dict[str, str]

    @property
    def choice(self) -> Choice:
        """Which KPIs, in which order, against which bands and targets."""
        return self.units.choice

    @property
    def last(self) -> str:
        """Label of the newest period."""
        return self.units.periods[-1].label

    def of(self, unit: str = "") -> pd.DataFrame:
        """All KPIs of one unit (the company without one) in the newest period."""
        return self._card(unit).rows(unit=unit, period=self.last)

    def everybody(self, kpi: str = "") -> pd.DataFrame:
        """One KPI (the first without one) of all units in the newest period."""
        return self.units.rows(kpi=kpi or self.units.kpis[0], period=self.last)

    def history(self, kpi: str = "", unit: str = "") -> pd.DataFrame:
        """One KPI of one unit over the periods, oldest first."""
        card = self._card(unit)
        return card.rows(kpi=kpi or card.kpis[0], unit=unit)

    def by_of(self, unit: str = "") -> tuple[str, ...]:
        """Dimensions of the rows of a unit; none of the company."""
        return self._card(unit).by

    def write(self, out: str) -> str | None:
        """Write the units' scorecard to a file (.xlsx or .csv), and say where; without a name nothing is written."""
        return str(write_scorecard(self.units, self.t, Path(out), facts=self.facts)) if out else None

    def _card(self, unit: str) -> Scorecard:
        return self.units if unit else self.company

    def __repr__(self) -> str:
        by = " and ".join(self.units.by) or "company"
        labels = [one.label for one in self.units.periods]
        return f"Scorecards by {by}: {len(self.units.kpis)} KPIs, {labels[0]} … {labels[-1]}, as of {self.units.as_of}"


def scorecards(
    known: Known, *, by: str | Sequence[str] = "team", period: str = "", grain: str = "", last: int = 1,
    names: Sequence[str] = (), locale: str = "",
) -> Scorecards:  # fmt: skip
    """Scorecards of a workspace as its company chose them.

    Parameters
    ----------
    known : Known
        Workspace, tables and day.
    by : str or sequence of str
        "company", "team", "rep" or other dimensions; several are combined.
    period, grain, last
        As of :func:`~spm_models.kpis.scorecard.last_periods`.
    names : sequence of str
        KPIs instead of the chosen ones.
    locale : str
        Language of the reader; the company's without it.

    Raises
    ------
    WorkspaceError
        When ``[kpis]`` of the workspace does not hold what it should.
    SpmError, PeriodError
        When a KPI, dimension or period does not exist, or they do not go together.
    """
    company = known.workspace.settings.company
    choice = of_company(known.workspace.settings.kpis)
    periods = last_periods(known.calendar, known.as_of, period=period, grain=grain, last=last)
    t = Translator(locale or company.locale, currency=known.tables.currency, time_zone=known.tables.time_zone)

    asked = [by] if isinstance(by, str) else list(by)
    how: Any = {"as_of": known.as_of, "choice": choice, "kpis": names, **_published(known)}
    if len(asked) == 1 and asked[0] in LEVELS:
        cards = level_scorecards(known.tables, periods, **how)
        units, whole = cards[asked[0]], cards["company"]
    else:
        units = scorecard(known.tables, periods, by=asked, **how)
        whole = scorecard(known.tables, periods, **how)
    facts = {"company": company.name, "data_hash": known.tables.data_hash}
    return Scorecards(units, whole, t, facts)


def published_scorecards(
    known: Known, choice: Choice, deal_scores: pd.DataFrame, forecasts: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """What the weekly run publishes: ``kpis`` has all KPIs of the running quarter, ``kpi_periods`` the chosen ones.

    A choice does not switch a KPI off in ``kpis``: pages, reports and goals read what they need there.
    """
    asked = {"quarter": 1} | dict(known.workspace.settings.kpis.periods)
    running = known.calendar.quarter(known.as_of).label
    parts = []
    for grain, last in asked.items():
        periods = last_periods(known.calendar, known.as_of, grain=grain, last=last)
        begin = {one.label: pd.Timestamp(one.start) for one in periods}
        names = None if grain == "quarter" else choice.kpis
        found = levels(
            known.tables, periods, as_of=known.as_of, kpis=names, targets=choice.targets, bands=choice.bands,
            deal_scores=deal_scores, past_forecasts=forecasts,
        )  # fmt: skip
        parts.append(found.assign(grain=grain, period_start=found["period"].map(begin)))
    table = pd.concat(parts, ignore_index=True)
    now = table[table["period"] == running].drop(columns=["grain", "period_start"])
    chosen = table[table["kpi"].isin(choice.kpis)]
    return {"kpis": now.reset_index(drop=True), "kpi_periods": chosen.reset_index(drop=True)}


def _published(known: Known) -> dict[str, pd.DataFrame]:
    """Published win probabilities and past forecasts, if they are of this day and these data."""
    if current_run(known.workspace) is None:
        return {}
    results = Results.open(known.workspace, scope=Scope.of_company())
    if (results.manifest.as_of, results.manifest.data_hash) != (known.as_of, known.tables.data_hash):
        return {}
    verdicts = results["model_verdicts"].set_index("question")["published"]
    method, replayed = str(verdicts.get(QUESTION, "")), results["forecast_replay"]
    forecasts = past_forecasts(replayed, results["forecast_submissions"], method, known.workspace.cutoff)
    return {"deal_scores": results["deal_scores"], "past_forecasts": forecasts}


def write_report(workspace: Workspace, locale: str = "") -> Card:
    """Run the scorecard's notebook on the published results and render it as HTML and PDF.

    Parameters
    ----------
    workspace : Workspace
    locale : str
        Language of the reader; empty: the one for reports, else the company's.

    Raises
    ------
    ReportError
        When the notebook does not run to its end.
    PublishedError
        Before the first weekly run.
    """
    manifest = Results.open(workspace, scope=Scope.of_company()).manifest
    facts = {"as_of": manifest.as_of, "data_hash": manifest.data_hash, "code_hash": manifest.code_hash,
             "seed": workspace.settings.models.seed}  # fmt: skip
    return write_card(workspace, SCORECARD, facts, locale)
