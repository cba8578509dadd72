"""Odd histories get an answer, wrong frames a clear refusal; moments go on as they were."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import ModelError, StatisticsError
from spm_models.revenue_forecast import SeriesForecaster

ENDS = ["mean", "lo-80", "hi-80", "lo-95", "hi-95"]


def one(y: list[float], ds: object = None) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": "a", "ds": np.arange(1, len(y) + 1) if ds is None else ds, "y": y})


ODD = {
    "one value": [5.0],
    "two values": [5.0, 7.0],
    "constant": [3.0] * 9,
    "all zero": [0.0] * 9,
    "negative": [-5.0, 2.0, -7.0, 1.0, -4.0, 3.0, -6.0, 2.0],
    "mostly zero": [0.0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0, 7, 0],
    "huge": [1e12, 1.2e12, 0.9e12, 1.1e12, 1e12],
    "tiny": [1e-9, 2e-9, 1e-9, 2e-9, 1e-9],
    "an outlier": [10.0, 11, 9, 10, 1e6, 10, 11, 9, 10, 11, 10, 9],
    "unknown values": [10.0, np.nan, 12, 9, np.nan, np.nan, 12, 9, 11, 10, 13, np.nan],
    "explodes": list(10.0 ** np.arange(14)),
    "steps": [1.0] * 10 + [100.0] * 10,
}


@pytest.mark.parametrize("season_length", [1, 4, 12])
@pytest.mark.parametrize("name", ODD)
def test_odd_histories_get_a_finite_answer(name: str, season_length: int) -> None:
    ahead = SeriesForecaster(season_length=season_length).fit(one(ODD[name])).predict(20)
    assert len(ahead) == 20 and np.isfinite(ahead[ENDS]).all(axis=None)
    for low, high in (("lo-95", "lo-80"), ("lo-80", "hi-80"), ("hi-80", "hi-95")):
        assert (ahead[low] <= ahead[high]).all()
    if np.nanmin(ODD[name]) >= 0:
        assert (ahead[ENDS] >= 0).all(axis=None)
    largest = np.nanmax(np.abs(ODD[name]))
    assert (ahead["mean"].abs() <= 30 * largest).all()


def test_constant_histories_go_on() -> None:
    assert SeriesForecaster().fit(one([3.0] * 9)).predict(4)["mean"].tolist() == pytest.approx([3.0] * 4, rel=1e-3)
    assert SeriesForecaster().fit(one([0.0] * 9)).predict(4)["hi-95"].max() < 1e-6


def test_a_series_without_a_known_value_is_unknown_and_the_others_are_not() -> None:
    frame = pd.concat([one([np.nan, np.nan]), one([1.0, 2.0, 3.0]).assign(unique_id="b")])
    ahead = SeriesForecaster().fit(frame).predict(2)
    assert ahead.groupby("unique_id")["mean"].count().to_dict() == {"a": 0, "b": 2}


def test_order_does_not_matter_and_a_missing_moment_is_a_gap() -> None:
    y = [20.0, 30, 25, 60, 22, 33, 27, 66, 21, 34, 26, 70]
    whole, gap = one(y), one(y).drop(index=5)
    model = SeriesForecaster()
    expected = model.fit(gap).predict(4)
    pd.testing.assert_frame_equal(model.fit(gap.sample(frac=1, random_state=1)).predict(4), expected)
    pd.testing.assert_frame_equal(model.fit(whole.assign(y=whole["y"].where(whole.index != 5))).predict(4), expected)
    assert expected["mean"].iloc[3] > 1.5 * expected["mean"].iloc[0]


@pytest.mark.parametrize(
    ("ds", "season_length", "following"),
    [
        (pd.date_range("2024-01-01", periods=6, freq="QS"), 4, "2025-07-01"),
        (pd.date_range("2024-02-29", periods=6, freq="QE-FEB"), 4, "2025-08-31"),
        (pd.date_range("2024-01-31", periods=6, freq="ME"), 12, "2024-07-31"),
        (pd.date_range("2024-01-01", periods=6, freq="MS"), 12, "2024-07-01"),
        (pd.date_range("2024-01-01", periods=6, freq="W-MON"), 4, "2024-02-12"),
        (pd.DatetimeIndex(["2024-03-31"]), 4, "2024-06-30"),
        (pd.DatetimeIndex(["2024-01-01", "2024-07-01", "2025-01-01"]), 4, "2025-04-01"),
    ],
)
def test_days_go_on_as_they_were(ds: pd.DatetimeIndex, season_length: int, following: str) -> None:
    frame = pd.DataFrame({"unique_id": "a", "ds": ds, "y": np.arange(len(ds)) + 10.0})
    ahead = SeriesForecaster(season_length=season_length).fit(frame).predict(2)
    assert ahead["ds"].iloc[0] == pd.Timestamp(following)


def test_whole_numbers_go_on_by_their_own_step() -> None:
    assert SeriesForecaster().fit(one([1.0, 2, 3], [10, 20, 30])).predict(2)["ds"].tolist() == [40, 50]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"unique_id": ["a"], "y": [1.0]}), "lacks columns"),
        (one([1.0, 2.0]).iloc[:0], "no rows"),
        (one([1.0, 2.0], [1, 1]), "comes twice"),
        (one([1.0, 2.0], ["2024-01", "2024-02"]), "neither days nor whole numbers"),
        (one(["1", "2"]), "not numbers"),  # type: ignore[list-item]
        (one([1.0, np.inf]), "infinite"),
        (one([1.0, 2.0]).assign(unique_id=["a", None]), "names no series"),
    ],
)
def test_wrong_frames_are_refused_with_a_remedy(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(StatisticsError, match=said) as refused:
        SeriesForecaster().fit(frame)
    assert refused.value.remedy


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(ModelError, match="before it was fitted"):
        SeriesForecaster().predict(2)
    model = SeriesForecaster().fit(one([1.0, 2.0]))
    for ask in (lambda: model.predict(0), lambda: model.quantiles(2, [0.0]), lambda: SeriesForecaster(season_length=0),
                lambda: SeriesForecaster(levels=(120,))):  # fmt: skip
        with pytest.raises(StatisticsError):
            ask()


def test_quantiles_rise_meet_the_ranges_and_come_again_the_same() -> None:
    frame = pd.concat([one(ODD["negative"]), one([9.0, 5, 8, 7, 9, 6, 8, 7, 8, 5, 9, 9]).assign(unique_id="b")])
    model = SeriesForecaster().fit(frame)
    found = model.quantiles(3, [0.9, 0.1, 0.5])
    assert (found.groupby(["unique_id", "ds"])["value"].diff().dropna() >= 0).all()
    at = found.set_index("probability")["value"]
    np.testing.assert_allclose(at.loc[0.1], model.predict(3)["lo-80"])
    np.testing.assert_allclose(at.loc[0.9], model.predict(3)["hi-80"])
    pd.testing.assert_frame_equal(SeriesForecaster().fit(frame).quantiles(3, [0.9, 0.1, 0.5]), found)


def test_processes_change_nothing() -> None:
    draw = np.random.default_rng(7)
    frame = pd.concat([one(list(draw.normal(50, 5, 20))).assign(unique_id=k) for k in range(24)])
    alone, together = (SeriesForecaster(jobs=jobs).fit(frame).predict(3) for jobs in (1, 2))
    pd.testing.assert_frame_equal(alone, together)
