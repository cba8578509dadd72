"""A stream is predicted with the labels that were known by then, and never with others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import NotEnoughDataError, StatisticsError
from spm_models.evaluation import prequential


class Recorder:
    """Remembers what it was given; says the rate of all labels so far."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[float], list[float]]] = []
        self.labels: list[float] = []

    def predict_proba(self, X):
        rate = float(np.mean(self.labels)) if self.labels else 0.5
        return np.tile([1 - rate, rate], (len(X), 1))

    def update(self, X, y, *, time=None, matured=None):
        self.labels += list(y)
        assert len(X) == len(y) == len(time) == len(matured)


def test_labels_arrive_rows_late():
    y = np.arange(10) % 2
    log = prequential(Recorder(), np.zeros((10, 1)), y, delay=3, block=1)
    assert log["known"].tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert log["probability"].iloc[5] == pytest.approx(np.mean(y[:3]))


def test_a_longer_block_is_never_better_informed():
    y = np.random.default_rng(1).random(40) < 0.4
    single = prequential(Recorder(), np.zeros((40, 1)), y, delay=7, block=1)
    blocks = prequential(Recorder(), np.zeros((40, 1)), y, delay=7, block=6)
    assert (blocks["known"] <= single["known"]).all()
    assert blocks["known"].iloc[::6].tolist() == single["known"].iloc[::6].tolist()


def test_dates_labels_that_never_come_and_the_given_index():
    days = pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-10"])
    X = pd.DataFrame({"a": [1, 2, 3, 4]}, index=["c", "a", "b", "d"])
    matured = pd.to_datetime(["2026-01-04", "2026-01-09", None, "2026-01-11"])
    given = Recorder()
    log = prequential(given, X, [1, 0, 1, 0], days, matured=matured, block=1)
    assert log.index.tolist() == ["a", "b", "c", "d"]
    assert log["known"].tolist() == [0, 0, 0, 2]
    assert given.labels == []  # a copy has run
    late = prequential(Recorder(), X, [1, 0, 1, 0], days, delay="2D", block=1)
    assert late["known"].tolist() == [0, 0, 1, 3]


def test_rows_of_one_moment_do_not_learn_from_each_other():
    log = prequential(Recorder(), np.zeros((6, 1)), [1] * 6, [1, 1, 1, 2, 2, 3], block=1)
    assert log["known"].tolist() == [0, 0, 0, 3, 3, 5]


def test_what_cannot_be_run_is_refused():
    with pytest.raises(NotEnoughDataError):
        prequential(Recorder(), np.zeros((0, 1)), [])
    with pytest.raises(StatisticsError, match="before its row"):
        prequential(Recorder(), np.zeros((2, 1)), [0, 1], [1, 2], matured=[0, 3])
    with pytest.raises(StatisticsError, match="differ in number"):
        prequential(Recorder(), np.zeros((3, 1)), [0, 1])
