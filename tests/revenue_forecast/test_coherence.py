"""Every level is a sum of the same draws, to the cent; nothing gets lost; nothing depends on the order of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.published import Manifest, Results, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.revenue_forecast import RevenueForecaster
from spm_models.revenue_forecast.result import PARTS, QUANTILES
from spm_models.settings import Settings
from spm_models.workspace import Workspace

LEVELS = ["region", "team", "manager", "rep"]


def cents(values: pd.Series) -> pd.Series:
    whole = (values * 100).round()
    assert np.allclose(values * 100, whole, atol=1e-3)
    return whole.astype("int64")


def test_draws_add_up_to_the_cent_over_units_and_parts(case: Any) -> None:
    draws = case.forecast.draws
    parts = [*PARTS, "total"]
    whole = draws.assign(**{part: cents(draws[part]) for part in parts})
    sums = whole.groupby(["level", "draw"])[parts].sum()
    for level in LEVELS:
        pd.testing.assert_frame_equal(sums.loc[level], sums.loc["company"])
    assert (whole[list(PARTS)].sum(axis=1) == whole.total).all() and sums.loc["company"].total.std() > 0


def test_means_add_up_to_the_cent_over_units_and_parts(case: Any) -> None:
    table = case.forecast.table.assign(mean=cents(case.forecast.table["mean"]))
    wide = table.pivot_table(index=["level", "key"], columns="part", values="mean")
    assert (wide[list(PARTS)].sum(axis=1) == wide.total).all()
    sums = wide.groupby("level").sum()
    assert all((sums.loc[level] == sums.loc["company"]).all() for level in LEVELS)


@pytest.mark.parametrize("changed", ["as drawn", "reweighted", "other totals"])
def test_published_months_quarter_and_levels_agree_to_the_cent(case: Any, tmp_path: Any, changed: str) -> None:
    forecast, rng = case.forecast, np.random.default_rng(4)
    if changed == "reweighted":
        forecast = forecast.with_draws(rng.integers(0, 400, 400)).scaled(rng.uniform(0.5, 1.5, 400))
    if changed == "other totals":
        totals = forecast.closed.sum() / 100 + rng.lognormal(13, 0.3, 400)
        forecast = forecast.rescaled(totals, "run_rate", "as told")
    workspace = Workspace(tmp_path, Settings())
    tables = {"forecast": forecast.table, "forecast_quantiles": forecast.quantile_table}
    publish(workspace, tables, Manifest("run", forecast.as_of, "d", "c"))
    read = Results.open(workspace, scope=Scope.of_company())
    found = read["forecast_quantiles"].assign(mean=lambda rows: cents(rows["mean"]))
    assert found.period.nunique() == 4 and set(found.quarter) == {forecast.period.label}
    whole = found.period == found.quarter
    wide = found[whole].set_index(["level", "key", "part"])["mean"]
    months = found[~whole].groupby(["level", "key", "part"])["mean"].sum()
    assert (months.reindex(wide.index, fill_value=0) == wide).all() and months.sum() == wide.sum() > 0
    by_level = found.groupby(["level", "period", "part"])["mean"].sum().unstack("level")
    assert by_level.eq(by_level.company, axis=0).all(axis=None), "every level, in every month"
    parts = found.pivot_table(index=["period", "level", "key"], columns="part", values="mean")
    assert (parts[list(PARTS)].sum(axis=1) == parts.total).all()
    told = read["forecast"].set_index(["level", "key", "part"])
    assert (cents(told["mean"]).reindex(wide.index) == wide).all()
    same = found[whole].set_index(["level", "key", "part"]).loc[told.index]
    assert same[["p10", "p50", "p90"]].equals(told[["p10", "p50", "p90"]])
    assert (np.diff(found[list(QUANTILES)].to_numpy(), axis=1) >= 0).all()


def test_means_are_those_of_the_draws(case: Any) -> None:
    draws = case.forecast.draws.groupby(["level", "key"]).total.mean()
    table = case.forecast.table.query("part == 'total'").set_index(["level", "key"])["mean"]
    assert np.allclose(table, draws.loc[table.index], atol=0.005 * len(case.organisation) * 3)


def test_closed_business_is_certain_and_what_was_won(case: Any, companies: Any) -> None:
    closed = case.forecast.table.query("part == 'closed'")
    assert (closed.p10 == closed.p90).all() and (closed.p10 == closed["mean"]).all()
    won = case.outcomes[case.outcomes.won & (case.outcomes.closed_on >= pd.Timestamp(companies.QUARTER.start))]
    assert len(won) > 5
    assert closed.query("level == 'company'")["mean"].item() == pytest.approx(won.amount.sum(), abs=0.01)
    by_rep = won.groupby("rep_id").amount.sum()
    own = closed.query("level == 'rep'").set_index("key")["mean"]
    assert own["r00"] == pytest.approx(by_rep.get("r00", 0.0), abs=0.01)


def test_leavers_and_unknown_owners_stay_in_the_totals(case: Any) -> None:
    mean = case.forecast.table.query("part == 'open'").set_index(["level", "key"])["mean"]
    assert "r03" not in mean.loc["rep"].index and mean["rep", "unassigned"] > 0
    assert mean["region", "unassigned"] > 0  # r05 and the deals of nobody
    nobody = RevenueForecaster(1, 300).fit(
        case.snapshots[case.snapshots.rep_id.notna()], case.outcomes, case.organisation
    )
    without = nobody.predict(case.pipeline[case.pipeline.rep_id.notna()], case.forecast.period, deal_scores=case.scores)
    kept = without.table.query("part == 'open' and level == 'company'")["mean"].item()
    assert mean["company", ""] > kept


def test_published_tables_fit_their_schemas(case: Any) -> None:
    assert len(conform(case.forecast.table, TABLES["forecast"])) > 0
    draws = conform(case.forecast.draws, TABLES["forecast_draws"])
    assert len(draws) == 400 * draws[["level", "key"]].drop_duplicates().shape[0]


def test_same_seed_same_figures_whatever_the_order_of_rows(case: Any) -> None:
    def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.sample(frac=1, random_state=3).reset_index(drop=True)

    again = RevenueForecaster(seed=5, draws=400).fit(
        shuffled(case.snapshots), shuffled(case.outcomes), shuffled(case.organisation)
    )
    forecast = again.predict(shuffled(case.pipeline), case.forecast.period, deal_scores=shuffled(case.scores))
    pd.testing.assert_frame_equal(forecast.draws, case.forecast.draws, check_exact=True)
    pd.testing.assert_frame_equal(forecast.table, case.forecast.table, check_exact=True)


def test_another_seed_gives_other_draws_and_about_the_same_mean(case: Any) -> None:
    other = RevenueForecaster(seed=6, draws=400).fit(case.snapshots, case.outcomes, case.organisation)
    forecast = other.predict(case.pipeline, case.forecast.period, deal_scores=case.scores)
    mine, theirs = case.forecast.company_total(), forecast.company_total()
    assert not np.array_equal(mine, theirs)
    assert abs(mine.mean() - theirs.mean()) < 4 * mine.std() * np.sqrt(2 / 400)


@pytest.mark.parametrize("change", [0.02, 0.1, 0.3])
def test_higher_chances_raise_the_mean(case: Any, change: float) -> None:
    raised = case.scores.assign(win_probability=(case.scores.win_probability + change).clip(upper=1.0))
    forecast = case.model.predict(case.pipeline, case.forecast.period, deal_scores=raised)
    before, after = (each.summary().loc[["closed", "open"], "mean"] for each in (case.forecast, forecast))
    assert after["open"] > before["open"] and after["closed"] == before["closed"]
