"""The bridge from one forecast to the next: every deal's change has its step, and all of it adds up to the cent."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.attribution import log_mean, product_effects, shapley, whole
from spm_models.revenue_forecast.bridge import STEPS, Expectation, ForecastBridge, forecast_bridge
from spm_models.revenue_forecast.levels import cents
from spm_models.revenue_forecast.units import Units

Q1 = FiscalCalendar().quarter(date(2026, 2, 1))
PEOPLE = pd.DataFrame({"rep_id": ["a", "b", "c"], "team": ["x", "x", "y"], "manager_id": ["m", "m", "n"]})
UNITS = Units.of(PEOPLE, date(2026, 2, 8))
Row = tuple[str, int, float, float, float, str | None]


NONE = (0, 0, 0, 0)


def side(
    open_deals: list[Row], won: list[tuple[str, int, float]], extra: tuple[int, ...] = NONE,
    new: tuple[int, ...] = NONE, renewals: tuple[int, ...] = NONE, day: int = 1,
) -> Expectation:  # fmt: skip
    names = ["opportunity_id", "leaf", "win_probability", "chance", "worth", "expected_close_on"]
    deals = pd.DataFrame(open_deals, columns=names).astype({"leaf": "int64"})
    deals["expected_close_on"] = pd.to_datetime(deals["expected_close_on"])
    closed = pd.DataFrame(won, columns=["opportunity_id", "leaf", "amount"]).astype({"leaf": "int64"})
    made = Expectation(date(2026, 2, day), deals, closed, *(np.array(x) for x in (new, renewals, extra)))
    total = np.array(extra) - made.unexplained + np.array(extra)  # so that exactly `extra` is not explained
    return Expectation(made.as_of, deals, closed, made.not_yet_created, made.renewals, total)


def ended(*rows: tuple[str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["opportunity_id", "won"]).astype({"won": "bool"})


def steps_of(bridge: ForecastBridge, level: str = "company", key: str = "") -> dict[str, float]:
    mine = bridge.table[(bridge.table.level == level) & (bridge.table.key == key)].set_index("step").value
    inner = mine.drop(["before", "after"])
    assert cents(mine)[mine.index == "before"] + cents(inner).sum() == cents(mine)[mine.index == "after"]
    return {step: float(mine[step]) for step in STEPS if step in inner.index}


DUE = "2026-03-10"


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (("o", 0, 0.5, 0.4, 100.0, DUE), ("o", 0, 0.6, 0.48, 100.0, DUE), {"chance": 8.0}),
        (("o", 0, 0.5, 0.4, 100.0, DUE), ("o", 0, 0.5, 0.3, 100.0, DUE), {"time": -10.0}),
        (("o", 0, 0.5, 0.4, 100.0, DUE), ("o", 0, 0.5, 0.1, 100.0, "2026-04-10"), {"slipped": -30.0}),
        (("o", 0, 0.5, 0.1, 100.0, "2026-04-10"), ("o", 0, 0.5, 0.4, 100.0, DUE), {"pulled_in": 30.0}),
        (("o", 0, 0.5, 0.4, 100.0, DUE), ("o", 0, 0.5, 0.4, 120.0, DUE), {"amount": 8.0}),
        (("o", 0, 0.0, 0.0, 100.0, DUE), ("o", 0, 0.5, 0.4, 100.0, DUE), {"chance": 40.0}),
        (("o", 0, 0.5, 0.4, 0.0, None), ("o", 0, 0.5, 0.4, 100.0, DUE), {"amount": 40.0}),
        (None, ("o", 0, 0.5, 0.4, 100.0, DUE), {"new_deals": 40.0}),
        (("o", 0, 0.5, 0.4, 100.0, DUE), None, {"deleted": -40.0}),
    ],
)  # fmt: skip
def test_each_change_of_a_deal_has_its_step(then: Row | None, now: Row | None, expected: dict[str, float]) -> None:
    found = forecast_bridge(side([then] if then else [], []), side([now] if now else [], []), ended(), UNITS, Q1)
    assert steps_of(found) == pytest.approx(expected)
    assert len(found.deals) == 1 and found.movers().value.tolist() == pytest.approx(list(expected.values()))


def test_closing_deals() -> None:
    names = ("won", "lost", "early")
    before = side([(name, 0, 0.5, 0.4, 100.0, DUE) for name in names], [("old", 0, 70.0), ("back", 0, 30.0)])
    after = side([("back", 0, 0.5, 0.5, 30.0, DUE)], [("won", 0, 110.0), ("quick", 1, 20.0), ("old", 0, 60.0)])
    found = forecast_bridge(before, after, ended(("won", True), ("lost", False), ("early", True)), UNITS, Q1)
    assert steps_of(found) == {"won": 70.0, "new_won": 20.0, "lost": -40.0, "reopened": -15.0, "won_elsewhere": -40.0,
                               "closed_changed": -10.0}  # fmt: skip
    assert found.movers(1).opportunity_id.tolist() == ["won"]


def test_what_is_not_of_deals_has_steps_of_its_own_and_units_hand_over() -> None:
    before = side([("o", 0, 0.5, 0.4, 100.0, DUE), ("p", 1, 0.5, 0.4, 10.0, DUE)], [], new=(500, 0, 0, 0))
    after = side([("o", 1, 0.5, 0.4, 100.0, DUE), ("p", 2, 0.5, 0.4, 20.0, DUE)], [], new=(300, 100, 0, 0),
                 renewals=(0, 0, 50, 0), extra=(0, 7, 0, 0))  # fmt: skip
    found = forecast_bridge(before, after, ended(), UNITS, Q1)
    assert steps_of(found) == {"amount": 4.0, "not_yet_created": -1.0, "renewals": 0.5, "model": 0.07}
    assert steps_of(found, "rep", "a") == {"not_yet_created": -2.0, "owner_change": -40.0}
    assert steps_of(found, "rep", "b") == {"not_yet_created": 1.0, "owner_change": 36.0, "model": 0.07}
    assert steps_of(found, "team", "x") == {"not_yet_created": -1.0, "owner_change": -4.0, "model": 0.07}
    assert steps_of(found, "team", "y") == {"amount": 4.0, "renewals": 0.5, "owner_change": 4.0}


def random_side(rng: np.random.Generator, deals: range, won: list[int], day: int) -> Expectation:
    rows = [
        (f"o{n}", int(rng.integers(0, 4)), w := float(rng.choice([0.0, 0.3, 0.7])), w * float(rng.random()),
         float(rng.lognormal(5, 1)), str(rng.choice(["2026-03-01", "2026-04-01"])))
        for n in deals
    ]  # fmt: skip
    closed = [(f"o{n}", int(rng.integers(0, 4)), round(float(rng.lognormal(5, 1)), 2)) for n in won]
    extra, new, renewals = (tuple(int(x) for x in rng.integers(-50, 5000, 4)) for _ in range(3))
    return side(rows, closed, extra, new, renewals, day)


@pytest.mark.parametrize("seed", range(20))
def test_every_level_adds_up_to_the_cent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = random_side(rng, range(40), list(range(60, 70)), 1)
    after = random_side(rng, range(15, 50), [*range(10, 15), *range(50, 65)], 8)
    fate = ended(*[(f"o{n}", bool(rng.random() < 0.5)) for n in range(10)])
    found = forecast_bridge(before, after, fate, UNITS, Q1)
    wide = found.table.assign(cents=cents(found.table.value)).pivot_table(
        index=["level", "key"], columns="step", values="cents", fill_value=0, aggfunc="sum"
    )
    assert (wide.drop(columns="after").sum(axis=1) == wide["after"]).all()
    assert wide["after"].groupby("level").sum().nunique() == 1 and wide["after"]["company"].item() == after.total.sum()
    own = wide.loc["company"].drop(columns=["before", "after", "not_yet_created", "renewals", "model"])
    by_step = found.deals.groupby("step").value.sum()
    assert {step: round(value * 100) for step, value in by_step.items()} == {
        step: value for step, value in own.iloc[0].items() if step in by_step.index
    }


def test_shares_add_up_and_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.lognormal(0, 1, (5, 300)), rng.lognormal(0, 1, (5, 300))
    before[rng.random(before.shape) < 0.05] = 0.0
    after[rng.random(after.shape) < 0.05] = 0.0
    change = after.prod(axis=0) - before.prod(axis=0)
    for method in (shapley, product_effects):
        assert np.allclose(method(before, after).sum(axis=0), change)
        assert np.allclose(method(before[::-1], after[::-1])[::-1], method(before, after))
        assert np.allclose(method(after, before), -method(before, after))
    total = rng.integers(-1000, 1000, 300)
    assert (whole(product_effects(before, after), total).sum(axis=0) == total).all()
    near = np.array([1.0, 1.0 + 1e-9])
    assert np.allclose(log_mean(near, near[::-1]), 1.0) and whole(np.zeros((3, 0)), np.zeros(0, dtype=int)).size == 0
