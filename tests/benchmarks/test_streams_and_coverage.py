from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from win import coverage, simulators, streams
from win.table_coverage import seen_chance

from spm_models.evaluation import log_loss


class Knows:
    """Says one log-odds column."""

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        p = expit(X["eta"].to_numpy())
        return np.column_stack([1 - p, p])


class Pooled:
    """A classifier that knows the rate alone, and how sure it is of that."""

    def __init__(self, half: float) -> None:
        self.half = half

    def fit(self, X: pd.DataFrame, y: np.ndarray, *, time: Any = None) -> Pooled:
        self.rate, self.n = float(np.mean(y)), len(y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.tile([1 - self.rate, self.rate], (len(X), 1))

    def interval(self, X: pd.DataFrame, level: float) -> np.ndarray:
        half = self.half * np.sqrt(self.rate * (1 - self.rate) / self.n)
        return np.tile([self.rate - half, self.rate + half], (len(X), 1))


def test_the_last_known_rate_forgets() -> None:
    model = streams.LastKnownRate.of(np.zeros(500))
    model.update(pd.DataFrame(), np.ones(streams.LATEST // 2))
    assert abs(model.predict_proba(pd.DataFrame(index=[0]))[0, 1] - 0.5) < 0.01
    model.update(pd.DataFrame(), np.ones(streams.LATEST))
    assert model.predict_proba(pd.DataFrame(index=[0]))[0, 1] > 0.99


def test_intercept_and_slope_follow_a_shift() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"eta": rng.normal(-2, 1, 900)})
    y = (rng.random(900) < expit(1.5 + 0.6 * X["eta"])).astype(float)
    line = streams.OnlineLine(Knows())
    before = log_loss(y, line.predict_proba(X)[:, 1])
    line.update(X, y)
    assert log_loss(y, line.predict_proba(X)[:, 1]) < before - 0.1
    assert abs(line.line[1] - 0.6) < 0.25


def test_simulated_companies_are_reproducible_and_their_probabilities_true() -> None:
    one, again = simulators.company(7, seed=3), simulators.company(7, seed=3)
    assert one.X.equals(again.X)
    assert (one.p_open == again.p_open).all()
    assert {simulators.company(i).mechanism for i in range(9)} == set(simulators.MECHANISMS)
    rng, gaps = np.random.default_rng(0), []
    for number in range(45):
        made = simulators.company(number)
        assert made.X["day"].max() < made.X_open["day"].min() + 1
        gaps.append((rng.random(len(made.p_open)) < made.p_open).mean() - made.p_open.mean())
        if made.mechanism == "nothing_to_learn":
            assert np.ptp(made.p_open) < 1e-9
            assert abs(made.y.mean() - made.p_open[0]) < 4.5 * np.sqrt(0.25 / len(made.y))
    assert abs(np.mean(gaps)) < 4 * 0.5 / np.sqrt(45 * simulators.TESTED)


def test_coverage_tells_narrow_intervals_from_wide_ones() -> None:
    wide = coverage.coverage(18, seed=1, make=lambda: Pooled(60.0), jobs=1)
    narrow = coverage.coverage(18, seed=1, make=lambda: Pooled(1.2816), jobs=1)
    assert coverage.summary(wide)["interval_coverage"] > 0.95
    assert coverage.summary(narrow)["interval_coverage"] < 0.5
    assert abs(coverage.summary(narrow)["interval_coverage"] - narrow["pooled_covered"].mean()) < 0.1
    bands = coverage.by_band(narrow)
    assert bands["deals"].sum() == len(narrow) == 18 * simulators.TESTED
    assert set(coverage.by_mechanism(narrow)["group"]) == set(simulators.MECHANISMS)


def test_a_pooled_interval_covers_where_there_is_nothing_to_learn() -> None:
    """80 % of companies, within what 60 draws allow."""
    numbers = range(0, 9 * 60, 9)
    hits = []
    for number in numbers:
        made = simulators.company(number, seed=5)
        model = Pooled(1.2816).fit(made.X, made.y)
        low, high = model.interval(made.X_open, 0.8)[0]
        hits.append(low <= made.p_open[0] <= high)
    assert 0.65 < np.mean(hits) < 0.93


def test_the_chance_of_deals_that_look_the_same_averages_what_is_hidden() -> None:
    rng = np.random.default_rng(1)
    company = pd.Series(np.repeat(np.arange(6), 300))
    looks = pd.DataFrame({"x": rng.integers(0, 2, 1800).astype(float)})
    hidden = pd.Series(np.where(rng.random(1800) < 0.2 + 0.5 * looks["x"], 1.0, 0.0))
    seen = seen_chance(looks, hidden, company)
    assert abs(seen[looks["x"] == 0].mean() - 0.2) < 0.05
    assert abs(seen[looks["x"] == 1].mean() - 0.7) < 0.05
