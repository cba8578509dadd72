"""One model asked about one set of series, in a process of its own: ``series_peers.py MODEL SERIES ANSWER …``.

Runs under the project's environment or that of the peers, hence it needs neither the project nor pandas 3. Reads
Parquet (unique_id, ds, y), writes Parquet (unique_id, ds, mean, lo-80, hi-80, lo-95, hi-95) and, beside it, JSON: what
starting cost (imports and a first forecast of a made-up series, so that nothing is compiled or imported later) and how
many series had no usable answer and got that of seasonal naive instead.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Z = {80: 1.2815515655446004, 95: 1.959963984540054}
COLUMNS = ["mean", "lo-80", "hi-80", "lo-95", "hi-95"]
STATSFORECAST = {
    "auto_ets": "AutoETS",
    "auto_arima": "AutoARIMA",
    "dynamic_theta": "DynamicOptimizedTheta",
    "auto_ces": "AutoCES",
}
ETS_FORMS = ((None, None), ("add", None), (None, "add"), ("add", "add"))  # trend (damped), season
Answer = np.ndarray  # horizon × COLUMNS


def seasonal_naive(y: np.ndarray, season: int, horizon: int) -> Answer:
    """The last cycle again, with normal ranges that widen from cycle to cycle; the last value where there is none.

    R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice (2021), 5.2 and 5.5.
    """
    lag = season if len(y) >= season else 1
    ahead = np.arange(horizon)
    mean = y[len(y) - lag + ahead % lag]
    changes = y[lag:] - y[:-lag] if len(y) > lag else np.diff(y)
    spread = np.sqrt(np.mean(changes**2)) if len(changes) else 0.0
    return _normal(mean, spread * np.sqrt(ahead // lag + 1))


def statsmodels_ets(y: np.ndarray, season: int, horizon: int) -> Answer:
    """Additive exponential smoothing, its trend (damped) and season chosen by AICc."""
    form = import_module("statsmodels.tsa.exponential_smoothing.ets").ETSModel
    series, fits = pd.Series(y), []
    for trend, seasonal in ETS_FORMS:
        if seasonal and len(y) < 2 * season:
            continue
        model = form(series, error="add", trend=trend, damped_trend=trend is not None, seasonal=seasonal,
                     seasonal_periods=season if seasonal else None)  # fmt: skip
        fits.append(model.fit(disp=False))
    best = min(fits, key=lambda fit: fit.aicc)
    said = best.get_prediction(start=len(y), end=len(y) + horizon - 1)
    ranges = [said.pred_int(alpha=1 - level / 100).to_numpy() for level in Z]
    return np.column_stack([np.asarray(said.predicted_mean), *ranges])


def statsmodels_theta(y: np.ndarray, season: int, horizon: int) -> Answer:
    """Theta as it comes; without deseasonalising where there are not two cycles."""
    model = import_module("statsmodels.tsa.forecasting.theta").ThetaModel
    fit = model(pd.Series(y), period=season, deseasonalize=len(y) >= 2 * season).fit()
    ranges = [fit.prediction_intervals(horizon, alpha=1 - level / 100).to_numpy() for level in Z]
    return np.column_stack([np.asarray(fit.forecast(horizon)), *ranges])


def statsforecast(name: str) -> Callable[[np.ndarray, int, int], Answer]:
    """A model of statsforecast as it comes."""
    model = getattr(import_module("statsforecast.models"), STATSFORECAST[name])

    def answer(y: np.ndarray, season: int, horizon: int) -> Answer:
        said = model(season_length=season).forecast(y=y, h=horizon, level=list(Z))
        return np.column_stack([np.asarray(said[column], dtype=float) for column in COLUMNS])

    return answer


def each_series(model: Callable[[np.ndarray, int, int], Answer]) -> Callable[..., tuple[pd.DataFrame, dict[str, int]]]:
    """One series after another; an answer that is not finite, or none, is replaced by that of seasonal naive."""

    def ask(frame: pd.DataFrame, season: int, horizon: int) -> tuple[pd.DataFrame, dict[str, int]]:
        replaced = {"failed": 0, "ranges_failed": 0}
        rows = []
        for key, group in frame.groupby("unique_id", sort=True):
            y = group["y"].to_numpy(float)
            naive = seasonal_naive(y, season, horizon)
            try:
                said = np.asarray(model(y, season, horizon), dtype=float)
            except Exception as error:  # noqa: BLE001 - counted, and shown by the benchmark
                print(f"{key}: {type(error).__name__}: {error}", file=sys.stderr)
                said = np.full_like(naive, np.nan)
            if not np.isfinite(said[:, 0]).all():
                replaced["failed"] += 1
                said = naive
            elif not np.isfinite(said).all():
                replaced["ranges_failed"] += 1
                said = np.column_stack([said[:, 0], said[:, [0]] + naive[:, 1:] - naive[:, [0]]])
            ds = int(group["ds"].iloc[-1]) + 1 + np.arange(horizon)
            rows.append(pd.DataFrame({"unique_id": key, "ds": ds} | dict(zip(COLUMNS, said.T, strict=True))))
        return pd.concat(rows, ignore_index=True), replaced

    return ask


def series_forecaster(frame: pd.DataFrame, season: int, horizon: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """The project's own, which sees all series at once."""
    ours = import_module("spm_models.revenue_forecast").SeriesForecaster
    said = ours(season_length=season, levels=tuple(Z)).fit(frame).predict(horizon)
    return said[["unique_id", "ds", *COLUMNS]], {"failed": 0, "ranges_failed": 0}


def model(name: str) -> Callable[[pd.DataFrame, int, int], tuple[pd.DataFrame, dict[str, int]]]:
    """A model by its name, its package imported."""
    if name == "series_forecaster":
        return series_forecaster
    if name in STATSFORECAST:
        return each_series(statsforecast(name))
    plain = {"seasonal_naive": seasonal_naive, "statsmodels_ets": statsmodels_ets,
             "statsmodels_theta": statsmodels_theta}  # fmt: skip
    return each_series(plain[name])


def warm_up(ask: Callable[..., Any], season: int) -> None:
    """A first forecast of a made-up series."""
    n = 3 * season + 4
    y = 100 + np.arange(n) + 10 * np.sin(np.arange(n) * 2 * np.pi / season) + np.random.default_rng(0).normal(size=n)
    ask(pd.DataFrame({"unique_id": "made up", "ds": np.arange(1, n + 1), "y": y}), season, 2)


def _normal(mean: np.ndarray, spread: np.ndarray) -> Answer:
    ranges = [column for z in Z.values() for column in (mean - z * spread, mean + z * spread)]
    return np.column_stack([mean, *ranges])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("series", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--season", type=int, required=True)
    parser.add_argument("--horizon", type=int, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # a peer's affair
    np.random.seed(0)  # noqa: NPY002 - a peer that draws its ranges uses the global generator
    frame = pd.read_parquet(options.series)
    ask = model(options.model)
    warm_up(ask, options.season)
    start = time.process_time()
    said, replaced = ask(frame, options.season, options.horizon)
    said.to_parquet(options.answer, index=False)
    options.answer.with_suffix(".json").write_text(json.dumps({"start_seconds": start, **replaced}))


if __name__ == "__main__":
    main()
