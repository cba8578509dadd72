"""How much each member of the ensemble is believed, and what they say together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from spm_models.revenue_forecast.series.calibration import panel_width
from spm_models.revenue_forecast.series.classical import Classical, classical, shares
from spm_models.revenue_forecast.series.posterior import Reading, read
from spm_models.revenue_forecast.series.ranges import Forecasts, mixture, widened
from spm_models.revenue_forecast.series.structures import SHARPNESS, prior, structures

MOST, CYCLES = 48, 6  # observations looked back at: the longer of the two, but no more than
FAR = 312
UNLIKELY = 8  # place in the table: the quantile 0.006, beyond which exponential smoothing and Theta are not followed
TOGETHER = 400  # series read at once


@dataclass(frozen=True)
class Weighed:
    """Series and the weights of their structures: of logarithms and of plain values, (2, structures) each."""

    histories: list[np.ndarray]
    season_length: int
    weights: list[np.ndarray]

    def about(self) -> pd.DataFrame:
        """How seasonal each series is, and the weights."""
        each = structures(self.season_length)
        seasonal = np.array([structure.season > 0 for structure in each])
        drifting = np.array([structure.drift > 0 for structure in each])
        rows = []
        for y, weights in zip(self.histories, self.weights, strict=True):
            ets, theta = shares(y, self.season_length)
            rows.append({
                "observations": int(np.isfinite(y).sum()), "seasonality": weights[:, seasonal].sum(),
                "drift": weights[:, drifting].sum(), "logarithm": weights[0].sum(),
                "structures": 1 - ets - theta, "ets": ets, "theta": theta,
            })  # fmt: skip
        return pd.DataFrame(rows)


def weigh(histories: list[np.ndarray], season_length: int) -> Weighed:
    """Weights of the structures of each series: prior, times likelihood."""
    count = len(structures(season_length))
    recent = [y[-min(max(MOST, CYCLES * season_length), FAR) :] for y in histories]
    weights = [np.zeros((2, count)) for _ in recent]
    for places, plain, logs in _read(recent, season_length, 0):
        for row, place in enumerate(places):
            said = np.full((2, count), -np.inf)
            said[1] = plain.likelihood[row]
            if logs is not None:
                said[0] = logs.likelihood[row] - np.log(recent[place][np.isfinite(recent[place])]).sum()
            cycles = np.isfinite(recent[place]).sum() / season_length
            weights[place] = softmax(SHARPNESS * (said - said.max()) + prior(season_length, cycles))
    return Weighed(recent, season_length, weights)


def width(weighed: Weighed) -> float:
    """Factor on all ranges, from values of the panel that are held back (:func:`.calibration.panel_width`)."""

    def ask(histories: list[np.ndarray], h: int) -> Forecasts:
        return forecast(weigh(histories, weighed.season_length), h, 1, others=False)

    return panel_width(weighed.histories, weighed.season_length, ask)


def forecast(weighed: Weighed, h: int, jobs: int, wide: float = 1.0, *, others: bool = True) -> Forecasts:
    """What all members say together of the next h values of each series.

    ``wide`` is a factor on the ranges; without ``others`` only the structures are asked, which is quick.
    """
    series = len(weighed.histories)
    found = Forecasts.unknown(series, h)
    beside = classical(weighed.histories, weighed.season_length, h, jobs) if others else [None] * series
    for places, plain, logs in _read(weighed.histories, weighed.season_length, h):
        for row, place in enumerate(places):
            y, weights = weighed.histories[place], weighed.weights[place]
            said = [(plain.middle[row], plain.spread[row], False)]
            if logs is not None:
                said.insert(0, (logs.middle[row], logs.spread[row], True))
            mean, table = mixture(said, weights[-len(said) :], plain.freedom, y)
            mean, table = _moved(mean, table, beside[place])
            known = int(np.isfinite(y).sum())
            found.put(place, mean, widened(mean, table, known, weighed.season_length, wide), y)
    return found


def _moved(mean: np.ndarray, table: np.ndarray, other: Classical | None) -> tuple[np.ndarray, np.ndarray]:
    if other is None:
        return mean, table
    near = np.clip(other.mean, table[:, UNLIKELY], table[:, -1 - UNLIKELY])
    move = other.share * (near - mean)
    return mean + move, table + move[:, None]


def _read(
    histories: list[np.ndarray], season_length: int, h: int
) -> Iterator[tuple[list[int], Reading, Reading | None]]:
    """Series observed at the same places, read together: (places, plain, logarithms or None)."""
    groups: dict[tuple[bool, bytes], list[int]] = {}
    for place, y in enumerate(histories):
        known = np.isfinite(y)
        if known.any():
            groups.setdefault((bool((y[known] > 0).all()), known.tobytes()), []).append(place)
    each = structures(season_length)
    for (positive, pattern), members in groups.items():
        observed = np.frombuffer(pattern, dtype=bool)
        for start in range(0, len(members), TOGETHER):
            places = members[start : start + TOGETHER]
            y = np.stack([histories[place] for place in places])
            if not positive:
                yield places, read(y, observed, h, season_length, each), None
                continue
            both = read(np.concatenate([np.log(np.where(observed, y, 1.0)), y]), observed, h, season_length, each)
            yield places, _part(both, slice(len(y), None)), _part(both, slice(0, len(y)))


def _part(reading: Reading, rows: slice) -> Reading:
    return Reading(reading.likelihood[rows], reading.middle[rows], reading.spread[rows], reading.freedom)
