"""By how much the ranges of a panel are to be wider or narrower than usual, from values held back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spm_models.revenue_forecast.series.ranges import GRID, Forecasts

LEAST_KNOWN, LEAST_SERIES = 6, 10
LEAST_HELD = 4  # values held back at the end of each series, or a whole cycle; never more than a third of all
HELD = 0.7887  # share that a range from the normal quantile -1.25 to 1.25, the table's nearest to 80 %, is to hold
SURE = 30.0  # series that tell as much as the usual width does
NARROWEST, WIDEST = 0.5, 2.0

Ask = Callable[[list[np.ndarray], int], Forecasts]


def panel_width(histories: list[np.ndarray], season_length: int, ask: Ask) -> float:
    """Factor on the width of all ranges: 1 where there are too few series to tell.

    The last values of each series, a whole cycle of the season where that is no more than a third of them, are held
    back and forecast from what was before (L. Tashman, International Journal of Forecasting 16 (2000)); the factor
    makes the 80 % ranges hold 80 % of them (split conformal prediction: V. Vovk and others, "Algorithmic learning in a
    random world" (2005)). Series of a panel share their shocks, so it is drawn towards 1 as by thirty series, and
    bounded; where less than a cycle of the season is held back, which tells little of what is further ahead, it is
    drawn towards 1 by the part that is missing, twice so when ranges would become narrower: what is further ahead is
    only less sure.

    Parameters
    ----------
    histories : list of ndarray
        NaN where nothing is known.
    season_length : int
    ask : callable
        ``ask(histories, h)``: forecasts with ranges of the usual width.
    """
    held: dict[int, list[np.ndarray]] = {}
    for y in histories:
        count = min(max(LEAST_HELD, season_length), len(y) // 3)
        if count and np.isfinite(y[:-count]).sum() >= LEAST_KNOWN:
            held.setdefault(count, []).append(y)
    if sum(len(some) for some in held.values()) < LEAST_SERIES:
        return 1.0
    ratios, weights, series = [], [], 0
    for count, some in sorted(held.items()):
        said = ask([y[:-count] for y in some], count)
        later = np.stack([y[-count:] for y in some])
        low, high = (said.table[:, :, int(np.abs(GRID - at).argmin())] for at in (-1.25, 1.25))
        reach = np.where(later >= said.mean, high - said.mean, said.mean - low)
        off = np.abs(later - said.mean)
        known = np.isfinite(off) & (reach > 0)
        ratios.append((off / np.where(known, reach, 1.0))[known])
        weights.append((known / np.maximum(known.sum(axis=1, keepdims=True), 1))[known])
        series += int(known.any(axis=1).sum())
    if series < LEAST_SERIES:
        return 1.0
    ratio, weight = np.concatenate(ratios), np.concatenate(weights)
    order = np.argsort(ratio, kind="stable")
    summed = np.cumsum(weight[order]) / weight.sum()
    found = float(ratio[order][min(int(np.searchsorted(summed, HELD)), len(ratio) - 1)])
    cycle = sum(min(count / season_length, 1.0) * len(some) for count, some in held.items())
    seen = cycle / sum(len(some) for some in held.values())
    shrunk = np.log(max(found, 1e-3)) * (seen if found > 1 else seen**2) * series / (series + SURE)
    return float(np.clip(np.exp(shrunk), NARROWEST, WIDEST))
