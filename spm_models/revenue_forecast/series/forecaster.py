"""Forecasts of many short series, with ranges: the part that people call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import pandas as pd

from spm_models.errors import ModelError, StatisticsError
from spm_models.revenue_forecast.series.ensemble import Weighed, forecast, weigh, width
from spm_models.revenue_forecast.series.frame import History, histories
from spm_models.revenue_forecast.series.ranges import Forecasts


class SeriesForecaster:
    """Forecast every series of a long frame from its own past.

    A weighted mean of structural models of the series and of its logarithm (:mod:`.structures`, :mod:`.posterior`) and,
    where the history is long, of exponential smoothing and Theta (:mod:`.classical`). Weights follow one-step
    forecasts at a rolling origin, shrunk to weights learned on other series (:mod:`.ensemble`). It needs no
    panel: the mean of a series is the same alone as among others; from ten series on, values that are held back say how
    wide the ranges of all have to be (:mod:`.calibration`). There is no reconciliation of a hierarchy: below
    16 observations its covariances cannot be learned, and it does harm.

    Parameters
    ----------
    season_length : int
        Observations a cycle: 4 of quarters, 12 of months, 1 without a season.
    levels : sequence of float
        Of the ranges, in percent.
    seed : int
        Kept for the shape of the interface: nothing is drawn.
    jobs : int
        Processes for exponential smoothing and Theta.

    Attributes
    ----------
    members_ : DataFrame
        By series: ``unique_id``, ``observations``, ``seasonality`` (share of weight on structures with a season),
        ``drift`` (with a drift), ``logarithm``, and the weights of the ``structures``, of ``ets`` and of ``theta``.

    Examples
    --------
    >>> y = [20, 30, 25, 60, 22, 33, 27, 66]
    >>> ds = pd.date_range("2024-01-01", periods=8, freq="QS")
    >>> frame = pd.DataFrame({"unique_id": "North", "ds": ds, "y": y})
    >>> ahead = SeriesForecaster(season_length=4, levels=(80,)).fit(frame).predict(4)
    >>> ahead["ds"].dt.strftime("%Y-%m-%d").tolist()
    ['2026-01-01', '2026-04-01', '2026-07-01', '2026-10-01']
    >>> bool(ahead["mean"].iloc[3] > 1.5 * ahead["mean"].iloc[0]), bool((ahead["lo-80"] >= 0).all())
    (True, True)
    """

    def __init__(
        self, season_length: int = 4, levels: Sequence[float] = (80, 95), seed: int = 0, jobs: int = 1
    ) -> None:
        if isinstance(season_length, bool) or int(season_length) != season_length or season_length < 1:
            raise StatisticsError("A season needs at least one observation", where="season_length", found=season_length,
                                  remedy="Give 4 for quarters, 12 for months, 1 for no season")  # fmt: skip
        if any(not 0 < level < 100 for level in levels):
            raise StatisticsError("A level of a range lies between 0 and 100", where="levels", found=tuple(levels),
                                  remedy="Give percent, such as (80, 95)")  # fmt: skip
        self.season_length, self.levels, self.seed, self.jobs = int(season_length), tuple(levels), seed, jobs
        self._series: list[History] = []
        self._weighed: Weighed | None = None
        self._kept: dict[int, Forecasts] = {}
        self._wide: float | None = None

    def fit(self, frame: pd.DataFrame) -> Self:
        """Read the series.

        Parameters
        ----------
        frame : DataFrame
            ``unique_id``, ``ds`` (days or integers), ``y``; in any order, with gaps.

        Raises
        ------
        StatisticsError
            As :func:`.frame.histories` says.
        """
        self._series = histories(frame, self.season_length)
        self._weighed = weigh([series.y for series in self._series], self.season_length)
        self._kept, self._wide = {}, None
        about = self._weighed.about()
        about.insert(0, "unique_id", [series.key for series in self._series])
        self.members_ = about
        return self

    def predict(self, h: int) -> pd.DataFrame:
        """Forecast the next h moments.

        Returns
        -------
        DataFrame
            ``unique_id``, ``ds``, ``mean`` (the middle of what is expected), and ``lo-80``, ``hi-80`` … a level. Where
            no past value was negative, no end of a range is.
        """
        ends = [end for level in self.levels for end in (0.5 - level / 200, 0.5 + level / 200)]
        names = [f"{side}-{level:g}" for level in self.levels for side in ("lo", "hi")]
        said = self._forecasts(h)
        values = said.quantiles(np.asarray(ends))
        rows = self._rows(h)
        rows["mean"] = said.mean.ravel()
        for k, name in enumerate(names):
            rows[name] = values[:, :, k].ravel()
        return rows

    def quantiles(self, h: int, probabilities: Iterable[float]) -> pd.DataFrame:
        """Quantiles of each of the next h values.

        Parameters
        ----------
        h : int
        probabilities : iterable of float
            Above 0 and below 1.

        Returns
        -------
        DataFrame
            ``unique_id``, ``ds``, ``probability``, ``value``; values rise with the probability.
        """
        wanted = np.sort(np.asarray(list(probabilities), dtype=float))
        if not len(wanted) or not ((wanted > 0) & (wanted < 1)).all():
            raise StatisticsError("A probability lies above 0 and below 1", where="probabilities",
                                  found=wanted.tolist(), remedy="Give shares, such as (0.1, 0.5, 0.9)")  # fmt: skip
        values = self._forecasts(h).quantiles(wanted)
        rows = self._rows(h)
        rows = rows.loc[rows.index.repeat(len(wanted))].reset_index(drop=True)
        rows["probability"] = np.tile(wanted, len(self._series) * h)
        rows["value"] = values.ravel()
        return rows

    def _forecasts(self, h: int) -> Forecasts:
        if self._weighed is None:
            raise ModelError("The series forecaster was asked before it was fitted", where="SeriesForecaster",
                             remedy="Call fit(frame) first")  # fmt: skip
        if isinstance(h, bool) or int(h) != h or h < 1:
            raise StatisticsError("A forecast needs at least one moment ahead", where="h", found=h,
                                  remedy="Give a whole number from 1")  # fmt: skip
        if h not in self._kept:
            if self._wide is None:
                self._wide = width(self._weighed)
            self._kept[h] = forecast(self._weighed, int(h), self.jobs, self._wide)
        return self._kept[h]

    def _rows(self, h: int) -> pd.DataFrame:
        keys = pd.Series([series.key for series in self._series]).repeat(h).reset_index(drop=True)
        ds = np.concatenate([np.asarray(series.grid.after(series.last, h)) for series in self._series])
        return pd.DataFrame({"unique_id": keys, "ds": ds})
