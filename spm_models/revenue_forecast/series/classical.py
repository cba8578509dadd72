"""Exponential smoothing and Theta of statsmodels, where the history is long enough for them to help.

R. J. Hyndman and others, "Forecasting with exponential smoothing: the state space approach" (2008); V. Assimakopoulos
and K. Nikolopoulos, "The theta model", International Journal of Forecasting 16 (2000); J. A. Fiorucci and others,
"Models for optimising the theta method", the same 32 (2016).
"""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

FORMS = ((None, None), ("add", None), (None, "add"), ("add", "add"))  # trend (damped), season
FEWEST_CYCLES, ENOUGH_CYCLES = 2.5, 8.0
ETS, THETA = 0.35, 0.15  # shares where there are cycles enough; learned on the M1 series
LONGEST_SEASON = 24  # longer ones cost minutes a series
WORTH_A_PROCESS = 20
MISHAPS = (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Classical:
    """The mean (h,) of those of the two that could say something, and their share of the whole."""

    mean: np.ndarray
    share: float


def shares(y: np.ndarray, season_length: int) -> tuple[float, float]:
    """Of exponential smoothing and of Theta: none up to 2.5 cycles of the season, rising to 0.35 and 0.15 at 8."""
    known = y[np.isfinite(y)]
    cycles = len(known) / max(season_length, 4)
    if len(known) < 10 or season_length > LONGEST_SEASON or np.ptp(known) == 0:
        return 0.0, 0.0
    part = float(np.clip((cycles - FEWEST_CYCLES) / (ENOUGH_CYCLES - FEWEST_CYCLES), 0, 1))
    return ETS * part, THETA * part


def classical(histories: list[np.ndarray], season_length: int, h: int, jobs: int) -> list[Classical | None]:
    """What the two say of each series; None where they have no share, or found no answer."""
    wanted = [place for place, y in enumerate(histories) if sum(shares(y, season_length)) > 0]
    found: list[Classical | None] = [None] * len(histories)
    ask, asked = partial(_both, season_length=season_length, h=h), [histories[place] for place in wanted]
    if jobs > 1 and len(wanted) >= WORTH_A_PROCESS:
        with ProcessPoolExecutor(jobs) as processes:
            said = list(processes.map(ask, asked, chunksize=WORTH_A_PROCESS // 2))
    else:
        said = [ask(y) for y in asked]
    for place, one in zip(wanted, said, strict=True):
        found[place] = one
    return found


def _both(y: np.ndarray, season_length: int, h: int) -> Classical | None:
    whole, (ets, theta) = _filled(y), shares(y, season_length)
    unit = np.abs(whole).mean() or 1.0
    parts = [(ets, _smoothing(whole / unit, season_length, h)), (theta, _theta(whole / unit, season_length, h))]
    there = [(share, unit * mean) for share, mean in parts if mean is not None and np.isfinite(mean).all()]
    total = sum(share for share, _ in there)
    if not there:
        return None
    mean = np.sum([share * mean for share, mean in there], axis=0)
    return Classical(mean / total, total)


def _smoothing(y: np.ndarray, season_length: int, h: int) -> np.ndarray | None:
    """Additive exponential smoothing; trend and season chosen by AICc."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    best, least = None, np.inf
    for trend, seasonal in FORMS:
        if seasonal and (season_length == 1 or len(y) < 2 * season_length):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an optimiser's doubts: the AICc judges what it found
            try:
                fitted = ETSModel(y, error="add", trend=trend, damped_trend=trend is not None, seasonal=seasonal,
                                  seasonal_periods=season_length if seasonal else None).fit(disp=False)  # fmt: skip
                if fitted.aicc < least:
                    best, least = np.asarray(fitted.forecast(h)), fitted.aicc
            except MISHAPS:
                continue
    return best


def _theta(y: np.ndarray, season_length: int, h: int) -> np.ndarray | None:
    from statsmodels.tsa.forecasting.theta import ThetaModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            seasonal = 1 < season_length <= len(y) / 2
            model = ThetaModel(y, period=season_length if seasonal else None, deseasonalize=seasonal)
            return np.asarray(model.fit().forecast(h))
        except MISHAPS:
            return None


def _filled(y: np.ndarray) -> np.ndarray:
    """Gaps filled along straight lines."""
    known = np.isfinite(y)
    return np.asarray(np.interp(np.arange(len(y)), np.flatnonzero(known), y[known]))
