"""Past months replayed: nothing later is seen, and the verdict is right where the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import NotEnoughDataError
from spm_models.win_probability.past_months import FORECASTS, SCORED, changed_columns, score_month
from spm_models.win_probability.proof import Backtest, against, prove

DAY = pd.Timestamp("2025-12-31")
LAST = pd.Timestamp("2026-06-30")
MONTHS = pd.date_range("2025-09-30", "2026-03-31", freq="2ME")
Company = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def replay(company: Company, signal: float, seed: int, *, deals: int = 1200, shuffled: bool = False) -> Backtest:
    snapshots, outcomes = company(deals, seed, signal)
    if shuffled:  # else even deals without a signal tell something: lost ones are decided sooner
        outcomes["won"] = np.random.default_rng(seed).permutation(outcomes["won"])
    scored = pd.concat([score_month(snapshots, outcomes, day) for day in MONTHS], ignore_index=True)
    return prove(scored, outcomes, LAST)


@pytest.fixture(scope="module")
def telling(company: Company) -> Backtest:
    return replay(company, 1.5, 3)


def test_later_rows_altered_change_nothing_in_an_earlier_month(company: Company) -> None:
    snapshots, outcomes = company(200, 5)
    before = score_month(snapshots, outcomes, DAY)
    rng = np.random.default_rng(0)
    later = (snapshots["as_of"] > DAY).to_numpy()
    closed_later = (outcomes["closed_on"] > DAY).to_numpy()
    assert later.sum() > 60 and closed_later.sum() > 30
    altered = snapshots.copy()
    altered.loc[later, "stage"] = "Lead"
    altered.loc[later, "amount"] = rng.random(later.sum())
    decided = outcomes.copy()
    decided.loc[closed_later, "won"] = ~decided.loc[closed_later, "won"]
    decided.loc[closed_later, "closed_on"] += pd.Timedelta(days=3)
    pd.testing.assert_frame_equal(before, score_month(altered, decided, DAY))
    shorter = score_month(snapshots[~later], outcomes[~closed_later], DAY)
    pd.testing.assert_frame_equal(before, shorter)


def test_a_month_has_every_forecast_of_every_open_deal(company: Company) -> None:
    snapshots, outcomes = company(200, 5)
    month = score_month(snapshots, outcomes, DAY)
    assert list(month) == list(SCORED)
    assert set(month["opportunity_id"]) == set(snapshots.loc[snapshots["as_of"] == DAY, "opportunity_id"])
    chances = month[list(FORECASTS)]
    assert chances.notna().all(axis=None) and chances.min(axis=None) >= 0 and chances.max(axis=None) <= 1
    assert (month["low"] <= month["model"]).all() and (month["model"] <= month["high"]).all()


def test_a_first_month_without_outcomes_is_scored_by_nobody(company: Company) -> None:
    snapshots, outcomes = company(200, 5)
    first = snapshots["as_of"].min()
    month = score_month(snapshots, outcomes[outcomes["closed_on"] > first], first)
    assert len(month) and month[list(FORECASTS)].isna().all(axis=None)


def test_where_there_is_a_signal_the_model_is_published(telling: Backtest) -> None:
    facts = telling.facts
    assert (facts["published"], facts["reason"], facts["nothing_to_learn"]) == ("model", "better_than_baseline", False)
    assert telling.value("model", "log_loss") < telling.value(facts["baseline"], "log_loss")
    assert telling.value("model", "auc") > 0.65


def test_where_there_is_none_a_plain_rate_is_published_and_the_card_may_say_so(company: Company) -> None:
    found = replay(company, 0.0, 8, deals=900, shuffled=True)
    assert found.facts["published"] != "model"
    assert found.facts["nothing_to_learn"] or found["gains"]["high"].max() >= 0.05, "said, or not ruled out"


def test_every_table_agrees_with_the_others(telling: Backtest) -> None:
    gains, months, groups = (telling[name] for name in ("gains", "months", "groups"))
    assert set(gains["model"]) == set(FORECASTS)
    for row in gains.itertuples():
        assert row.log_loss == pytest.approx(telling.value(row.model, "log_loss"))
    brier = [telling.value("model", part) for part in ("reliability", "resolution", "uncertainty")]
    assert brier[0] - brier[1] + brier[2] == pytest.approx(telling.value("model", "brier"))
    assert len(months) == len(MONTHS) and months["deals"].sum() == telling.facts["rows"]
    assert (months["scored"] >= months["deals"]).all()
    stages = groups[groups["dimension"] == "stage"]
    assert set(stages["group"]) == {"Lead", "Meeting", "Offer"}
    assert telling["histogram"]["n"].sum() == telling.facts["scored"]


def test_it_comes_back_from_its_folder_as_it_was(telling: Backtest, tmp_path: Any) -> None:
    again = Backtest.read(telling.save(tmp_path / "result"))
    assert again.facts == telling.facts and again.tables.keys() == telling.tables.keys()
    pd.testing.assert_frame_equal(again["scores"], telling["scores"], check_dtype=False)
    telling.save(tmp_path / "result")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    with pytest.raises(NotEnoughDataError):
        Backtest.read(tmp_path / "nothing")


def test_too_few_outcomes_are_an_error_that_says_how_many(company: Company) -> None:
    snapshots, outcomes = company(60, 2)
    scored = score_month(snapshots, outcomes, DAY)
    with pytest.raises(NotEnoughDataError, match="past scores"):
        prove(scored, outcomes, LAST)


def test_bands_of_groups_hold_right_probabilities_19_times_in_20() -> None:
    rng = np.random.default_rng(6)
    inside, n = 0, 0
    for _ in range(60):
        p, deals = rng.uniform(0.1, 0.9, 120), np.arange(120)
        rows = pd.DataFrame(
            {"opportunity_id": np.repeat(deals, 3), "weight": 1.0, "won": np.repeat(rng.random(120) < p, 3)}
        )
        table = against(rows, np.repeat(p, 3), pd.Series(np.repeat(deals % 4, 3)))
        inside += int(table["happened"].between(table["low"], table["high"]).sum())
        n += len(table)
        assert table["deals"].tolist() == [30] * 4
    assert 0.90 * n <= inside <= 0.99 * n


def test_a_changed_source_is_seen_and_an_unchanged_pipeline_is_not(company: Company) -> None:
    snapshots, _ = company(900, 4)
    steady = changed_columns(snapshots, LAST).set_index("column")
    assert steady.loc["source", "verdict"] == "stable" and "quarter_day" not in steady.index
    turned = snapshots.copy()
    turned.loc[turned["as_of"] > pd.Timestamp("2026-03-31"), "source"] = "outbound"
    found = changed_columns(turned, LAST).set_index("column")
    assert found.index[0] == "source" and found.loc["source", "verdict"] == "large"
