"""What a run publishes beside the forecast: complete, adding up, within scope, the same each time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import RunError
from spm_models.journal import Journal
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform, empty
from spm_models.revenue_forecast import Replay, RevenueForecast, RevenueForecaster, Scored
from spm_models.revenue_forecast.accuracy import QUANTILES
from spm_models.revenue_forecast.blend import learn_blend
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.published_inputs import read_inputs
from spm_models.revenue_forecast.what_if import what_if
from spm_models.runs.forecast_results import (
    beside_the_forecast,
    bridges,
    forecasts_a_week_ago,
    input_tables,
    moved_between,
    submission_tables,
    windows,
)
from spm_models.runs.known import Known
from spm_models.writing.submissions import all_submissions

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-05-20"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    import shutil

    folder = tmp_path_factory.mktemp("runs") / "company"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    return Known.of(folder, DAY)


@pytest.fixture(scope="module")
def tables(known: Known) -> dict[str, pd.DataFrame]:
    return {name: conform(table, TABLES[name]) for name, table in beside_the_forecast(known).items()}


def test_movements_of_all_windows_and_periods_add_up(known: Known, tables: dict[str, pd.DataFrame]) -> None:
    movement = tables["pipeline_movement"]
    assert set(movement.window) == {"week", "four_weeks", "quarter"} == set(windows(known))
    assert set(movement.period) == {"", "2026-Q2", "2026-Q3"} and (movement.to_on == pd.Timestamp(DAY)).all()
    unit = ["window", "period", "level", "key"]
    wide = movement.assign(cents=cents(movement.amount)).pivot_table(
        index=unit, columns="step", values=["cents", "deals"], fill_value=0, aggfunc="sum"
    )
    for value in ("cents", "deals"):
        table = wide[value]
        assert (table.drop(columns="closing").sum(axis=1) == table["closing"]).all()
    company = wide["cents"].xs(("company", ""), level=("level", "key"))
    assert company.loc[("week", ""), "closing"] == cents(known.pipeline.amount).sum()


def test_any_two_days_can_be_compared(known: Known, tables: dict[str, pd.DataFrame]) -> None:
    found = moved_between(known, date(2026, 5, 13), date(2026, 5, 20), known.periods[0])
    week = tables["pipeline_movement"].query("window == 'week' and period == '2026-Q2' and level == 'company'")
    assert found.summary()["amount"].tolist() == pytest.approx(week.sort_values("place").amount.tolist())
    two_thirds = moved_between(known, date(2026, 1, 31), date(2026, 3, 31))
    assert two_thirds.table.query("step == 'won'").amount.sum() < 0
    with pytest.raises(RunError, match="after what is known"):
        moved_between(known, date(2026, 5, 13), date(2026, 6, 1))


def test_the_deals_behind_a_step_are_named(tables: dict[str, pd.DataFrame]) -> None:
    moves, movement = tables["pipeline_moves"], tables["pipeline_movement"]
    company = movement[(movement.level == "company") & ~movement.step.isin(["opening", "closing"])]
    own = moves[~moves.step.isin(["taken_over", "handed_over"])]
    by_step = own.groupby(["window", "period", "step"]).amount.agg(["sum", "size"])
    told = company.set_index(["window", "period", "step"])
    assert np.allclose(by_step["sum"], told.amount.reindex(by_step.index)) and len(by_step) == len(told)
    assert (by_step["size"] == told.moved.reindex(by_step.index)).all() and own.account_name.notna().all()


def test_a_manager_sees_his_people_and_a_rep_himself(known: Known, tables: dict[str, pd.DataFrame]) -> None:
    rep = str(known.people[known.people.role == "rep"].rep_id.iloc[0])
    mine = {name: Scope.of_rep(rep).filter(table, TABLES[name].scoped_by) for name, table in tables.items()}
    for name, table in mine.items():
        owner = table.rep_id if TABLES[name].scoped_by == "rep_id" else table.key
        assert set(owner) <= {rep}, name
    assert len(mine["pacing"]) and len(mine["pipeline_movement"])


def test_the_last_quarter_is_explained_from_its_target(known: Known, tables: dict[str, pd.DataFrame]) -> None:
    bridge = tables["forecast_bridge"]
    assert set(bridge.kind) == {"target"} and set(bridge.period) == {"2026-Q1"}
    company = bridge[bridge.level == "company"].set_index("step").value
    won = known.outcomes[known.outcomes.won & known.outcomes.closed_on.between("2026-01-01", "2026-03-31")]
    assert company["actual"] == pytest.approx(won.amount.sum())
    assert cents(company.drop("actual")).sum() == cents(company[["actual"]]).sum()
    assert set(tables["target_factors"].factor) == {"volume", "timing", "conversion", "deal_size"}


def test_submissions_stand_beside_what_came(known: Known) -> None:
    rep = str(known.people[known.people.role == "rep"].rep_id.iloc[0])
    scope = Scope.of_rep(rep)
    for day, period, commit in ((5, "2026-Q1", "100000"), (9, "2026-Q1", "90000"), (9, "2026-Q3", "70000")):
        journal = Journal(known.workspace, scope, clock=lambda day=day: datetime(2026, 1, day, tzinfo=UTC))
        journal.write("submission", rep, ("rep", rep), {"period": period, "commit": commit})
        journal.close()
    entries = all_submissions(known.workspace)
    found = {name: conform(table, TABLES[name]) for name, table in submission_tables(known, entries, None).items()}
    said = found["forecast_submissions"]
    assert said.standing.tolist() == [False, True, True] and said.actual.notna().tolist() == [True, True, False]
    assert found["submission_accuracy"].week.tolist() == list(range(1, 14))
    assert (found["submission_accuracy"].author_name == said.author_name.iloc[0]).all()
    assert submission_tables(known, entries, known.workspace.cutoff(date(2025, 12, 31))) == {}
    week = {"period": "2026-Q1", "week": 6, "as_of": pd.Timestamp("2026-02-08"), "actual": 80000.0, "level": "rep",
            "key": rep, "below": 0.5, "upto": 0.5, "mean": 85000.0, "method": "blend"}  # fmt: skip
    units = pd.DataFrame([week | dict.fromkeys(QUANTILES, 85000.0)])
    replayed = Replay(
        empty(TABLES["forecast_replay"]),
        units,
        learn_blend(pd.DataFrame(columns=["period", "week", "simulation", "spread", "actual"])),
    )
    by_level = submission_tables(known, entries, None, replayed)["submissions_by_level"]
    told = conform(by_level, TABLES["submissions_by_level"]).iloc[0]
    assert (told.level, told.week, told.submissions, told.ratio) == ("rep", 6, 1, 1.125)
    assert told.absolute_error == pytest.approx(0.125) and told.forecast_error == pytest.approx(0.0625)


@pytest.fixture(scope="module")
def forecasts(known: Known) -> tuple[list[RevenueForecast], list[RevenueForecast]]:
    """Last week's and today's, at the common win rate."""
    before = forecasts_a_week_ago(known, lambda pipeline: Scored(None), lambda forecast, then: forecast)
    model = RevenueForecaster(known.seed, known.draws)
    model.fit(
        known.snapshots, known.outcomes, known.people, as_of=known.as_of, calendar=known.calendar,
        contracts=known.contracts,
    )  # fmt: skip
    return before, [model.predict(known.pipeline, period) for period in known.periods]


def totals(forecast: RevenueForecast) -> pd.Series:
    table = forecast.table[forecast.table.part == "total"]
    return table.set_index(["level", "key"])["mean"]


def test_bridges_lead_from_one_published_forecast_to_the_next(
    known: Known, forecasts: tuple[list[RevenueForecast], list[RevenueForecast]]
) -> None:
    found = {name: conform(table, TABLES[name]) for name, table in bridges(known, *forecasts).items()}
    bridge = found["forecast_bridge"]
    assert set(bridge.kind) == {"change", "target"} and set(bridge.period) == {"2026-Q2", "2026-Q3"}
    change = bridge[bridge.kind == "change"]
    assert (change.from_on == pd.Timestamp("2026-05-13")).all() and (change.to_on == pd.Timestamp(DAY)).all()
    steps = change.assign(cents=cents(change.value)).pivot_table(
        index=["period", "level", "key"], columns="step", values="cents", fill_value=0, aggfunc="sum"
    )
    assert (steps.drop(columns="after").sum(axis=1) == steps["after"]).all()
    for before, after in zip(*forecasts, strict=True):
        mine = change[change.period == after.period.label].set_index(["level", "key"])
        for step, forecast in (("before", before), ("after", after)):
            told = mine[mine.step == step].value
            assert np.allclose(told, totals(forecast).reindex(told.index).fillna(0.0), atol=0.005)
        company = mine.loc[("company", "")].set_index("step").value
        assert abs(company.get("model", 0.0)) < 0.05 * company["after"], "little is left unexplained"
    behind = found["forecast_bridge_deals"]
    by_step = behind.groupby(["period", "step"]).value.sum()
    company_steps = change[change.level == "company"].set_index(["period", "step"]).value
    assert np.allclose(by_step, company_steps.reindex(by_step.index), atol=0.005)
    assert behind.account_name.notna().all()


def test_the_running_quarter_is_explained_from_its_target(
    known: Known, forecasts: tuple[list[RevenueForecast], list[RevenueForecast]]
) -> None:
    bridge = bridges(known, *forecasts)["forecast_bridge"]
    mine = bridge[(bridge.kind == "target") & (bridge.period == "2026-Q2")].assign(cents=lambda t: cents(t.value))
    wide = mine.pivot_table(index=["level", "key"], columns="step", values="cents", fill_value=0, aggfunc="sum")
    assert (wide.drop(columns="forecast").sum(axis=1) == wide["forecast"]).all()
    assert np.allclose(wide["forecast"] / 100, totals(forecasts[1][0]).reindex(wide.index), atol=0.005)


def test_inputs_of_all_periods_are_published(
    forecasts: tuple[list[RevenueForecast], list[RevenueForecast]],
) -> None:
    tables = {name: conform(table, TABLES[name]) for name, table in input_tables(forecasts[1]).items()}
    for forecast in forecasts[1]:
        found = what_if(read_inputs(tables, forecast.period.label), win_rate=1.2)
        assert found.difference.loc["total", "mean"] > 0
        company = forecast.table[forecast.table.level == "company"]
        assert found.beside(company).loc["total", "mean"] > company[company.part == "total"]["mean"].item()


def test_without_a_history_nothing_is_said_to_have_moved(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(known.tables), "has_history", property(lambda self: False))
    assert "pipeline_movement" not in beside_the_forecast(known)
