"""Attainability, the market, the parts of a target and the talk about it, worked by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.targets import attainability, market_trend, why_this_target
from spm_models.targets.market import unit_trends
from spm_models.targets.talk import acceptance
from spm_models.targets.why import account_holders

CALENDAR = FiscalCalendar()
Q3 = CALENDAR.parse("2026-Q3")
TIERS = {"minimum": 70.0, "standard": 100.0, "maximum": 135.0}


def targets() -> pd.DataFrame:
    return pd.DataFrame([{"level": "rep", "key": "a", "tier": tier, "quota": quota} for tier, quota in TIERS.items()])


def history() -> pd.DataFrame:
    quarters = CALENDAR.quarters(date(2025, 7, 1), date(2026, 6, 30))
    rows = [
        {"level": "rep", "key": key, "period": q.label, "period_start": pd.Timestamp(q.start),
         "period_end": pd.Timestamp(q.end), "revenue": revenue, "quota": 100.0}
        for key, sold in {"a": (80.0, 90.0, 70.0, 80.0), "b": (120.0, 110.0, 130.0, 120.0)}.items()
        for q, revenue in zip(quarters, sold, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_target_against_capacity_ability_and_market() -> None:
    chances = targets().assign(period=Q3.label, probability=[0.95, 0.6, 0.05])
    parts = {"closed": 10.0, "open": 60.0, "slipped": 0.0, "renewals": 10.0, "not_yet_created": 40.0, "total": 120.0}
    forecast = pd.DataFrame(
        [{"period": Q3.label, "level": "rep", "key": "a", "part": part, "mean": mean} for part, mean in parts.items()]
    )
    trends = pd.DataFrame({"level": ["rep"], "key": ["a"], "trend": [1.1]})
    found = attainability(targets(), chances, forecast, history(), trends, Q3, CALENDAR).set_index("tier")
    standard = found.loc["standard"]
    assert standard[["in_hand", "creation", "capacity"]].tolist() == pytest.approx([0.8, 0.4, 1.2])
    assert standard["attainment"] == pytest.approx(0.8) and standard["quarters"] == 4
    assert 0.8 < standard["ability"] < 1.0, "drawn towards the level's mean"
    assert standard["low"] < standard["ability"] < standard["high"]
    assert standard["market"] == pytest.approx(80 * 1.1 / 100)  # the same quarter a year ago
    assert standard["tightest"] == min(("capacity", "ability", "market"), key=lambda side: standard[side])
    assert found["verdict"].to_dict() == {"minimum": "secure", "standard": "reachable", "maximum": "out_of_reach"}
    assert found.loc["maximum", "ability"] == pytest.approx(standard["ability"] / 1.35)


def test_without_a_forecast_or_a_past_nothing_is_claimed() -> None:
    nothing = {"level": pd.Series(dtype="str"), "key": pd.Series(dtype="str")}
    chances = pd.DataFrame(
        {**nothing, "period": pd.Series(dtype="str"), "tier": pd.Series(dtype="str"), "probability": []}
    )
    forecast = pd.DataFrame({**nothing, "period": pd.Series(dtype="str"), "part": pd.Series(dtype="str"), "mean": []})
    found = attainability(
        targets(), chances, forecast, history().iloc[:0], pd.DataFrame({**nothing, "trend": []}), Q3, CALENDAR
    )
    assert set(found["verdict"]) == {"not_enough_data"} and set(found["tightest"]) == {""}


def deals(rng: np.random.Generator, number: int, growth: float, segment: str) -> pd.DataFrame:
    days = pd.Timestamp("2024-07-01") + pd.to_timedelta(rng.integers(0, 730, number), unit="D")
    amounts = rng.lognormal(3, 0.5, number) * np.where(days >= pd.Timestamp("2025-07-01"), growth, 1.0)
    return pd.DataFrame({"segment": segment, "closed_on": days, "amount": amounts, "rep_id": "a"})


def test_the_market_is_found_where_there_is_one_and_hiring_is_none() -> None:
    rng = np.random.default_rng(5)
    won = pd.concat([deals(rng, 3000, 1.3, "small"), deals(rng, 3000, 1.0, "enterprise"), deals(rng, 8, 1.0, "new")])
    found = market_trend(won, date(2026, 6, 30), CALENDAR).set_index("segment")
    assert found.loc["small", "trend"] == pytest.approx(1.3, abs=0.1)
    assert found.loc["enterprise", "low"] < 1.0 < found.loc["enterprise", "high"] + 0.05
    wide = found["high"] - found["low"]
    assert wide["new"] > 2 * wide["small"]
    hired = market_trend(won, date(2026, 6, 30), CALENDAR, effort=(1.0, 1.3)).set_index("segment")
    assert hired.loc["small", "trend"] == pytest.approx(1.0, abs=0.1)
    assert market_trend(won, date(2026, 6, 30), CALENDAR, known_from=date(2024, 9, 1)).empty
    places = pd.DataFrame({"rep_id": ["a", "z"], "level": "rep", "key": ["a", "z"]})
    units = unit_trends(won, places, found.reset_index()).set_index("key")["trend"]
    assert found["trend"].min() < units["a"] < found["trend"].max() and units["z"] > 0


def test_the_parts_of_a_target_add_up_to_it() -> None:
    day = pd.Timestamp("2025-08-15")
    won = pd.DataFrame({
        "rep_id": ["a", "a", "b", "b"], "account_id": ["x", "y", "z", "w"], "amount": [40.0, 20.0, 15.0, 5.0],
        "closed_on": [day, day, day, day - pd.DateOffset(years=1)],
    })  # fmt: skip
    later = won.assign(created_on=day, opportunity_id=["1", "2", "3", "4"])
    # y has gone to b, z has come to a
    moved = pd.DataFrame({"account_id": ["y", "z"], "rep_id": ["b", "a"], "created_on": pd.Timestamp("2026-01-09"),
                          "opportunity_id": ["5", "6"]})  # fmt: skip
    holders = account_holders(pd.concat([later, moved]))
    trends = pd.DataFrame({"level": ["rep"], "key": ["a"], "trend": [1.2]})
    found = why_this_target(targets(), won, holders, trends, Q3, CALENDAR).set_index("part")["value"]
    assert found.to_dict() == {"last_year": 60.0, "territory": -5.0, "market": 11.0, "plan": 34.0}
    short = why_this_target(targets(), won, holders, trends, Q3, CALENDAR, known_from=date(2025, 8, 1))
    assert short[["part", "value"]].values.tolist() == [["plan", 100.0]], "the records do not reach a year back"


def test_the_talk_about_a_target() -> None:
    table = targets().assign(period=Q3.label)

    def state(*said: tuple[str, float]) -> tuple[str, int]:
        about = {"period": Q3.label, "rep_id": "a", "written_at": pd.Timestamp("2026-07-01")}
        rows = [about | {"says": says, "quota": quota} for says, quota in said]
        frame = pd.DataFrame(rows, columns=["period", "rep_id", "says", "quota", "written_at"])
        found = acceptance(frame.astype({"period": "str", "rep_id": "str", "says": "str", "quota": "float64",
                                         "written_at": "datetime64[s]"}), table)  # fmt: skip
        return found["state"].item(), int(found["open_questions"].item())

    assert state() == ("silent", 0)
    assert state(("question", 100.0)) == ("asked", 1)
    assert state(("question", 100.0), ("answer", 100.0)) == ("answered", 0)
    assert state(("question", 100.0), ("answer", 100.0), ("accept", 100.0)) == ("accepted", 0)
    assert state(("accept", 110.0)) == ("revised", 0)
    assert state(("decline", 100.0), ("question", 100.0)) == ("asked", 1)
