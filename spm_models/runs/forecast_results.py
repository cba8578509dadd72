"""What people see beside the forecast: movement, pace, bridges, what the CRM says, submissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pandas as pd

from spm_models.crm import organisation
from spm_models.database import frame
from spm_models.errors import NotEnoughDataError, RunError
from spm_models.journal import Entry
from spm_models.periods import Period
from spm_models.published.schemas import TABLES
from spm_models.revenue_forecast import Replay, RevenueForecast, RevenueForecaster, Scored, known_from
from spm_models.revenue_forecast.bridge import Expectation, forecast_bridge
from spm_models.revenue_forecast.categories import category_totals
from spm_models.revenue_forecast.deal_timing import won_within
from spm_models.revenue_forecast.features import creations
from spm_models.revenue_forecast.history import won_by_quarter
from spm_models.revenue_forecast.movement import PipelineMovement, pipeline_movement
from spm_models.revenue_forecast.pacing import pacing
from spm_models.revenue_forecast.past_knowledge import Known as PastKnown
from spm_models.revenue_forecast.published_inputs import published_inputs
from spm_models.revenue_forecast.quotas import quotas_of
from spm_models.revenue_forecast.submissions import submission_accuracy, with_actuals
from spm_models.revenue_forecast.target_bridge import TargetBridge, target_bridge
from spm_models.revenue_forecast.units import Units
from spm_models.revenue_forecast.worked import expected_deals, usual_deals, worked_deals
from spm_models.runs.known import Known
from spm_models.snapshots import outcomes, pipelines
from spm_models.writing.submissions import named

Frames = dict[str, pd.DataFrame]
#: Scores and timing of a pipeline.
Score = Callable[[pd.DataFrame], Scored]
#: From a simulation, and what was known when it was made, to the forecast that is published.
Publish = Callable[[RevenueForecast, PastKnown], RevenueForecast]
WEEK = timedelta(days=7)
_USUAL = 4  # quarters
NO_HISTORY = "No pipeline movement and no bridge from last week: the source keeps no history of its deals."


def beside_the_forecast(known: Known) -> Frames:
    """Movement of the pipeline, pace of the quarter, forecast categories: from deals alone, whatever is forecast."""
    paced = pacing(known.outcomes, known.people, as_of=known.as_of, calendar=known.calendar, quotas=known.quotas)
    categories = [
        category_totals(known.pipeline, known.outcomes, known.people, period, as_of=known.as_of)
        for period in known.periods
    ]
    return _movement(known) | target_tables([bridge for bridge in [last_quarter(known)] if bridge is not None]) | {
        "pacing": paced.table, "pacing_position": paced.position, "quota_pace": paced.to_quota,
        "forecast_categories": pd.concat(categories, ignore_index=True),
    }  # fmt: skip


def windows(known: Known) -> dict[str, date]:
    """Days from which movements are told, by name; none before the first deal."""
    first = pd.concat([known.outcomes["created_on"], known.pipeline["created_on"]]).min()
    eve = known.calendar.quarter(known.as_of).start - timedelta(days=1)
    days = {"week": known.as_of - WEEK, "four_weeks": known.as_of - 4 * WEEK, "quarter": eve}
    return {name: day for name, day in days.items() if not pd.isna(first) and day >= first.date()}


def moved_between(known: Known, from_on: date, to_on: date, period: Period | None = None) -> PipelineMovement:
    """What moved in the pipeline between any two days, for notebooks.

    Parameters
    ----------
    known : Known
    from_on, to_on : datetime.date
        Not after ``known.as_of``.
    period : Period, optional
        Only deals due in it.

    Raises
    ------
    RunError
        When a day lies after what is known.
    NotEnoughDataError
        When the source keeps no history of its deals.
    """
    if not known.tables.has_history:
        raise NotEnoughDataError(
            "The pipeline of past days is not known", where="opportunity_history",
            remedy="Export the changes of stage, amount, close date and owner; `spm doctor` says how.",
        )  # fmt: skip
    if to_on > known.as_of:
        raise RunError("The day lies after what is known", where="to_on", found=to_on.isoformat(),
                       remedy=f"Give {known.as_of.isoformat()} or an earlier day.")  # fmt: skip
    both = pipelines(known.tables, [from_on, to_on])
    opening, closing = (both[both["as_of"] == pd.Timestamp(day)] for day in (from_on, to_on))
    return pipeline_movement(
        opening, closing, outcomes(known.tables, to_on), organisation(known.tables, to_on), from_on=from_on,
        to_on=to_on, period=period,
    )  # fmt: skip


def account_names(known: Known) -> pd.Series:
    """Name of the account of each deal."""
    deals = frame(known.tables["opportunities"].select("opportunity_id", "account_id"))
    return deals.set_index("opportunity_id")["account_id"].map(known.names("accounts", "account_id"))


def usual_quarters(known: Known, period: Period) -> list[Period]:
    """The last whole quarters before a period, four at most: what is usual."""
    labels = won_by_quarter(known.outcomes, known.calendar, known.as_of).index
    past = [known.calendar.parse(str(label)) for label in labels]
    return [quarter for quarter in past if quarter.end < period.start][-_USUAL:]


def deal_groups(known: Known) -> pd.Series | None:
    """Product family of each deal, else its kind, by which the mix of deals is told; None where neither is known."""
    deals = frame(known.tables["opportunities"].select("opportunity_id", "product_id", "kind"))
    deals = deals.set_index("opportunity_id")
    if "products" in known.tables:
        products = frame(known.tables["products"].select("product_id", "family")).set_index("product_id")
        families = deals["product_id"].map(products["family"])
        if families.notna().mean() > 0.5:
            return families
    return deals["kind"] if deals["kind"].notna().mean() > 0.5 else None


def last_quarter(known: Known) -> TargetBridge | None:
    """From the target of the last finished quarter to what was won; None where neither target nor past is known."""
    period = known.calendar.quarter(known.as_of + timedelta(days=1)).previous()
    quarters = usual_quarters(known, period)
    if known.quotas is None or not quarters:
        return None
    units = Units.of(known.people, known.as_of)
    targets = quotas_of(known.quotas, units, period, period.end).query("tier == 'standard'")
    deals, groups = creations(known.snapshots, known.outcomes, known.as_of), deal_groups(known)
    return target_bridge(
        worked_deals(deals, units, period, groups), usual_deals(deals, units, quarters, groups), targets, units,
        period, seed=known.seed,
    )  # fmt: skip


def target_tables(bridges: list[TargetBridge]) -> Frames:
    """Published tables of bridges from targets."""
    if not bridges:
        return {}
    steps = [
        bridge.table.assign(kind="target", period=bridge.period.label, from_on=pd.Timestamp(bridge.period.start),
                            to_on=pd.Timestamp(bridge.period.end))
        for bridge in bridges
    ]  # fmt: skip
    factors = [bridge.factors.assign(period=bridge.period.label) for bridge in bridges]
    return {
        "forecast_bridge": pd.concat(steps, ignore_index=True),
        "target_factors": pd.concat(factors, ignore_index=True),
    }


def forecasts_a_week_ago(known: Known, score: Score, publish: Publish) -> list[RevenueForecast]:
    """What today's win model would have said of the same periods a week ago, with what was known then.

    Parameters
    ----------
    known : Known
    score : callable
        Scores and timing of a pipeline, as for today's forecast.
    publish : callable
        From the simulation and what was known to the published forecast, as for today's.

    Returns
    -------
    list of RevenueForecast
        None where too little was known a week ago.
    """
    day = known.as_of - WEEK
    then = known_from(known.tables, known.as_of, known.calendar, known.snapshots, [day])(day)
    if then.pipeline.empty:
        return []
    model = RevenueForecaster(known.seed, known.draws)
    try:  # today's organisation, so that both forecasts have the same units
        model.fit(
            then.snapshots, then.outcomes, known.people, as_of=day, calendar=known.calendar, contracts=then.contracts
        )
    except NotEnoughDataError:
        return []
    said = score(then.pipeline)
    return [
        publish(model.predict(then.pipeline, period, deal_scores=said.scores, deal_timing=said.timing), then)
        for period in known.periods
    ]


def bridges(
    known: Known, before: list[RevenueForecast], after: list[RevenueForecast], timing: pd.DataFrame | None = None
) -> Frames:
    """From last week's forecasts to today's, deal by deal, and from the target to the forecast.

    Parameters
    ----------
    known : Known
    before, after : list of RevenueForecast
        Of the same periods; nothing before where too little was known.
    timing : DataFrame, optional
        ``deal_timing``: how many open deals will be lost in each period.
    """
    names, groups = account_names(known), deal_groups(known)
    deals = creations(known.snapshots, known.outcomes, known.as_of)
    steps: list[pd.DataFrame] = []
    behind: list[pd.DataFrame] = []
    targets: list[TargetBridge] = []
    for place, forecast in enumerate(after):
        now, period = Expectation.of(forecast, known.outcomes), forecast.period
        if before:
            past = Expectation.of(before[place], outcomes(known.tables, before[place].as_of))
            found = forecast_bridge(past, now, known.outcomes, forecast.units, period)
            ends = {"from_on": pd.Timestamp(found.from_on), "to_on": pd.Timestamp(found.to_on)}
            steps.append(found.table.assign(kind="change", period=period.label, by_chance=float("nan"), **ends))
            account = found.deals["opportunity_id"].map(names)
            behind.append(found.deals.assign(period=period.label, account_name=account))
        quarters = usual_quarters(known, period)
        quotas = quotas_of(known.quotas, forecast.units, period, known.as_of)
        usual = usual_deals(deals, forecast.units, quarters, groups)
        so_far = worked_deals(deals, forecast.units, period, groups)
        expected = expected_deals(
            so_far, now, usual, groups, _lost(timing, now, period), period=period, quarters=len(quarters)
        )
        standard = quotas.query("tier == 'standard'")
        targets.append(
            target_bridge(expected, usual, standard, forecast.units, period, published=now.total, seed=known.seed)
        )
    tables = target_tables(targets)
    if before:
        tables["forecast_bridge"] = pd.concat([*steps, tables["forecast_bridge"]], ignore_index=True)
        tables["forecast_bridge_deals"] = pd.concat(behind, ignore_index=True)
    return tables


def _lost(timing: pd.DataFrame | None, now: Expectation, period: Period) -> pd.Series | None:
    """Chance of each open deal to be lost in a period, where its timing is told."""
    if timing is None:
        return None
    ends = timing[["opportunity_id", "day"]].assign(won_by=timing["lost_by"])
    deals = now.deals["opportunity_id"]
    return pd.Series(won_within(ends, deals, now.as_of, period.start, period.end), index=deals.to_numpy())


def input_tables(forecasts: list[RevenueForecast]) -> Frames:
    """What the forecasts were made from, so that a page can answer what-ifs."""
    parts = [published_inputs(forecast.inputs) for forecast in forecasts if forecast.inputs is not None]
    names = parts[0] if parts else {}
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in names}


def submissions_beside(known: Known, entries: Sequence[Entry], before: datetime | None) -> pd.DataFrame:
    """Published table ``forecast_submissions``: what people said, with what came; without rows where nobody did."""
    said = named(list(entries), known.people, before)
    columns = list(TABLES["forecast_submissions"].columns)
    if said.empty:
        return pd.DataFrame(columns=columns)
    return with_actuals(said, known.outcomes, known.people, as_of=known.as_of, calendar=known.calendar)


def submission_tables(
    known: Known, entries: list[Entry], before: datetime | None, replayed: Replay | None = None
) -> Frames:
    """What people said of periods, and how good it was.

    Parameters
    ----------
    known : Known
    entries : list of Entry
        Of :func:`spm_models.writing.submissions.all_submissions`.
    before : datetime or None
        Look at the journal as it was at this instant.
    replayed : Replay, optional
        Past weeks to lay the commits of all levels beside.
    """
    judged = submissions_beside(known, entries, before)
    if judged.empty:
        return {}
    accuracy = submission_accuracy(judged, known.workspace.cutoff)
    names = judged.drop_duplicates("author").set_index("author")["author_name"]
    accuracy = accuracy.assign(author_name=accuracy["author"].map(names))
    tables = {
        "forecast_submissions": judged[list(TABLES["forecast_submissions"].columns)],
        "submission_accuracy": accuracy[list(TABLES["submission_accuracy"].columns)],
    }
    if replayed is not None:
        tables["submissions_by_level"] = replayed.with_submissions(judged, known.workspace.cutoff).submissions
    return tables


def _movement(known: Known) -> Frames:
    if not known.tables.has_history:
        return {}
    days = windows(known)
    if not days:
        return {}
    past = pipelines(known.tables, sorted(set(days.values())))
    names = account_names(known)
    tables: dict[str, list[pd.DataFrame]] = {"pipeline_movement": [], "pipeline_moves": []}
    scopes: list[Period | None] = [None, *dict.fromkeys([known.calendar.quarter(known.as_of), *known.periods])]
    for window, day in days.items():
        opening = past[past["as_of"] == pd.Timestamp(day)]
        for period in scopes:
            moved = pipeline_movement(
                opening, known.pipeline, known.outcomes, known.people, from_on=day, to_on=known.as_of, period=period
            )
            about = {"window": window, "period": "" if period is None else period.label}
            ends = {"from_on": pd.Timestamp(day), "to_on": pd.Timestamp(known.as_of)}
            tables["pipeline_movement"].append(moved.table.assign(**about, **ends))
            moves = moved.moves.assign(**about, account_name=moved.moves["opportunity_id"].map(names))
            tables["pipeline_moves"].append(moves)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items() if frames}
