"""Chances of new deals: by what they brought with them, learned before the window, blind to who worked them and how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.periods import FiscalCalendar
from spm_models.runs.early_chances import LEAST, early_chances
from spm_models.snapshots import OUTCOMES, PIPELINE

SINCE = pd.Timestamp("2026-01-01")
CHANCE = {"inbound": 0.6, "outbound": 0.2}


@pytest.fixture(scope="module")
def deals():
    random = np.random.default_rng(5)
    n = 1200
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 850, n), unit="D")
    rows = pd.DataFrame({
        "opportunity_id": [f"d{i:04d}" for i in range(n)], "source": random.choice(list(CHANCE), n),
        "created_on": created.astype("datetime64[s]"), "rep_id": random.choice(list("abcd"), n),
        "amount": random.lognormal(8, 1, n).round(2), "activities": random.poisson(5, n).astype(float),
    })  # fmt: skip
    rows["won"] = random.random(n) < rows["source"].map(CHANCE)
    rows["closed_on"] = (rows["created_on"] + pd.Timedelta(days=60)).astype("datetime64[s]")
    snapshots = []
    for days in (3, 30):
        seen = rows.assign(as_of=(rows["created_on"] + pd.Timedelta(days=days)).astype("datetime64[s]"), stage="Open")
        snapshots.append(seen.reindex(columns=list(PIPELINE)).astype(PIPELINE))
    outcomes = rows[rows["closed_on"] < "2026-07-01"].reindex(columns=list(OUTCOMES)).astype(OUTCOMES)
    return pd.concat(snapshots, ignore_index=True), outcomes


def ask(snapshots, outcomes):
    return early_chances(snapshots, outcomes, SINCE, calendar=FiscalCalendar(), seed=1)


def test_deals_have_the_chances_that_such_deals_had_before_the_window(deals):
    snapshots, outcomes = deals
    chances = ask(snapshots, outcomes)
    window = outcomes[outcomes["closed_on"] >= SINCE].set_index("opportunity_id")
    assert set(chances.index) == set(window.index)
    source = snapshots.drop_duplicates("opportunity_id").set_index("opportunity_id")["source"].reindex(chances.index)
    for kind, truth in CHANCE.items():
        assert chances[source == kind].mean() == pytest.approx(truth, abs=0.06)


def test_neither_who_worked_a_deal_nor_how_nor_how_it_ended_changes_its_chance(deals):
    snapshots, outcomes = deals
    later = outcomes["closed_on"] >= SINCE
    other = outcomes.assign(won=outcomes["won"].where(~later, ~outcomes["won"]), rep_id="z")
    busy = snapshots.assign(rep_id="z", activities=99.0, stage="Late", territory="moon", rep_open_deals=40.0)
    pd.testing.assert_series_equal(ask(snapshots, outcomes), ask(busy, other))


def test_too_few_deals_before_the_window_say_nothing(deals):
    snapshots, outcomes = deals
    early = outcomes[outcomes["closed_on"] < SINCE].head(LEAST - 1)
    assert ask(snapshots, pd.concat([early, outcomes[outcomes["closed_on"] >= SINCE]])) is None
