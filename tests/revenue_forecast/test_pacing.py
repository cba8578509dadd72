"""Pacing: cumulative revenue by week, past quarters at the same point, the pace that a quota needs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.revenue_forecast import revenue_history
from spm_models.revenue_forecast.pacing import pacing

PEOPLE = pd.DataFrame({"rep_id": ["a", "b"], "team": ["x", "y"]})


def won(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["rep_id", "closed_on", "amount"])
    return table.assign(closed_on=pd.to_datetime(table.closed_on), won=True)


def steady(first: str, last: str, rep: str = "a", amount: float = 10.0) -> pd.DataFrame:
    days = pd.date_range(first, last)
    return pd.DataFrame({"rep_id": rep, "closed_on": days, "amount": amount, "won": True})


def ledger(amount: float, set_on: str = "2025-12-01", tier: str = "standard", owner: str = "a") -> pd.DataFrame:
    row = {"owner_kind": "rep", "owner_id": owner, "period_start": "2026-01-01", "period_end": "2026-03-31"}
    return pd.DataFrame([{**row, "tier": tier, "amount": amount, "set_on": set_on}])


def test_steady_business_paces_like_the_calendar() -> None:
    found = pacing(steady("2025-01-01", "2026-02-14"), PEOPLE, as_of=date(2026, 2, 14), quotas=ledger(1350.0))
    mine = found.position.query("level == 'company'").iloc[0]
    assert mine.revenue == 450.0 and mine.usual_share == pytest.approx(0.5, abs=0.004) and mine.quarters == 4
    assert mine.share_low <= 0.5 <= mine.share_high and mine.usual_rest_per_week == pytest.approx(70, rel=0.04)
    to_quota = found.to_quota.query("level == 'rep'").iloc[0]
    assert to_quota.left == 900.0 and to_quota.needed_per_week == pytest.approx(900 / (45 / 7))
    assert to_quota.reached == 0 and to_quota.quarters == 4
    easy = pacing(steady("2025-01-01", "2026-02-14"), PEOPLE, as_of=date(2026, 2, 14), quotas=ledger(800.0)).to_quota
    assert (easy.reached == 4).all()


def test_the_running_week_stands_at_today_and_the_last_week_takes_the_odd_days() -> None:
    found = pacing(steady("2025-07-01", "2026-01-10"), PEOPLE, as_of=date(2026, 1, 10))
    company = found.table.query("level == 'company'")
    this = company.query("kind == 'this'")
    assert this.revenue.tolist() == [70.0, 100.0] and this.week.tolist() == [1, 2] and this.share.isna().all()
    autumn = company.query("period == '2025-Q4'")
    assert len(autumn) == 13 and autumn.revenue.iloc[-1] == 920.0 and autumn.share.iloc[-1] == 1.0
    assert autumn.week_end.iloc[-1] == pd.Timestamp("2025-12-31")


def test_every_level_adds_up_and_ends_where_the_history_does(companies: Any) -> None:
    made = companies.company(3)
    ended = made.known(companies.MIDDLE)[1]
    found = pacing(ended, made.organisation, as_of=companies.MIDDLE)
    sums = found.table.groupby(["level", "period", "week"]).revenue.sum().unstack("level").round(2)
    for level in ("region", "team", "manager", "rep"):
        assert np.allclose(sums[level], sums["company"], atol=0.005)
    last = found.table.query("level == 'company'").groupby("period").revenue.last()
    history = revenue_history(ended, made.organisation, as_of=companies.MIDDLE).query("level == 'company'")
    assert last.to_dict() == history.set_index("period").revenue[last.index].to_dict()
    assert (found.table.groupby(["level", "key", "period"]).revenue.diff().dropna() >= 0).all()


def test_nothing_won_later_is_seen() -> None:
    deals = steady("2025-01-01", "2026-03-20")
    day = date(2026, 2, 1)
    known = deals[deals.closed_on <= pd.Timestamp(day)]
    quotas = pd.concat([ledger(900.0), ledger(500.0, "2026-02-20")])
    later, then = (pacing(rows, PEOPLE, as_of=day, quotas=quotas) for rows in (deals, known))
    for name in ("table", "position", "to_quota"):
        pd.testing.assert_frame_equal(getattr(later, name), getattr(then, name))
    assert (later.to_quota.quota == 900.0).all()


def test_the_last_day_needs_no_pace_and_a_new_company_has_no_past() -> None:
    deals = steady("2025-07-01", "2026-03-31")
    end = pacing(deals, PEOPLE, as_of=date(2026, 3, 31), quotas=ledger(1000.0))
    row = end.to_quota.query("level == 'rep'").iloc[0]
    assert row.left == 100.0 and np.isnan(row.needed_per_week) and row.quarters == 0
    first = pacing(won(("a", "2026-01-20", 5.0)), PEOPLE, as_of=date(2026, 1, 31))
    assert first.position.usual_share.isna().all() and set(first.table.kind) == {"this"}
    nothing = pacing(won().assign(won=False), PEOPLE, as_of=date(2026, 1, 31))
    assert (nothing.position.revenue == 0).all()


def test_quarters_in_which_a_unit_had_nothing_do_not_count() -> None:
    deals = pd.concat([steady("2025-01-01", "2026-01-31"), steady("2025-10-01", "2026-01-31", rep="b")])
    found = pacing(deals, PEOPLE, as_of=date(2026, 1, 31)).position.query("level == 'rep'").set_index("key")
    assert found.quarters.to_dict() == {"a": 4, "b": 1}
    assert np.isnan(found.share_low["b"]) and found.usual_share["b"] == pytest.approx(31 / 90, abs=0.01)


def test_a_company_whose_quarter_ends_late_is_not_called_behind() -> None:
    """Half of the quarter's money comes in its last ten days: the usual share says so."""
    quarters = pd.date_range("2024-01-01", "2025-12-31", freq="QS")
    rows = [steady(str(start.date()), str((start + timedelta(days=79)).date()), amount=1.0) for start in quarters]
    rows += [
        steady(str((start + timedelta(days=80)).date()), str((start + timedelta(days=88)).date()), amount=9.0)
        for start in quarters
    ]
    rows.append(steady("2026-01-01", "2026-02-15", amount=1.0))
    mine = pacing(pd.concat(rows), PEOPLE, as_of=date(2026, 2, 15)).position.query("level == 'company'").iloc[0]
    assert mine.usual_share == pytest.approx(46 / 161, abs=0.02) and mine.revenue / mine.usual_revenue > 0.97
