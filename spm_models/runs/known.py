"""What every question starts from: the state of the company's knowledge at the end of one day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import pandas as pd

from spm_models.coaching import Evidence, evidence
from spm_models.crm import Tables, load, organisation
from spm_models.database import frame
from spm_models.errors import RunError
from spm_models.kpis.working_time import quarters_until
from spm_models.periods import FiscalCalendar, Period
from spm_models.revenue_forecast import (
    Replay,
    Scored,
    known_from,
    members_of,
    replay,
    revenue_history,
    snapshot_days,
)
from spm_models.revenue_forecast.past_knowledge import KnownAt, contracts_by
from spm_models.revenue_forecast.plain_forecasts import Baseline
from spm_models.revenue_forecast.quarter_weeks import FEW_WEEKS, replayed_days, same_weeks
from spm_models.runs.early_chances import early_chances
from spm_models.runs.kept import KeptWeeks
from spm_models.runs.people_joined import people_entries, with_people
from spm_models.snapshots import moments, outcomes, pipelines
from spm_models.translations import Translator
from spm_models.win_probability import DealScores, WinProbability
from spm_models.workspace import Workspace
from spm_models.writing.overrides import known_before
from spm_models.writing.targets import target_entries, with_revisions


class Known:
    """What all questions start from: everything known at the end of ``as_of``, each part read once.

    Parameters
    ----------
    workspace : Workspace
    tables : Tables
    as_of : datetime.date
    """

    def __init__(self, workspace: Workspace, tables: Tables, as_of: date) -> None:
        self.workspace, self.tables, self.as_of = workspace, tables, as_of
        self.seed = workspace.settings.models.seed
        self.calendar = FiscalCalendar.of(workspace.settings.calendar)

    @classmethod
    def of(cls, workspace: Path | str, as_of: str = "") -> Known:
        """Open a workspace, read its source if it changed, and look at it as of a day.

        Parameters
        ----------
        workspace : Path or str
            Folder of the workspace.
        as_of : str
            A day such as ``2026-06-30``; empty: the day on which the source was written.

        Raises
        ------
        RunError
            When ``as_of`` is no day, or lies after the last day of the data.
        """
        opened = Workspace.open(workspace)
        tables = load(opened, run_id="notebook").tables
        day = _day(as_of, tables.extracted_on)
        until = known_before(opened, day, tables.extracted_on)
        joined = with_people(tables, people_entries(opened), until)
        return cls(opened, with_revisions(joined, target_entries(opened), until), day)

    @property
    def draws(self) -> int:
        """Size of the simulation, as the workspace has it."""
        return self.workspace.settings.models.draws

    @cached_property
    def translator(self) -> Translator:
        """Words and numbers for charts in English, amounts in the company's currency."""
        return Translator("en", currency=self.tables.currency, time_zone=self.tables.time_zone)

    @cached_property
    def people(self) -> pd.DataFrame:
        """The organisation on that day."""
        return organisation(self.tables, self.as_of)

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """Pipelines of month ends, quarter ends and the day itself."""
        first = self.tables["opportunities"].created_on.min().execute()
        begin = self.as_of if pd.isna(first) else pd.Timestamp(first).date()
        return pipelines(self.tables, snapshot_days(begin, self.as_of, self.calendar))

    @cached_property
    def moments(self) -> pd.DataFrame:
        """Weekly pipelines, thinned where the company is large: what win probability learns from."""
        return moments(self.tables, self.as_of)

    @cached_property
    def pipeline(self) -> pd.DataFrame:
        """Deals open at the end of the day."""
        return self.snapshots[self.snapshots.as_of == pd.Timestamp(self.as_of)]

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Deals closed by the end of the day."""
        return outcomes(self.tables, self.as_of)

    @cached_property
    def contracts(self) -> pd.DataFrame | None:
        """Contracts that had begun by the end of the day, in the company's currency."""
        return contracts_by(self.tables, self.as_of)

    @cached_property
    def periods(self) -> list[Period]:
        """The quarter that still has days to go, and the next."""
        running = self.calendar.quarter(self.as_of + timedelta(days=1))
        return [running, running.next()]

    @cached_property
    def quotas(self) -> pd.DataFrame | None:
        """The ledger of quotas in the company's currency."""
        if "quotas" not in self.tables:
            return None
        ledger = frame(self.tables["quotas"])
        return ledger.assign(amount=ledger["amount_company"])

    def learn(self, past: pd.DataFrame, decided: pd.DataFrame) -> Callable[[pd.DataFrame], Scored]:
        """Win probabilities, and by when, from what was known: the ``learn`` of :func:`.replay`.

        By the model, which gives everybody the common rate where it has learned nothing; testing it against plain rates
        once more in each past quarter would take three times as long.
        """
        model = WinProbability(self.seed, method="model").fit(past, decided, calendar=self.calendar)

        def score(pipeline: pd.DataFrame) -> Scored:
            scores: DealScores = model.predict(pipeline, explain=False)
            return Scored(scores.table, scores.timing.table if scores.timing is not None else None)

        return score

    def past(self, weeks: Sequence[int]) -> KnownAt:
        """What was known on past days, ready for these weeks of all quarters and for the day itself."""
        first = self.snapshots["as_of"].min().date() if len(self.snapshots) else self.as_of
        quarters = self.calendar.quarters(first, self.as_of)
        days = [day for _, _, day in replayed_days(quarters, weeks)]
        days += same_weeks(self.periods[0], self.as_of, self.calendar, first).values()
        ready: KnownAt = known_from(self.tables, self.as_of, self.calendar, self.snapshots, days)
        return ready

    @cached_property
    def _past(self) -> KnownAt:
        return self.past(FEW_WEEKS)

    @cached_property
    def replayed(self) -> Replay:
        """Some weeks of finished quarters, each forecast with what was known then; kept ones are not done again."""
        return replay(
            self._past, self.as_of, learn=self.learn, calendar=self.calendar, seed=self.seed,
            keep=KeptWeeks(weeks_of(self.workspace)),
        )  # fmt: skip

    def plain(self, period: Period) -> dict[str, Baseline]:
        """Plain forecasts of a period, and what its series says, as ``replayed.publish`` takes them."""
        found: dict[str, Baseline] = members_of(self._past(self.as_of), period, self.calendar)
        return found

    @cached_property
    def history(self) -> pd.DataFrame:
        """Revenue of past quarters, by unit."""
        found: pd.DataFrame = revenue_history(
            self.outcomes, self.people, as_of=self.as_of, calendar=self.calendar, quotas=self.quotas
        )
        return found

    @cached_property
    def evidence(self) -> Evidence:
        """What a coaching review looks at."""
        return evidence(
            self.tables, self.outcomes, self.people, self.as_of, calendar=self.calendar, open_pipeline=self.pipeline,
            chances=self.early_chances,
        )  # fmt: skip

    @cached_property
    def early_chances(self) -> pd.Series | None:
        """Chances of the coaching window's deals when they were new, by a model that had seen nothing of the window.

        None where too few deals were closed before it.
        """
        since = pd.Timestamp(quarters_until(self.as_of, self.calendar, 4)[0].start)
        seen = pd.concat([self.moments, self.snapshots], ignore_index=True)
        return early_chances(seen, self.outcomes, since, calendar=self.calendar, seed=self.seed)

    def names(self, table: str, key: str) -> pd.Series:
        """Names by identifier from a table of accounts or products; empty without it."""
        if table not in self.tables:
            return pd.Series(dtype="str")
        rows = frame(self.tables[table].select(key, "name"))
        return rows.set_index(key)["name"].fillna(rows.set_index(key).index.to_series())

    def __repr__(self) -> str:
        company = self.workspace.settings.company.name
        return (
            f"{company} at the end of {self.as_of}: {len(self.pipeline):,} open and {len(self.outcomes):,} closed "
            f"deals, {len(self.people):,} people"
        )


def weeks_of(workspace: Workspace) -> Path:
    """Where replayed weeks of the revenue forecast are kept."""
    return workspace.state / "backtest" / "revenue_forecast" / "weeks"


def _day(text: str, last: date) -> date:
    try:
        day = date.fromisoformat(text) if text else last
    except ValueError as error:
        raise RunError(
            "This is not a day", where="as_of", found=text, remedy="Write it like 2026-06-30, or leave it empty."
        ) from error
    if day > last:
        raise RunError(
            "The snapshot day lies after the last day of the data", where="as_of", found=text,
            remedy=f"Give {last.isoformat()} or an earlier day.",
        )  # fmt: skip
    return day
