"""From validated tables to everything that is published: the three questions asked in turn."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from spm_models.crm import Loaded, Tables
from spm_models.crm.schemas import TABLES as CRM_TABLES
from spm_models.database import frame
from spm_models.errors import NotEnoughDataError
from spm_models.journal import Entry
from spm_models.journal.people import cause_rows
from spm_models.kpis.packs import of_company
from spm_models.pipeline_health import review
from spm_models.published import Manifest
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty
from spm_models.revenue_forecast import RevenueForecast, RevenueForecaster, Scored
from spm_models.revenue_forecast.members import members_of
from spm_models.revenue_forecast.past_knowledge import Known as PastKnown
from spm_models.runs.coaching_results import coaching_results
from spm_models.runs.console import Report as Progress
from spm_models.runs.forecast_results import (
    NO_HISTORY,
    beside_the_forecast,
    bridges,
    forecasts_a_week_ago,
    input_tables,
    submissions_beside,
)
from spm_models.runs.known import Known
from spm_models.runs.past_forecasts import past_forecasts
from spm_models.runs.people_joined import written_before
from spm_models.runs.reporting import Written
from spm_models.runs.scorecard import published_scorecards
from spm_models.runs.stored_models import WinModel, win_model
from spm_models.runs.summary import Summary
from spm_models.snapshots import pipelines
from spm_models.win_probability import DealScores
from spm_models.win_probability.trend import trend, trend_days
from spm_models.workspace import Workspace

Frames = dict[str, pd.DataFrame]
Said = tuple[Sequence[Entry], datetime | None]
NOBODY: Said = ((), None)
STEPS = ("snapshots", "win probability", "revenue forecast", "coaching", "KPIs")


@dataclass(frozen=True)
class Computed:
    """Tables to publish, the win model and the knowledge behind them, and facts that readers should know first."""

    tables: Frames
    win_model: WinModel
    known: Known
    notes: dict[str, list[str]] = field(default_factory=dict)


def compute(
    workspace: Workspace, loaded: Loaded, as_of: date, tell: Progress, said: Said = NOBODY, people: Said = NOBODY
) -> Computed:
    """Ask all questions as of a day.

    Parameters
    ----------
    workspace : Workspace
    loaded : Loaded
        What :func:`spm_models.crm.load` gave.
    as_of : datetime.date
    tell : callable
        Told ``(what, done, total)``.
    said : (entries, instant), optional
        Submissions, and the instant before which they are known: for the accuracy of people's forecasts.
    people : (entries, instant), optional
        What people wrote about coaching: what talks showed of causes, and what became of what was agreed.

    Returns
    -------
    Computed
        Tables as in :data:`spm_models.published.schemas.TABLES`.
    """

    def step(done: int) -> None:
        tell("score, forecast, review", done, len(STEPS))

    choice = of_company(workspace.settings.kpis)
    step(0)
    known = Known(workspace, loaded.tables, as_of)
    found: Frames = {"data_quality": loaded.quality.frame(), "reps": _fit(known.people, "reps")}
    step(1)
    chosen = win_model(known)
    scores, win = _win(known, chosen)
    step(2)
    forecast, forecast_notes = _forecast(known, scores, chosen)
    step(3)
    written = written_before(*people)
    coaching, coaching_notes = coaching_results(known, scores.table, cause_rows(written), written)
    step(4)
    pipeline, pipeline_notes = _pipeline(known, scores)
    found |= win | forecast | coaching | pipeline | _past(known)
    for name, table in beside_the_forecast(known).items():
        found[name] = pd.concat([found[name], table], ignore_index=True) if name in found else table
    for name in ("model_scores", "model_verdicts"):
        found[name] = pd.concat([part[name] for part in (win, forecast) if name in part], ignore_index=True)
    forecasts = past_forecasts(
        known.replayed.table, submissions_beside(known, *said), known.replayed.published, workspace.cutoff
    )
    found |= published_scorecards(known, choice, scores.table, forecasts)
    step(5)
    if not loaded.tables.has_history:
        forecast_notes = [*forecast_notes, NO_HISTORY]
    notes = {"data": _data_notes(loaded.tables), "forecast": forecast_notes, "coaching": coaching_notes,
             "pipeline": pipeline_notes}  # fmt: skip
    return Computed(found, chosen, known, notes | {"models": list(chosen.notes)})


def _win(known: Known, chosen: WinModel) -> tuple[DealScores, Frames]:
    scores = chosen.model.predict(known.pipeline)
    table = scores.table.assign(account_name=scores.table["account_id"].map(known.names("accounts", "account_id")))
    past = pipelines(known.tables, trend_days(known.as_of))
    tables = {
        "deal_scores": _fit(table, "deal_scores"), "deal_reasons": scores.reasons,
        "deal_trend": trend(chosen.model, past, known.pipeline),
    }  # fmt: skip
    if scores.timing is not None:
        tables["deal_timing"] = scores.timing.table
    return scores, tables | chosen.told


def _forecast(known: Known, scores: DealScores, chosen: WinModel) -> tuple[Frames, list[str]]:
    replayed = known.replayed
    tables = {
        "revenue_history": known.history, "forecast_replay": replayed.table, "forecast_accuracy": replayed.accuracy,
        "model_scores": replayed.scores,
    }  # fmt: skip
    try:
        model = RevenueForecaster(known.seed, known.draws).fit(
            known.snapshots, known.outcomes, known.people, as_of=known.as_of, calendar=known.calendar,
            contracts=known.contracts,
        )  # fmt: skip
    except NotEnoughDataError as error:
        return tables | {"model_verdicts": _no_forecast(error)}, [f"No forecast: {error.what}. {error.remedy}"]
    parts: dict[str, list[pd.DataFrame]] = {
        "forecast": [], "forecast_quantiles": [], "forecast_draws": [], "quota_chances": [],
    }  # fmt: skip
    notes: list[str] = []
    forecasts: list[RevenueForecast] = []
    told = scores.timing.table if scores.timing is not None else None
    timing = replayed.timing(told)
    for period in known.periods:
        plain = model.predict(known.pipeline, period, deal_scores=scores.table, deal_timing=timing)
        forecast = replayed.publish(plain, known.plain(period), known.seed)
        forecasts.append(forecast)
        parts["forecast"].append(forecast.table)
        parts["forecast_quantiles"].append(forecast.quantile_table)
        parts["forecast_draws"].append(forecast.draws)
        parts["quota_chances"].append(forecast.quota_chances(known.quotas))
        notes += [note for note in forecast.notes if note not in notes]
    tables |= {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    before = _a_week_ago(known, chosen) if known.tables.has_history else []
    tables |= bridges(known, before, forecasts, told) | input_tables(forecasts)
    return tables | {"model_verdicts": replayed.verdict}, notes


def _a_week_ago(known: Known, chosen: WinModel) -> list[RevenueForecast]:
    """Forecasts of the same periods with what was known a week ago, made and blended as today's are."""

    def score(pipeline: pd.DataFrame) -> Scored:
        scores = chosen.model.predict(pipeline, explain=False)
        return Scored(scores.table, known.replayed.timing(scores.timing.table if scores.timing is not None else None))

    def publish(forecast: RevenueForecast, then: PastKnown) -> RevenueForecast:
        plain = members_of(then, forecast.period, known.calendar)
        published: RevenueForecast = known.replayed.publish(forecast, plain, known.seed)
        return published

    return forecasts_a_week_ago(known, score, publish)


def _no_forecast(error: NotEnoughDataError) -> pd.DataFrame:
    """The verdict of a company of which nothing can be forecast yet."""
    verdict = {"question": "revenue_forecast", "published": error.code, "baseline": "", "reason": f"{error.what}."}
    return pd.DataFrame([verdict])


def _pipeline(known: Known, scores: DealScores) -> tuple[Frames, list[str]]:
    found = review(
        known.tables, known.as_of, rate=known.workspace.settings.models.false_discovery_rate, deal_scores=scores.table,
        open_deals=known.pipeline, closed=known.outcomes, people=known.people,
    )  # fmt: skip
    return found.tables, list(found.notes)


def _past(known: Known) -> Frames:
    """What reports tell of the past: deals of the last four quarters and the running one, and coaching sessions."""
    since = pd.Timestamp(known.calendar.quarter(known.as_of).start) - pd.DateOffset(years=1)
    deals = frame(known.tables["opportunities"].select("opportunity_id", "account_id"))
    names = deals.set_index("opportunity_id")["account_id"].map(known.names("accounts", "account_id"))
    closed = known.outcomes[known.outcomes["closed_on"] >= since]
    tables = {"closed_deals": _fit(closed.assign(account_name=closed["opportunity_id"].map(names)), "closed_deals")}
    if "coaching_sessions" in known.tables:
        sessions = frame(known.tables["coaching_sessions"])
        tables["coaching_sessions"] = _fit(
            sessions[sessions["held_on"] <= pd.Timestamp(known.as_of)], "coaching_sessions"
        )
    return tables


def _data_notes(tables: Tables) -> list[str]:
    return [f"missing: {name}" for name in CRM_TABLES if name not in tables]


def _fit(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns that are published, and no others."""
    return table[[column for column in TABLES[name].columns if column in table]]


def summarise(
    workspace: Workspace, manifest: Manifest, found: Frames, loaded: Loaded, models: dict[str, dict[str, Any]]
) -> Summary:  # fmt: skip
    """The figures that a terminal, ``spm status`` and the ledger show, as far as they are known before any report."""
    scored, verdicts = found["deal_scores"], found["coaching_verdicts"]["verdict"].value_counts()
    unscored = int((scored["scored_by"] == "not_enough_data").sum())
    by = scored.loc[scored["scored_by"] != "not_enough_data", "scored_by"].value_counts()
    published = {row.question: row.published for row in found["model_verdicts"].itertuples()}
    forecasts = found.get("forecast", empty(TABLES["forecast"]))
    company = forecasts[forecasts["level"] == "company"]
    closed = dict(zip(*company.loc[company["part"] == "closed", ["period", "mean"]].to_numpy().T, strict=True))
    forecast = [
        {
            "period": row["period"], "closed": float(closed[row["period"]]), "p10": float(row["p10"]),
            "mean": float(row["mean"]), "p90": float(row["p90"]), "currency": workspace.settings.company.currency,
            "by": published.get("revenue_forecast", ""),
        }
        for row in company[company["part"] == "total"].to_dict("records")
    ]  # fmt: skip
    return Summary(
        run_id=manifest.run_id,
        as_of=manifest.as_of.isoformat(),
        company=workspace.settings.company.name,
        deals=int(by.sum()),
        scored_by=", ".join(by.index),
        unscored=unscored,
        forecast=forecast,
        judged=int(verdicts.sum()),
        flagged=int(verdicts.get("coaching_suggestion", 0)),
        doing_well=int(verdicts.get("doing_well", 0)),
        not_enough_data=int(verdicts.get("not_enough_data", 0)),
        rows=loaded.quality.read,
        rejected=loaded.quality.rejected,
        warnings=loaded.quality.warnings,
        models=models,
        places={
            "published": str(workspace.published_dir / "runs" / manifest.run_id),
            "pages": f"spm pages --workspace {shlex.quote(str(workspace.root))}",
        },
        notes=[
            *(f"The table {name} was there at the last load and is missing now." for name in loaded.lost),
            *(note for part in ("models", "forecast", "coaching") for note in manifest.notes.get(part, [])),
        ],
    )


def with_reports(summary: Summary, written: Written) -> Summary:
    """The same with what became of the reports."""
    places = dict(summary.places)
    if written.index:
        places = {"published": places.pop("published"), "reports": str(written.index)} | places
    return replace(
        summary, reports=written.done, reports_failed=written.failed, places=places,
        failures=[dict(zip(("report", "name", "error"), error, strict=True)) for error in written.errors],
        notes=[*summary.notes, *written.notes],
    )  # fmt: skip
