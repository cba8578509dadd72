"""The backtest of the revenue forecast: every week of past quarters forecast again, judged, told in a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spm_models import crm
from spm_models.crm import Loaded
from spm_models.errors import RunError
from spm_models.journal.submissions import submissions
from spm_models.published import code_hash, versions
from spm_models.revenue_forecast import Replay, replay
from spm_models.revenue_forecast.backtest_result import ForecastBacktest
from spm_models.revenue_forecast.past_weeks import DRAWS
from spm_models.revenue_forecast.quarter_weeks import WEEKS
from spm_models.runs.console import Report as Progress
from spm_models.runs.kept import KeptWeeks
from spm_models.runs.known import Known, weeks_of
from spm_models.runs.lock import lock_of
from spm_models.runs.model_card import ACCURACY, Card, write_card
from spm_models.runs.request import ForecastBacktestRequest
from spm_models.workspace import Workspace
from spm_models.writing.submissions import all_submissions

_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels")


@dataclass(frozen=True)
class ForecastSummary:
    """What a backtest of the forecast found.

    Parameters
    ----------
    company, as_of : str
        Whose data, known up to which day.
    weeks, cached : int
        Weeks replayed, and those of them that an earlier run had done.
    facts : dict
        The verdict and what was replayed.
    measures : dict
        ``<measure>.<method>.week<k>`` of the table ``forecast_accuracy``, ``coverage80.<level>``, and
        ``ratio.submitted.<level>.week<k>`` where people submitted.
    places : dict
        The report's files, and the folder of the tables.
    notes : list of str
    """

    company: str
    as_of: str
    weeks: int
    cached: int
    facts: dict[str, Any]
    measures: dict[str, float]
    places: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def folder_of(workspace: Workspace) -> Path:
    """Where backtests of the revenue forecast keep their weeks and their result."""
    return weeks_of(workspace).parent


def backtest_forecast(
    workspace: Workspace, request: ForecastBacktestRequest | None = None, *, progress: Progress | None = None
) -> ForecastSummary:
    """Replay every week of past quarters with what was known then, judge, and write the accuracy report.

    Parameters
    ----------
    workspace : Workspace
    request : ForecastBacktestRequest, optional
        How many quarters, and the language of the report.
    progress : callable, optional
        Told ``(what, done, total)``.

    Raises
    ------
    RunError
        When another run is at work.

    Notes
    -----
    A week that was replayed is kept under ``state/backtest``, named by a hash of all that was known then: a run that
    was killed loses the week at work only, and data that came later change no earlier week. The weekly run keeps the
    weeks that it replays in the same place.
    """
    request, tell = request or ForecastBacktestRequest(), progress or _quiet
    folder = folder_of(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock_of(workspace)).acquire(timeout=0):
            loaded = crm.load(workspace, run_id="backtest", progress=tell)
        with FileLock(folder / "run.lock").acquire(timeout=0):
            return _replay(workspace, loaded, request, tell)
    except Timeout as error:
        raise RunError(
            "Another run or backtest is at work in this workspace", where=str(workspace.root),
            remedy="Wait until it is done; `spm status` shows how it goes.",
        ) from error  # fmt: skip


def _replay(workspace: Workspace, loaded: Loaded, request: ForecastBacktestRequest, tell: Progress) -> ForecastSummary:
    known = Known(workspace, loaded.tables, loaded.tables.extracted_on)
    done: Replay = replay(
        known.past(WEEKS), known.as_of, learn=known.learn, calendar=known.calendar, quarters=request.quarters,
        weeks=WEEKS, seed=known.seed, keep=KeptWeeks(weeks_of(workspace)), tell=tell,
        said=submissions(all_submissions(workspace)), cutoff=workspace.cutoff,
    )  # fmt: skip
    tables = {
        "replay": done.table, "accuracy": done.accuracy, "levels": done.levels, "placement": done.placement,
        "weights": done.blend.table, "submissions": done.submissions,
    }  # fmt: skip
    found = ForecastBacktest(done.facts | _facts(known, done), tables)
    result = found.save(folder_of(workspace) / "result")
    tell("accuracy report", 0, 1)
    card: Card = write_card(workspace, ACCURACY, found.facts, request.locale)
    tell("accuracy report", 1, 1)
    places = {name: str(path) for name, path in (("report", card.html), ("pdf", card.pdf), ("tables", result)) if path}
    return ForecastSummary(
        workspace.settings.company.name, known.as_of.isoformat(), found.facts["forecasts"], done.kept, found.facts,
        _measures(done), places, [card.error] if card.error else [],
    )  # fmt: skip


def _facts(known: Known, done: Replay) -> dict[str, Any]:
    """What the report tells of the data and of how the figures were made."""
    return {
        "company": known.workspace.settings.company.name, "as_of": known.as_of.isoformat(),
        "replayed": sorted(done.table["period"].unique()), "skipped": [text.split(":")[0] for text in done.skipped],
        "forecasts": len(done.table[["period", "week"]].drop_duplicates()), "by_timing": done.by_timing,
        "draws": DRAWS, "data_hash": known.tables.data_hash, "code_hash": code_hash(), "seed": known.seed,
        "versions": {name: versions()[name] for name in ("spm-models", *_LIBRARIES)},
    }  # fmt: skip


def _measures(done: Replay) -> dict[str, float]:
    rows = done.accuracy.melt(["method", "week"], var_name="measure").dropna(subset=["value"])
    found = {
        f"{row.measure}.{row.method}.week{row.week}": float(row.value)
        for row in rows[rows["measure"] != "quarters"].itertuples()
    }
    levels = done.levels[done.levels["method"] == "blend"]
    found |= {f"coverage80.{row.level}": float(row.coverage80) for row in levels.itertuples()}
    said = done.submissions.dropna(subset=["ratio"])
    return found | {f"ratio.submitted.{row.level}.week{row.week}": float(row.ratio) for row in said.itertuples()}


def _quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
