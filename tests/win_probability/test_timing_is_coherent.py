"""Won, lost and still open sum to one, change in one direction only, and agree with the win probability."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.win_probability import DealScores, DealTiming, Timing
from spm_models.win_probability.deal_timing import TIMING
from spm_models.win_probability.person_periods import EDGES

Known = tuple[pd.DataFrame, pd.DataFrame, Timing]
LAST = pd.Timestamp("2026-05-31")


@pytest.fixture(scope="module")
def known(company: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]) -> Known:
    snapshots, closed = company(1200, seed=3)
    due = snapshots["created_on"] + pd.to_timedelta(20 + snapshots["amount"] % 120, unit="D")
    snapshots = snapshots.assign(expected_close_on=due, days_to_expected_close=(due - snapshots["as_of"]).dt.days * 1.0)
    return snapshots, closed, Timing().fit(snapshots, closed, LAST.date())


def told(known: Known) -> tuple[pd.DataFrame, np.ndarray, DealTiming]:
    snapshots, _, timing = known
    now = snapshots[snapshots["as_of"] == LAST].sort_values("opportunity_id", ignore_index=True)
    chance = np.random.default_rng(1).random(len(now))
    return now, chance, timing.predict(now, chance)


def test_the_three_sum_to_one_and_go_one_way(known: Known) -> None:
    _, _, found = told(known)
    days = [0, 1, 3, 7, 20, 45, 91, 200, 500, 742, 2000]
    tables = [found.by(day) for day in days]
    for table in tables:
        assert np.allclose(table[["won_by", "lost_by", "open"]].sum(axis=1), 1.0, atol=1e-12)
        assert table[["won_by", "lost_by", "open"]].ge(-1e-12).all(axis=None)
    for name, sign in (("won_by", 1), ("lost_by", 1), ("open", -1)):
        course = np.column_stack([table[name] for table in tables])
        assert (sign * np.diff(course, axis=1) >= -1e-12).all()
    assert tables[0]["open"].eq(1.0).all()


def test_the_ends_agree_with_the_win_probability(known: Known) -> None:
    now, chance, found = told(known)
    end = found.by(EDGES[-1])
    assert np.allclose(end["won_by"], chance * found.ever_closed, atol=1e-12)
    assert np.allclose(end["lost_by"], (1 - chance) * found.ever_closed, atol=1e-12)
    own = known[2].incidences(now)
    assert np.allclose(found.ever_closed, own[:, :, -1].sum(axis=0))
    unknown = known[2].predict(now, np.full(len(now), np.nan))
    assert np.allclose(unknown.won, own[0]) and np.allclose(unknown.lost, own[1])
    for sure in (0.0, 1.0):
        extreme = known[2].predict(now, np.full(len(now), sure)).by(60)
        assert extreme[["lost_by" if sure else "won_by"]].eq(0.0).all(axis=None)


def test_a_day_and_a_number_of_days_are_the_same(known: Known) -> None:
    _, _, found = told(known)
    pd.testing.assert_frame_equal(found.by(30), found.by("2026-06-30"))
    pd.testing.assert_frame_equal(found.by(30), found.by(date(2026, 6, 30)))
    assert found.by("2026-05-01")["open"].eq(1.0).all()
    for nonsense in ("soon", None):
        with pytest.raises(ModelError, match="no day"):
            found.by(nonsense)


def test_slip_is_being_open_after_the_expected_close_date(known: Known) -> None:
    now, _, found = told(known)
    slip = found.slip().to_numpy()
    assert slip[(now["days_to_expected_close"] <= 0).to_numpy()] == pytest.approx(1.0)
    one = int(np.flatnonzero(now["days_to_expected_close"] > 20)[0])
    assert slip[one] == pytest.approx(found.by(now["expected_close_on"].iloc[one]).loc[one, "open"])
    undated = known[2].predict(now.drop(columns=["expected_close_on", "days_to_expected_close"]), 0.4 + 0 * slip)
    assert undated.slip().isna().all()


def test_the_published_table_holds_weeks_quarter_ends_and_due_dates(known: Known) -> None:
    now, _, found = told(known)
    table = conform(found.table, TABLES["deal_timing"])
    assert list(table.columns) == list(TIMING) and not table.duplicated(["opportunity_id", "day"]).any()
    assert len(conform(found.table.head(0), TABLES["deal_timing"])) == 0
    of_one = found.table[found.table["opportunity_id"] == now["opportunity_id"].iloc[0]]
    days = set(of_one["day"].dt.strftime("%Y-%m-%d"))
    weeks = {str((LAST + pd.Timedelta(days=7 * k)).date()) for k in range(1, 27)}
    assert weeks | {"2026-06-30", "2026-09-30", "2026-12-31"} <= days
    for row in of_one.itertuples():
        assert found.by(row.day)["won_by"].iloc[0] == pytest.approx(row.won_by, abs=1e-12)
    due = now.loc[now["days_to_expected_close"] > 0, ["opportunity_id", "expected_close_on"]]
    both = due.merge(found.table, left_on=["opportunity_id", "expected_close_on"], right_on=["opportunity_id", "day"])
    assert len(both) == len(due)


def test_the_same_data_give_the_same_times_and_so_does_what_was_stored(known: Known) -> None:
    snapshots, closed, timing = known
    now, chance, found = told(known)
    again = Timing().fit(snapshots.sample(frac=1, random_state=1), closed.sample(frac=1, random_state=2), LAST.date())
    assert np.array_equal(again.effects_, timing.effects_)
    stored = Timing.from_state(timing.state()).predict(now, chance)
    pd.testing.assert_frame_equal(stored.table, found.table)
    turned = timing.predict(now[::-1], chance[::-1]).table
    pd.testing.assert_frame_equal(turned, found.table)


def test_what_is_not_known_is_said(known: Known) -> None:
    snapshots, closed, _ = known
    with pytest.raises(NotEnoughDataError, match="Too few deals"):
        Timing().fit(snapshots, closed.head(3), LAST.date())
    with pytest.raises(NotEnoughDataError):
        Timing().fit(snapshots.head(0), closed.head(0))
    with pytest.raises(ModelError, match="not fitted"):
        Timing().predict(snapshots, np.zeros(len(snapshots)))
    with pytest.raises(ModelError, match="not known"):
        DealScores(pd.DataFrame(), pd.DataFrame()).by(30)
    empty = known[2].predict(snapshots.head(0), [])
    assert len(empty.by(30)) == len(empty.table) == len(empty.slip()) == 0
