"""Quotas as last set, their chances, and what past quarters brought."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.revenue_forecast import quotas_of, revenue_history
from spm_models.revenue_forecast.units import Units

QUARTER = FiscalCalendar().quarter(date(2024, 10, 1))


def ledger(*rows: tuple[str, str, str, str, str, float, str]) -> pd.DataFrame:
    columns = ["owner_kind", "owner_id", "period_start", "period_end", "tier", "amount", "set_on"]
    return pd.DataFrame(rows, columns=columns)


def quarter_row(owner: str, tier: str, amount: float, set_on: str = "2024-09-01") -> tuple[str, ...]:
    return ("rep", owner, "2024-10-01", "2024-12-31", tier, amount, set_on)


def test_the_last_revision_known_on_the_day_holds() -> None:
    units = Units.of(pd.DataFrame({"rep_id": ["a"]}), date(2024, 11, 1))
    rows = ledger(
        quarter_row("a", "standard", 100.0), quarter_row("a", "standard", 80.0, "2024-10-20"),
        quarter_row("a", "standard", 60.0, "2024-11-20"),
    )  # fmt: skip
    found = {day: quotas_of(rows, units, QUARTER, day).query("level == 'rep'").quota.item() for day in
             (date(2024, 9, 30), date(2024, 11, 1), date(2024, 12, 31))}  # fmt: skip
    assert list(found.values()) == [100.0, 80.0, 60.0]


def test_months_add_up_years_are_shared_and_an_exact_quota_goes_first() -> None:
    units = Units.of(pd.DataFrame({"rep_id": ["a", "b", "c"], "team": ["x", "x", "y"]}), date(2024, 9, 30))
    months = [("rep", "a", f"2024-{m}-01", f"2024-{m}-{d}", "standard", 10.0, "2024-01-01")
              for m, d in ((10, 31), (11, 30), (12, 31))]  # fmt: skip
    year = [("rep", owner, "2024-01-01", "2024-12-31", "standard", 366.0, "2024-01-01") for owner in "abc"]
    own = ("team", "y", "2024-10-01", "2024-12-31", "standard", 500.0, "2024-01-01")
    found = quotas_of(ledger(*months, *year, own), units, QUARTER, date(2024, 9, 30)).set_index(["level", "key"]).quota
    assert found["rep", "a"] == 30 and found["rep", "b"] == 92 and found["team", "x"] == 122
    assert found["team", "y"] == 500 and found["company", ""] == 214


def owned(kind: str, owner: str, amount: float, tier: str = "standard") -> tuple[str, ...]:
    return (kind, owner, "2024-10-01", "2024-12-31", tier, amount, "2024-01-01")


def test_teams_stand_in_for_reps_without_quotas_and_regions_for_teams() -> None:
    people = pd.DataFrame({"rep_id": list("abcdefg"), "team": list("xxyyzzw"), "region": list("nnnnsst"),
                           "manager_id": list("mmmppqq"), "role": "rep"})  # fmt: skip
    units = Units.of(people, date(2024, 9, 30))
    rows = ledger(
        owned("rep", "a", 10.0), owned("rep", "b", 20.0), owned("team", "y", 100.0), owned("team", "x", 35.0),
        owned("region", "s", 1000.0), owned("region", "n", 999.0, "maximum"), owned("team", "gone", 7.0),
    )  # fmt: skip
    found = quotas_of(rows, units, QUARTER, date(2024, 9, 30)).query("tier == 'standard'").set_index(["level", "key"])
    quota = found.quota.to_dict()
    assert quota["team", "x"] == 35 and quota["region", "n"] == 130 and quota["region", "s"] == 1000
    assert quota["manager", "m"] == 30, "c reports to m, but the team y has two managers"
    assert quota["company", ""] == 1137 and ("manager", "p") not in quota
    only = quotas_of(ledger(owned("team", "z", 50.0)), units, QUARTER, date(2024, 9, 30)).set_index(["level", "key"])
    assert only.quota.to_dict() == {("company", ""): 50.0, ("region", "s"): 50.0, ("team", "z"): 50.0}


def test_a_revision_within_the_quarter_changes_only_its_own_tier_and_only_from_its_day() -> None:
    units = Units.of(pd.DataFrame({"rep_id": ["a"], "team": ["x"]}), date(2024, 9, 30))
    rows = ledger(
        quarter_row("a", "minimum", 70.0), quarter_row("a", "standard", 100.0), quarter_row("a", "maximum", 130.0),
        quarter_row("a", "standard", 90.0, "2024-11-15"),
    )  # fmt: skip
    tiers = {day: quotas_of(rows, units, QUARTER, day).query("level == 'team'").set_index("tier").quota.to_dict()
             for day in (date(2024, 11, 14), date(2024, 11, 15))}  # fmt: skip
    assert tiers[date(2024, 11, 14)] == {"minimum": 70.0, "standard": 100.0, "maximum": 130.0}
    assert tiers[date(2024, 11, 15)] == {"minimum": 70.0, "standard": 90.0, "maximum": 130.0}


def test_a_quota_of_a_rep_hired_within_the_quarter_is_taken_as_it_was_set() -> None:
    people = pd.DataFrame({"rep_id": ["a"], "hired_on": [pd.Timestamp("2024-11-16")]})
    found = quotas_of(ledger(quarter_row("a", "standard", 40.0)), Units.of(people, date(2024, 12, 1)), QUARTER,
                      date(2024, 12, 1))  # fmt: skip
    assert set(found.quota) == {40.0}


def test_chances_are_shares_of_draws(case: Any) -> None:
    total = case.forecast.table.query("part == 'total' and level == 'rep' and key == 'r00'").iloc[0]
    closed = case.forecast.table.query("part == 'closed' and level == 'rep' and key == 'r00'")["mean"].item()
    rows = ledger(
        quarter_row("r00", "minimum", max(closed * 0.5, 0.0)), quarter_row("r00", "standard", total.p50),
        quarter_row("r00", "maximum", 1e9),
    )  # fmt: skip
    chances = case.forecast.quota_chances(rows)
    mine = chances.query("level == 'rep'").set_index("tier").probability
    assert mine["minimum"] == 1.0 and mine["maximum"] == 0.0 and 0.4 <= mine["standard"] <= 0.6
    draws = case.forecast.draws.query("level == 'company'").total
    company = chances.query("level == 'company'").set_index("tier")
    assert company.probability["minimum"] == pytest.approx((draws >= company.quota["minimum"]).mean())
    assert len(conform(chances, TABLES["quota_chances"])) == len(chances)


def test_history_adds_up_on_every_level_and_keeps_leavers(case: Any, companies: Any) -> None:
    history = revenue_history(case.outcomes, case.organisation, as_of=companies.MIDDLE)
    won = case.outcomes[case.outcomes.won]
    sums = history.groupby("level")[["revenue", "deals"]].sum()
    assert np.allclose(sums.revenue, won.amount.sum()) and (sums.deals == len(won)).all()
    assert history.query("level == 'rep' and key == 'r03'").revenue.sum() > 0
    assert history.period.max() == "2024-Q4" and len(conform(history, TABLES["revenue_history"])) == len(history)


def test_history_shows_the_standard_quota(case: Any, companies: Any) -> None:
    rows = ledger(quarter_row("r00", "standard", 123.0), quarter_row("r00", "maximum", 999.0))
    history = revenue_history(case.outcomes, case.organisation, as_of=companies.MIDDLE, quotas=rows)
    known = history.dropna(subset="quota")
    assert set(known.period) == {"2024-Q4"} and set(known.quota) == {123.0}
    assert set(zip(known.level, known.key, strict=True)) == {
        ("company", ""), ("manager", "m0"), ("region", "g0"), ("rep", "r00"), ("team", "t0"),
    }  # fmt: skip
