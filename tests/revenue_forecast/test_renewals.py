"""Contracts due for renewal are a part of their own, learned from what became of contracts before."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import RevenueForecaster

AS_OF = date(2025, 12, 31)
QUARTER = FiscalCalendar().quarter(date(2026, 1, 1))
PEOPLE = pd.DataFrame({"rep_id": ["r1", "r2"], "team": ["north", "south"]})


def company(share: float, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Contracts of a year; a share of them is renewed by a deal created 45 days before the end, won at the end."""
    rng = np.random.default_rng(seed)
    started = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 1090, 600)), unit="D")
    n = np.arange(600)
    ended = started + pd.Timedelta(days=364)
    accounts = [f"a{k:03}" for k in n]
    contracts = pd.DataFrame({"contract_id": [f"c{k:03}" for k in n], "account_id": accounts, "started_on": started,
                              "ended_on": ended, "annual_value": 1000.0})  # fmt: skip
    comes = rng.random(600) < share
    created = ended - pd.Timedelta(days=45)
    deals = pd.DataFrame({"opportunity_id": [f"n{k:03}" for k in n], "account_id": accounts, "kind": "renewal",
                          "rep_id": np.where(n % 2, "r1", "r2"), "created_on": created, "closed_on": ended,
                          "amount": 1100.0})[comes]  # fmt: skip
    others = pd.DataFrame({"opportunity_id": [f"o{k:03}" for k in n], "account_id": "new", "kind": "new",
                           "rep_id": "r1", "created_on": started - pd.Timedelta(days=60),
                           "closed_on": started, "amount": 500.0})  # fmt: skip
    every = pd.concat([deals, others])
    every = every[every.created_on <= pd.Timestamp(AS_OF)]
    frames = []
    for day in pd.date_range("2023-01-31", AS_OF, freq="ME"):
        rows = every[(every.created_on <= day) & (every.closed_on > day)]
        frames.append(rows.drop(columns="closed_on").assign(as_of=day, age_days=(day - rows.created_on).dt.days * 1.0))
    outcomes = every[every.closed_on <= pd.Timestamp(AS_OF)].assign(won=True)
    return pd.concat(frames, ignore_index=True), outcomes, contracts


def forecast(share: float, *, with_contracts: bool = True) -> pd.DataFrame:
    snapshots, outcomes, contracts = company(share)
    model = RevenueForecaster(1, 400)
    model.fit(snapshots, outcomes, PEOPLE, as_of=AS_OF, contracts=contracts if with_contracts else None)
    made = model.predict(snapshots[snapshots.as_of == pd.Timestamp(AS_OF)], QUARTER)
    return made.summary()


@pytest.mark.parametrize("share", [0.4, 0.8])
def test_renewals_bring_what_they_brought_before(share: float) -> None:
    _, _, contracts = company(share)
    begins = pd.Timestamp(AS_OF) + pd.Timedelta(days=45)  # those due sooner have a deal already, or never will
    due = contracts.ended_on.between(begins, pd.Timestamp(QUARTER.end)).sum()
    found = forecast(share).loc["renewals"]
    assert found["mean"] == pytest.approx(share * due * 1100, rel=0.25)
    assert found["p10"] < found["mean"] < found["p90"]


def test_a_renewal_is_not_expected_twice() -> None:
    apart, together = forecast(0.8), forecast(0.8, with_contracts=False)
    assert together.loc["renewals", "mean"] == 0
    assert apart.loc["not_yet_created", "mean"] < together.loc["not_yet_created", "mean"]
    assert apart.loc["open", "mean"] == pytest.approx(together.loc["open", "mean"], rel=0.05)


def test_contracts_that_are_never_renewed_by_a_deal_bring_nothing() -> None:
    assert forecast(0.0).loc["renewals", "mean"] == 0
