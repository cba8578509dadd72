"""Replays see nothing of the future, blends learn from earlier quarters only, and every level stays a sum of leaves."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.revenue_forecast import Known, Replay, members_of, replay
from spm_models.revenue_forecast.past_weeks import PastWeek
from spm_models.revenue_forecast.submissions import submissions_by_level
from spm_models.revenue_forecast.units import LEVELS

END = date(2024, 9, 30)
WEEKS = (0, 6, 12)


class Memory:
    """Replayed weeks in memory; refuses to go on after some, as if the run had been killed."""

    def __init__(self, most: int = 10**6) -> None:
        self.most = most
        self.weeks: dict[str, pd.DataFrame] = {}

    def get(self, name: str, digest: str) -> pd.DataFrame | None:
        return self.weeks.get(f"{name}-{digest}")

    def put(self, name: str, digest: str, week: pd.DataFrame) -> None:
        if len(self.weeks) == self.most:
            raise KeyboardInterrupt
        self.weeks[f"{name}-{digest}"] = week


def replayed(companies: Any, company: Any, quarters: int = 3, **more: Any) -> Replay:
    def known(day: date) -> Known:
        snapshots, outcomes, _ = company.known(day)
        return Known(day, snapshots, outcomes, company.organisation)

    learn = more.pop("learn", lambda snapshots, outcomes: companies.scores)
    return replay(known, more.pop("end", END), learn=learn, quarters=quarters, weeks=WEEKS, draws=200, **more)


@pytest.fixture(scope="module")
def result(companies: Any) -> Replay:
    return replayed(companies, companies.company(4))


def test_each_week_is_forecast_by_every_method(result: Replay) -> None:
    table = result.table
    assert set(table.period) == {"2024-Q1", "2024-Q2", "2024-Q3"} and set(table.week) == set(WEEKS)
    assert {"blend", "simulation", "last_value", "run_rate", "stage_weighted", "linearity"} <= set(table.method)
    days = table[table.period == "2024-Q1"].drop_duplicates("week").set_index("week").as_of
    assert [str(days[week].date()) for week in WEEKS] == ["2023-12-31", "2024-02-11", "2024-03-24"]
    assert np.allclose(table.error, table["mean"] - table.actual)
    assert (table.hit == table.actual.between(table.p10, table.p90)).all()
    ends = table[["p025", "p10", "p25", "p50", "p75", "p90", "p975"]].to_numpy()
    assert (np.diff(ends, axis=1) >= 0).all()
    published = {
        "forecast_replay": table, "forecast_accuracy": result.accuracy, "model_scores": result.scores,
        "model_verdicts": result.verdict,
    }  # fmt: skip
    for name, frame in published.items():
        assert len(conform(frame, TABLES[name])) == len(frame) > 0


def test_errors_fall_and_ranges_narrow_as_the_quarter_passes(result: Replay) -> None:
    ours = result.accuracy[result.accuracy.method == "blend"].set_index("week")
    assert ours.width80[0] > ours.width80[6] > ours.width80[12] > 0
    assert ours.absolute_error[12] < ours.absolute_error[0]


def test_another_future_changes_no_replayed_forecast(companies: Any, result: Replay) -> None:
    """Nor does it change a weight that an earlier quarter was blended by."""
    company = companies.company(4)
    late = company.deals.closed_on > pd.Timestamp("2024-06-30")
    other = company.deals.copy()
    other.loc[late, "won"] = ~other.won[late]
    other.loc[late, "amount"] *= 7
    other = other[other.created_on <= pd.Timestamp("2024-06-30")]
    again = replayed(companies, companies.Company(other, company.organisation))
    figures = ["period", "week", "method", "p10", "p50", "p90", "mean"]
    third = again.table.period == "2024-Q3"
    eve = again.table.week == 0
    pd.testing.assert_frame_equal(again.table[~third | eve][figures], result.table[~third | eve][figures])
    assert (again.table.actual != result.table.actual).eq(third).all()
    assert not np.allclose(again.blend.shift, result.blend.shift), "what is learned for the next quarter does change"


def test_a_killed_run_loses_the_week_at_work_only_and_ends_the_same(companies: Any, result: Replay) -> None:
    company, memory = companies.company(4), Memory(most=4)
    with pytest.raises(KeyboardInterrupt):
        replayed(companies, company, keep=memory)
    learned: list[str] = []

    def learn(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> Any:
        learned.append(str(snapshots.as_of.max().date()))
        return companies.scores

    memory.most = 100
    told: list[tuple[str, int, int]] = []
    again = replayed(companies, company, keep=memory, learn=learn, tell=lambda *step: told.append(step))
    assert again.kept == 4 and len(memory.weeks) == 9 and told[-1] == ("past weeks", 9, 9)
    assert learned == ["2024-03-31", "2024-06-30"], "of the first quarter every week was kept: nothing is learned"
    pd.testing.assert_frame_equal(again.table, result.table)
    third = replayed(companies, company, keep=memory, seed=7)
    assert third.kept == 0, "another seed is another replay"


def test_a_week_comes_back_from_its_file_as_it_was(companies: Any, tmp_path: Any) -> None:
    memory = Memory()
    replayed(companies, companies.company(4), quarters=1, keep=memory)
    week = next(iter(memory.weeks.values()))
    week.to_parquet(tmp_path / "week.parquet", index=False)
    one, other = PastWeek.from_frame(week), PastWeek.from_frame(pd.read_parquet(tmp_path / "week.parquet"))
    assert one.plain == other.plain and (one.untimed == other.untimed).all() and one.as_of == other.as_of
    assert one.untimed.shape == (200, len(one.leaves)) and one.untimed.dtype == np.int64


def midnight(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())


def test_what_people_submitted_by_then_is_judged_beside_on_every_level(result: Replay) -> None:
    units = result.units[result.units.method == "blend"].set_index(["period", "level", "key", "week"])
    keys = {level: result.units[result.units.level == level].key.iloc[0] for level in LEVELS}
    rows = [("2024-Q3", level, keys[level], day, commit) for level in LEVELS
            for day, commit in (("2024-07-03 09:00", 5e5), ("2024-09-22 18:00", 7e5))]  # fmt: skip
    rows += [("2024-Q2", "rep", keys["rep"], "2024-05-01 00:00", 1e4),
             ("2024-Q3", "team", "elsewhere", "2024-07-03 00:00", 1.0),
             ("2024-Q3", "company", "", "2024-08-12 00:00", 9e9)]  # fmt: skip
    said = pd.DataFrame(rows, columns=["period", "level", "key", "submitted_at", "commit"])
    said = said.assign(submitted_at=pd.to_datetime(said.submitted_at))
    found = result.with_submissions(said, midnight)
    stood = found.submitted.set_index(["period", "level", "key", "week"])
    for level in LEVELS:
        mine = stood.loc[("2024-Q3", level, keys[level])]
        assert mine.commit.to_dict() == {6: 5e5, 12: 7e5}, "neither before it was said nor at the very end of the day"
        beside = units.loc[("2024-Q3", level, keys[level])].loc[[6, 12]]
        assert (mine.actual == beside.actual).all() and (mine.forecast == beside["mean"]).all()
    assert "elsewhere" not in stood.index.get_level_values("key")
    people = found.table[found.table.method == "submitted"].set_index("week")
    assert people["mean"].to_dict() == {6: 5e5, 12: 7e5} and people.hit.isna().all()
    scored = found.accuracy[found.accuracy.method == "submitted"]
    assert scored.absolute_error.notna().all() and scored.coverage80.isna().all()
    rest = found.table[found.table.method != "submitted"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, result.table)
    published = {"forecast_replay": found.table, "submissions_by_level": found.submissions}
    for name, table in published.items():
        assert len(conform(table, TABLES[name])) == len(table) > 0
    again = found.with_submissions(said, midnight)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert result.submissions.empty and len(conform(result.submissions, TABLES["submissions_by_level"])) == 0


def test_ratio_bias_and_error_of_submissions_are_sums_over_results() -> None:
    stood = pd.DataFrame(
        [("q1", 3, "team", "x", 120.0, 90.0, 100.0), ("q1", 3, "team", "y", 50.0, 50.0, 50.0),
         ("q2", 3, "team", "x", 80.0, 110.0, 100.0), ("q1", 6, "team", "x", 5.0, 3.0, 0.0)],
        columns=["period", "week", "level", "key", "commit", "forecast", "actual"],
    )  # fmt: skip
    found = submissions_by_level(stood).set_index("week")
    first = found.loc[3]
    assert (first.quarters, first.submissions) == (2, 3) and first.ratio == pytest.approx(1.0)
    assert first.in_band == pytest.approx(1 / 3) and first.absolute_error == pytest.approx(40 / 250)
    assert first.bias == pytest.approx(0) and first.forecast_error == pytest.approx(20 / 250)
    assert first.noise == pytest.approx(0), "both quarters were off by 20"
    assert np.isnan(found.ratio[6]) and found.in_band[6] == 0, "of a result of nothing there is no share"


def test_levels_are_judged_by_what_each_unit_won(companies: Any, result: Replay) -> None:
    units = result.units[(result.units.method == "blend") & (result.units.week == 6)]
    sums = units.groupby(["period", "level"]).actual.sum().unstack("level")
    assert np.allclose(sums.sub(sums.company, axis=0), 0, atol=1e-4)
    assert set(result.levels.level) == set(LEVELS)
    shares = result.placement.groupby(["method", "level"]).share.sum()
    assert np.allclose(shares, 1)


def test_the_published_blend_is_coherent_and_has_the_blended_mean(case: Any, result: Replay) -> None:
    then = Known(case.model.as_of_, case.snapshots, case.outcomes, case.organisation)
    plain = members_of(then, case.forecast.period, FiscalCalendar())
    points = {name: each.point for name, each in plain.items()}
    found = result.blend.apply(case.forecast, points, seed=3)
    assert found.by == "blend" and (found.closed == case.forecast.closed).all()
    sums = found.draws.groupby(["level", "draw"]).total.sum().unstack("level")
    assert np.allclose(sums.sub(sums.company, axis=0), 0, atol=1e-4)
    means = found.table[found.table.part == "total"].groupby("level")["mean"].sum()
    assert np.allclose(means, means["company"], atol=1e-4)
    simulated, closed = float(case.forecast.company_total().mean()), float(case.forecast.closed.sum()) / 100
    wanted = result.blend.mean(6, simulated, points, closed)
    assert found.company_total().mean() == pytest.approx(wanted, rel=0.02)
    again = result.blend.apply(case.forecast, points, seed=3)
    assert again.draws.equals(found.draws)


@pytest.mark.parametrize(("end", "quarters"), [(date(2023, 3, 31), 0), (date(2023, 6, 30), 1)])
def test_young_companies_have_nothing_to_learn_from_and_still_a_forecast(
    companies: Any, case: Any, end: date, quarters: int
) -> None:
    found = replayed(companies, companies.company(4), quarters=4, end=end)
    assert found.table.period.nunique() == quarters and found.published == "blend"
    assert "not tested yet" in found.verdict.reason.iloc[0]
    assert len(found.scores) == 0 or (found.scores.n == quarters).all()
    if not quarters:
        assert found.accuracy.empty and found.levels.empty
        same = found.publish(case.forecast, {})
        assert same.company_total().mean() == case.forecast.company_total().mean()
