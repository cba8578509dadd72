"""The bridge from target to actual or forecast: five factors, exact sums, nothing blamed that was as usual."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.bridge import Expectation
from spm_models.revenue_forecast.features import creations
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.target_bridge import FACTORS, TargetBridge, target_bridge
from spm_models.revenue_forecast.units import Units
from spm_models.revenue_forecast.worked import COLUMNS, expected_deals, usual_deals, worked_deals

Q1 = FiscalCalendar().quarter(date(2026, 2, 1))
PEOPLE = pd.DataFrame({"rep_id": ["a", "b", "c"], "team": ["x", "x", "y"], "manager_id": ["m", "m", "n"]})
UNITS = Units.of(PEOPLE, date(2026, 3, 31))
USUAL = pd.DataFrame(
    [(0, "new", 60.0, 30.0, 10.0, 1000.0, 120_000.0), (1, "renewal", 40.0, 30.0, 20.0, 500.0, 14_000.0)],
    columns=COLUMNS,
)
MANY = USUAL.assign(**{name: USUAL[name] * 1e6 for name in COLUMNS[2:]})  # so many that nothing is drawn anywhere


def like_usual(times: float = 1.0, **factors: float) -> pd.DataFrame:
    """The usual quarter with each factor multiplied."""
    rows = USUAL.copy()
    rows["deals"] *= times
    rows["decided"] = rows.deals * USUAL.decided / USUAL.deals * factors.get("timing", 1.0)
    rows["won"] = rows.decided * USUAL.won / USUAL.decided * factors.get("conversion", 1.0)
    rows["revenue"] = rows.won * USUAL.revenue / USUAL.won * factors.get("deal_size", 1.0)
    return rows


def target(quota: float, level: str = "company", key: str = "") -> pd.DataFrame:
    return pd.DataFrame({"level": [level], "key": [key], "quota": [quota]})


def company(bridge: TargetBridge) -> dict[str, float]:
    mine = bridge.table[bridge.table.level == "company"].set_index("step").value
    assert cents(mine.iloc[:1]).sum() + cents(mine.iloc[1:-1]).sum() == cents(mine.iloc[-1:]).sum()
    return {str(step): float(value) for step, value in mine.items() if abs(value) > 0.02}


@pytest.mark.parametrize("factor", ["timing", "conversion", "deal_size"])
@pytest.mark.parametrize("times", [0.5, 1.4])
def test_only_what_was_unusual_is_blamed(factor: str, times: float) -> None:
    found = company(target_bridge(like_usual(**{factor: times}), MANY, target(1500.0), UNITS, Q1))
    assert found == {
        "target": 1500.0,
        factor: pytest.approx(1500 * (times - 1), abs=0.02),
        "actual": pytest.approx(1500 * times),
    }


def test_a_target_above_the_usual_needs_more_deals() -> None:
    found = target_bridge(like_usual(), MANY, target(3000.0), UNITS, Q1)
    assert company(found) == {"target": 3000.0, "volume": pytest.approx(-1500, abs=0.02), "actual": 1500.0}
    volume = found.factors.query("level == 'company' and factor == 'volume'").iloc[0]
    assert volume.needed == pytest.approx(200.0) and volume.actual == 100.0
    rates = found.factors.query("level == 'company' and factor != 'volume'")
    assert np.allclose(rates.needed, rates.actual) and rates.needed.tolist() == pytest.approx([0.5, 50.0, 0.6])


def test_another_mix_is_not_called_another_win_rate() -> None:
    only_new = like_usual().iloc[:1].assign(deals=100.0, decided=50.0, won=50 / 3, revenue=5000 / 3)
    found = company(target_bridge(only_new, MANY, target(1500.0), UNITS, Q1))
    assert found == {"target": 1500.0, "mix": pytest.approx(166.67, abs=0.02), "actual": 1666.67}


@pytest.mark.parametrize(
    "zero", [["won", "revenue"], ["decided", "won", "revenue"], ["deals", "decided", "won", "revenue"]]
)
def test_nothing_won_is_explained_too(zero: list[str]) -> None:
    found = company(target_bridge(like_usual().assign(**dict.fromkeys(zero, 0.0)), MANY, target(1500.0), UNITS, Q1))
    name = {2: "conversion", 3: "timing", 4: "volume"}[len(zero)]
    assert found == {"target": 1500.0, name: pytest.approx(-1500, abs=0.02)}


def random_deals(rng: np.random.Generator, n: int) -> pd.DataFrame:
    decided = rng.random(n) < 0.6
    won = decided & (rng.random(n) < 0.4)
    revenue = np.where(won, np.round(rng.lognormal(5, 1, n), 2), 0.0)
    return pd.DataFrame({"leaf": rng.integers(0, 4, n), "group": rng.choice(["f", "g", "h"], n), "deals": 1.0,
                         "decided": decided.astype(float), "won": won.astype(float), "revenue": revenue,
                         "square": revenue**2})  # fmt: skip


@pytest.mark.parametrize("seed", range(15))
def test_every_unit_adds_up_to_the_cent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    usual, worked = random_deals(rng, 200), random_deals(rng, int(rng.integers(0, 40)))
    worked = worked[worked.group != "h"] if seed % 2 else worked.assign(group="i")
    targets = pd.concat([target(900.33), target(500.0, "team", "x"), target(400.0, "team", "y"),
                         target(250.01, "rep", "a"), target(77.0, "manager", "m"), target(10.0, "rep", "gone"),
                         target(0.0, "rep", "b")])  # fmt: skip
    published = rng.integers(0, 90_000, 4)
    for given, last in ((None, "actual"), (published, "forecast")):
        found = target_bridge(worked, usual, targets, UNITS, Q1, published=given)
        wide = found.table.assign(cents=cents(found.table.value)).pivot_table(
            index=["level", "key"], columns="step", values="cents", fill_value=0, aggfunc="sum"
        )
        assert (wide.drop(columns=last).sum(axis=1) == wide[last]).all() and len(wide) == 5
        whole_company = cents(worked.revenue).sum() if given is None else published.sum()
        assert wide.loc[("company", ""), last] == whole_company
        assert (found.table.by_chance.notna() == found.table.step.isin(FACTORS)).all()


def test_chance_alone_stays_within_its_range_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    usual = random_deals(rng, 6000)
    quota = target(float(usual.revenue.sum()) / 60)
    inside: dict[str, list[bool]] = {name: [] for name in FACTORS}
    for _ in range(120):
        pace = rng.standard_gamma(100 / 0.3) * 0.3
        table = target_bridge(random_deals(rng, int(rng.poisson(pace))), usual, quota, UNITS, Q1).table
        for row in table[table.step.isin(FACTORS)].itertuples():
            inside[str(row.step)].append(abs(row.value) <= row.by_chance)
    for name, hits in inside.items():
        assert 0.70 < np.mean(hits) < 0.90, (name, np.mean(hits))  # 80 %, three standard errors


def test_without_a_past_or_a_target_there_is_no_bridge() -> None:
    nothing = usual_deals(creations_of([]), UNITS, [], None)
    assert target_bridge(like_usual(), nothing, target(100.0), UNITS, Q1).table.empty
    assert target_bridge(like_usual(), USUAL, target(100.0)[:0], UNITS, Q1).table.empty


_OPEN = ["leaf", "chance", "win_probability", "worth", "expected_close_on"]


def creations_of(rows: list[tuple[str, str, str, float, int, float]]) -> pd.DataFrame:
    deals = pd.DataFrame(rows, columns=["opportunity_id", "rep_id", "created_on", "days", "event", "amount"])
    return deals.assign(created_on=pd.to_datetime(deals.created_on), amount=deals.amount.astype(float))


def test_worked_is_what_was_open_at_the_start_or_created_within() -> None:
    deals = creations_of([
        ("before", "a", "2025-10-01", 30, 1, 5.0), ("carried", "a", "2025-10-01", 120, 1, 7.0),
        ("open", "b", "2026-01-10", 80, 0, 0.0), ("lost", "b", "2026-01-10", 20, 2, 9.0),
        ("later", "c", "2026-03-20", 30, 1, 11.0), ("next", "c", "2026-04-02", 5, 1, 13.0),
    ])  # fmt: skip
    found = worked_deals(deals, UNITS, Q1, pd.Series({"carried": "f"})).set_index("opportunity_id")
    assert found.index.tolist() == ["carried", "open", "lost", "later"]
    assert found.decided.tolist() == [1, 0, 1, 0] and found.won.tolist() == [1, 0, 0, 0]
    assert found.revenue.tolist() == [7, 0, 0, 0] and found.group.tolist() == ["f", "all", "all", "all"]


def test_deals_to_come_are_decided_as_those_created_as_late() -> None:
    early = USUAL.assign(opened=-0.2)
    late = USUAL.assign(opened=0.6, won=USUAL.won / 2, revenue=USUAL.revenue / 2)  # two quarters of late deals
    nothing = pd.DataFrame({"opportunity_id": [], "leaf": [], "amount": []})
    none, zero = pd.DataFrame(columns=["opportunity_id", *_OPEN]).astype(float), np.zeros(4, dtype=np.int64)
    side = Expectation(date(2026, 2, 15), none, nothing, np.array([30_000, 0, 0, 0]), zero, zero)
    past = worked_deals(creations_of([]), UNITS, Q1)
    rows = expected_deals(past, side, pd.concat([early, late]), None, period=Q1, quarters=2)
    assert rows.deals.sum() == 50.0 and rows.revenue.sum() == pytest.approx(300.0)
    assert rows.won.sum() == pytest.approx(15 * 300 / 750) and rows.decided.sum() == pytest.approx(60 * 300 / 750)


def test_a_whole_company_from_its_record(companies: Any) -> None:
    made = companies.company(5)
    end = companies.QUARTER.end
    snapshots, ended, _ = made.known(end)
    units = Units.of(made.organisation, end)
    deals = creations(snapshots, ended, end)
    quarters = [FiscalCalendar().quarter(date(2024, month, 1)) for month in (1, 4, 7)]
    worked = worked_deals(deals, units, companies.QUARTER)
    found = target_bridge(worked, usual_deals(deals, units, quarters, None), target(1e6), units, companies.QUARTER)
    assert company(found)["actual"] == pytest.approx(made.actual(companies.QUARTER))


def test_a_running_period_ends_at_its_forecast() -> None:
    open_deals = pd.DataFrame(
        {"opportunity_id": ["o1", "o2"], "leaf": [0, 1], "chance": [0.2, 0.0], "win_probability": [0.4, 0.0],
         "worth": [100.0, 50.0], "expected_close_on": pd.NaT}
    )  # fmt: skip
    nothing, zero = pd.DataFrame({"opportunity_id": [], "leaf": [], "amount": []}), np.zeros(4, dtype=np.int64)
    total = np.array([8000, 100, 0, 0])
    side = Expectation(date(2026, 2, 1), open_deals, nothing, np.array([3000, 0, 0, 0]), zero, total)
    past = worked_deals(creations_of([("won", "a", "2026-01-10", 10, 1, 30.0)]), UNITS, Q1)
    rows = expected_deals(past, side, USUAL, None, period=Q1, quarters=1)
    assert rows.revenue.sum() == pytest.approx(30 + 20 + 30) and rows.decided.iloc[1:3].tolist() == [0.5, 0.0]
    told = expected_deals(past, side, USUAL, None, pd.Series({"o1": 0.7, "o3": 0.2}), period=Q1, quarters=1)
    assert told.decided.iloc[1:3].tolist() == pytest.approx([0.9, 0.0]), "what is not told stays as it was"
    coming = rows.iloc[3:]
    assert coming.won.sum() == pytest.approx(30 * 30 / 1500) and set(coming.group) == {"new", "renewal"}
    assert coming.deals.sum() == 100.0, "as many deals are created as before"
    found = company(target_bridge(rows, USUAL, target(100.0), UNITS, Q1, published=total))
    assert found["forecast"] == 81.0 and found["model"] == 1.0
