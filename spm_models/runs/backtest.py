"""The backtest of the win probability: past months replayed one by one, judged by what came, told in a model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from spm_models import crm
from spm_models.crm import Loaded
from spm_models.crm.schemas import TABLES as CRM_TABLES
from spm_models.errors import NotEnoughDataError, RunError
from spm_models.published import code_hash, models, versions
from spm_models.runs.console import Report as Progress
from spm_models.runs.kept import code_of, keep, read_kept
from spm_models.runs.known import Known
from spm_models.runs.lock import lock_of
from spm_models.runs.model_card import WIN_CARD, Card, write_card
from spm_models.runs.request import BacktestRequest
from spm_models.snapshots import month_ends, outcomes
from spm_models.win_probability import Backtest, changed_columns, prove, score_month
from spm_models.workspace import Workspace

QUESTION = "win_probability"
DEFAULT_MONTHS = 12
#: Code that decides what a past month's scores are.
_ROOMS = ("win_probability", "inference", "evaluation", "snapshots")
_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn")


@dataclass(frozen=True)
class BacktestSummary:
    """What a backtest found.

    Parameters
    ----------
    company, as_of : str
        Whose data, known up to which day.
    months, cached : int
        Months replayed, and those of them that an earlier run had done.
    facts : dict
        As in :class:`~spm_models.win_probability.proof.Backtest`.
    measures : dict
        ``log_loss.<forecast>``, ``brier.<forecast>``, ``auc.<forecast>``, ``calibration_error.<forecast>`` …
    places : dict
        The card's files, and the folder of the tables.
    notes : list of str
    """

    company: str
    as_of: str
    months: int
    cached: int
    facts: dict[str, Any]
    measures: dict[str, float]
    places: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def folder_of(workspace: Workspace) -> Path:
    """Where backtests of the win probability keep their months and their result."""
    return workspace.state / "backtest" / QUESTION


def backtest_win(
    workspace: Workspace, request: BacktestRequest | None = None, *, progress: Progress | None = None
) -> BacktestSummary:
    """Replay past months with what was known then, judge them by what came, and write the model card.

    Parameters
    ----------
    workspace : Workspace
    request : BacktestRequest, optional
        Which months, and the language of the card.
    progress : callable, optional
        Told ``(what, done, total)``.

    Returns
    -------
    BacktestSummary

    Raises
    ------
    RunError
        When another run is at work, or there is no such month.

    Notes
    -----
    A month that was replayed is kept under ``state/backtest``, named by a hash of all that was known then: a run that
    was killed loses the month at work only, and data that came later change no earlier month.
    """
    request, tell = request or BacktestRequest(), progress or _quiet
    folder = folder_of(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    loaded = _load(workspace, tell)
    try:
        with FileLock(folder / "run.lock").acquire(timeout=0):
            return _replay(workspace, loaded, request, tell)
    except Timeout as error:
        raise RunError(
            "Another backtest is at work in this workspace", where=str(folder), remedy="Wait until it is done."
        ) from error


def _load(workspace: Workspace, tell: Progress) -> Loaded:
    """Only the load may meet a weekly run: afterwards the warehouse is read, and a newer one replaces it whole."""
    try:
        with FileLock(lock_of(workspace)).acquire(timeout=0):
            return crm.load(workspace, run_id="backtest", progress=tell)
    except Timeout as error:
        raise RunError(
            "Another run is at work in this workspace", where=str(workspace.root),
            remedy="Wait until it is done; `spm status` shows how it goes.",
        ) from error  # fmt: skip


def _replay(workspace: Workspace, loaded: Loaded, request: BacktestRequest, tell: Progress) -> BacktestSummary:
    known = Known(workspace, loaded.tables, loaded.tables.extracted_on)
    days = _days(known, request)
    months, cached = _scored(known, days, tell)
    found = _judged(known, months)
    found = Backtest(found.facts | _facts(known, loaded, days), found.tables)
    result = found.save(folder_of(workspace) / "result")
    tell("model card", 0, 1)
    card: Card = write_card(workspace, WIN_CARD, found.facts, request.locale)
    tell("model card", 1, 1)
    notes = [card.error] if card.error else []
    places = {name: str(path) for name, path in (("card", card.html), ("pdf", card.pdf), ("tables", result)) if path}
    return BacktestSummary(
        workspace.settings.company.name, known.as_of.isoformat(), len(days), cached, found.facts, _measures(found),
        places, notes,
    )  # fmt: skip


def _days(known: Known, request: BacktestRequest) -> list[date]:
    """Month ends to be replayed: before the last day of the data, after the first deal."""
    snapshots = known.snapshots
    if snapshots.empty:
        return []
    every = month_ends(snapshots["as_of"].min().date(), known.as_of)
    every = [day for day in every if day < known.as_of]
    if request.first is None:
        return every[-(request.months or DEFAULT_MONTHS) :]
    chosen = [day for day in every if day >= request.first]
    if not chosen or request.first < every[0].replace(day=1):
        raise RunError(
            "There is no such month to be replayed", where="--from", found=request.first.strftime("%Y-%m"),
            remedy=f"Give a month from {every[0]:%Y-%m} to {every[-1]:%Y-%m}." if every
            else "The data are of one month only: wait for the next.",
        )  # fmt: skip
    return chosen[: request.months] if request.months else chosen


def _scored(known: Known, days: Sequence[date], tell: Progress) -> tuple[list[pd.DataFrame], int]:
    """Scores of each month, from the kept file where everything that was known then is as it was."""
    folder = folder_of(known.workspace) / "months"
    folder.mkdir(exist_ok=True)
    found, cached = [], 0
    tell("past months", 0, len(days))
    for number, day in enumerate(days, start=1):
        past = known.snapshots[known.snapshots["as_of"] <= pd.Timestamp(day)]
        decided = outcomes(known.tables, day)
        file = folder / f"{day:%Y-%m}-{_key(past, decided, known.seed)}.parquet"
        kept = read_kept(file)
        if kept is not None:
            found.append(kept)
            cached += 1
        else:
            found.append(score_month(past, decided, day, seed=known.seed))
            keep(found[-1], file, f"{day:%Y-%m}-*")
        tell("past months", number, len(days))
    return found, cached


def _key(past: pd.DataFrame, decided: pd.DataFrame, seed: int) -> str:
    """SHA-256 of everything that decides a month's scores: what was known then, the code, the seed."""
    digest = hashlib.sha256(
        json.dumps([seed, code_of(_ROOMS), {name: versions().get(name) for name in _LIBRARIES}]).encode()
    )
    for table in (past, decided):
        digest.update(",".join(map(str, table.columns)).encode())
        digest.update(pd.util.hash_pandas_object(table.reset_index(drop=True), index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _judged(known: Known, months: list[pd.DataFrame]) -> Backtest:
    """The tables; with too little data only the facts that there are."""
    try:
        if not months:
            raise NotEnoughDataError("There is no past month to be replayed")
        found = prove(pd.concat(months, ignore_index=True), known.outcomes, known.as_of, seed=known.seed)
    except NotEnoughDataError as error:
        found = Backtest({"published": None, "baseline": None, "reason": "too_few_outcomes", "found": error.found})
    changed = changed_columns(known.snapshots, known.as_of, seed=known.seed) if len(known.pipeline) else pd.DataFrame()
    return Backtest(found.facts, found.tables | ({"columns": changed} if len(changed) else {}))


def _facts(known: Known, loaded: Loaded, days: Sequence[date]) -> dict[str, Any]:
    """What the card tells of the data and of how the figures were made."""
    stored = [version for version in models.versions(known.workspace, QUESTION) if version.current]
    tables = known.tables
    return {
        "company": known.workspace.settings.company.name, "as_of": known.as_of.isoformat(),
        "replayed": [f"{day:%Y-%m}" for day in days], "closed_deals": len(known.outcomes),
        "open_deals": len(known.pipeline), "snapshots": len(known.snapshots),
        "first_deal": known.outcomes["created_on"].min().date().isoformat() if len(known.outcomes) else None,
        "rows_read": loaded.quality.read, "rows_rejected": loaded.quality.rejected,
        "missing_tables": [name for name in CRM_TABLES if name not in tables],
        "custom_fields": sorted(name for name in map(str, known.snapshots.columns) if name.startswith("field_")),
        "version": stored[0].number if stored else None,
        "version_hash": stored[0].sha256 if stored else None,
        "data_hash": tables.data_hash, "code_hash": code_hash(), "seed": known.seed,
        "versions": {name: versions()[name] for name in ("spm-models", *_LIBRARIES)},
    }  # fmt: skip


def _measures(found: Backtest) -> dict[str, float]:
    if "scores" not in found.tables:
        return {}
    rows = found["scores"]
    return {f"{m}.{who}": float(v) for who, m, v in zip(rows["model"], rows["measure"], rows["value"], strict=True)}


def _quiet(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""
